"""``openvoice answer``"""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from openvoice import (
    Address,
    Audience,
    AudioFileError,
    Call,
    Camera,
    ConfigurationError,
    Device,
    InvalidState,
    Policy,
    Profile,
    Screen,
    Sink,
    Source,
    TalkMode,
    Tones,
    UsageError,
    VideoFailed,
    parse_sink,
    parse_source,
    parse_video,
    picture_output,
)
from openvoice.cli.context import (
    ADDRESS,
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
from openvoice.cli.keyboard import Turn, somebody_types
from openvoice.cli.printing import Printer, look_alike, printer, told
from openvoice.cli.running import run


@click.command("answer")
@account_option
@click.option(
    "--from", "callers", type=ADDRESS, metavar="JID", multiple=True, help="Answer this caller. May be given again."
)
@click.option("--from-roster", is_flag=True, help="Answer everybody in your contact list.")
@click.option("--once", is_flag=True, help="End after the first call.")
@input_option
@output_option
@video_option
@camera_option
@video_output_option
@record_option
@click.option(
    "--ring-device",
    metavar="NAME",
    help="The sound device that rings, by (a part of) its name.  [default: your settings', else the system's]",
)
@push_to_talk_option
@quiet_option
@click.option("--relay-only", is_flag=True, help="Never tell callers the addresses of this device.")
@require_option
@json_option
@click.pass_obj
def command(
    settings: Settings,
    account: Address | None,
    callers: tuple[Address, ...],
    from_roster: bool,
    once: bool,
    input_: str | None,
    output: str | None,
    video: bool,
    camera: str | None,
    video_output: str | None,
    record: bool,
    ring_device: str | None,
    push_to_talk: bool,
    quiet: bool,
    relay_only: bool,
    require: str | None,
    as_json: bool,
) -> int:
    """Wait for calls, and answer those named, or those your policy answers; in a terminal, ask about the others.

    Only contacts and people named can make this ring; others get no sign that you exist. With --from or --from-roster
    nobody else rings. No sound device is needed with files. A recording is never overwritten: the next one gets a
    number. A video call is answered with your voice alone, unless you say --video; in a terminal, c shows the camera
    later, or hides it, and s the screen.

    \b
    Ring in this terminal, and ask:
      openvoice answer
    An answering machine for your contacts:
      openvoice answer --from-roster --input greeting.wav --output message.wav
    An open line for one friend:
      openvoice answer --from bob@example.org
    """
    profile = settings.profile
    profile.settings.account(account)
    insisted = {"require": require, "relay_only": relay_only or None}
    input_, output = input_ or profile.settings.input, output or profile.settings.output
    if as_json and output == "-":
        raise UsageError("--json and --output - both want standard output: write the sound to a file")
    if input_ == "-" and not once:
        raise UsageError("standard input is enough for one call: add --once, or name a file with --input")
    asks = sys.stdin.isatty() and not callers and not from_roster
    policy = _policy(profile, account, callers, from_roster=from_roster, asks=asks, insisted=insisted)
    source = parse_source(input_, profile.settings.processing)
    if policy.answer is Audience.ROSTER and isinstance(source, Device):
        raise UsageError(
            "answering all contacts with a microphone would let every contact listen to this room: "
            "name each caller with --from, or send a file with --input"
        )
    sink = parse_sink(output)
    check_sound(source, sink)
    shows = chosen_video(video, camera, profile.settings.camera)
    if policy.answer is Audience.ROSTER and isinstance(shows, Camera | Screen):
        raise UsageError(
            "answering all contacts with a camera or the screen would let every contact look at it: "
            "name each caller with --from, or show a film with --camera FILE"
        )
    film = watched(video_output)
    compares = somebody_types() and input_ != "-"
    check_key(push_to_talk, asks=compares)
    rings = _ringing(profile, ring_device, sink, quiet=quiet)
    heard = sink if isinstance(sink, Device) and profile.settings.tones and not quiet else None
    processing = None if as_json else profile.settings.processing
    sources = _sources(source, input_)

    async def work() -> int:
        client = profile.client(account, policy=policy)
        shown = printer(as_json=as_json, stream=sys.stderr if output == "-" else None, compares=compares)
        over: asyncio.Future[Call] = asyncio.get_running_loop().create_future()
        turn = Turn()

        @client.on_call
        async def take(call: Call) -> None:
            accepted = client.answers(call)
            if accepted and (isinstance(source, Device) or isinstance(shows, Camera | Screen)):
                # Nobody pressed a key, and this room is about to be heard or seen: let it hear so.
                click.echo("\a", nl=False, err=True)
            if not accepted and asks:
                async with turn.question():
                    accepted = await _ask(call, shown, shows=shows is not None)
            if push_to_talk:
                call.talk.mode = TalkMode.PUSH_TO_TALK
            try:
                if accepted:
                    said, seen = in_step(next(sources), input_, shows)
                    await call.accept(source=said, sink=_unused(parse_sink(output)), video=seen)
                    if film is not None:
                        call.watch(picture_output(next(path for path in _numbered(film) if not path.exists())))
                    if record:
                        call.record()
                elif call.ended is None:
                    await call.reject()
            except InvalidState:
                # The caller gave up in this very moment.
                await call.wait_closed()
            except (AudioFileError, VideoFailed, ConfigurationError) as error:
                # What does not work for this call does not for the next: whoever left this running should know.
                if not over.done():
                    over.set_exception(error)
                raise
            usual = parse_video(camera or profile.settings.camera)
            async with controlled(call, shown, asks=compares, processing=processing, camera=usual, turn=turn):
                await call.wait_closed()
            if once and not over.done():
                over.set_result(call)

        async with told(client, shown), Tones(client, output=heard, ring=rings):
            shown.say("waiting for calls (Ctrl-C ends)")
            call = await over
        if call.failure is not None:
            raise call.failure
        return 0

    return run(work())


def _policy(
    profile: Profile,
    account: Address | None,
    callers: tuple[Address, ...],
    *,
    from_roster: bool,
    asks: bool,
    insisted: dict[str, Any],
) -> Policy:
    """The profile's policy with what the options say. Where nobody is asked, only those who are answered ring."""
    changes: dict[str, Any] = dict(insisted)
    if callers or from_roster:
        changes["answer"] = Audience.ROSTER if from_roster else Audience.NAMED
        changes["callers"] = frozenset(caller.bare for caller in callers)
    policy = profile.policy(account, **changes)
    if asks:
        return policy
    if policy.answer is Audience.NOBODY:
        raise UsageError("there is no terminal to ask in: name the callers with --from, or use --from-roster")
    return profile.policy(account, **changes, ring=policy.answer)


def _sources(first: Source, text: str) -> Iterator[Source]:
    """The source that was tried already, then one like it for each further call."""
    yield first
    while True:
        yield parse_source(text)


def _ringing(profile: Profile, named: str | None, sink: Sink, *, quiet: bool) -> Device | None:
    """Where it rings: a device that is named here, or that of the settings where somebody listens to the call.

    Raises:
        UsageError: it is to be quiet and to ring.
        DeviceFailed: there is no such device.
    """
    if named is not None:
        if quiet:
            raise UsageError("--quiet and --ring-device contradict each other: leave one out")
        device = Device(named)
        device.check("output")
        return device
    listens = isinstance(sink, Device) and profile.settings.tones and not quiet
    return Device(profile.settings.ring) if listens else None


def _unused(sink: Sink) -> Sink:
    """The sink; for a recording, the first of its name and that name with a number that is not there yet."""
    if not isinstance(sink, Path):
        return sink
    return next(path for path in _numbered(sink) if not path.exists())


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    for number in itertools.count(2):
        yield path.with_stem(f"{path.stem}-{number}")


async def _ask(call: Call, shown: Printer, *, shows: bool) -> bool:
    """Ring in the terminal until the user answers or the caller gives up."""
    if call.ended is not None:
        return False
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        line = sys.stdin.readline()
        shown.answered()
        if not typed.done():
            typed.set_result(line)

    _forget_what_was_typed()
    how = " and show your pictures" if shows else " with sound alone" if call.offers_video else ""
    shown.ask(f"answer {call.peer.bare}{look_alike(str(call.peer.bare))}{how}? [y/N]")
    loop.add_reader(sys.stdin, read)
    over = asyncio.ensure_future(call.wait_closed())
    waiting: set[asyncio.Future[Any]] = {typed, over}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        loop.remove_reader(sys.stdin)
        over.cancel()
    return typed.done() and typed.result().strip().lower() in ("y", "yes")


def _forget_what_was_typed() -> None:
    """Drop what was typed before the question was there: it cannot be its answer."""
    try:
        import termios
    except ImportError:
        return
    termios.tcflush(sys.stdin, termios.TCIFLUSH)
