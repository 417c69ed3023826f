"""Whether a STUN or TURN server does what its server says it does: for a person who looks for a fault."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from openvoice.errors import MediaFailed
from openvoice.media import relay
from openvoice.media.guard import GuardedSocket
from openvoice.media.ice import IceAgent
from openvoice.ports import MediaSettings, RelayServer


async def reach(server: RelayServer, interfaces: tuple[str, ...] = (), ca_file: Path | None = None) -> str:
    """Ask a STUN server for the own address as it sees it, or a TURN server for an address of its own.

    ``ca_file`` is that of :class:`~openvoice.ports.MediaSettings`.

    Returns the address, which is private: it is for the user's eyes.

    Raises:
        MediaFailed: the server does not answer, or refuses.
    """
    agent = IceAgent(
        controlling=True,
        settings=MediaSettings(input=_unused, output=_unused, interfaces=interfaces),
        deliver=lambda _: None,
        found=lambda *_: None,
        consented=lambda _: None,
        moved=lambda _: None,
        contacted=lambda _: None,
    )
    try:
        if server.kind == "turn":
            allocation = await relay.allocate(server, lambda: GuardedSocket(agent), ca_file)
            address = allocation.transport.get_extra_info("sockname")
            await allocation.close()
        else:
            await agent.gather_candidates()
            address = await _mapped_address(server, agent.sockets)
        return f"{address[0]}:{address[1]}"
    except relay.UNUSABLE as error:
        why = "no answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        raise MediaFailed(f"{server.host}:{server.port} over {server.transport} is of no use: {why}") from error
    finally:
        await asyncio.shield(agent.close())


async def _mapped_address(server: RelayServer, sockets: Sequence[GuardedSocket]) -> tuple[str, int]:
    """The answer to the first socket that gets one: not every address of this device has a way to the server."""
    if not sockets:
        raise MediaFailed("this device has no network address to ask from")

    async def ask(socket: GuardedSocket) -> tuple[str, int]:
        return await relay.mapped_address(await relay.resolve(server, socket.local_candidate.host), socket)

    asking = [asyncio.ensure_future(ask(socket)) for socket in sockets]
    failures: list[BaseException] = []
    try:
        for answered in asyncio.as_completed(asking):
            try:
                return await answered
            except relay.UNUSABLE as error:
                failures.append(error)
        raise failures[-1]
    finally:
        for question in asking:
            question.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


def _unused() -> NoReturn:
    raise AssertionError("nothing is captured or played to reach a server")
