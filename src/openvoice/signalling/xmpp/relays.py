"""The STUN and TURN servers of the own server (XEP-0215): asked for when a call needs them, and kept for a while."""

from __future__ import annotations

import asyncio
import itertools
import time
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.jingle import services
from openvoice.ports import RelayServer
from openvoice.signalling.xmpp.connection import Connection
from openvoice.signalling.xmpp.failures import StanzaRefused, StanzaTimeout

FRESH = 60.0
"""Seconds for which the own server's word holds."""
CREDENTIALS_WITHIN = 5.0
"""Seconds that it may take to give the credentials of its TURN servers; a call waits for them."""


class Relays:
    """What the server at the other end of ``connection`` offers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: tuple[RelayServer, ...] = ()
        self._until = 0.0
        self._lock = asyncio.Lock()

    async def find(self) -> tuple[RelayServer, ...]:
        """All of them, with their credentials; none if it offers none."""
        async with self._lock:
            if time.time() >= self._until:
                self._known = await self._ask()
            return self._known

    def pushed(self, payload: Element, sender: Address) -> bool:
        """Take what the server says of its own accord (XEP-0215, 3.2); whether it was the server's word."""
        own = self._connection.address
        pushed = services.apply_push(self._known, payload, sender=sender, own=own, now=time.time())
        if pushed is None:
            return False
        self._known = pushed
        return True

    async def _ask(self) -> tuple[RelayServer, ...]:
        answer = await self._connection.services()
        if answer is None:
            # The stream may have been down: that is no word of the server.
            return ()
        self._until = time.time() + FRESH
        found = services.parse_services(answer, time.time())
        asked = await asyncio.gather(*map(self._ask_for_credentials, found.without_credentials))
        return (*found.relays, *itertools.chain.from_iterable(asked))

    async def _ask_for_credentials(self, relay: RelayServer) -> tuple[RelayServer, ...]:
        server = Address("", self._connection.address.domain)
        request = services.credentials_request(relay)
        try:
            reply = await self._connection.request(request, server, timeout=CREDENTIALS_WITHIN)
        except (StanzaRefused, StanzaTimeout):
            return ()
        return tuple(known for child in reply for known in services.parse_services(child, time.time()).relays)
