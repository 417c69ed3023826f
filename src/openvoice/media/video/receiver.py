"""The pictures of one content that are received: packets in, pictures out when they are due, feedback to the peer."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from aiortc.rtp import RtcpSrPacket, RtpPacket

from openvoice.core.description import Codec, Content
from openvoice.core.statistics import ReceivedVideo
from openvoice.core.types import DeviceChange
from openvoice.media.path.arriving import ArrivalRate
from openvoice.media.reports import ReceptionStatistics, feedback
from openvoice.media.synchronisation import SenderClock, Synchronisation
from openvoice.media.video.assembly import ReceivedPicture
from openvoice.media.video.codec import CLOCK_RATE, Depayloader, PictureDecoder
from openvoice.media.video.decoding import DecodingCounters, DecodingThread
from openvoice.media.video.freezes import Freezes
from openvoice.media.video.presentation import Presentation
from openvoice.media.video.reception import VideoReception
from openvoice.ports import VideoOutput, VideoReport

_CLOSING = 2.0
"""Seconds that an output gets to close."""
_MOST_PICTURES = 120
"""Pictures that are counted in a second."""
_GRAIN = 0.001
"""Seconds until the next look at least."""


class VideoReceiver:
    """The receiving half of one content, on the event loop that calls it; pictures are decoded in a thread of its own.

    ``local`` is the content as this side described it, ``remote`` as the peer did. Feedback goes to ``send_rtcp``,
    whole compound packets in the name of ``local.source``. ``synchronisation`` is that of the call. ``output`` makes
    the place for pictures when the first one comes, in that thread, or nothing if nobody wants to see them; ``report``
    is told on the loop when it fails. ``round_trip`` gives the seconds that the transport takes there and back, as far
    as known. ``make_depayloader`` and ``make_decoder`` know the codecs.

    Nothing is decoded, shown or asked for before :meth:`start`: what comes until then is only counted.
    """

    def __init__(
        self,
        *,
        local: Content,
        remote: Content,
        send_rtcp: Callable[[bytes], None],
        synchronisation: Synchronisation,
        output: Callable[[], VideoOutput | None],
        report: VideoReport,
        round_trip: Callable[[], float | None],
        make_depayloader: Callable[[Codec], Depayloader],
        make_decoder: Callable[[Codec], PictureDecoder],
    ) -> None:
        assert local.source is not None, "our own descriptions name their streams"
        self._source = local.source
        self._codecs = {codec.payload_type: codec for codec in local.codecs}
        self._send_rtcp = send_rtcp
        self._synchronisation = synchronisation
        self._output = output
        self._report = report
        self._round_trip = round_trip
        self._make_decoder = make_decoder
        self._stream = VideoReception(local=local, remote=remote, make_depayloader=make_depayloader)
        self._clock = SenderClock(0, CLOCK_RATE)
        self._presentation = Presentation(synchronisation, self._clock)
        self._decoding: DecodingThread | None = None
        self._counters = DecodingCounters()
        self._freezes = Freezes()
        self._codec = ""
        self._pictures = 0
        self._ended: deque[float] = deque(maxlen=_MOST_PICTURES)
        self._bitrate = ArrivalRate()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def reception(self) -> ReceptionStatistics | None:
        """Of the stream that is shown, for the report block; ``None`` before it begins."""
        return self._stream.reception

    def start(self) -> None:
        """The gate is open: show what comes. Twice is once."""
        if not self._closed and self._loop is None:
            self._loop = asyncio.get_running_loop()

    def handle_rtp(self, packet: RtpPacket, arrival: float) -> None:
        """Take an authenticated packet of the content, retransmissions too. ``arrival`` is the time of the event loop.

        Never raises for its content.
        """
        if self._closed or self._loop is None:
            return
        self._bitrate.add(arrival, len(packet.payload))
        self._stream.learn(self._round_trip())
        for picture in self._stream.handle(packet, arrival):
            self._take(picture, arrival, self._loop)
        self._schedule(self._loop)

    def handle_rtcp(self, packets: Sequence[Any], arrival: float) -> None:
        """Take the parts of an authenticated compound packet: of sender reports the clock is learned."""
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                self._clock.handle(packet)

    def set_paused(self, paused: bool) -> None:
        """Whether the peer says that it shows nothing: pictures that do not come are not missed then."""
        self._freezes.pause(paused)

    def statistics(self) -> ReceivedVideo:
        """What was received until now."""
        now = self._loop.time() if self._loop else 0.0
        stream, counters, reception = self._stream, self._counters, self._stream.reception
        return ReceivedVideo(
            codec=self._codec,
            frames=self._pictures + stream.dropped,
            key_frames=counters.keys,
            frames_decoded=counters.decoded,
            frames_dropped=stream.dropped + counters.dropped + counters.left_out,
            width=counters.width,
            height=counters.height,
            frames_per_second=float(sum(now - ended <= 1 for ended in self._ended)),
            packets=stream.packets,
            octets=stream.octets,
            lost=reception.lost if reception else 0,
            recovered=stream.mended,
            bitrate=self._bitrate.rate_at(now),
            jitter=1000 * reception.jitter if reception else 0.0,
            delay=1000 * counters.waiting / counters.shown if counters.shown else 0.0,
            freezes=self._freezes.count,
            freeze_seconds=self._freezes.seconds,
            nacks=stream.nacks,
            plis=stream.plis + stream.firs,
        )

    def close(self) -> None:
        """Stop; the thread ends by itself and closes the output. Twice is once."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._decoding is not None:
            self._decoding.close()

    async def wait_closed(self) -> None:
        """After :meth:`close`: until the output is closed, so that a file is whole; two seconds at most."""
        if self._decoding is not None:
            await asyncio.to_thread(self._decoding.join, _CLOSING)

    def _take(self, picture: ReceivedPicture, now: float, loop: asyncio.AbstractEventLoop) -> None:
        assert self._stream.reception is not None
        if self._clock.ssrc != self._stream.reception.ssrc:
            self._clock = SenderClock(self._stream.reception.ssrc, CLOCK_RATE)
            self._presentation = Presentation(self._synchronisation, self._clock)
        if self._decoding is None:
            self._decoding = DecodingThread(
                make_decoder=lambda payload_type: self._make_decoder(self._codecs[payload_type]),
                output=self._output,
                want_key=lambda: self._call(loop, self._want_key),
                failed=lambda text: self._call(loop, lambda: self._report(DeviceChange.FAILED, None, text)),
                counters=self._counters,
                freezes=self._freezes,
            )
        self._pictures += 1
        self._ended.append(picture.ended)
        self._codec = self._codecs[picture.payload_type].name
        due = self._presentation.schedule(picture, now)
        self._decoding.put(picture, due)

    def _call(self, loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
        """Let the loop do ``work``, if it still turns."""
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if self._closed else work())

    def _want_key(self) -> None:
        assert self._loop is not None
        self._stream.keys.want(self._loop.time())
        self._schedule(self._loop)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ask for what is due, and look again when something else is."""
        deadline = self._stream.deadline()
        if deadline is not None and deadline <= loop.time():
            messages = self._stream.feedback(loop.time())
            if messages:
                self._send_rtcp(feedback(self._source, *messages))
            deadline = self._stream.deadline()
        if deadline is None or (self._timer is not None and self._timer.when() <= deadline):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(max(deadline, loop.time() + _GRAIN), self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if not self._closed:
            self._stream.learn(self._round_trip())
            self._schedule(loop)
