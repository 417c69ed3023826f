"""Pictures to RTP packets: taken from whatever thread, encoded in one of their own, given to the path."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from aiortc.rtp import RtcpByePacket

from openvoice.core.description import Codec, HeaderExtension, Source
from openvoice.core.statistics import SentVideo
from openvoice.core.types import DeviceChange, VideoLabel
from openvoice.media.path.allocation import Demand
from openvoice.media.path.sending import OVERHEAD, SendingPath
from openvoice.media.reports import PeerReport, Reporter, until_next_report
from openvoice.media.video.adaptation import Adaptation
from openvoice.media.video.clock import RtpClock
from openvoice.media.video.codec import Payloader, PictureEncoder
from openvoice.media.video.coding import MAXIMUM_PAYLOAD, Coded, PictureCoding, Plan
from openvoice.media.video.negotiation import make_encoder, make_payloader
from openvoice.media.video.packets import HEADERS, PacketWriter
from openvoice.media.video.requests import KeyRequests, asked_packets, asks_for_key
from openvoice.media.video.worker import PictureWorker
from openvoice.ports import PictureFormat, VideoInput, VideoReport

LEAST = 40.0
"""kbit/s on the wire: with less there is nothing to see."""
_CLOSING = 2.0
"""Seconds that the thread may take for letting go."""
_FAREWELL = 1.0
"""Seconds after which the last black picture has left, and others may have the share of the path."""


class VideoSender:
    """One stream of pictures on ``path``, with ``codec``; ``repair`` is RFC 4588's for it, on ``repair_ssrc``.

    ``extensions`` are those that were negotiated, ``mid`` the name of the content. ``wanted`` is what the pictures are
    at most. ``resend`` sends the packet of ours with that sequence number once more, octet for octet, for peers without
    RTX, and tells whether it could. ``report`` is told what becomes of the device, ``ended`` that the source has no
    more pictures or failed for good; both on the event loop. Encoders are made in the thread that encodes.

    Everything here is called on the event loop of the path, and returns at once: devices are started and stopped in
    the thread that encodes.
    """

    def __init__(
        self,
        *,
        label: VideoLabel,
        codec: Codec,
        repair: Codec | None,
        source: Source,
        repair_ssrc: int | None,
        extensions: Sequence[HeaderExtension],
        mid: str,
        wanted: PictureFormat,
        path: SendingPath,
        send_rtcp: Callable[[bytes], None],
        resend: Callable[[int], bool],
        report: VideoReport,
        ended: Callable[[], None],
        make_encoder: Callable[..., PictureEncoder] = make_encoder,
        make_payloader: Callable[[Codec], Payloader] = make_payloader,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._codec, self._source, self._wanted = codec, source, wanted
        self._path, self._send_rtcp = path, send_rtcp
        self._tell_report, self._tell_ended = report, ended
        self._reporter = Reporter(source, self._reported)
        self._label = label
        self._adaptation = Adaptation(wanted, screen=label is VideoLabel.SCREEN)
        # All three begin at random (RFC 3550, 5.1); the sequences low enough that SRTP's first packets do not wrap.
        self._clock = RtpClock(secrets.randbits(32))
        self._packets = PacketWriter(
            payload_type=codec.payload_type,
            ssrc=source.ssrc,
            repair=None if repair is None or repair_ssrc is None else (repair.payload_type, repair_ssrc),
            extensions=extensions,
            mid=mid,
            first=(secrets.randbelow(2**15), secrets.randbelow(2**15)),
            resend=resend,
        )
        self._key_requests = KeyRequests()
        self._rate = 0.0
        self._counts: Counter[str] = Counter()
        self._sides = 0, 0
        self._coding = PictureCoding(
            lambda: make_encoder(codec, screen=self._label is VideoLabel.SCREEN),
            make_payloader(codec),
            self._loop.time,
            lambda: path.waiting,
        )
        self._worker: PictureWorker | None = None
        self._reporting: asyncio.TimerHandle | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._showing = False
        self._closed = False
        self.demand = self._make_demand()

    # --- what is shown ------------------------------------------------------------------------------------------------

    def start(
        self,
        input: VideoInput,  # noqa: A002
        wanted: PictureFormat | None = None,
        label: VideoLabel | None = None,
    ) -> None:
        """Show what it delivers from now on, in place of whatever was shown before; a key frame comes first.

        ``wanted`` is what its pictures are at most, ``label`` what they show, if that is something else than before.
        """
        if self._closed:
            return
        if wanted is not None and wanted != self._wanted:
            self._wanted = wanted
            self._adaptation.resize(wanted)
        if label is not None:
            self._treat_as(label)
        if self._worker is None:
            self._worker = PictureWorker(
                self._coding,
                coded=lambda coded: self._call(self._coded, coded),
                over=lambda: self._call(self._over),
                report=lambda what, device, text: self._call(self._report_device, what, device, text),
            )
        self._showing = True
        self._stay()
        self._worker.show(input, self._wanted)
        self._path.join(self)
        self._plan()
        if self._reporting is None:
            self._report()

    def stop(self) -> None:
        """Let the device go and show a few black pictures, then nothing. Twice is once."""
        if self._worker is not None:
            self._worker.hide()
            self._end()

    def close(self) -> None:
        """Say goodbye (RFC 3550, 6.6) and end, whatever is shown. Twice is once."""
        if self._closed:
            return
        self._closed = True
        self._stay()
        self._path.leave(self)
        if self._worker is not None:
            self._worker.close()
        if self._reporting is not None:
            self._reporting.cancel()
            self._send_rtcp(self._compound() + bytes(RtcpByePacket(sources=[self._source.ssrc])))

    async def wait_closed(self) -> None:
        """After :meth:`close`: until the device is let go, two seconds at most."""
        if self._worker is not None:
            await self._loop.run_in_executor(None, self._worker.finished.wait, _CLOSING)

    # --- what the path and the peer say -------------------------------------------------------------------------------

    def allocated(self, rate: float) -> None:
        """See :class:`~openvoice.media.path.sending.PathStream`."""
        self._rate = rate
        self._plan()

    def overtaken(self) -> None:
        """See :class:`~openvoice.media.path.sending.PathStream`."""
        self._packets.skip()
        if self._worker is not None:
            self._worker.key(thrown_away=True)

    def handle_rtcp(self, packets: Sequence[Any], arrival: float) -> None:
        """Take the parts of a compound packet: reports, NACK, PLI, FIR of this stream; the rest is passed over."""
        if self._closed:
            return
        self._reporter.handle(packets, arrival)
        asked = list(asked_packets(packets, self._source.ssrc))
        if asked:
            self._counts["nacks"] += 1
            self._path.send(self, self._packets.again(asked, self._reporter.round_trip, arrival))
        if any(asks_for_key(packet, self._source.ssrc) for packet in packets):
            self._counts["plis"] += 1
            self._key_requests.ask(arrival, self._reporter.round_trip)
            self._heed_key_requests(arrival)

    def statistics(self) -> SentVideo:
        """What was sent until now."""
        bitrate, pictures = self._packets.rates(self._loop.time())
        return SentVideo(
            codec=self._codec.name,
            frames=self._counts["frames"],
            key_frames=self._counts["key_frames"],
            frames_dropped=self._counts["dropped"] + (self._worker.dropped if self._worker is not None else 0),
            width=self._sides[0],
            height=self._sides[1],
            frames_per_second=float(pictures),
            packets=self._packets.counts["packets"],
            octets=self._packets.counts["octets"],
            bitrate=bitrate,
            available=self._path.statistics().available,
            retransmitted=self._packets.counts["retransmitted"],
            nacks=self._counts["nacks"],
            plis=self._counts["plis"],
            limited_by=self._adaptation.limited_by if self._showing else "none",
        )

    def _reported(self, report: PeerReport) -> None:
        self._path.report(report)

    def _heed_key_requests(self, now: float) -> None:
        if self._worker is not None and self._key_requests.due(now):
            self._key_requests.made(now)
            self._worker.key()

    # --- pictures to packets ------------------------------------------------------------------------------------------

    def _coded(self, coded: Coded) -> None:
        now = self._loop.time()
        self._adaptation.resize(PictureFormat(width=coded.source[0], height=coded.source[1], rate=self._wanted.rate))
        self._adaptation.coded(coded.seconds, now, left_out=not coded.payloads)
        if coded.payloads:
            self._packetize(coded, now)
        else:
            self._counts["dropped"] += 1
        self._heed_key_requests(now)
        self._plan()

    def _packetize(self, coded: Coded, now: float) -> None:
        if coded.key:
            self._key_requests.made(now)
        self._counts.update(frames=1, key_frames=int(coded.key))
        self._sides = coded.width, coded.height
        self._path.send(self, self._packets.picture(coded.payloads, self._clock.stamp(coded.time, now)))

    # --- how much, how large ------------------------------------------------------------------------------------------

    def _plan(self) -> None:
        now = self._loop.time()
        bitrate = self._payload_rate(self._rate)
        self._adaptation.allow(bitrate, now)
        self.demand = self._make_demand()
        if self._worker is not None:
            bitrate = min(bitrate, self._adaptation.useful)
            self._worker.plan(Plan(wanted=self._adaptation.format, bitrate=bitrate))

    def _treat_as(self, label: VideoLabel) -> None:
        if label is not self._label:
            self._label = label
            self._adaptation = Adaptation(self._wanted, screen=label is VideoLabel.SCREEN)
            if self._worker is not None:
                self._worker.renew()

    def _payload_rate(self, rate: float) -> float:
        """What is left of ``rate`` kbit/s on the wire without headers."""
        if rate <= 0:
            return 0.0
        header = HEADERS + OVERHEAD
        pictures = self._adaptation.format.rate * header * 8 / 1000 / 2
        return max(rate * MAXIMUM_PAYLOAD / (MAXIMUM_PAYLOAD + header) - pictures, rate / 2)

    def _make_demand(self) -> Demand:
        return Demand(LEAST, max(LEAST, self._adaptation.most * 1.1))

    # --- reports ------------------------------------------------------------------------------------------------------

    def _report(self) -> None:
        self._send_rtcp(self._compound())
        self._reporting = self._loop.call_later(until_next_report(), self._report)

    def _compound(self) -> bytes:
        now = self._loop.time()
        return self._reporter.compound(
            now,
            reception=None,
            packets_sent=self._packets.counts["packets"],
            octets_sent=self._packets.counts["octets"],
            timestamp=self._clock.at(now),
        )

    def _over(self) -> None:
        self._end()
        self._tell_ended()

    def _end(self) -> None:
        self._showing = False
        self._stay()
        self._leaving = self._loop.call_later(_FAREWELL, self._path.leave, self)

    def _stay(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    def _report_device(self, what: DeviceChange, device: str | None, text: str) -> None:
        self._tell_report(what, device, text)

    def _call(self, function: Callable[..., None], *arguments: Any) -> None:
        """On the event loop, unless that is over or this is closed until then."""

        def call() -> None:
            if not self._closed:
                function(*arguments)

        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            return  # the loop is closed: nobody is left to be told
