"""The guarded connection of one account: everything else of the signalling speaks through it, and hears through it."""

from __future__ import annotations

import asyncio
import copy
import secrets
from pathlib import Path
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.core.security import SignallingFacts
from openvoice.errors import ConnectionFailed, InvalidState, ServerUnreachable
from openvoice.signalling.xmpp import capabilities
from openvoice.signalling.xmpp.archive import Archive
from openvoice.signalling.xmpp.authentication import Password as Password
from openvoice.signalling.xmpp.capabilities import Device, VerifiedCapabilities
from openvoice.signalling.xmpp.contacts import Contacts, Presence
from openvoice.signalling.xmpp.dial import dial
from openvoice.signalling.xmpp.elements import element, error, stanza
from openvoice.signalling.xmpp.endpoints import Lookup, find_endpoints
from openvoice.signalling.xmpp.failures import StanzaFailure, StanzaRefused, StanzaTimeout
from openvoice.signalling.xmpp.listener import ConnectionListener, RequestKind
from openvoice.signalling.xmpp.messages import ReceivedMessage
from openvoice.signalling.xmpp.namespaces import CARBONS, DISCO_INFO, EXTERNAL_SERVICES, ROSTER, STANZA_ID
from openvoice.signalling.xmpp.reception import Reception
from openvoice.signalling.xmpp.requests import Finished, Requests
from openvoice.signalling.xmpp.session import KeepAlive, Session
from openvoice.signalling.xmpp.supervisor import BackOff, Supervisor
from openvoice.signalling.xmpp.trust import client_context


class Connection:
    """One account's way to its server: encrypted, authenticated both ways, and kept up until :meth:`close`.

    What is sent while the connection is down waits for it. Messages are neither lost nor reordered; one whose arrival
    is unknown is sent again under the same ``<origin-id/>``, which the receiving side drops if it has it already.
    """

    def __init__(
        self,
        *,
        account: Address,
        password: Password,
        listener: ConnectionListener,
        features: frozenset[str] = frozenset(),
        server: tuple[str, int] | None = None,
        ca_file: Path | None = None,
        keep_alive: KeepAlive | None = None,
        back_off: BackOff | None = None,
        lookup: Lookup | None = None,
        present: bool = True,
        program: capabilities.Program = capabilities.OPENVOICE,
    ) -> None:
        """
        Args:
            account: with a resource, that one is asked for; without, one is made up.
            password: a text, or what gives it each time that a login needs it.
            features: what the listener serves, announced to contacts (XEP-0030, XEP-0115).
            server: host and port, instead of those that the DNS names.
            ca_file: the only authority to trust, instead of the system's.
            lookup: what is asked for SRV records instead of the DNS.
            present: whether contacts see the device, and the server hands over what it kept for one (RFC 6121, 4.2).
            program: what the device says it is.

        Raises:
            ConfigurationError: ``ca_file`` cannot be read.
        """
        self._present = present
        if account.is_bare:
            account = Address(account.local, account.domain, f"openvoice.{secrets.token_hex(4)}")
        self._account = account
        self._server = server
        self._listener = listener
        self._lookup = lookup
        self._requests = Requests(account)
        self._contacts = Contacts(account)
        self._archive = Archive(lambda query: self.request(query, kind="set"))
        self._capabilities = VerifiedCapabilities()
        self._reception = Reception(
            account,
            features,
            listener,
            lambda item: self._session.send(item),
            requests=self._requests,
            contacts=self._contacts,
            archive=self._archive,
            program=program,
        )
        self._session = Session(
            account, password, client_context(ca_file), self._reception.receive, keep_alive or KeepAlive()
        )
        self._supervisor = Supervisor(self, back_off or BackOff())
        self._serving: asyncio.Task[ConnectionFailed] | None = None
        self._online = False
        self._features: frozenset[str] = frozenset()

    @property
    def address(self) -> Address:
        """The full address once online, the bare one before."""
        return self._session.address if self.facts else self._account.bare

    @property
    def online(self) -> bool:
        return self._online

    @property
    def facts(self) -> SignallingFacts | None:
        """How the stream is protected, or the last one was; ``None`` before the first login."""
        return self._session.client.facts

    @property
    def roster(self) -> frozenset[Address]:
        """The people in the contact list, by bare address."""
        return self._contacts.roster

    @property
    def features(self) -> frozenset[str]:
        """What the own server offers, for itself and for the account."""
        return self._features

    @property
    def faults(self) -> int:
        """How many stanzas were not handled because something here raised. Anything but 0 is a fault of openvoice."""
        return self._session.faults

    async def open(self) -> None:
        """Log in, and stay logged in.

        Raises:
            ConnectionFailed: the kind says why; see :mod:`openvoice.errors`.
            InvalidState: it is open already.
        """
        if self._supervisor.running:
            raise InvalidState("the connection is open already")
        try:
            await self._supervisor.open()
        except BaseException:
            await self._session.client.close(0.0)
            raise

    async def close(self) -> None:
        """Send what waits, say goodbye, let go: within two seconds. Twice is once."""
        if self._online:
            await self._session.settle(1.0)
        await self._supervisor.close()
        await self._stop_serving()
        await self._session.client.close(0.5)
        self._requests.abandon(())
        self._online = False

    def network_changed(self) -> None:
        """The ways of this device into the network changed: find out at once what that means."""
        self._supervisor.network_changed()

    def send_message(self, message: Element, *, lifetime: float | None = None) -> str:
        """Send ``message``, which has ``to`` and ``type``, now or when there is a connection again; gives its id.

        ``lifetime`` is how many seconds it is worth sending: a call that nobody waits for any more should not ring.

        Raises:
            StanzaRefused: it is too large, or holds what no XML holds.
        """
        message = copy.copy(message)
        identifier = message.get("id") or secrets.token_hex(16)
        message.set("id", identifier)
        if message.find(f"{{{STANZA_ID}}}origin-id") is None:
            message.append(element(STANZA_ID, "origin-id", id=identifier))
        self._session.send(message, durable=True, expires=self._moment(lifetime))
        return identifier

    def send_presence(self, to: Address, *, available: bool = True) -> None:
        """Tell ``to`` alone that this device is online, and what it can (RFC 6121, 4.6); it may then ask for more."""
        if available:
            self._session.send(stanza("presence", self._announcement(), to=str(to)))
        else:
            self._session.send(stanza("presence", to=str(to), kind="unavailable"))
        self._contacts.told(to, available)

    def start_request(
        self,
        payload: Element,
        to: Address | None,
        kind: RequestKind,
        finished: Finished,
        *,
        id: str | None = None,  # noqa: A002
        timeout: float = 10.0,
    ) -> str:
        """Send an IQ and have ``finished`` told, once, of the answering IQ or of why there is none; gives its id.

        ``to`` is ``None`` for the own account.

        Raises:
            StanzaRefused: it is too large, or holds what no XML holds. ``finished`` is not called then.
        """
        identifier = id or secrets.token_hex(16)
        request = stanza("iq", payload, kind=kind, id=identifier, to=None if to is None else str(to))
        self._session.send(request, expires=self._moment(timeout))
        self._requests.begin(identifier, to, timeout, finished)
        return identifier

    async def request(
        self, payload: Element, to: Address | None = None, kind: RequestKind = "get", timeout: float = 10.0
    ) -> Element:
        """Send an IQ; gives the answering one.

        Raises:
            StanzaRefused: it was refused. ``StanzaTimeout``: nothing came in ``timeout`` seconds.
        """
        answered: asyncio.Future[Element | StanzaFailure] = asyncio.get_running_loop().create_future()

        def finished(outcome: Element | StanzaFailure) -> None:
            if not answered.done():
                answered.set_result(outcome)

        self.start_request(payload, to, kind, finished, timeout=timeout)
        outcome = await answered
        if isinstance(outcome, StanzaRefused | StanzaTimeout):
            raise outcome
        return outcome

    async def ask(
        self, query: Element, to: Address | None = None, kind: RequestKind = "get", timeout: float = 5.0
    ) -> Element | None:
        """What answers ``query``, ``None`` if nothing does."""
        try:
            answer = await self.request(query, to, kind, timeout)
        except (StanzaRefused, StanzaTimeout):
            return None
        return next(iter(answer), None)

    def answer(self, id: str, to: Address, payload: Element | None = None) -> None:  # noqa: A002
        """Answer a request with a result."""
        content = [] if payload is None else [payload]
        self._session.send(stanza("iq", *content, kind="result", id=id, to=str(to)))

    def refuse(
        self,
        id: str,  # noqa: A002
        to: Address,
        condition: str,
        kind: str = "cancel",
        *,
        application: Element | None = None,
    ) -> None:
        """Answer a request with an error (RFC 6120, 8.3): a defined condition, its type, perhaps an own condition."""
        self._session.send(
            stanza("iq", error(condition, kind, application=application), kind="error", id=id, to=str(to))
        )

    def presence_of(self, person: Address) -> tuple[Presence, ...]:
        """The devices of ``person`` that are online, the one with the highest priority first."""
        return self._contacts.devices(person)

    async def devices(self, person: Address, timeout: float = 5.0) -> tuple[Device, ...]:
        """The same with what they can, asking those that we do not know it of yet; those that do not answer are left
        out. Being asked tells a device that we are online."""
        found = await asyncio.gather(*(self._device(presence, timeout) for presence in self.presence_of(person)))
        return tuple(device for device in found if device is not None)

    async def services(self) -> Element | None:
        """What the own server says of STUN and TURN (XEP-0215), ``None`` if it has no such service."""
        return await self.ask(element(EXTERNAL_SERVICES, "services"), Address("", self._account.domain))

    async def archive(self, since: float, *, limit: int = 500) -> list[ReceivedMessage]:
        """What was said to and from the account since the Unix time given (XEP-0313), oldest first.

        Empty if the server keeps no archive.
        """
        try:
            return await self._archive.since(since, limit)
        except (StanzaRefused, StanzaTimeout):
            return []

    async def connect(self) -> None:
        """Log in once. For the supervisor."""
        endpoints = await find_endpoints(self._account.domain, self._server, self._lookup)
        await dial(self._session.client, endpoints)
        self._serving = asyncio.create_task(self._session.serve())
        if not self._session.resumed:
            self._requests.abandon({item.get("id", "") for item in self._session.unsent})
            self._contacts.everybody_gone()
            try:
                await self._set_up_while_served(self._serving)
            except BaseException:
                await self._stop_serving()
                self._session.client.abort()
                raise
        self._online = True

    async def serve(self) -> ConnectionFailed:
        """Until the connection is lost; gives why. For the supervisor."""
        assert self._serving is not None, "served before it was connected"
        return await asyncio.shield(self._serving)

    def check(self) -> None:
        """Ask the server for a sign of life at once. For the supervisor."""
        self._session.check()

    def changed(self, online: bool, reason: str) -> None:
        """Told by the supervisor."""
        self._online = online
        self._listener.connection_changed(online, reason)

    async def _set_up_while_served(self, serving: asyncio.Task[ConnectionFailed]) -> None:
        setting_up = asyncio.create_task(self._set_up())
        try:
            await asyncio.wait({setting_up, serving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready = setting_up.done()
            setting_up.cancel()
            await asyncio.gather(setting_up, return_exceptions=True)
        if not ready:
            raise ServerUnreachable("the server ended the connection right after the login")

    async def _set_up(self) -> None:
        account, server = self._account.bare, Address("", self._account.domain)
        roster, _ = await asyncio.gather(
            self.ask(element(ROSTER, "query")), self.ask(element(CARBONS, "enable"), kind="set")
        )
        if roster is not None:
            self._contacts.set_roster(roster)
        # Before the questions, so that with their answers this device is known to be there.
        if self._present:
            self._session.send(stanza("presence", self._announcement()))
        of_server, of_account = await asyncio.gather(
            self.ask(element(DISCO_INFO, "query"), server), self.ask(element(DISCO_INFO, "query"), account)
        )
        answers = [answer for answer in (of_server, of_account) if answer is not None]
        self._features = frozenset().union(*map(capabilities.features_of, answers))

    async def _device(self, presence: Presence, timeout: float) -> Device | None:
        announced = presence.capabilities
        features = self._capabilities.get(presence.address, announced) if announced else None
        if features is None:
            node = f"{announced.node}#{announced.version}" if announced else None
            answer = await self.ask(element(DISCO_INFO, "query", node=node), presence.address, timeout=timeout)
            if answer is None:
                return None
            features = capabilities.features_of(answer)
            if announced is not None:
                self._capabilities.learn(presence.address, announced, answer)
        return Device(
            address=presence.address,
            priority=presence.priority,
            node=announced.node if announced else "",
            features=features,
        )

    async def _stop_serving(self) -> None:
        if self._serving is not None:
            self._serving.cancel()
            await asyncio.gather(self._serving, return_exceptions=True)
            self._serving = None

    def _announcement(self) -> Element:
        return self._reception.announcement()

    def _moment(self, lifetime: float | None) -> float | None:
        return None if lifetime is None else asyncio.get_running_loop().time() + lifetime
