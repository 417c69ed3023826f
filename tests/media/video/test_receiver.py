from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket

from openvoice.core.description import Codec
from openvoice.core.types import DeviceChange
from openvoice.errors import VideoFailed
from openvoice.media import rtcp
from openvoice.media.synchronisation import Synchronisation
from openvoice.media.video.codec import CorruptPicture
from openvoice.media.video.receiver import VideoReceiver
from openvoice.ports import Picture
from tests.media.video.streams import OWN, REPAIR, SSRC, content, make_depayloader, packets
from tests.waiting import until


@dataclass
class Screen:
    pictures: list[Picture] = field(default_factory=list)
    refuses: bool = False
    closed: int = 0

    def write(self, picture: Picture) -> None:
        if self.refuses:
            raise VideoFailed("the window is gone")
        self.pictures.append(picture)

    def close(self) -> None:
        self.closed += 1


class GreyDecoder:
    def __init__(self, codec: Codec) -> None:
        self.codec = codec

    def decode(self, data: bytes, time: float) -> Picture | None:
        if data[0] == 255:
            raise CorruptPicture("corrupt")
        return Picture(np.full((3, 2), data[0], np.uint8), time)

    def close(self) -> None:
        pass


@dataclass
class End:
    """A receiver, what it showed, what it sent and what it told."""

    screens: list[Screen] = field(default_factory=list)
    sent: list[Any] = field(default_factory=list)
    told: list[tuple[DeviceChange, str | None, str]] = field(default_factory=list)
    refuses: bool = False

    def __post_init__(self) -> None:
        self.receiver = VideoReceiver(
            local=content(),
            remote=content(SSRC, repair=REPAIR),
            send_rtcp=lambda data: self.sent.extend(rtcp.parse(data)),
            synchronisation=Synchronisation(),
            output=self._open,
            report=lambda *what: self.told.append(what),
            round_trip=lambda: 0.05,
            make_depayloader=make_depayloader,
            make_decoder=GreyDecoder,
        )

    def _open(self) -> Screen:
        self.screens.append(Screen(refuses=self.refuses))
        return self.screens[-1]

    def play(self, made: list[RtpPacket]) -> None:
        for packet in made:
            self.receiver.handle_rtp(packet, asyncio.get_running_loop().time())

    @property
    def shown(self) -> list[int]:
        return [int(picture.data[0, 0]) for screen in self.screens for picture in screen.pictures]

    def asked(self, kind: Any, fmt: int) -> list[Any]:
        return [each for each in self.sent if isinstance(each, kind) and each.fmt == fmt]


def picture(place: int, *, key: bool = False, value: int | None = None) -> list[RtpPacket]:
    data = bytes([place if value is None else value]) * 30
    return packets(data, 3 * place, place * 3000, key=key, size=10)


async def shows(end: End, *places: int) -> None:
    for place in places:
        end.play(picture(place, key=not place))
        await until(lambda place=place: end.shown[-1:] == [place])  # type: ignore[misc]


def in_a_call(work: Callable[[End], Any]) -> End:
    async def main() -> End:
        end = End()
        end.receiver.start()
        await work(end)
        end.receiver.close()
        await end.receiver.wait_closed()
        return end

    return asyncio.run(main())


def test_pictures_are_shown_and_counted() -> None:
    async def work(end: End) -> None:
        await shows(end, 0, 1, 2, 3)
        statistics = end.receiver.statistics()
        assert (statistics.codec, statistics.width, statistics.height) == ("VP8", 2, 2)
        assert (statistics.frames, statistics.frames_decoded, statistics.frames_dropped) == (4, 4, 0)
        assert (statistics.packets, statistics.octets, statistics.lost, statistics.key_frames) == (12, 132, 0, 1)
        assert 0 < statistics.frames_per_second <= 4
        assert statistics.bitrate > 0
        assert statistics.delay > 0

    end = in_a_call(work)
    assert end.sent == []
    assert [screen.closed for screen in end.screens] == [1]


def test_nothing_is_shown_or_asked_for_before_the_gate_is_open() -> None:
    async def main() -> End:
        end = End()
        end.play(picture(0, key=True) + picture(4))
        await asyncio.sleep(0.1)
        assert end.receiver.reception is None
        end.receiver.close()
        end.receiver.start()
        end.play(picture(0, key=True))
        await end.receiver.wait_closed()
        return end

    end = asyncio.run(main())
    assert end.screens == end.sent == []


def test_what_is_missing_is_asked_for_at_once_and_again_by_itself() -> None:
    async def work(end: End) -> None:
        await shows(end, 0)
        missing, *rest = picture(1)
        end.play(rest)
        (first,) = end.asked(RtcpRtpfbPacket, RTCP_RTPFB_NACK)
        assert first == RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=OWN, media_ssrc=SSRC, lost=[3])
        await until(lambda: len(end.asked(RtcpRtpfbPacket, RTCP_RTPFB_NACK)) >= 3)
        end.play([missing])
        await until(lambda: end.shown == [0, 1])
        count = len(end.sent)
        await asyncio.sleep(0.15)
        assert len(end.sent) == count

    in_a_call(work)


def test_a_picture_that_cannot_be_decoded_has_the_peer_send_a_key_picture() -> None:
    async def work(end: End) -> None:
        await shows(end, 0)
        end.play(picture(1, value=255))
        await until(lambda: end.asked(RtcpPsfbPacket, RTCP_PSFB_PLI))
        end.play(picture(2) + picture(3, key=True))
        await until(lambda: end.shown == [0, 3])

    in_a_call(work)


def test_an_output_that_fails_is_told_on_the_loop_and_nothing_else_stops() -> None:
    async def work(end: End) -> None:
        end.refuses = True
        end.play(picture(0, key=True))
        await until(lambda: end.told)
        assert end.told == [(DeviceChange.FAILED, None, "the window is gone")]
        end.play([packet for place in range(1, 20) for packet in picture(place)])
        await until(lambda: end.receiver.statistics().frames_dropped == 20)
        assert end.receiver.reception is not None
        assert end.receiver.reception.received == 60

    end = in_a_call(work)
    assert len(end.told) == 1
    assert len(end.screens) == 1


def test_closing_twice_is_once_and_leaves_nothing_behind() -> None:
    async def work(end: End) -> None:
        await shows(end, 0)
        end.play(picture(2))  # something is missing now, and would be asked for
        end.receiver.close()
        end.receiver.handle_rtp(picture(3)[0], 0.0)
        count = len(end.sent)
        await asyncio.sleep(0.2)
        assert len(end.sent) == count

    end = in_a_call(work)
    assert [screen.closed for screen in end.screens] == [1]
