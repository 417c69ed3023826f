"""A server of a few lines that says what a test wants: on loopback, with real TLS, SCRAM and XEP-0198."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import re
import ssl
import tempfile
from collections.abc import Awaitable, Callable
from xml.etree.ElementTree import Element, fromstring

from openvoice.core.address import Address
from openvoice.server.certificates import Certificate
from openvoice.signalling.xmpp.listener import RequestKind
from openvoice.signalling.xmpp.messages import Carbon

DOMAIN = "openvoice.test"
ALICE = Address.parse(f"alice@{DOMAIN}")
BOB = Address.parse(f"bob@{DOMAIN}")
PASSWORD = "correct horse"

HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
    f"id='s' from='{DOMAIN}' version='1.0'>"
)
BIND = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
PROCEED = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
MANAGEMENT = "<sm xmlns='urn:xmpp:sm:3'/>"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"


def features(*content: str) -> str:
    return f"<stream:features>{''.join(content)}</stream:features>"


def mechanisms(*names: str) -> str:
    return f"<mechanisms xmlns='{SASL}'>{''.join(f'<mechanism>{name}</mechanism>' for name in names)}</mechanisms>"


def server_context(
    certificate: Certificate, *, newest: ssl.TLSVersion | None = None, oldest: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if oldest is not None:
        context.minimum_version = oldest
        context.set_ciphers("ALL:@SECLEVEL=0")
    if newest is not None:
        context.maximum_version = newest
    with tempfile.NamedTemporaryFile() as chain:
        chain.write(certificate.certificate + certificate.private_key)
        chain.flush()
        context.load_cert_chain(chain.name)
    return context


class Peer:
    """The server's side of one connection. ``got`` is all the text that the client sent and no test has taken."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.got = ""
        self.everything = ""

    async def until(self, pattern: str, timeout: float = 5.0) -> re.Match[str]:
        """Read until ``pattern`` is there, and take everything up to its end."""
        async with asyncio.timeout(timeout):
            while not (match := re.search(pattern, self.got, re.DOTALL)):
                octets = await self.reader.read(65536)
                if not octets:
                    raise ConnectionError("the client went away")
                text = octets.decode(errors="replace")
                self.got += text
                self.everything += text
        self.got = self.got[match.end() :]
        return match

    async def rest(self, timeout: float = 5.0) -> str:
        """Everything that the client sent until it went away."""
        with contextlib.suppress(ConnectionError, OSError):
            await self.until("(?!)", timeout)
        return self.everything

    async def send(self, text: str | bytes) -> None:
        self.writer.write(text.encode() if isinstance(text, str) else text)
        await self.writer.drain()

    async def header(self, *content: str) -> None:
        await self.until("<stream:stream[^>]*>")
        await self.send(HEADER + features(*content))

    async def start_tls(self, context: ssl.SSLContext) -> None:
        await self.header(STARTTLS)
        await self.until("<starttls")
        await self.send(PROCEED)
        await self.writer.start_tls(context)

    async def scram(
        self,
        *,
        password: str = PASSWORD,
        offered: tuple[str, ...] = ("SCRAM-SHA-256",),
        iterations: int = 4096,
        binding: bytes | None = None,
        extra: str = "",
        signature: bytes | None = None,
    ) -> str:
        """Let the client log in by SCRAM; gives the mechanism. ``signature`` replaces the server's proof."""
        await self.header(mechanisms(*offered), extra)
        auth = await self.until(r"<auth[^>]*mechanism=[\"']([^\"']+)[\"'][^>]*>([^<]*)</auth>")
        first = base64.b64decode(auth[2]).decode()
        header, bare = re.match("([^,]*,[^,]*,)(.*)", first).groups()  # type: ignore[union-attr]
        algorithm = "sha1" if "SHA-1" in auth[1] else "sha512" if "512" in auth[1] else "sha256"
        salt = b"salt" * 4
        nonce = re.search("r=(.*)", bare)[1] + "server"  # type: ignore[index]
        challenge = f"r={nonce},s={base64.b64encode(salt).decode()},i={iterations}"
        await self.send(f"<challenge xmlns='{SASL}'>{base64.b64encode(challenge.encode()).decode()}</challenge>")
        response = await self.until("<response[^>]*>([^<]*)</response>")
        final = base64.b64decode(response[1]).decode()
        without_proof, _, proof = final.rpartition(",p=")
        salted = hashlib.pbkdf2_hmac(algorithm, password.encode(), salt, iterations)
        exchange = f"{bare},{challenge},{without_proof}".encode()
        key = hmac.digest(salted, b"Client Key", algorithm)
        stored = hashlib.new(algorithm, key).digest()
        expected = bytes(a ^ b for a, b in zip(key, hmac.digest(stored, exchange, algorithm), strict=True))
        bound = base64.b64decode(re.match("c=([^,]*)", without_proof)[1])  # type: ignore[index]
        if base64.b64decode(proof) != expected or bound != header.encode() + (binding or b""):
            await self.send(f"<failure xmlns='{SASL}'><not-authorized/></failure>")
            raise ConnectionError("wrong password")
        server_key = hmac.digest(salted, b"Server Key", algorithm)
        verifier = hmac.digest(server_key, exchange, algorithm) if signature is None else signature
        success = base64.b64encode(b"v=" + base64.b64encode(verifier)).decode()
        await self.send(f"<success xmlns='{SASL}'>{success}</success>")
        return auth[1]

    async def bind(self, *, managed: bool = False, account: Address = ALICE, resumable: bool = True) -> str:
        """Give the client an address, and answer what it asks first; gives the address."""
        await self.header(BIND, MANAGEMENT if managed else "")
        request = await self.until("(<iq[^>]*>)<bind(.*?)</iq>")
        resource = re.search("<resource>([^<]*)", request[2])
        address = f"{account}/{resource[1] if resource else 'made-up'}"
        await self.send(
            f"<iq type='result' id='{identifier(request[1])}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            f"<jid>{address}</jid></bind></iq>"
        )
        if managed:
            await self.until("<enable[^>]*>")
            resume = "resume='true' id='session'" if resumable else ""
            await self.send(f"<enabled xmlns='urn:xmpp:sm:3' {resume}/>")
        return address

    async def set_up(self, roster: str = "") -> None:
        """Answer what a client asks at the beginning of a session."""
        for number in range(4):
            if number == 2:
                await self.until("<presence.*?</presence>")
            request = await self.until("(<iq[^>]*>)(.*?)</iq>")
            query = request[2]
            content = f"<query xmlns='jabber:iq:roster'>{roster}</query>" if "jabber:iq:roster" in query else ""
            if "disco#info" in query:
                content = "<query xmlns='http://jabber.org/protocol/disco#info'><feature var='urn:xmpp:mam:2'/></query>"
            to = re.search("to=[\"']([^\"']+)", request[1])
            sender = f"from='{to[1]}'" if to else ""
            await self.send(f"<iq type='result' id='{identifier(request[1])}' {sender}>{content}</iq>")

    async def session(self, *, managed: bool = False, roster: str = "", account: Address = ALICE) -> str:
        """From a fresh TLS connection to a whole session."""
        await self.scram()
        address = await self.bind(managed=managed, account=account)
        await self.set_up(roster)
        return address


def identifier(tag: str) -> str:
    found = re.search("id=[\"']([^\"']+)", tag)
    assert found is not None
    return found[1]


Script = Callable[[Peer], Awaitable[None]]


class ScriptedServer:
    """Plays one script for each connection, the last one again and again."""

    def __init__(self, *scripts: Script, context: ssl.SSLContext | None = None) -> None:
        self._scripts = list(scripts)
        self._context = context
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.errors: list[BaseException] = []
        self.connections = 0

    @property
    def address(self) -> tuple[str, int]:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    async def _play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await script(Peer(reader, writer))
        except (ConnectionError, OSError, TimeoutError):
            pass
        except Exception as error:
            self.errors.append(error)
        finally:
            writer.transport.abort()

    async def __aenter__(self) -> ScriptedServer:
        self._server = await asyncio.start_server(self._play, "127.0.0.1", 0, ssl=self._context)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        assert self.errors == []


class Recorder:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.messages: list[tuple[Element, Address, Carbon | None, float | None]] = []
        self.requests: list[tuple[str, RequestKind, Element, Address]] = []
        self.nodes: list[tuple[Address, str, Element]] = []
        self.changes: list[tuple[bool, str]] = []
        self._changed = asyncio.Event()

    @property
    def bodies(self) -> list[str | None]:
        return [message.findtext("{jabber:client}body") for message, *_ in self.messages]

    def message_received(
        self, message: Element, sender: Address, *, carbon: Carbon | None, stamp: float | None
    ) -> None:
        self.messages.append((message, sender, carbon, stamp))
        self._changed.set()

    def request_received(self, id: str, kind: RequestKind, payload: Element, sender: Address) -> None:  # noqa: A002
        self.requests.append((id, kind, payload, sender))
        self._changed.set()

    def node_changed(self, owner: Address, node: str, payload: Element) -> None:
        self.nodes.append((owner, node, payload))
        self._changed.set()

    def connection_changed(self, online: bool, reason: str) -> None:
        self.changes.append((online, reason))
        self._changed.set()

    async def until(self, condition: Callable[[Recorder], bool], timeout: float = 10.0) -> None:
        async with asyncio.timeout(timeout):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()


class Relay:
    """A loopback TCP relay that can freeze and cut what goes through it."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> tuple[str, int]:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return host, port

    def freeze(self) -> None:
        self._flowing.clear()

    def thaw(self) -> None:
        self._flowing.set()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer), return_exceptions=True)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while octets := await reader.read(65536):
                await self._flowing.wait()
                writer.write(octets)
                await writer.drain()
        finally:
            writer.transport.abort()

    async def __aenter__(self) -> Relay:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def stanza_of(text: str) -> Element:
    """An element as it would come out of the stream: in ``jabber:client`` unless it says otherwise."""
    return fromstring(f"<stream xmlns='jabber:client'>{text}</stream>")[0]
