"""Trying the places where a server may be, one after another."""

from __future__ import annotations

from openvoice.errors import (
    CertificateRejected,
    ConnectionFailed,
    HostNotFound,
    InsecureServer,
    LoginRefused,
    ServerUnreachable,
)
from openvoice.signalling.xmpp.endpoints import Endpoint
from openvoice.signalling.xmpp.guard import GuardedClient
from openvoice.signalling.xmpp.trust import OtherWay

ATTEMPT_TIMEOUT = 15.0
"""Seconds for one way to one endpoint, from the first packet to the session."""
HANDSHAKE_TIMEOUT = 5.0
"""Seconds for TCP and direct TLS where something else can be tried next: a place that is dead may never answer, nor a
port that waits for clear text."""


async def dial(client: GuardedClient, endpoints: list[Endpoint]) -> None:
    """Bring ``client`` to the first endpoint that it can use.

    Raises:
        ConnectionFailed: none is of use. The error is that of the one that came farthest.
    """
    failures: list[ConnectionFailed] = []
    for endpoint in endpoints:
        failure: ConnectionFailed | None = None
        for way in endpoint.ways:
            last = endpoint is endpoints[-1] and way is endpoint.ways[-1]
            try:
                await client.reach(endpoint, way, ATTEMPT_TIMEOUT if last else HANDSHAKE_TIMEOUT, ATTEMPT_TIMEOUT)
                return
            except LoginRefused:
                raise
            except OtherWay as other:
                failure = other.failure
            except ConnectionFailed as error:
                failure = error
                break
        if failure is not None:
            failures.append(failure)
    raise max(failures, key=_distance)


def _distance(error: ConnectionFailed) -> int:
    return next(index for index, kind in enumerate(_FARTHEST_LAST) if isinstance(error, kind))


_FARTHEST_LAST = (HostNotFound, ServerUnreachable, InsecureServer, CertificateRejected, ConnectionFailed)
