"""A private Prosody: a whole XMPP server on loopback."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from openvoice.core.address import Address
from openvoice.errors import InvalidState, ServerProgramError
from openvoice.server.accounts import ITERATIONS, write_account, write_roster
from openvoice.server.certificates import Certificate, CertificateAuthority
from openvoice.server.lua import LuaValue, lua, settings
from openvoice.server.private import (
    LOOPBACK,
    START_SECONDS,
    PrivateServer,
    free_ports,
    recognising_context,
    write_private,
)
from openvoice.server.turn import Turn

DOMAIN = "openvoice.test"
"""A name that no public server will ever have (RFC 6761, 6.2)."""

MODULES = (
    "blocklist",
    "bookmarks",
    "carbons",
    "csi_simple",
    "disco",
    "external_services",
    "mam",
    "pep",
    "ping",
    "posix",
    "private",
    "register",
    "roster",
    "saslauth",
    "smacks",
    "time",
    "tls",
    "vcard4",
    "vcard_legacy",
    "version",
)

_OPEN_STREAM = (
    "<?xml version='1.0'?><stream:stream to='{domain}' version='1.0' xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams'>"
)
_START_TLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"


class Prosody(PrivateServer):
    """Run ``prosody`` with accounts of its own and a certificate of its own authority, closed to other servers.

    ::

        async with Prosody(accounts={"alice": "secret", "bob": "secret"}) as prosody:
            ...  # log in as prosody.address("alice") at (prosody.host, prosody.port), trusting prosody.ca_file
    """

    program: ClassVar[str] = "prosody"
    package: ClassVar[str] = "prosody"
    port_taken: ClassVar[str] = "Failed to open server port"

    def __init__(
        self,
        *,
        domain: str = DOMAIN,
        accounts: Mapping[str, str] | None = None,
        acquainted: bool = True,
        turn: Turn | None = None,
        registration: bool = False,
        websocket: bool = False,
        authority: CertificateAuthority | None = None,
        certificate: Certificate | None = None,
        options: Mapping[str, LuaValue] | None = None,
        directory: Path | None = None,
    ) -> None:
        """Describe the server; nothing happens before it starts.

        Args:
            domain: what it serves.
            accounts: passwords by name, the part before the ``@``.
            acquainted: whether these accounts have each other in their rosters.
            turn: a TURN server that runs, to name to clients (XEP-0215).
            registration: whether clients may make accounts (XEP-0077).
            websocket: whether pages in browsers may log in, too (RFC 7395): see :attr:`websocket`.
            authority: what issues its certificate; by default one of its own.
            certificate: in place of one for ``domain``: an expired one, one for another name ...
            options: more of Prosody's configuration, or other values for what stands here.
            directory: see :class:`~openvoice.server.private.PrivateServer`.
        """
        super().__init__(directory=directory)
        self.domain = domain
        self._accounts = dict(accounts or {})
        self._contacts: dict[str, set[str]] = {}
        self._acquainted = acquainted
        self._turn = turn
        self._registration = registration
        self._websocket = websocket
        self._authority = authority or CertificateAuthority()
        self._certificate = certificate or self._authority.issue(domain, LOOPBACK)
        self._options = dict(options or {})

    @property
    def port(self) -> int:
        """Of direct TLS (XEP-0368)."""
        return self._ports[0]

    @property
    def starttls_port(self) -> int:
        """Of plain TCP with STARTTLS required (RFC 6120, 5)."""
        return self._ports[1]

    @property
    def websocket(self) -> str:
        """The address to log in at over HTTPS and WebSocket (RFC 7395).

        Raises:
            InvalidState: it was not asked for.
        """
        if not self._websocket:
            raise InvalidState("this server takes no logins over WebSocket: start it with websocket=True")
        return f"wss://{LOOPBACK}:{self._ports[2]}/xmpp-websocket"

    @property
    def ca_file(self) -> Path:
        """The one certificate that its clients need to trust."""
        return self.directory / "authority.pem"

    @property
    def accounts(self) -> Mapping[str, str]:
        """Passwords by name."""
        return dict(self._accounts)

    def address(self, name: str) -> Address:
        """The bare address of an account."""
        return Address.parse(f"{name}@{self.domain}")

    def add_account(self, name: str, password: str, *, contacts: Iterable[str] = ()) -> Address:
        """Make an account, or give it a new password. The server may run: the next login finds it.

        ``contacts`` are names of accounts; see :meth:`acquaint`.
        """
        address = self.address(name)
        self._accounts[name] = password
        if self._directory is not None:
            write_account(self._data, address, password)
        for contact in contacts:
            self.acquaint(name, contact)
        return address

    def acquaint(self, *names: str) -> None:
        """Put these accounts into each other's rosters, subscribed both ways.

        The server reads a roster when its account comes online; one that is online already may overwrite this.
        """
        for name in names:
            self._contacts.setdefault(name, set()).update(set(names) - {name})
            if self._directory is not None:
                write_roster(self._data, self.address(name), map(self.address, sorted(self._contacts[name])))

    async def renew(self, certificate: Certificate) -> None:
        """Show another certificate from now on, as after a renewal (SIGHUP): connections that are open stay.

        Prosody 0.12 does so for STARTTLS alone; direct TLS goes on with the old one until a restart.

        Raises:
            ServerProgramError: it is not shown.
        """
        self._certificate = certificate
        self._write_certificate()
        os.kill(self.pid, signal.SIGHUP)
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await self._is_ours(self.starttls_port, start_tls=True):  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise ServerProgramError("prosody does not show the certificate that it was given") from None

    def _write_certificate(self) -> None:
        write_private(self.directory / "server.crt", self._certificate.certificate)
        write_private(self.directory / "server.key", self._certificate.private_key)

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _certificate_files(self) -> dict[str | bool, LuaValue]:
        return {"certificate": str(self.directory / "server.crt"), "key": str(self.directory / "server.key")}

    def _choose_ports(self) -> tuple[int, ...]:
        return free_ports(3 if self._websocket else 2)

    def _write_files(self) -> None:
        write_private(self.ca_file, self._authority.certificate)
        self._write_certificate()
        write_private(self.directory / "prosody.cfg.lua", self._configuration().encode())
        for name, password in self._accounts.items():
            self.add_account(name, password)
        if self._acquainted:
            self.acquaint(*self._accounts)

    def _configuration(self) -> str:
        configuration: dict[str, LuaValue] = {
            # Without this, Prosody as root neither serves nor ends.
            "run_as_root": os.geteuid() == 0,
            "umask": "077",
            "pidfile": str(self.directory / "prosody.pid"),
            "data_path": str(self._data),
            "certificates": str(self.directory),
            "log": [{"levels": {"min": "info"}, "to": "console"}],
            "modules_enabled": [*MODULES, "websocket"] if self._websocket else MODULES,
            "modules_disabled": ["s2s", "s2s_auth_certs"],
            "interfaces": [LOOPBACK],
            "c2s_direct_tls_ports": [self.port],
            "c2s_ports": [self.starttls_port],
            "s2s_ports": [],
            "http_ports": [],
            "https_ports": self._ports[2:],
            "http_default_host": self.domain,
            "ssl": self._certificate_files,
            "c2s_direct_tls_ssl": self._certificate_files,
            "https_ssl": self._certificate_files,
            "c2s_require_encryption": True,
            "disable_sasl_mechanisms": ["PLAIN"],
            "authentication": "internal_hashed",
            "password_hash": "SHA-256",
            "default_iteration_count": ITERATIONS,
            "storage": "internal",
            "allow_registration": self._registration,
            "allowlist_registration_only": True,
            "registration_allowlist": [LOOPBACK],
            "external_services": self._services(),
            # Nagle's algorithm costs every second stanza of a call set-up 40 ms.
            "network_settings": {"nagle": False},
        }
        return settings(configuration | self._options) + f"VirtualHost {lua(self.domain)}\n"

    def _services(self) -> list[LuaValue]:
        if self._turn is None:
            return []
        names = [("stun", "udp", self._turn.port), ("turn", "udp", self._turn.port), ("turn", "tcp", self._turn.port)]
        if self._turn.tls_port is not None:
            names.append(("turns", "tcp", self._turn.tls_port))
        secret: dict[str | bool, LuaValue] = {"algorithm": "turn", "secret": self._turn.secret, "ttl": 3600}
        services: list[LuaValue] = []
        for kind, transport, port in names:
            service: dict[str | bool, LuaValue] = {
                "type": kind,
                "transport": transport,
                "host": self._turn.host,
                "port": port,
            }
            services.append(service if kind == "stun" else service | secret)
        return services

    def _arguments(self) -> Sequence[str]:
        return ["-F", "--config", str(self.directory / "prosody.cfg.lua")]

    async def _answers(self) -> bool:
        ports = {port: port == self.starttls_port for port in self._ports}
        return all([await self._is_ours(port, start_tls=start_tls) for port, start_tls in ports.items()])

    async def _is_ours(self, port: int, *, start_tls: bool) -> bool:
        """Whether a TLS handshake at ``port`` shows the certificate that was made for this server."""
        writer: asyncio.StreamWriter | None = None
        try:
            async with asyncio.timeout(2.0):
                context = recognising_context()
                reader, writer = await asyncio.open_connection(LOOPBACK, port, ssl=None if start_tls else context)
                if start_tls:
                    writer.write(_OPEN_STREAM.format(domain=self.domain).encode())
                    await reader.readuntil(b"</stream:features>")
                    writer.write(_START_TLS)
                    await reader.readuntil(b">")
                    await writer.start_tls(context)
                tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
                return tls.getpeercert(binary_form=True) == self._certificate.der
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return False
        finally:
            if writer is not None:
                writer.transport.abort()
