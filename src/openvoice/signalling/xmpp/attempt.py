"""One attempt of slixmpp's client to connect."""

from __future__ import annotations

import asyncio
import socket

from slixmpp import ClientXMPP

NEXT_ADDRESS_AFTER = 0.25
"""Seconds after which the next address of a host is tried beside the one before (RFC 8305, 8)."""


class PatientClient(ClientXMPP):
    """Gives an attempt ``patience`` seconds for TCP and direct TLS, and tries all addresses of a host at once.

    By itself slixmpp waits for the first address until the system gives up: minutes, where IPv6 leads nowhere.
    """

    patience = 0.0

    async def _attempt_connection(self, host: str, port: int, tls: bool, server_hostname: str | None) -> bool:
        self.event_when_connected = "connected"
        cause: OSError | str
        try:
            async with asyncio.timeout(self.patience):
                await self.loop.create_connection(
                    lambda: self,
                    host,
                    port,
                    ssl=self.get_ssl_context() if tls else None,
                    server_hostname=server_hostname,
                    happy_eyeballs_delay=NEXT_ADDRESS_AFTER,
                )
                return True
        except socket.gaierror:
            cause = "the name does not resolve"
        except OSError as error:
            cause = error
        self.event("connection_failed", cause)
        return False

    def abort(self) -> None:
        """End the connection at once, as often as one likes.

        slixmpp closes it politely before: done twice, that takes from Python 3.11.2 what it needs to abort TLS.
        """
        if self.transport:
            self.cancel_connection_attempt()
            self.transport.abort()
            self.event("killed")
