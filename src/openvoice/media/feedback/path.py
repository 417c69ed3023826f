"""Feedback about a whole transport, for the one who sends on it: which kind it can use, and when it is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtpPacket, pack_remb_fci

from openvoice.core.description import Content, Media, Source
from openvoice.media.feedback.estimate import ReceiverEstimate
from openvoice.media.feedback.log import ArrivalLog
from openvoice.media.path.sending import OVERHEAD
from openvoice.media.reports import feedback
from openvoice.media.unwrap import Unwrapper
from openvoice.media.video.codec import CLOCK_RATE
from openvoice.media.video.negotiation import REMB, RETRANSMISSION, TRANSPORT_CC, TRANSPORT_WIDE

_INTERVAL, _SHORTEST_INTERVAL = 0.1, 0.05
"""Seconds between two reports of arrivals: of few packets, and of many."""
_MANY = 15
_SEND_TIME_BITS, _SEND_TIME_SECONDS = 24, 2.0**-18
"""Of the header extension abs-send-time."""
_RTP_HEADER = 12
_MOST_SOURCES = 8


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
    pictures = [content for content in contents if content.media is Media.VIDEO]
    agreed = {each for content in pictures for codec in content.codecs for each in codec.feedback}
    extensions = {extension.uri for content in pictures for extension in content.header_extensions}
    if TRANSPORT_CC in agreed and TRANSPORT_WIDE in extensions:
        return TransportFeedback(source, send_rtcp)
    if REMB in agreed:
        originals = {
            codec.payload_type
            for content in pictures
            for codec in content.codecs
            if codec.name.lower() != RETRANSMISSION
        }
        return EstimateFeedback(source, send_rtcp, originals)
    return None


class TransportFeedback:
    """Arrivals of single packets (draft-holmer-rmcat-transport-wide-cc-extensions-01), on the event loop that calls."""

    def __init__(self, source: Source, send_rtcp: Callable[[bytes], None]) -> None:
        self._source = source
        self._send_rtcp = send_rtcp
        self._log = ArrivalLog()
        self._media_ssrc = 0
        self._many = False
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def handle_rtp(self, packet: RtpPacket, arrival: float) -> None:
        sequence = packet.extensions.transport_sequence_number
        if sequence is None or self._closed:
            return
        self._log.add(sequence, arrival)
        self._media_ssrc = packet.ssrc
        if self._timer is None:
            interval = _SHORTEST_INTERVAL if self._many else _INTERVAL
            self._timer = asyncio.get_running_loop().call_later(interval, self._write)

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _write(self) -> None:
        self._timer = None
        self._many = self._log.waiting > _MANY
        report = self._log.report(self._source.ssrc, self._media_ssrc)
        if report is not None:
            self._send_rtcp(feedback(self._source, bytes(report)))


class EstimateFeedback:
    """REMB, for peers that have only that; ``originals`` are the payload types of pictures, without repetitions."""

    def __init__(self, source: Source, send_rtcp: Callable[[bytes], None], originals: Iterable[int]) -> None:
        self._source = source
        self._send_rtcp = send_rtcp
        self._originals = frozenset(originals)
        self._estimate = ReceiverEstimate()
        self._send_times = Unwrapper(_SEND_TIME_BITS)
        self._timestamps: tuple[int, Unwrapper] | None = None
        self._sources: dict[int, None] = {}
        self._closed = False

    def handle_rtp(self, packet: RtpPacket, arrival: float) -> None:
        if packet.payload_type not in self._originals or self._closed:
            return
        self._sources[packet.ssrc] = None
        if len(self._sources) > _MOST_SOURCES:
            del self._sources[next(iter(self._sources))]
        self._estimate.add(self._sent(packet), arrival, len(packet.payload) + _RTP_HEADER + OVERHEAD)
        rate = self._estimate.tell(arrival)
        if rate is not None:
            entry = pack_remb_fci(round(1000 * rate), list(self._sources))
            message = RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=self._source.ssrc, media_ssrc=0, fci=entry)
            self._send_rtcp(feedback(self._source, bytes(message)))

    def close(self) -> None:
        self._closed = True

    def _sent(self, packet: RtpPacket) -> float:
        """When it left, by its sender's clock: where that is not told, when its picture was taken."""
        told = packet.extensions.abs_send_time
        if told is not None:
            return self._send_times.unwrap(told) * _SEND_TIME_SECONDS
        if self._timestamps is None or self._timestamps[0] != packet.ssrc:
            self._timestamps = packet.ssrc, Unwrapper(32)
        return self._timestamps[1].unwrap(packet.timestamp) / CLOCK_RATE
