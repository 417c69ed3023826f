"""``openvoice call``"""

from __future__ import annotations

import asyncio
import sys

import click

from openvoice import (
    Address,
    Call,
    Device,
    TalkMode,
    Tones,
    UsageError,
    parse_sink,
    parse_source,
    parse_video,
    picture_output,
)
from openvoice.cli.context import (
    ADDRESS,
    SECONDS,
    Settings,
    account_option,
    camera_option,
    check_key,
    check_sound,
    chosen_video,
    in_step,
    input_option,
    json_option,
    output_option,
    push_to_talk_option,
    quiet_option,
    record_option,
    require_option,
    video_option,
    video_output_option,
    watched,
)
from openvoice.cli.controls import controlled
from openvoice.cli.keyboard import somebody_types
from openvoice.cli.printing import printer, told
from openvoice.cli.running import run

DRAIN = 0.3
"""Seconds that a call goes on after its source ended, so that the last words arrive."""


@click.command("call")
@click.argument("peer", type=ADDRESS, metavar="JID")
@account_option
@input_option
@output_option
@video_option
@camera_option
@video_output_option
@record_option
@push_to_talk_option
@quiet_option
@click.option("--duration", type=SECONDS, metavar="S", help="End after S seconds of talk.")
@click.option(
    "--ring-timeout",
    type=SECONDS,
    metavar="S",
    help="Give up after S seconds of ringing.",
)
@click.option("--relay-only", is_flag=True, help="Never tell the peer the addresses of this device.")
@require_option
@json_option
@click.pass_obj
def command(
    settings: Settings,
    peer: Address,
    account: Address | None,
    input_: str | None,
    output: str | None,
    video: bool,
    camera: str | None,
    video_output: str | None,
    record: bool,
    push_to_talk: bool,
    quiet: bool,
    duration: float | None,
    ring_timeout: float | None,
    relay_only: bool,
    require: str | None,
    as_json: bool,
) -> int:
    """Call JID and talk, until you press Ctrl-C, the other side hangs up, or the input ends.

    Microphone and camera open when the other side has answered and its keys are checked, not before. A file of the name
    after --output or --video-output is replaced. In a terminal, c shows the camera or hides it, and s the screen.

    \b
    Talk:
      openvoice call bob@example.org
    Play a file, and record what comes:
      openvoice call bob@example.org --input hello.wav --output answer.wav
    A video call, kept as a film:
      openvoice call bob@example.org --video --output talk.mp4
    A minute of tone, for a test:
      openvoice call bob@example.org --input tone --output null --duration 60
    From and to other programs:
      speak | openvoice call bob@example.org --input - --output - | listen
    """
    if as_json and output == "-":
        raise UsageError("--json and --output - both want standard output: write the sound to a file")
    profile = settings.profile
    changes = {"ring_timeout": ring_timeout} if ring_timeout is not None else {}
    policy = profile.policy(account, require=require, relay_only=relay_only or None, **changes)
    input_ = input_ or profile.settings.input
    source = parse_source(input_, profile.settings.processing)
    sink = parse_sink(output or profile.settings.output)
    check_sound(source, sink)
    shows = chosen_video(video, camera, profile.settings.camera)
    source, shows = in_step(source, input_, shows)
    film = watched(video_output)
    asks = somebody_types() and input_ != "-"
    check_key(push_to_talk, asks=asks)

    async def work() -> int:
        client = profile.client(account, policy=policy)
        shown = printer(as_json=as_json, stream=sys.stderr if output == "-" else None, compares=asks)
        heard = sink if isinstance(sink, Device) and profile.settings.tones and not quiet else None
        async with told(client, shown), Tones(client, output=heard):
            call = await client.call(peer, source=source, sink=sink, video=shows)
            if film is not None:
                call.watch(picture_output(film))
            if push_to_talk:
                call.talk.mode = TalkMode.PUSH_TO_TALK
            if record:
                call.record()
            processing = None if as_json else profile.settings.processing
            usual = parse_video(camera or profile.settings.camera)
            async with controlled(call, shown, asks=asks, processing=processing, camera=usual):
                await _talk(call, duration, until_source_ends=not isinstance(source, Device))
        if call.failure is not None:
            raise call.failure
        return 0

    return run(work())


async def _talk(call: Call, duration: float | None, *, until_source_ends: bool) -> None:
    happenings = call.events()
    ending: asyncio.TimerHandle | None = None
    loop = asyncio.get_running_loop()
    async for event in happenings:
        if event.name == "connected" and duration is not None:
            ending = loop.call_later(duration, call.hangup_soon)
        if event.name == "source-ended" and duration is None and until_source_ends:
            ending = loop.call_later(DRAIN, call.hangup_soon)
    if ending is not None:
        ending.cancel()
    await call.wait_closed()
