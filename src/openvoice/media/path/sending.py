"""One transport as a path to send on: voice passes at once, pictures as the path takes them.

Knows the event loop; what it decides with is pure and beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aiortc.rtp import HeaderExtensionsMap, RtpPacket


class PathStream(Protocol):
    """A stream of pictures that shares a path. Called on the event loop of the path."""

    least: float
    """kbit/s on the wire with which it lives on."""
    most: float
    """kbit/s on the wire above which it would not send more."""

    def allocated(self, rate: float) -> None:
        """It may send ``rate`` kbit/s on the wire from now on; 0 is nothing at all."""
        ...

    def overtaken(self) -> None:
        """Packets of it became too old to be sent and were dropped: only a key frame helps."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class PathStatistics:
    """``available`` is what pictures may take, ``voice`` what voice takes, in kbit/s on the wire; times in seconds."""

    available: float
    voice: float
    queue: float
    round_trip: float | None


class SendingPath:
    """Of one :class:`~openvoice.media.transport.MediaTransport`; ``transmit`` protects and sends one plain packet."""

    def __init__(self, transmit: Callable[[bytes], None]) -> None:
        self._transmit = transmit

    def send_voice(self, packet: bytes) -> None:
        """Send one RTP packet of voice, before everything that waits."""
        self._transmit(packet)

    def join(self, stream: PathStream) -> None:
        """Let it have its share; it is told how much at once, and whenever that changes."""
        stream.allocated(min(stream.most, 300.0))

    def leave(self, stream: PathStream) -> None:
        """It sends no more: what waits of it is dropped."""

    def send(self, stream: PathStream, packets: Sequence[RtpPacket], extensions: HeaderExtensionsMap) -> None:
        """Send the packets of one picture, in order, as the path takes them.

        abs-send-time and the transport-wide sequence number are written when each leaves, if ``extensions`` has them.
        """
        for packet in packets:
            self._transmit(packet.serialize(extensions))

    def handle_rtcp(self, packets: Sequence[Any], arrival: float) -> None:
        """Take the parts of an authenticated compound packet of this transport, whatever they are about."""

    @property
    def yields(self) -> bool:
        """Whether pictures send more than their least, so that it is for them to make room when the path is full."""
        return False

    def statistics(self) -> PathStatistics:
        return PathStatistics(available=300.0, voice=0.0, queue=0.0, round_trip=None)

    def close(self) -> None:
        """Stop every timer. Twice is once."""
