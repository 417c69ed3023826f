"""Somebody with an account, who sends what no client would, by a real stream to a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from openvoice import Account, Address
from openvoice.jingle import capabilities
from openvoice.jingle import namespaces as ns
from openvoice.jingle.messages import parse_message, serialize_message
from openvoice.jingle.model import JingleMessage, MessageKind
from openvoice.signalling.xmpp.connection import Connection
from openvoice.signalling.xmpp.failures import StanzaRefused, StanzaTimeout
from openvoice.signalling.xmpp.listener import RequestKind
from openvoice.signalling.xmpp.messages import Carbon
from tests.jingle import samples

from .login import login

SOON = 10.0
"""Seconds that any step may take on a busy machine."""


class Attacker:
    """Remembers all that it is sent, and politely acknowledges every request."""

    def __init__(self, account: Account, features: frozenset[str] = frozenset(capabilities.FEATURES)) -> None:
        self.connection = Connection(
            **login(account),
            listener=self,
            features=features,
        )
        self.messages: list[Element] = []
        self.requests: list[Element] = []
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.connection.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.connection.close()

    @property
    def address(self) -> Address:
        return self.connection.address

    # --- what it says -------------------------------------------------------------------------------------------------

    def say(self, kind: MessageKind, to: Address, sid: str) -> None:
        """A XEP-0353 message, whether it makes sense or not."""
        media = frozenset({"audio"}) if kind is MessageKind.PROPOSE else frozenset()
        self.connection.send_message(serialize_message(JingleMessage(kind=kind, id=sid, media=media), to))

    def send(self, xml: str) -> None:
        """Any message."""
        self.connection.send_message(ElementTree.fromstring(xml))

    async def ask(self, payload: Element, to: Address, kind: RequestKind = "set") -> str:
        """Any request; what came of it: ``result``, the condition of the error, or ``timeout``."""
        try:
            await self.connection.request(payload, to, kind, timeout=SOON)
        except (StanzaRefused, StanzaTimeout) as failure:
            return failure.condition
        return "result"

    async def jingle(self, action: str, to: Address, sid: str, inner: str = "") -> str:
        """A request of Jingle; what came of it."""
        return await self.ask(samples.jingle(action, inner, sid), to)

    async def ping(self, to: Address) -> None:
        """Come back when ``to`` has dealt with all that was sent before."""
        await self.ask(ElementTree.fromstring("<ping xmlns='urn:xmpp:ping'/>"), to, "get")

    # --- what it hears ------------------------------------------------------------------------------------------------

    @property
    def said(self) -> list[MessageKind]:
        """The XEP-0353 messages that it got."""
        return [parsed.kind for message in self.messages if (parsed := parse_message(message)) is not None]

    @property
    def candidates(self) -> list[Element]:
        """The addresses that it learnt."""
        name = ns.qualified(ns.ICE_UDP, "candidate")
        return [candidate for heard in (*self.requests, *self.messages) for candidate in heard.iter(name)]

    def asked(self, action: str) -> list[Element]:
        """The requests of Jingle with this action that it got."""
        return [payload for payload in self.requests if payload.get("action") == action]

    async def hears(self, kind: MessageKind) -> Element:
        """The first message of a kind, waited for."""
        await self._until(lambda: kind in self.said)
        return next(m for m in self.messages if (parsed := parse_message(m)) is not None and parsed.kind is kind)

    async def is_asked(self, action: str) -> Element:
        """The first request of Jingle with this action, waited for."""
        await self._until(lambda: bool(self.asked(action)))
        return self.asked(action)[0]

    async def _until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    # --- ConnectionListener -------------------------------------------------------------------------------------------

    def message_received(
        self, message: Element, sender: Address, *, carbon: Carbon | None, stamp: float | None
    ) -> None:
        self.messages.append(message)
        self._changed.set()

    def request_received(self, id: str, kind: RequestKind, payload: Element, sender: Address) -> None:  # noqa: A002
        self.requests.append(payload)
        self.connection.answer(id, sender)
        self._changed.set()

    def node_changed(self, owner: Address, node: str, payload: Element) -> None: ...

    def connection_changed(self, online: bool, reason: str) -> None: ...
