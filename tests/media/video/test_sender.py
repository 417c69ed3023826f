"""A sender of pictures with an encoder that is told what to do, on a real loop with real threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiortc.rtp import (
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
)

from openvoice.core.description import Codec, Source
from openvoice.core.types import DeviceChange, VideoLabel
from openvoice.media.path.sending import SendingPath
from openvoice.media.video.sender import LEAST, VideoSender
from openvoice.ports import Picture, PictureFormat, VideoReport
from tests.media.video.fake_codec import FakeEncoder, FakePayloader, grey
from tests.waiting import until

VP8 = Codec(payload_type=96, name="VP8", clock_rate=90_000)
RTX = Codec(payload_type=97, name="rtx", clock_rate=90_000, parameters=(("apt", "96"),))


class Camera:
    def __init__(self) -> None:
        self.deliver: Callable[[Picture | None], None] | None = None
        self.stopped = False
        self.report: VideoReport | None = None

    def start(self, deliver: Callable[[Picture | None], None], report: VideoReport, wanted: PictureFormat) -> None:
        self.deliver, self.report, self.wanted = deliver, report, wanted

    def stop(self) -> None:
        self.stopped = True


class Home:
    """A sender on a path that goes nowhere."""

    def __init__(self, *, repair: bool = True, label: VideoLabel = VideoLabel.CAMERA) -> None:
        self.rtp: list[RtpPacket] = []
        self.rtcp: list[list[Any]] = []
        self.resent: list[int] = []
        self.told: list[Any] = []
        self.encoder = FakeEncoder()
        self.path = SendingPath(lambda data: self.rtp.append(RtpPacket.parse(data)))
        self.sender = VideoSender(
            label=label,
            codec=VP8,
            repair=RTX if repair else None,
            source=Source(7, "name"),
            repair_ssrc=8 if repair else None,
            extensions=[],
            mid="1",
            wanted=PictureFormat(),
            path=self.path,
            send_rtcp=lambda data: self.rtcp.append(RtcpPacket.parse(data)),
            resend=self._resend,
            report=lambda what, device, text: self.told.append((what, device, text)),
            ended=lambda: self.told.append("ended"),
            make_encoder=lambda codec, screen: self.encoder,
            make_payloader=lambda codec: FakePayloader(),
        )
        self.camera = Camera()

    def _resend(self, sequence: int) -> bool:
        self.resent.append(sequence)
        return True

    async def show(self) -> None:
        self.camera.deliver = None
        self.sender.start(self.camera)
        await until(lambda: self.camera.deliver is not None)
        await self.picture()

    async def picture(self) -> None:
        """Until one more has left."""
        before = self.sender.statistics().frames
        assert self.camera.deliver is not None
        self.camera.deliver(grey(time.monotonic(), 640, 480))
        await until(lambda: self.sender.statistics().frames > before)
        await asyncio.sleep(0.034)

    def hear(self, *packets: Any) -> None:
        self.sender.handle_rtcp(packets, asyncio.get_running_loop().time())


def run(test: Callable[[Home], Awaitable[None]], **settings: Any) -> Home:
    async def main() -> Home:
        home = Home(**settings)
        try:
            await test(home)
        finally:
            home.sender.close()
            home.sender.close()
            await home.sender.wait_closed()
            home.path.close()
        return home

    return asyncio.run(main())


def test_pictures_become_packets_and_reports_tell_their_time() -> None:
    async def test(home: Home) -> None:
        await home.show()
        await home.picture()
        now = asyncio.get_running_loop().time()
        home.sender.start(home.camera)  # a second start keeps the reports as they are
        first, last = home.rtp[0], home.rtp[-1]
        assert (first.ssrc, first.payload_type, last.marker) == (7, 96, 1)
        assert 0 < last.timestamp - first.timestamp & 0xFFFFFFFF < 90_000
        await until(lambda: len(home.rtcp) > 1)
        report = home.rtcp[-1][0]
        assert isinstance(report, RtcpSrPacket)
        # Seconds of the clock of the loop, as the voice's reports have them; the RTP time is of that moment.
        sent_at = report.sender_info.ntp_timestamp / 2**32
        assert abs(sent_at - now) < 3
        ahead = (report.sender_info.rtp_timestamp - last.timestamp & 0xFFFFFFFF) / 90_000
        assert 0 <= ahead - (sent_at - now) < 0.2
        assert report.sender_info.packet_count == len(home.rtp)

    home = run(test)
    assert home.camera.stopped
    assert isinstance(home.rtcp[-1][-1], RtcpByePacket)
    assert sum(isinstance(packet, RtcpByePacket) for parts in home.rtcp for packet in parts) == 1


def test_what_is_shown_next_may_be_larger() -> None:
    async def test(home: Home) -> None:
        await home.show()
        assert home.camera.wanted == PictureFormat()
        screen, size = Camera(), PictureFormat(width=1920, height=1080, rate=10.0)
        home.sender.start(screen, size)
        await until(lambda: screen.deliver is not None)
        assert screen.wanted == size

    run(test)


def test_the_first_pictures_fit_what_little_is_known_of_the_path() -> None:
    async def test(home: Home) -> None:
        await home.show()
        wanted, bitrate = home.encoder.configured[0]
        assert wanted.width < 320
        assert LEAST < bitrate < 150
        found = home.sender.statistics()
        assert (found.codec, found.frames, found.key_frames, found.limited_by) == ("VP8", 1, 1, "bandwidth")
        assert found.available == 150.0
        assert found.width == wanted.width

    run(test)


def test_a_key_picture_follows_a_request_but_not_each() -> None:
    async def test(home: Home) -> None:
        await home.show()
        await asyncio.sleep(0.5)
        for _ in range(5):
            home.hear(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=7))
        await home.picture()
        await home.picture()
        assert [key for _, key in home.encoder.pictures] == [True, True, False]
        assert home.sender.statistics().plis == 5

    run(test)


def test_what_the_peer_missed_is_sent_again_on_the_source_of_repairs() -> None:
    async def test(home: Home) -> None:
        await home.show()
        await until(lambda: home.rtp[-1].marker == 1)
        missed = home.rtp[0].sequence_number
        home.hear(RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=7, lost=[missed]))
        home.hear(RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=7, lost=[missed]))
        await until(lambda: home.rtp[-1].ssrc == 8)
        assert home.rtp[-1].payload[2:] == home.rtp[0].payload
        assert home.sender.statistics().retransmitted == 1
        assert home.sender.statistics().nacks == 2

    run(test)


def test_without_a_source_of_repairs_it_is_sent_as_it_was() -> None:
    async def test(home: Home) -> None:
        await home.show()
        await until(lambda: home.rtp[-1].marker == 1)
        home.hear(RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=7, lost=[home.rtp[0].sequence_number]))
        await until(lambda: bool(home.resent))
        assert home.resent == [home.rtp[0].sequence_number]

    run(test, repair=False)


def test_what_is_reported_reaches_the_path() -> None:
    async def test(home: Home) -> None:
        await home.show()
        now = asyncio.get_running_loop().time()
        block = RtcpReceiverInfo(
            ssrc=7,
            fraction_lost=0,
            packets_lost=0,
            highest_sequence=5,
            jitter=0,
            lsr=round((now - 0.5) * 65536) & 0xFFFFFFFF,
            dlsr=round(0.4 * 65536),
        )
        home.hear(RtcpRrPacket(ssrc=1, reports=[block]))
        trip = home.path.statistics().round_trip
        assert trip is not None
        assert 0.09 < trip < 0.2

    run(test)


def test_black_is_shown_at_the_end_and_nothing_after_it() -> None:
    async def test(home: Home) -> None:
        await home.show()
        home.sender.stop()
        home.sender.stop()
        await until(lambda: home.sender.statistics().frames == 4)
        assert home.camera.stopped
        assert home.told == []
        assert home.sender.statistics().limited_by == "none"
        await home.show()
        assert home.encoder.pictures[-1][1]

    run(test)


def test_what_is_not_shown_any_more_leaves_its_share_to_others() -> None:
    async def test(home: Home) -> None:
        await home.show()
        home.sender.stop()
        await asyncio.sleep(1.1)
        home.path.send(home.sender, home.sender._packets.picture([b"late"], 0))
        assert home.rtp[-1].payload != b"late"

    run(test)


def test_a_screen_in_the_place_of_a_camera_is_treated_as_one() -> None:
    async def test(home: Home) -> None:
        await home.show()
        assert home.encoder.wanted.width < 320
        home.camera.deliver = None
        home.sender.start(home.camera, label=VideoLabel.SCREEN)
        await until(lambda: home.camera.deliver is not None)
        await home.picture()
        assert home.encoder.closed == 1
        assert home.encoder.wanted.width > 320
        assert home.encoder.wanted.rate < 30

    run(test)


def test_the_end_of_the_source_is_told_on_the_loop() -> None:
    async def test(home: Home) -> None:
        await home.show()
        assert home.camera.deliver is not None
        assert home.camera.report is not None
        home.camera.report(DeviceChange.LOST, "cam", "it is gone")
        home.camera.deliver(None)
        await until(lambda: "ended" in home.told)
        assert home.told == [(DeviceChange.LOST, "cam", "it is gone"), "ended"]

    run(test)


def test_a_pause_of_the_path_stops_the_pictures() -> None:
    async def test(home: Home) -> None:
        await home.show()
        home.sender.allocated(0.0)
        assert home.camera.deliver is not None
        home.camera.deliver(grey(time.monotonic(), 640, 480))
        await asyncio.sleep(0.05)
        assert home.sender.statistics().frames == 1
        home.sender.allocated(LEAST)
        await until(lambda: home.sender.statistics().frames == 2)
        assert home.encoder.pictures[-1][1]

    run(test)


def test_what_was_dropped_is_made_good_by_a_key_picture() -> None:
    async def test(home: Home) -> None:
        await home.show()
        home.sender.overtaken()
        await home.picture()
        assert home.encoder.pictures[-1][1]

    run(test)


def test_before_anything_is_shown_there_is_nothing_to_stop() -> None:
    async def test(home: Home) -> None:
        home.sender.stop()
        home.sender.overtaken()
        home.hear(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=7))
        assert home.sender.statistics().frames == 0

    home = run(test)
    assert home.rtcp == []
    home.sender.handle_rtcp([], 0.0)
