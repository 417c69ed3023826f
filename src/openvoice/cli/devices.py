"""``openvoice devices``"""

from __future__ import annotations

import json
from contextlib import aclosing
from dataclasses import asdict

import click

from openvoice import (
    Camera,
    Device,
    SoundProgress,
    SoundStage,
    UsageError,
    camera_devices,
    check_camera,
    check_devices,
    load_sound,
    parse_sink,
    parse_source,
    parse_video,
    processing_missing,
    screen_in_words,
    sound_devices,
)
from openvoice.cli.context import Settings, json_option
from openvoice.cli.running import run
from openvoice.cli.screen import Screen
from openvoice.cli.steps import NOT_WELL, show_step
from openvoice.samples import sample

_QUIETEST = -72.0
"""dBFS at the left end of the meter."""
_BAR = 30

_STAGES = {
    SoundStage.OPENING: "Opening the devices ...",
    SoundStage.QUIET: "Please say nothing for a moment.",
    SoundStage.PLAYING: "You should hear a voice now.",
    SoundStage.SPEAKING: "Now say a sentence, as you would in a call.",
    SoundStage.REPEATING: "This is what others hear of you.",
}


@click.group("devices", invoke_without_command=True)
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """List microphones, loudspeakers, cameras and screens, or test them.

    Any part of a name works with --input, --output and --camera.

    \b
    See what there is:
      openvoice devices
    Then choose by a part of the name:
      openvoice call bob@example.org --input headset --output headset
    And hear yourself as others would:
      openvoice devices test --input headset --output headset
    Or look through the camera:
      openvoice devices test --camera
    """
    if context.invoked_subcommand is not None:
        return
    found, cameras, shown = sound_devices(), camera_devices(), screen_in_words()
    if as_json:
        for device in found:
            click.echo(json.dumps(asdict(device)))
        for camera in cameras:
            click.echo(json.dumps({"kind": "camera", **asdict(camera), "default": camera.index == 0}))
        if shown is not None:
            click.echo(json.dumps({"kind": "screen", "index": 0, "name": shown, "default": True}))
        return
    screen = Screen()
    if not found:
        screen.line(
            "no sound device was found: calls with files work all the same, see 'openvoice call --help'", indent=0
        )
    for device in found:
        mark = "*" if device.default else " "
        screen.line(f"{mark} {device.kind:<7} {device.name}  ({device.channels} channels, {device.host})", indent=0)
    for camera in cameras:
        screen.line(f"{' ' if camera.index else '*'} camera  {camera.name}", indent=0)
    if shown is not None:
        screen.line(f"* screen  {shown}", indent=0)
    if not found:
        return
    screen.line("* is what the system uses by default", indent=0)
    missing = processing_missing()
    if missing is not None:
        screen.line(f"microphones are sent as they are: {missing}", indent=0)


@command.command("test")
@click.option("--input", "input_", metavar="NAME", help="The microphone.  [default: the one of your settings]")
@click.option("--output", metavar="NAME", help="The loudspeaker.  [default: the one of your settings]")
@click.option(
    "--camera",
    metavar="[NAME]",
    is_flag=False,
    flag_value="default",
    help="Look through a camera instead, by (a part of) its name.",
)
@json_option
@click.pass_obj
def test(settings: Settings, input_: str | None, output: str | None, camera: str | None, as_json: bool) -> int:
    """Listen, play a voice, listen to you, and play you back; then say in words what is wrong.

    It takes 20 seconds and finds a microphone that is muted, forbidden, clipped, quiet or the wrong one, a loud room,
    an echo and whether it is taken out, a loudspeaker that nobody hears, and devices that are slow. Nothing that is
    recorded is kept, and nothing is sent anywhere.

    Ends with 3 if something makes calls impossible, with 7 if a device does not work at all; a warning is no failure.

    \b
    Those of your settings:  openvoice devices test
    Others:                  openvoice devices test --input usb --output usb
    A camera:                openvoice devices test --camera
    For a monitor:           openvoice devices test --json
    """
    chosen = settings.profile.settings
    if camera is not None:
        return run(_look(camera if camera != "default" else chosen.camera, as_json=as_json))
    source, sink = parse_source(input_ or chosen.input, chosen.processing), parse_sink(output or chosen.output)
    if not isinstance(source, Device) or not isinstance(sink, Device):
        raise UsageError("only sound devices can be tested: name one that 'openvoice devices' lists")
    return run(_test(source, sink, as_json=as_json))


async def _look(camera: str, *, as_json: bool) -> int:
    chosen = parse_video(camera)
    if not isinstance(chosen, Camera):
        raise UsageError("only cameras can be tested: name one that 'openvoice devices' lists")
    step = await check_camera(chosen)
    if as_json:
        click.echo(json.dumps({"event": "step", **asdict(step)}))
    else:
        show_step(Screen(), step)
    return NOT_WELL if step.outcome == "failed" else 0


async def _test(source: Device, sink: Device, *, as_json: bool) -> int:
    screen, stage, worst = Screen(), None, 0
    sentence = load_sound(sample("alice"))
    if not as_json:
        screen.line("Nothing that is recorded here is kept, and nothing is sent anywhere.", indent=0)
    async with aclosing(check_devices(source, sink, sentence)) as said:
        async for told in said:
            if isinstance(told, SoundProgress):
                if told.stage is not stage:
                    stage = told.stage
                    _show_stage(screen, stage, as_json=as_json)
                if not as_json:
                    share = 1 - told.level / _QUIETEST
                    screen.redraw(screen.bar(share, _BAR), f"{told.level:4.0f} dB", f"{told.left:.0f} s")
                continue
            screen.close()
            for step in told.steps:
                if step.outcome == "failed":
                    worst = NOT_WELL
                if as_json:
                    click.echo(json.dumps({"event": "step", **asdict(step)}))
                else:
                    show_step(screen, step)
            if as_json:
                click.echo(json.dumps({"event": "figures", **asdict(told.figures)}))
    return worst


def _show_stage(screen: Screen, stage: SoundStage, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"event": "stage", "stage": stage}))
    else:
        screen.line(_STAGES[stage], indent=0)
