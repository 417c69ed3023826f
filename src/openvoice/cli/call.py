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
)
from openvoice.cli.context import (
    ADDRESS,
    SECONDS,
    Settings,
    account_option,
    check_key,
    check_sound,
    input_option,
    json_option,
    output_option,
    push_to_talk_option,
    quiet_option,
    record_option,
    require_option,
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

    The microphone opens when the other side has answered and its keys are checked, not before. A file of the name after
    --output is replaced.

    \b
    Talk:
      openvoice call bob@example.org
    Play a file, and record what comes:
      openvoice call bob@example.org --input hello.wav --output answer.wav
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
    source = parse_source(input_ or profile.settings.input, profile.settings.processing)
    sink = parse_sink(output or profile.settings.output)
    check_sound(source, sink)
    asks = somebody_types() and (input_ or profile.settings.input) != "-"
    check_key(push_to_talk, asks=asks)

    async def work() -> int:
        client = profile.client(account, policy=policy)
        shown = printer(as_json=as_json, stream=sys.stderr if output == "-" else None, compares=asks)
        heard = sink if isinstance(sink, Device) and profile.settings.tones and not quiet else None
        async with told(client, shown), Tones(client, output=heard):
            call = await client.call(peer, source=source, sink=sink)
            if push_to_talk:
                call.talk.mode = TalkMode.PUSH_TO_TALK
            if record:
                call.record()
            processing = None if as_json else profile.settings.processing
            async with controlled(call, shown, asks=asks, processing=processing):
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
