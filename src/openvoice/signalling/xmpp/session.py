"""One session of the account: it may outlive the stream it began on (XEP-0198)."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import ssl
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.errors import ConnectionFailed, InsecureServer
from openvoice.signalling.xmpp.authentication import Password
from openvoice.signalling.xmpp.elements import element, local_name, namespace_of, serialize, stanza
from openvoice.signalling.xmpp.failures import StanzaRefused
from openvoice.signalling.xmpp.guard import GuardedClient
from openvoice.signalling.xmpp.namespaces import PING, STREAM_MANAGEMENT
from openvoice.signalling.xmpp.outbox import Outbox
from openvoice.signalling.xmpp.tasks import happens

MAXIMUM_WAITING = 5000
"""Stanzas that may wait to be sent or acknowledged."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeepAlive:
    """When a silent stream is asked for a sign of life, and how long it may take. Seconds."""

    interval: float = 20.0
    timeout: float = 10.0
    hurry: float = 1.0
    """The same as ``timeout``, when there is reason for doubt."""


class Session:
    """Sends what is in the outbox, counts, acknowledges, and hands every stanza over, one after another.

    ``handle`` is called with each stanza in the order of the stream, and says whether it concerned anybody; what did
    not is left to slixmpp's plugins. Its exceptions are logged and counted in :attr:`faults`; nobody is told, because
    an error that is answered by an error never ends.
    """

    def __init__(
        self,
        account: Address,
        password: Password,
        context: ssl.SSLContext,
        handle: Callable[[Element], bool],
        keep_alive: KeepAlive,
    ) -> None:
        self._handle = handle
        self._times = keep_alive
        self._outbox = Outbox()
        self._resumption: str | None = None
        self._answer: asyncio.Future[bool] | None = None
        self._managed = False
        self._handled = 0
        self._asked = False
        self._doubt = asyncio.Event()
        self._unsent = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self.client = GuardedClient(account, context, password, self)
        self.address = account
        """The full address once bound."""
        self.resumed = False
        """Whether the last stream went on with the session of the one before."""
        self.faults = 0

    @property
    def unsent(self) -> tuple[Element, ...]:
        """What waits to be written."""
        return self._outbox.waiting

    def send(self, item: Element, *, durable: bool = False, expires: float | None = None) -> None:
        """Send a stanza, now or when there is a stream again. ``expires`` is on the loop's clock.

        Raises:
            StanzaRefused: see :func:`~openvoice.signalling.xmpp.elements.serialize`; or too much waits already
                (``resource-constraint``).
        """
        serialize(item)
        if len(self._outbox) >= MAXIMUM_WAITING:
            raise StanzaRefused("resource-constraint")
        self._outbox.add(item, durable=durable, expires=expires)
        self._settled.clear()
        self._unsent.set()

    async def serve(self) -> ConnectionFailed:
        """Send, and see that the server lives, until the stream is over; gives why."""
        self._asked = False
        self._doubt.clear()
        self._unsent.set()
        lost = asyncio.create_task(self.client.lost())
        helpers = [asyncio.create_task(self._write()), asyncio.create_task(self._keep_alive())]
        try:
            done, _ = await asyncio.wait({lost, *helpers}, return_when=asyncio.FIRST_COMPLETED)
            for helper in done.intersection(helpers):
                if (error := helper.exception()) is not None:
                    # A stream that nothing is sent on any more only looks alive.
                    logger.error("the stream cannot be served: %s", type(error).__name__)
                    self.client.abort()
            return await lost
        finally:
            for task in (lost, *helpers):
                task.cancel()
            await asyncio.gather(lost, *helpers, return_exceptions=True)

    async def settle(self, timeout: float) -> None:
        """Wait until the server has everything that was sent, at most ``timeout`` seconds, while it is served."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), timeout)

    async def resume(self, features: Element) -> bool:
        self.resumed = False
        if self._resumption is not None and _offers_management(features):
            self.resumed = await self._negotiate("resume", h=str(self._handled), previd=self._resumption)
        return self.resumed

    async def begin(self, features: Element, address: Address) -> None:
        self.address = address
        self._outbox.lost()
        self._managed, self._resumption = False, None
        if _offers_management(features):
            await self._negotiate("enable", resume="true")

    def take(self, item: Element) -> bool:
        if namespace_of(item) == STREAM_MANAGEMENT:
            self._control(item)
            return True
        consumed = self._deliver(item)
        if self._managed:
            self._handled = (self._handled + 1) % 2**32
        return consumed

    def give(self, item: Element) -> None:
        self.send(item, durable=local_name(item) == "message")

    async def _negotiate(self, name: str, **attributes: str) -> bool:
        self._managed = False
        self._answer = asyncio.get_running_loop().create_future()
        self.client.write(element(STREAM_MANAGEMENT, name, **attributes))
        return await self._answer

    def _control(self, item: Element) -> None:
        """An element of XEP-0198, handled at once: what follows it is counted already."""
        name = local_name(item)
        if name == "r":
            self.client.write(element(STREAM_MANAGEMENT, "a", h=str(self._handled)))
        elif name == "a":
            self._count(self._outbox.acknowledge, item)
            self._asked = False
            self._unsent.set()
        elif self._answer is None or self._answer.done():
            raise InsecureServer("the server did not keep to the order of the login")
        elif name == "resumed" and item.get("previd") == self._resumption:
            self._count(self._outbox.resumed, item)
            self._managed = True
            self._answer.set_result(True)
        elif name == "enabled":
            self._outbox.managed()
            self._managed, self._handled = True, 0
            self._resumption = item.get("id") if item.get("resume") in ("true", "1") else None
            self._answer.set_result(True)
        elif name == "failed":
            self._outbox.lost(_counter(item))
            self._answer.set_result(False)
        else:
            raise InsecureServer("the server did not keep to the order of the login")

    def _count(self, take: Callable[[int], None], item: Element) -> None:
        counter = _counter(item)
        try:
            if counter is None:
                raise ValueError("no count")
            take(counter)
        except ValueError:
            raise InsecureServer("the server acknowledges what was never sent") from None

    def _deliver(self, item: Element) -> bool:
        try:
            return self._handle(item)
        except Exception as error:
            self.faults += 1
            # The place, not the words: an exception quotes what it stumbled over.
            place = traceback.extract_tb(error.__traceback__)[-1]
            logger.error("a stanza was not handled: %s in %s:%d", type(error).__name__, place.name, place.lineno)
            return True

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._unsent.wait()
            self._unsent.clear()
            while self.client.alive and (item := self._outbox.take(loop.time())) is not None:
                self.client.write(item)
                await self.client.writable()
            if self._outbox.in_flight and not self._asked:
                self._asked = True
                self.client.write(element(STREAM_MANAGEMENT, "r"))
            if not self._outbox:
                self._settled.set()

    def check(self) -> None:
        """Ask the server for a sign of life now, and wait for it only briefly. Without a stream nothing happens."""
        self._doubt.set()

    async def _keep_alive(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            silence = loop.time() - self.client.last_heard
            if not self._doubt.is_set() and silence < self._times.interval:
                await happens(self._doubt, self._times.interval - silence)
                continue
            patience = self._times.hurry if self._doubt.is_set() else self._times.timeout
            self._doubt.clear()
            self._probe()
            heard = self.client.last_heard
            await asyncio.sleep(patience)
            if self.client.last_heard == heard:
                # Without a farewell, which could reach a server that only slept and would end the session there.
                self.client.abort()
                return

    def _probe(self) -> None:
        if self._managed:
            self.client.write(element(STREAM_MANAGEMENT, "r"))
        else:
            self.client.write(stanza("iq", element(PING, "ping"), kind="get", id=secrets.token_hex(8)))


def _offers_management(features: Element) -> bool:
    return features.find(f"{{{STREAM_MANAGEMENT}}}sm") is not None


def _counter(item: Element) -> int | None:
    text = item.get("h", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None
