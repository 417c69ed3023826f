"""A private coturn: STUN and TURN on loopback (RFC 8489, RFC 8656)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import socket
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from openvoice.ports import RelayServer
from openvoice.server.certificates import Certificate
from openvoice.server.private import LOOPBACK, PrivateServer, free_ports, recognising_context, write_private

_MAGIC_COOKIE = 0x2112A442
_ALLOCATE = 0x0003
_REQUESTED_TRANSPORT_UDP = struct.pack("!HHBxxx", 0x0019, 4, socket.IPPROTO_UDP)


class Turn(PrivateServer):
    """Run ``turnserver`` with short-lived credentials: a user name that is an expiry time, and an HMAC of it.

    It relays to loopback, which a TURN server on a network never should: this one is for tests and demonstrations.

    ::

        async with Turn() as turn, Prosody(accounts={"alice": "secret"}, turn=turn) as prosody: ...
    """

    program: ClassVar[str] = "turnserver"
    package: ClassVar[str] = "coturn"
    port_taken: ClassVar[str] = "Cannot bind"

    def __init__(self, *, directory: Path | None = None, certificate: Certificate | None = None) -> None:
        """With a ``certificate`` it speaks TLS too."""
        super().__init__(directory=directory)
        self.secret = secrets.token_urlsafe(32)
        self._certificate = certificate
        # Unique, so that its answer shows which server it comes from.
        self._realm = f"{secrets.token_hex(8)}.test"

    @property
    def port(self) -> int:
        """Of STUN and TURN, over UDP and over TCP."""
        return self._ports[0]

    @property
    def tls_port(self) -> int | None:
        """Of TURN over TLS, if it has a certificate."""
        return self._ports[1] if self._certificate else None

    def relay(self, transport: str = "udp", *, lifetime: float = 3600.0) -> RelayServer:
        """The server with credentials for ``lifetime`` seconds, as the own XMPP server would name it (XEP-0215).

        Raises:
            ValueError: a transport that it does not serve.
        """
        port = {"udp": self.port, "tcp": self.port, "tls": self.tls_port}.get(transport)
        if port is None:
            raise ValueError(f"this TURN server does not serve {transport}")
        expires = int(time.time() + lifetime)
        password = base64.b64encode(hmac.digest(self.secret.encode(), str(expires).encode(), hashlib.sha1)).decode()
        return RelayServer("turn", LOOPBACK, port, transport, str(expires), password, float(expires))

    def reflector(self) -> RelayServer:
        """The server as a STUN server."""
        return RelayServer("stun", LOOPBACK, self.port)

    def _choose_ports(self) -> tuple[int, ...]:
        return free_ports(2)

    def _write_files(self) -> None:
        options = [
            f"listening-ip={LOOPBACK}",
            f"relay-ip={LOOPBACK}",
            f"listening-port={self.port}",
            f"tls-listening-port={self._ports[1]}",
            f"realm={self._realm}",
            "use-auth-secret",
            f"static-auth-secret={self.secret}",
            "fingerprint",
            "allow-loopback-peers",
            "no-multicast-peers",
            "no-cli",
            "no-dtls",
            "log-file=stdout",
            "simple-log",
            f"pidfile={self.directory / 'turnserver.pid'}",
            f"userdb={self.directory / 'turnserver.db'}",
        ]
        if self._certificate is None:
            options.append("no-tls")
        else:
            write_private(self.directory / "turnserver.crt", self._certificate.certificate)
            write_private(self.directory / "turnserver.key", self._certificate.private_key)
            options.append(f"cert={self.directory / 'turnserver.crt'}")
            options.append(f"pkey={self.directory / 'turnserver.key'}")
        write_private(self.directory / "turnserver.conf", "\n".join([*options, ""]).encode())

    def _arguments(self) -> Sequence[str]:
        return ["-c", str(self.directory / "turnserver.conf")]

    async def _answers(self) -> bool:
        if not await self._asks_for_credentials_by_udp():
            return False
        if not await self._asks_for_credentials_by_tcp(self.port, tls=False):
            return False
        return self._certificate is None or await self._asks_for_credentials_by_tcp(self._ports[1], tls=True)

    async def _asks_for_credentials_by_udp(self) -> bool:
        """An Allocate request without credentials is refused with the realm (RFC 8489, 9.2.3)."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.setblocking(False)
            asker.connect((LOOPBACK, self.port))
            loop = asyncio.get_running_loop()
            try:
                async with asyncio.timeout(0.2):
                    await loop.sock_sendall(asker, _allocate_request())
                    return self._realm.encode() in await loop.sock_recv(asker, 1500)
            except OSError:  # which TimeoutError is, too
                return False

    async def _asks_for_credentials_by_tcp(self, port: int, *, tls: bool) -> bool:
        context = recognising_context() if tls else None
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(1.0):
                reader, writer = await asyncio.open_connection(LOOPBACK, port, ssl=context)
                writer.write(_allocate_request())
                header = await reader.readexactly(20)
                return self._realm.encode() in await reader.readexactly(int.from_bytes(header[2:4]))
        except (OSError, asyncio.IncompleteReadError):
            return False
        finally:
            if writer is not None:
                writer.transport.abort()


def _allocate_request() -> bytes:
    header = struct.pack("!HHI", _ALLOCATE, len(_REQUESTED_TRANSPORT_UDP), _MAGIC_COOKIE)
    return header + secrets.token_bytes(12) + _REQUESTED_TRANSPORT_UDP
