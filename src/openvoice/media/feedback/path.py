"""Feedback about a whole transport, for the one who sends on it: which kind it can use, and when it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from aiortc.rtp import RtpPacket

from openvoice.core.description import Content, Source

TRANSPORT_WIDE = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
ABSOLUTE_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"


class PathFeedback(Protocol):
    """Tells the peer what the path from it does to its packets."""

    def handle_rtp(self, packet: RtpPacket, arrival: float) -> None:
        """See every authenticated packet of the transport, sound and retransmissions as well."""
        ...

    def close(self) -> None:
        """Write no more. Twice is once."""
        ...


def make_path_feedback(
    contents: Iterable[Content], source: Source, send_rtcp: Callable[[bytes], None]
) -> PathFeedback | None:
    """What the peer can use of the agreed ``contents`` of a transport; ``None`` if it can use none.

    ``source`` is one of ours, in whose name is written. The header extensions of the packets must have been read.
    """
    raise NotImplementedError
