"""What openvoice announces, as a contact sees that over a real server."""

from __future__ import annotations

from openvoice.server.prosody import Prosody
from openvoice.signalling.xmpp.connection import Connection
from openvoice.testing.clients import ClientFactory
from tests.signalling.xmpp.scripted import Recorder
from tests.waiting import until


async def announced(prosody: Prosody, clients: ClientFactory) -> frozenset[str]:
    """The features of a client that is online, by its presence and the answer that its hash vouches for."""
    async with clients("alice", "bob") as (alice, bob):
        connection = Connection(
            account=bob.address.bare,
            password=prosody.accounts[bob.address.local],
            listener=Recorder(),
            server=(prosody.host, prosody.port),
            ca_file=prosody.ca_file,
        )
        await connection.open()
        try:
            await until(lambda: bool(connection.presence_of(alice.address.bare)))
            (device,) = await connection.devices(alice.address.bare)
            return device.features
        finally:
            await connection.close()
