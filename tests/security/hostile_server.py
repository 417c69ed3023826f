"""A server in the hands of an enemy: it reads, and may change, every stanza between its clients and a real Prosody.

It ends TLS on both sides with a certificate of an authority that the clients trust, as the operator of a server could,
or whoever talked a public authority into one. The login passes through it untouched.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from slixmpp.xmlstream.tostring import tostring

from openvoice import Address
from openvoice.server.certificates import CertificateAuthority
from openvoice.server.prosody import Prosody
from openvoice.signalling.xmpp.elements import local_name, namespace_of
from openvoice.signalling.xmpp.namespaces import CLIENT, SASL, STREAM_MANAGEMENT, TLS

from .acknowledgements import Tally
from .xml_stream import Piece, StreamCutter

BIND = "urn:ietf:params:xml:ns:xmpp-bind"


class Toward(StrEnum):
    """Where a stanza goes."""

    SERVER = "server"
    CLIENT = "client"

    @property
    def other(self) -> Toward:
        return Toward.CLIENT if self is Toward.SERVER else Toward.SERVER


Hook = Callable[[Toward, Address, Element], Awaitable[list[Element]]]
"""What goes on in place of a stanza of the account named: itself, changed or not, others too, or nothing at all.

What comes behind it waits for the hook. To let something through later, keep it and :meth:`HostileServer.inject` it.
"""


class Session:
    """What outlives one connection of a client (XEP-0198): whose it is, and the counts."""

    def __init__(self, account: Address) -> None:
        self.account = account
        self.tallies: dict[Toward, Tally] = {}


class HostileServer:
    """Stands before ``prosody``. Clients reach it at :attr:`host` and :attr:`port`, and must trust :attr:`ca_file`.

    The authorities of ``ca_file`` certify both it and the real server. ``newest`` bounds the version of TLS on both
    sides. At the end it raises what went wrong in it.
    """

    def __init__(self, prosody: Prosody, *, newest: ssl.TLSVersion | None = None) -> None:
        self._prosody = prosody
        self._newest = newest
        self._directory = tempfile.TemporaryDirectory(prefix="openvoice-hostile-")
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._lines: dict[Address, Line] = {}
        self.sessions: dict[str, Session] = {}
        self._seen: dict[tuple[Address, Toward], list[Element]] = {}
        self._given: dict[tuple[Address, Toward], list[Element]] = {}
        self._octets: dict[tuple[Address, Toward], bytearray] = {}
        self._changed = asyncio.Event()
        self.hooks: list[Hook] = []
        self.login_hooks: list[Callable[[Toward, Element], Element]] = []
        """Change what is said before there is an account: the features, and the login."""
        self.errors: list[Exception] = []

    async def __aenter__(self) -> Self:
        authority = CertificateAuthority("openvoice hostile authority")
        certificate = authority.issue(self._prosody.domain)
        self.ca_file.write_bytes(self._prosody.ca_file.read_bytes() + authority.certificate)
        chain = Path(self._directory.name) / "server.pem"
        chain.write_bytes(certificate.certificate + certificate.private_key)
        self._toward_clients = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._toward_clients.load_cert_chain(chain)
        self._toward_prosody = ssl.create_default_context(cafile=str(self._prosody.ca_file))
        if self._newest is not None:
            self._toward_clients.maximum_version = self._toward_prosody.maximum_version = self._newest
        self._servers = [
            await asyncio.start_server(self._connected_directly, self.host, 0, ssl=self._toward_clients),
            await asyncio.start_server(self._connected_in_clear, self.host, 0),
        ]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # What was cut off is closed in the next round of the loop.
        await asyncio.sleep(0)
        self._directory.cleanup()
        if self.errors and error is None:
            raise ExceptionGroup("the hostile server failed", self.errors)

    @property
    def host(self) -> str:
        return self._prosody.host

    @property
    def port(self) -> int:
        """Of direct TLS."""
        return int(self._servers[0].sockets[0].getsockname()[1])

    @property
    def starttls_port(self) -> int:
        return int(self._servers[1].sockets[0].getsockname()[1])

    @property
    def ca_file(self) -> Path:
        return Path(self._directory.name) / "authorities.pem"

    # --- what it sees -------------------------------------------------------------------------------------------------

    def seen(self, account: Address, toward: Toward) -> list[Element]:
        """All stanzas that came for one direction, as they came."""
        return list(self._seen.get((account.bare, toward), ()))

    def given(self, account: Address, toward: Toward) -> list[Element]:
        """All stanzas that went on, as they went."""
        return list(self._given.get((account.bare, toward), ()))

    def octets(self, account: Address, toward: Toward) -> bytes:
        """All that came for one direction since the login, with what is no stanza."""
        return bytes(self._octets.get((account.bare, toward), b""))

    def forget(self) -> None:
        """Begin anew to remember."""
        self._seen.clear()
        self._given.clear()
        self._octets.clear()

    async def sees(
        self, account: Address, toward: Toward, wanted: Callable[[Element], bool], within: float = 10.0
    ) -> Element:
        """The first stanza of a kind, waited for."""
        async with asyncio.timeout(within):
            while (found := next(filter(wanted, self.seen(account, toward)), None)) is None:
                self._changed.clear()
                await self._changed.wait()
        return found

    # --- what it does -------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def attacking(self, hook: Hook, *accounts: Address) -> Iterator[None]:
        """Let ``hook`` have its way inside, with these accounts or with all."""
        victims = {account.bare for account in accounts}

        async def only_them(toward: Toward, account: Address, stanza: Element) -> list[Element]:
            return await hook(toward, account, stanza) if not victims or account in victims else [stanza]

        self.hooks.append(only_them)
        try:
            yield
        finally:
            self.hooks.remove(only_them)

    def inject(self, account: Address, toward: Toward, stanza: Element) -> None:
        """Say something that the other side never said. Raises ``KeyError`` if the account is not online."""
        self._lines[account.bare].inject(toward, stanza)

    def cut(self, account: Address) -> None:
        """End the connection of a client as a failing network would."""
        self._lines[account.bare].cut()

    # --- for its lines ------------------------------------------------------------------------------------------------

    def online(self, account: Address, line: Line) -> None:
        self._lines[account] = line

    def note(self, account: Address, toward: Toward, octets: bytes, stanza: Element | None = None) -> None:
        self._octets.setdefault((account, toward), bytearray()).extend(octets)
        if stanza is not None:
            self._seen.setdefault((account, toward), []).append(stanza)
            self._changed.set()

    def note_given(self, account: Address, toward: Toward, stanza: Element) -> None:
        self._given.setdefault((account, toward), []).append(stanza)

    async def changed(self, toward: Toward, account: Address, stanza: Element) -> list[Element]:
        """What the hooks make of a stanza, one after another."""
        stanzas = [stanza]
        for hook in list(self.hooks):
            stanzas = [made for each in stanzas for made in await hook(toward, account, copy.deepcopy(each))]
        return stanzas

    async def secure_prosody(self, writer: asyncio.StreamWriter) -> None:
        await writer.start_tls(self._toward_prosody, server_hostname=self._prosody.domain)

    async def secure_client(self, writer: asyncio.StreamWriter) -> None:
        await writer.start_tls(self._toward_clients)

    def _connected_directly(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        context, domain = self._toward_prosody, self._prosody.domain
        far = asyncio.open_connection(self._prosody.host, self._prosody.port, ssl=context, server_hostname=domain)
        self._spawn(self._serve(reader, writer, far))

    def _connected_in_clear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = asyncio.open_connection(self._prosody.host, self._prosody.starttls_port)
        self._spawn(self._serve(reader, writer, far))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        far: Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]],
    ) -> None:
        try:
            await Line(self, (reader, writer), await far).run()
        except OSError:
            pass
        except Exception as error:
            self.errors.append(error)
        finally:
            writer.transport.abort()


class Line:
    """One connection of one client."""

    def __init__(
        self,
        server: HostileServer,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        prosody: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._server = server
        self._readers = {Toward.SERVER: client[0], Toward.CLIENT: prosody[0]}
        self._writers = {Toward.SERVER: prosody[1], Toward.CLIENT: client[1]}
        self._cutters = {toward: StreamCutter() for toward in Toward}
        self._session: Session | None = None
        self._resuming: Session | None = None
        self._logged_in = False

    async def run(self) -> None:
        pumps = [asyncio.create_task(self._pump(toward)) for toward in Toward]
        try:
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in done:
                pump.result()
            await self._say_goodbye()
        finally:
            for pump in pumps:
                pump.cancel()
            self.cut()
            await asyncio.gather(*pumps, return_exceptions=True)

    def inject(self, toward: Toward, stanza: Element) -> None:
        self._write(toward, _octets(stanza))
        if self._session is not None:
            self._server.note_given(self._session.account, toward, stanza)
            if toward in self._session.tallies:
                self._session.tallies[toward].injected()

    def cut(self) -> None:
        for writer in self._writers.values():
            writer.transport.abort()

    async def _say_goodbye(self) -> None:
        for writer in self._writers.values():
            # What was cut is closed: once more, and Python 3.11.2 could not cut it again.
            if not writer.is_closing():
                writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(0.5):
                for writer in self._writers.values():
                    await writer.wait_closed()

    async def _pump(self, toward: Toward) -> None:
        while octets := await self._readers[toward].read(65536):
            for piece in self._cutters[toward].feed(octets):
                await self._pass(toward, piece)
            await self._writers[toward].drain()

    async def _pass(self, toward: Toward, piece: Piece) -> None:
        element = piece.element
        namespace = "" if element is None else namespace_of(element)
        if self._session is not None:
            stanza = element if namespace == CLIENT else None
            self._server.note(self._session.account, toward, piece.octets, copy.deepcopy(stanza))
        if element is None:
            self._write(toward, piece.octets)
        elif namespace == STREAM_MANAGEMENT:
            self._manage(toward, element, piece.octets)
        elif namespace == CLIENT and self._session is not None:
            await self._pass_stanza(toward, self._session, element, piece.octets)
        else:
            await self._negotiate(toward, element, piece.octets)

    async def _pass_stanza(self, toward: Toward, session: Session, stanza: Element, octets: bytes) -> None:
        before = ElementTree.tostring(stanza)
        stanzas = await self._server.changed(toward, session.account, stanza)
        for made in stanzas:
            # What nobody changed goes on as it came, octet for octet.
            self._write(toward, octets if ElementTree.tostring(made) == before else _octets(made))
            self._server.note_given(session.account, toward, made)
        if toward in session.tallies:
            session.tallies[toward].took(len(stanzas))

    async def _negotiate(self, toward: Toward, element: Element, octets: bytes) -> None:
        """What comes before there is a session: features, STARTTLS, the login, the binding."""
        if self._session is None:
            before = ElementTree.tostring(element)
            for hook in self._server.login_hooks:
                element = hook(toward, element)
            octets = octets if ElementTree.tostring(element) == before else _octets(element)
        if element.tag == f"{{{TLS}}}proceed":
            self._restart()
            # First, or what the client says next would go there in clear text.
            await self._server.secure_prosody(self._writers[Toward.SERVER])
            self._write(toward, octets)
            await self._server.secure_client(self._writers[Toward.CLIENT])
            return
        self._write(toward, octets)
        if element.tag == f"{{{SASL}}}success":
            self._restart()
        elif toward is Toward.CLIENT and (bound := element.findtext(f"{{{BIND}}}bind/{{{BIND}}}jid")) is not None:
            self._begin(Session(Address.parse(bound).bare))

    def _restart(self) -> None:
        for cutter in self._cutters.values():
            cutter.restart()

    def _begin(self, session: Session) -> None:
        self._session = session
        self._server.online(session.account, self)

    def _manage(self, toward: Toward, element: Element, octets: bytes) -> None:
        """XEP-0198: everybody is told the counts that suit what they sent and got."""
        name, handled = local_name(element), element.get("h")
        if name == "enable" and self._session is not None:
            self._session.tallies[Toward.SERVER] = Tally()
        elif name == "enabled" and self._session is not None:
            self._session.tallies[Toward.CLIENT] = Tally()
            self._server.sessions[element.get("id", "")] = self._session
        elif name == "resume":
            self._resuming = self._server.sessions.get(element.get("previd", ""))
        elif name == "resumed" and self._resuming is not None:
            self._begin(self._resuming)
        session = self._session or self._resuming
        tally = session.tallies.get(toward.other) if session is not None else None
        if tally is not None and handled is not None:
            resumes = name in ("resume", "resumed")
            translated = tally.resume(int(handled)) if resumes else tally.translate(int(handled))
            if translated != int(handled):
                element.set("h", str(translated))
                octets = _octets(element)
        self._write(toward, octets)

    def _write(self, toward: Toward, octets: bytes) -> None:
        self._writers[toward].write(octets)


def _octets(element: Element) -> bytes:
    return tostring(element, xmlns=CLIENT).encode()
