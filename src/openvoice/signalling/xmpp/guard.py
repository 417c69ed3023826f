"""slixmpp's client behind a guard: nothing out of turn, nothing unbounded, nothing in clear text.

By itself slixmpp opens a session in clear text, and without a login, for anybody on the way who offers only
``<bind/>``; hands on stanzas that come before either; goes where a server redirects it; falls back to sending the
password; and tries for ever. :class:`GuardedClient` leaves it the connecting, the XML, STARTTLS, the binding and the
plugins.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Any, cast
from xml.etree.ElementTree import Element

from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.jid import InvalidJID
from slixmpp.stanza import Iq, Message, Presence, StreamFeatures
from slixmpp.stanza.stream_error import StreamError
from slixmpp.xmlstream.stanzabase import StanzaBase

from openvoice.core.address import Address
from openvoice.core.security import SignallingFacts
from openvoice.errors import ConnectionFailed, InsecureServer, InvalidAddress, ServerUnreachable
from openvoice.signalling.xmpp.attempt import PatientClient
from openvoice.signalling.xmpp.authentication import Password, authenticate
from openvoice.signalling.xmpp.elements import namespace_of, serialize
from openvoice.signalling.xmpp.endpoints import Endpoint, Security
from openvoice.signalling.xmpp.inbound import Inbound
from openvoice.signalling.xmpp.messages import address_of
from openvoice.signalling.xmpp.namespaces import CLIENT, SASL, STREAM, STREAM_MANAGEMENT, TLS
from openvoice.signalling.xmpp.parser import StreamParser
from openvoice.signalling.xmpp.passenger import Passenger
from openvoice.signalling.xmpp.quiet import quieten
from openvoice.signalling.xmpp.trust import connect_failure, signalling_facts, stream_failure, tls_failure


class GuardedClient(PatientClient):
    """Lives as long as the account's connection, over one stream after another.

    Without ``password`` and ``passenger`` it only secures the channel, and asks what may be asked before a login.

    Raises:
        InvalidAddress: ``account`` holds characters that servers do not accept (RFC 7622).
    """

    def __init__(
        self,
        account: Address,
        context: ssl.SSLContext,
        password: Password | None = None,
        passenger: Passenger | None = None,
    ) -> None:
        try:
            super().__init__(str(account), "", ssl_context=context, loop=asyncio.get_running_loop())
        except InvalidJID:
            raise InvalidAddress(f"{account} is not an address that a server accepts") from None
        quieten()
        self.auto_authorize = None
        self.auto_subscribe = False
        self.end_session_on_disconnect = False
        self.add_filter("out_sync", self._divert)
        self.add_event_handler("connection_failed", self._connection_failed)
        self._account = account
        self._secret = password
        self._passenger = passenger
        self._way = Security.DIRECT
        self._endpoint = Endpoint("", 0)
        self._failure: Exception | None = None
        self._ready: asyncio.Future[None] = self.loop.create_future()
        self._gone = asyncio.Event()
        self._gone.set()
        self._writable = asyncio.Event()
        self._negotiation: asyncio.Task[Any] | None = None
        self._upgrading = False
        self._features_due = self._proceed_due = False
        self._sasl: asyncio.Queue[Element] | None = None
        self._question: asyncio.Future[Element] | None = None
        self._inbound = Inbound(self.loop, self._handle, self._read)
        self._had_session = False
        self.facts: SignallingFacts | None = None
        """How the stream is protected, or the last one was."""
        self.last_heard = 0.0
        """When octets came last, by the loop's clock."""

    @property
    def tls(self) -> ssl.SSLObject | None:
        """The TLS session, ``None`` while the stream is in clear text."""
        if self.transport is None:
            return None
        return cast("ssl.SSLObject | None", self.transport.get_extra_info("ssl_object"))

    @property
    def _local_address(self) -> str:
        """Where the stream leaves from."""
        name = self.transport.get_extra_info("sockname") if self.transport is not None else None
        return str(name[0]) if name else ""

    @property
    def alive(self) -> bool:
        return self._failure is None and self.transport is not None

    async def reach(self, endpoint: Endpoint, way: Security, patience: float, timeout: float) -> None:
        """Connect, secure the channel, log in and begin or resume the session, in ``timeout`` seconds.

        ``patience`` is how many of these TCP and direct TLS may take.

        Raises:
            OtherWay: the port does not speak direct TLS. ``ConnectionFailed``: why nothing came of it.
        """
        await self._let_go()
        self._endpoint, self._way, self.patience = endpoint, way, patience
        self._failure, self._ready = None, self.loop.create_future()
        self._sasl, self._question, self._proceed_due = None, None, False
        self._inbound.restart()
        self.authenticated = False
        self.enable_direct_tls = way is Security.DIRECT
        self.enable_starttls = way is Security.UPGRADE
        try:
            self.connect(endpoint.host, endpoint.port)
            async with asyncio.timeout(timeout):
                await self._ready
        except TimeoutError:
            await self._let_go()
            raise ServerUnreachable(f"{endpoint.host} port {endpoint.port} does not answer in time") from None
        except BaseException:
            await self._let_go()
            raise

    async def lost(self) -> ConnectionFailed:
        """Wait until the stream is over; gives why."""
        await self._gone.wait()
        if isinstance(self._failure, ConnectionFailed):
            return self._failure
        return ServerUnreachable("the connection to the server broke")

    def write(self, item: Element) -> None:
        """Write a first-level element past slixmpp's queue. Without a stream it goes nowhere."""
        if self.transport is not None and not self.transport.is_closing():
            self.send_raw(serialize(item))

    async def writable(self) -> None:
        """Wait until the socket takes more. Returns at once while what is unsent is little."""
        await self._writable.wait()

    async def ask(self, request: Element) -> Element:
        """Send an IQ before the login, and give what is said next. Only what was asked for may come then.

        Raises:
            ConnectionFailed: the stream ended.
        """
        self._question = self.loop.create_future()
        self.write(request)
        return await self._question

    async def close(self, timeout: float) -> None:
        """End the stream politely (RFC 6120, 4.4), at most ``timeout`` seconds, then by force; leave no task."""
        if self.alive and self._ready.done():
            self.send_raw(self.stream_footer)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone.wait(), timeout)
        await self._let_go()
        if self._run_out_filters is not None:
            self._run_out_filters.cancel()
            await asyncio.gather(self._run_out_filters, return_exceptions=True)
            self._run_out_filters = None

    async def _let_go(self) -> None:
        attempt = self._current_connection_attempt
        self.cancel_connection_attempt()
        if attempt is not None:
            await asyncio.gather(attempt, return_exceptions=True)
        self.abort()
        await self._gone.wait()
        for handle in self.scheduled_events.values():
            handle.cancel()
        self.scheduled_events.clear()

    def _arrived(self) -> None:
        # The stream may have been refused while the server gave this device its address.
        if not self._ready.done():
            self._ready.set_result(None)

    def _fail(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error
        if not self._ready.done():
            self._ready.set_exception(self._failure)

    def refuse(self, error: ConnectionFailed) -> None:
        """End the stream at once, for this reason. What came and was not handled yet is not to be believed."""
        self._inbound.clear()
        self._fail(error)
        self.abort()

    def _connection_failed(self, cause: OSError | str) -> None:
        # slixmpp would try again, for ever.
        self.cancel_connection_attempt()
        self._fail(connect_failure(cause, self._account.domain, self._endpoint, self._way))

    def connection_made(self, transport: asyncio.BaseTransport, send_event: bool = True) -> None:
        self._gone.clear()
        self._writable.set()
        self._features_due = True
        self.last_heard = self.loop.time()
        super().connection_made(transport, send_event)

    def init_parser(self) -> None:
        super().init_parser()
        self.parser = StreamParser()

    def data_received(self, data: bytes | str) -> None:
        self.last_heard = self.loop.time()
        if self._failure is not None:
            return
        try:
            super().data_received(data)
        except InsecureServer as error:
            self.refuse(error)
            return
        self._inbound.work()

    def _read(self, on: bool) -> None:
        if self.transport is not None:
            self.transport.resume_reading() if on else self.transport.pause_reading()

    def connection_lost(self, exception: BaseException | None) -> None:
        if self._negotiation is not None:
            self._negotiation.cancel()
        if not self._upgrading:
            self._fail(ServerUnreachable("the connection to the server broke"))
        if self._question is not None and not self._question.done():
            self._question.set_exception(self._failure or ServerUnreachable("the connection to the server broke"))
        super().connection_lost(exception)
        self._writable.clear()
        self._gone.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _spawn_event(self, xml: Element) -> None:
        if self._failure is not None:
            return
        if not self._expects(xml):
            self.refuse(InsecureServer("the server said something that it was not asked, before it may"))
        elif self.authenticated:
            self._inbound.add(xml)
        elif self._sasl is not None and namespace_of(xml) == SASL:
            self._sasl.put_nowait(xml)
        elif self._question is not None and namespace_of(xml) == CLIENT:
            self._question.set_result(xml)
        else:
            super()._spawn_event(xml)

    def _expects(self, xml: Element) -> bool:
        """Whether ``xml`` may come now (RFC 6120, 4.3.3): features once for each header, TLS, SASL, then the rest."""
        namespace = namespace_of(xml)
        if xml.tag == f"{{{STREAM}}}features":
            due, self._features_due = self._features_due, False
            return due
        if namespace == STREAM:
            return True
        if namespace == TLS:
            due, self._proceed_due = self._proceed_due, False
            return due and xml.tag == f"{{{TLS}}}proceed"
        if namespace == SASL:
            return self._sasl is not None and self._sasl.empty()
        if namespace == CLIENT and self._question is not None and not self._question.done():
            return True
        return self.authenticated and self.tls is not None

    def _handle(self, item: Element) -> None:
        try:
            if not self._taken(item):
                super()._spawn_event(item)
        except InsecureServer as error:
            self.refuse(error)

    def _taken(self, item: Element) -> bool:
        if self._passenger is None or namespace_of(item) not in (CLIENT, STREAM_MANAGEMENT):
            return False
        return self._passenger.take(item)

    def _build_stanza(self, xml: Element, default_ns: str | None = None) -> StanzaBase:
        built = super()._build_stanza(xml, default_ns)
        # By itself slixmpp tells the sender of every exception; two that do so never stop.
        built.exception = self.exception  # type: ignore[method-assign]
        return built

    def _handle_stream_error(self, error: StreamError) -> None:
        # By itself slixmpp goes where a see-other-host sends it.
        self.refuse(stream_failure(error["condition"], self._account.domain))

    def _divert(self, data: StanzaBase) -> StanzaBase | None:
        negotiating = isinstance(data, Iq) and (
            data.get_plugin("bind", check=True) or data.get_plugin("session", check=True)
        )
        if self._passenger is None or negotiating or not isinstance(data, Message | Presence | Iq):
            return data
        self._passenger.give(data.xml)
        return None

    async def start_tls(self) -> bool:
        assert self.transport is not None, "STARTTLS without a stream"
        upgrade = self.loop.start_tls(self.transport, self, self.ssl_context, server_hostname=self._account.domain)
        self._current_connection_attempt = asyncio.ensure_future(upgrade)
        self._upgrading = True
        try:
            transport = await self._current_connection_attempt
        except OSError as error:
            self.refuse(tls_failure(error, self._account.domain))
            return False
        finally:
            self._upgrading = False
        self.connection_made(cast("asyncio.Transport", transport), send_event=False)
        return True

    async def _handle_stream_features(self, features: StreamFeatures) -> bool | None:
        self._negotiation = asyncio.current_task()
        try:
            return await self._negotiate(features)
        except ConnectionFailed as error:
            self.refuse(error)
        except IqError as error:
            self.refuse(ServerUnreachable(f"the server does not let this device in: {error.condition}"))
        except IqTimeout:
            self.refuse(ServerUnreachable("the server does not answer in time"))
        finally:
            self._negotiation = None
        return True

    async def _negotiate(self, features: StreamFeatures) -> bool | None:
        tls = self.tls
        if tls is None:
            if "starttls" not in features["features"]:
                raise InsecureServer(f"{self._account.domain} offers no TLS, or somebody on the way took the offer out")
            self._proceed_due = True
            return await super()._handle_stream_features(features)
        if not self.authenticated:
            await self._log_in(features.xml, tls)
            return True
        if self._passenger is not None:
            await self._enter(features, self._passenger)
        self._arrived()
        return None

    async def _log_in(self, features: Element, tls: ssl.SSLObject) -> None:
        if self._secret is None:
            self.facts = signalling_facts(tls, self._account.domain, self._local_address)
            self._arrived()
            return
        self._sasl = asyncio.Queue()
        mechanism = await authenticate(self._account.local, self._secret, features, tls, self.write, self._sasl.get)
        self._sasl = None
        facts = signalling_facts(
            tls, self._account.domain, self._local_address, mechanism=mechanism.name, binding=mechanism.binding
        )
        if self.facts is not None and self.facts.channel_binding and not facts.channel_binding:
            # The same server could do it a moment ago: now somebody sits in between.
            raise InsecureServer("the server no longer proves that the encrypted channel is its own")
        self.facts = facts
        self.authenticated = True
        self.features.add("mechanisms")
        self.event("auth_success")
        self.init_parser()
        self._features_due = True
        self.send_raw(self.stream_header)

    async def _enter(self, features: StreamFeatures, passenger: Passenger) -> None:
        if await passenger.resume(features.xml):
            self.bound = self.sessionstarted = True
            self.features.add("bind")
            self.session_bind_event.set()
            self.event("session_resumed")
            return
        if self._had_session:
            self.event("session_end")
        await super()._handle_stream_features(features)
        address = address_of(self.boundjid.full) if self.bound else None
        if address is None or address.bare != self._account.bare or address.is_bare:
            raise InsecureServer("the server gave this device no address, or somebody else's")
        self._had_session = True
        await passenger.begin(features.xml, address)
