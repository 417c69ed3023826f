"""One connection of slixmpp's client, as it is given up."""

from __future__ import annotations

import asyncio

from openvoice.signalling.xmpp.attempt import PatientClient


class OldTransport(asyncio.Transport):
    """TLS as it is in Python 3.11.2: what was closed twice cannot be aborted."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = 0
        self.aborted = 0

    def close(self) -> None:
        self.closed += 1

    def abort(self) -> None:
        if self.closed > 1:
            raise AttributeError("'NoneType' object has no attribute '_abort'")
        self.aborted += 1


async def test_a_connection_can_be_given_up_twice() -> None:
    client = PatientClient("alice@example.org", "", loop=asyncio.get_running_loop())
    client.transport = transport = OldTransport()
    client.abort()
    client.abort()
    assert transport.aborted == 2
