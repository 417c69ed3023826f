"""The pictures of one content that are received: packets in, pictures out when they are due, feedback to the peer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiortc.rtp import RtpPacket

from openvoice.core.description import Codec, Source
from openvoice.media.reports import ReceptionStatistics
from openvoice.media.synchronisation import Synchronisation
from openvoice.ports import VideoOutput, VideoReport


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedVideo:
    """What became of a received stream until now, by the names of W3C webrtc-stats. Times in seconds."""

    packets_received: int = 0
    packets_lost: int = 0
    bytes_received: int = 0
    retransmitted_packets_received: int = 0
    frames_received: int = 0
    frames_decoded: int = 0
    frames_dropped: int = 0
    """Received, and not shown: what they depended on was missing, or there was no time to decode or show them."""
    key_frames_decoded: int = 0
    frame_width: int = 0
    frame_height: int = 0
    freeze_count: int = 0
    total_freezes_duration: float = 0.0
    nack_count: int = 0
    pli_count: int = 0
    fir_count: int = 0
    jitter: float = 0.0
    jitter_buffer_delay: float = 0.0
    """From the first packet of a picture to its being shown, on average."""
    codec: str = ""


class VideoReceiver:
    """The receiving half of one content, on the event loop that calls it; pictures are decoded in a thread of its own.

    ``codecs`` are those that this side announced. ``source`` is the own one of the content, in whose name feedback is
    sent by ``send_rtcp`` (whole compound packets); ``repair`` is the peer's SSRC of retransmissions (RFC 4588) where it
    was named. ``synchronisation`` is that of the call. ``output`` makes the place for pictures when the first one
    comes, in that thread. ``report`` is told on the loop when that fails. ``round_trip`` gives the seconds that the
    transport takes there and back, as far as known.

    Nothing is decoded, shown or asked for before :meth:`start`: what comes until then is only counted.
    """

    def __init__(
        self,
        *,
        codecs: Sequence[Codec],
        source: Source,
        repair: int | None,
        send_rtcp: Callable[[bytes], None],
        synchronisation: Synchronisation,
        output: Callable[[], VideoOutput],
        report: VideoReport,
        round_trip: Callable[[], float | None],
    ) -> None:
        raise NotImplementedError

    @property
    def reception(self) -> ReceptionStatistics | None:
        """Of the stream that is shown, for the report block; ``None`` before it begins."""
        raise NotImplementedError

    def start(self) -> None:
        """The gate is open: show what comes. Twice is once."""
        raise NotImplementedError

    def handle_rtp(self, packet: RtpPacket, arrival: float) -> None:
        """Take an authenticated packet of the content, retransmissions too. ``arrival`` is the time of the event loop.

        Never raises for its content.
        """
        raise NotImplementedError

    def handle_rtcp(self, packets: Sequence[Any], arrival: float) -> None:
        """Take the parts of an authenticated compound packet: of sender reports the clock is learned."""
        raise NotImplementedError

    def pause(self) -> None:
        """The peer shows nothing any more: let the decoder and the output go. What comes next makes them anew."""
        raise NotImplementedError

    def statistics(self) -> ReceivedVideo:
        """What was received until now."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop; the thread ends by itself and closes the output. Twice is once."""
        raise NotImplementedError

    async def wait_closed(self) -> None:
        """After :meth:`close`: until the output is closed, so that a file is whole; two seconds at most."""
        raise NotImplementedError
