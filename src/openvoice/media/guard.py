"""The datagram guard: what may come in from the network, and from whom.

DTLS and SRTP share a socket with STUN (RFC 7983). Anybody who learns the port can send to it, and one foreign
ClientHello that arrives before the peer's is enough to break a handshake. So only STUN, which authenticates itself,
is taken from anywhere; all else is taken from the far ends of candidate pairs whose check succeeded.
"""

from __future__ import annotations

import errno
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from aioice import stun
from aioice.ice import CandidatePair, StunProtocol

if TYPE_CHECKING:
    from openvoice.media.ice import IceAgent

MAXIMUM_DATAGRAM = 1500
"""Octets; libsrtp's buffer, and what a path without fragmentation carries."""
MAXIMUM_HELD = 8
"""Datagrams kept per socket for pairs whose check is still under way."""
NO_WAY = frozenset(
    {
        errno.EADDRNOTAVAIL,
        errno.EHOSTUNREACH,
        errno.EINVAL,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENODEV,
        errno.ENXIO,
    }
)
"""What the system says when the address or the interface of a socket is gone, or nothing leads to the other end."""

_log = logging.getLogger(__name__)


class GuardedSocket(StunProtocol):
    """One local socket (or one relayed address) of an ICE agent.

    A peer's first DTLS flight may overtake the response to our own check of the pair it comes by. Such datagrams are
    held, a few of them, until that check ends: dropping them would cost the peer's retransmission timer, a second.
    """

    def __init__(self, agent: IceAgent) -> None:
        super().__init__(agent)
        self._agent = agent
        self._held: deque[tuple[tuple[str, int], bytes]] = deque(maxlen=MAXIMUM_HELD)
        self._lost = False
        self.pinned = False
        """Whether it is kept on its interface."""
        self.discarded = 0
        """Datagrams from addresses that have no business here."""

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        datagram, source = cast("bytes", data), (addr[0], addr[1])
        if not 0 < len(datagram) <= MAXIMUM_DATAGRAM:
            self.discarded += 1
        elif datagram[0] < 4:
            self._receive_stun(datagram, source)
        else:
            self._receive_media(datagram, source)

    def _receive_stun(self, datagram: bytes, source: tuple[str, int]) -> None:
        try:
            super().datagram_received(datagram, source)
        except Exception as error:
            # The parser answers some malformed attributes with whatever exception they lead to. None of them may
            # reach the event loop: a stranger would fill the log.
            self.discarded += 1
            _log.debug("malformed STUN message dropped: %s", type(error).__name__)

    def _receive_media(self, datagram: bytes, source: tuple[str, int]) -> None:
        pair = self._agent.pair_with(self, source)
        if pair is None:
            self.discarded += 1
        elif pair.state is CandidatePair.State.SUCCEEDED:
            self._agent.receive(pair, datagram)
        else:
            self._held.append((source, datagram))

    def release(self, pair: CandidatePair) -> None:
        """Deliver what was held for a pair, now that its check succeeded."""
        waiting = [datagram for source, datagram in self._held if source == pair.remote_addr]
        if waiting:
            others = [entry for entry in self._held if entry[0] != pair.remote_addr]
            self._held = deque(others, maxlen=MAXIMUM_HELD)
            for datagram in waiting:
                self._agent.receive(pair, datagram)

    def error_received(self, exc: Exception) -> None:
        """The system refused to send, at once and for this socket; or a relay did."""
        super().error_received(exc)
        if isinstance(exc, OSError) and exc.errno in NO_WAY:
            self._agent.cannot_send(self)

    def send(self, datagram: bytes, destination: tuple[str, int]) -> None:
        """Send without waiting. After the socket is gone this does nothing."""
        if not self._lost:
            self.transport.sendto(datagram, destination)

    async def request(
        self,
        request: stun.Message,
        addr: tuple[str, int],
        integrity_key: bytes | None = None,
        retransmissions: int | None = None,
    ) -> tuple[stun.Message, tuple[str, int]]:
        self._agent.note_contact(self, addr)
        response, source = await super().request(request, addr, integrity_key, retransmissions)
        mapped = response.attributes.get("XOR-MAPPED-ADDRESS")
        if mapped is not None:
            self._agent.note_contact(self, addr, mapped[0])
        return response, source

    def send_stun(self, message: stun.Message, addr: tuple[str, int]) -> None:
        if not self._lost:
            super().send_stun(message, addr)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        super().connection_lost(exc)
        self._agent.cannot_send(self)
