"""Whether a STUN or TURN server does what its server says it does: for a person who looks for a fault."""

from __future__ import annotations

import asyncio
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
        consented=lambda: None,
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
            sockets = agent.sockets
            if not sockets:
                raise MediaFailed("this device has no network address to ask from")
            resolved = await relay.resolve(server, sockets[0].local_candidate.host)
            address = await relay.mapped_address(resolved, sockets[0])
        return f"{address[0]}:{address[1]}"
    except relay.UNUSABLE as error:
        why = "no answer" if isinstance(error, TimeoutError) else str(error) or type(error).__name__
        raise MediaFailed(f"{server.host}:{server.port} over {server.transport} is of no use: {why}") from error
    finally:
        await asyncio.shield(agent.close())


def _unused() -> NoReturn:
    raise AssertionError("nothing is captured or played to reach a server")
