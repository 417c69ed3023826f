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
    Call,
    Device,
    Sink,
    Source,
    UsageError,
    parse_sink,
    parse_source,
)
from openvoice.cli.context import (
    ADDRESS,
    Settings,
    account_option,
    check_devices,
    input_option,
    json_option,
    output_option,
    require_option,
)
from openvoice.cli.printing import plain, printer, told
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
    relay_only: bool,
    require: str | None,
    as_json: bool,
) -> int:
    """Wait for calls. Answers those named, or asks you for each call of somebody in your contact list.

    Others get no sign that you exist. No sound device is needed with files.

    \b
    Ring in this terminal, and ask:  openvoice answer
    An answering machine:            openvoice answer --from-roster --input greeting.wav --output message.wav
    """
    profile = settings.profile
    input_, output = input_ or profile.settings.input, output or profile.settings.output
    asks = not callers and not from_roster
    if as_json and output == "-":
        raise UsageError("--json and --output - both want standard output: write the sound to a file")
    if asks and not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask in: name the callers with --from, or use --from-roster")
    if from_roster and isinstance(parse_source(input_), Device):
        raise UsageError(
            "--from-roster with a microphone would let every contact listen to this room: "
            "name each caller with --from, or send a file with --input"
        )
    answer = Audience.NOBODY if asks else Audience.ROSTER if from_roster else Audience.NAMED
    changes = {"relay_only": True} if relay_only else {}
    policy = profile.policy(
        require=require, answer=answer, callers=frozenset(caller.bare for caller in callers), **changes
    )
    check_devices(parse_source(input_), parse_sink(output))
    outputs = _outputs(output)

    async def work() -> int:
        client = profile.client(account, policy=policy)
        first: asyncio.Future[Call] = asyncio.get_running_loop().create_future()

        @client.on_call
        async def take(call: Call) -> None:
            accepted = client.answers(call) or (asks and await _ask(call))
            if accepted:
                source: Source = parse_source(input_)
                await call.accept(source=source, sink=next(outputs))
            elif call.ended is None:
                await call.reject()
            await call.wait_closed()
            if once and not first.done():
                first.set_result(call)

        shown = printer(as_json=as_json, stream=sys.stderr if output == "-" else None)
        async with told(client, shown):
            call = await first
        if call.failure is not None:
            raise call.failure
        return 0

    return run(work())


def _outputs(text: str) -> Iterator[Sink]:
    """A sink for each call: recordings after the first get a number, so that none is lost to the next."""
    for number in itertools.count(1):
        sink = parse_sink(text)
        if number > 1 and Path(text).suffix:
            path = Path(text)
            sink = parse_sink(str(path.with_stem(f"{path.stem}-{number}")))
        yield sink


async def _ask(call: Call) -> bool:
    """Ring in the terminal until the user answers or the caller gives up."""
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not typed.done():
            typed.set_result(sys.stdin.readline())

    click.echo(f"\a  answer {plain(str(call.peer.bare))}? [y/N] ", nl=False, err=True)
    loop.add_reader(sys.stdin, read)
    over = asyncio.ensure_future(call.wait_closed())
    waiting: set[asyncio.Future[Any]] = {typed, over}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        loop.remove_reader(sys.stdin)
        over.cancel()
    return typed.done() and typed.result().strip().lower() in ("y", "yes")
