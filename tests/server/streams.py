"""The least XMPP client there can be (RFC 6120), to look at a server without the help of a library."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import re
import secrets
import ssl
from pathlib import Path
from types import TracebackType
from typing import Self

from openvoice.server import Prosody

PATIENCE = 20.0


class Stream:
    def __init__(
        self,
        server: Prosody,
        name: str,
        password: str,
        *,
        start_tls: bool = False,
        ca_file: Path | None = None,
    ) -> None:
        self._server = server
        self._name = name
        self._password = password
        self._start_tls = start_tls
        self._context = ssl.create_default_context(cafile=ca_file or server.ca_file)
        self._buffer = ""
        self._writer: asyncio.StreamWriter | None = None
        self.mechanisms: set[str] = set()
        self.features = ""
        self.full_address = ""

    async def __aenter__(self) -> Self:
        try:
            return await self.open()
        except BaseException:
            await self.close()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> Self:
        try:
            await self._open()
        except BaseException:
            await self.close()
            raise
        return self

    async def _open(self) -> None:
        features = await self.greet()
        if self._start_tls:
            await self.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            await self.read_until("<proceed")
            assert self._writer is not None
            await self._writer.start_tls(self._context, server_hostname=self._server.domain)
            features = await self._header()
        self.mechanisms = set(re.findall(r"<mechanism>([^<]+)</mechanism>", features))
        await self._log_in()
        self.features = await self._header()
        bound = await self.ask("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>", kind="set")
        self.full_address = re.findall(r"<jid>([^<]+)</jid>", bound)[0]

    async def greet(self) -> str:
        """Connect, and return what the server offers first."""
        port = self._server.starttls_port if self._start_tls else self._server.port
        self._reader, self._writer = await asyncio.open_connection(
            self._server.host,
            port,
            ssl=None if self._start_tls else self._context,
            server_hostname=None if self._start_tls else self._server.domain,
        )
        return await self._header()

    async def send(self, text: str) -> None:
        assert self._writer is not None
        self._writer.write(text.encode())
        await self._writer.drain()

    async def ask(self, payload: str, *, kind: str = "get", to: str = "") -> str:
        """Send an IQ and return the answer to it."""
        number = secrets.token_hex(4)
        address = f" to='{to}'" if to else ""
        await self.send(f"<iq type='{kind}' id='{number}'{address}>{payload}</iq>")
        while True:
            await self.read_until("<iq", keep=True)
            stanza = await self.read_until("</iq>", short=True)
            if number in stanza:
                return stanza

    async def read_until(self, end: str, *, keep: bool = False, short: bool = False) -> str:
        """What comes up to ``end``. ``keep`` leaves it to be read again; ``short`` takes an empty element, too."""
        ends = re.compile(rf"{re.escape(end)}|^\s*<iq[^>]*/>" if short else re.escape(end))
        async with asyncio.timeout(PATIENCE):
            while (found := ends.search(self._buffer)) is None:
                data = await self._reader.read(65536)
                assert data, f"the stream ended before {end}"
                self._buffer += data.decode()
        place = found.start() if keep else found.end()
        text, self._buffer = self._buffer[:place], self._buffer[place:]
        return text

    async def close(self) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        # Prosody that is stopped in the middle of a stream takes a second to end.
        with contextlib.suppress(OSError):
            async with asyncio.timeout(1):
                writer.write(b"</stream:stream>")
                await self._reader.read()
        writer.transport.abort()

    async def _header(self) -> str:
        await self.send(
            f"<stream:stream to='{self._server.domain}' version='1.0' xmlns='jabber:client' "
            "xmlns:stream='http://etherx.jabber.org/streams'>"
        )
        return await self.read_until("</stream:features>")

    async def _log_in(self) -> None:
        """SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677)."""
        nonce = secrets.token_hex(12)
        first = f"n={self._name},r={nonce}"
        await self.send(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256'>"
            f"{base64.b64encode(b'n,,' + first.encode()).decode()}</auth>"
        )
        challenge = base64.b64decode(re.findall(r">([^<]+)</", await self.read_until("</challenge>"))[-1]).decode()
        values = dict(part.split("=", 1) for part in challenge.split(","))
        assert values["r"].startswith(nonce)
        salted = hashlib.pbkdf2_hmac("sha256", self._password.encode(), base64.b64decode(values["s"]), int(values["i"]))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        final = f"c=biws,r={values['r']}"
        signed = f"{first},{challenge},{final}".encode()
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        await self.send(
            "<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
            f"{base64.b64encode(f'{final},p={base64.b64encode(proof).decode()}'.encode()).decode()}</response>"
        )
        outcome = await self.read_until("<", keep=True) + await self.read_until(">")
        if "success" not in outcome:
            raise PermissionError(outcome)
        verdict = base64.b64decode((await self.read_until("</success>")).removesuffix("</success>")).decode()
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        assert base64.b64decode(verdict.removeprefix("v=")) == hmac.digest(server_key, signed, "sha256")
