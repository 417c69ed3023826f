"""Voice and pictures of one call on a virtual clock: how far apart they are heard and due."""

from __future__ import annotations

import asyncio

import pytest
from aiortc.rtp import RtcpSenderInfo, RtcpSrPacket

from openvoice.media.synchronisation import SenderClock
from openvoice.media.video.assembly import ReceivedPicture
from openvoice.media.video.codec import CLOCK_RATE
from openvoice.media.video.presentation import Presentation
from tests.media.audio.network import Network, Way
from tests.media.audio.sound import lag, voice
from tests.media.audio.test_stream import pair
from tests.media.audio.virtual_time import run

RATE = 30
SECONDS = 8


def lips_behind_voice(spoken: Network, seen: Network, *, encoding: float = 0.01) -> list[float]:
    """By how many seconds the pictures of the second half are due after what was said then is heard."""

    async def main() -> list[float]:
        alice, bob = pair(spoken)
        loop, way, begun = alice.loop, Way(seen), alice.loop.time()
        presentation = Presentation(bob.synchronisation, clock := SenderClock(7, CLOCK_RATE))
        due: list[tuple[float, float]] = []

        def show(taken: float) -> None:
            now = loop.time()
            picture = ReceivedPicture(
                data=b"x",
                key=False,
                payload_type=96,
                timestamp=round((taken - begun) * CLOCK_RATE),
                began=now,
                ended=now,
            )
            due.append((taken, presentation.schedule(picture, now)))

        def take() -> None:
            arrival = way.arrival(loop.time() + encoding)
            if arrival is not None:
                loop.call_at(arrival, show, loop.time())

        for number in range(SECONDS * RATE):
            loop.call_at(begun + number / RATE, take)
        for second in range(SECONDS):
            info = RtcpSenderInfo(round((begun + second) * 2**32), second * CLOCK_RATE, 1, 1)
            loop.call_at(begun + second + 0.05, clock.handle, RtcpSrPacket(7, info))
        sound = voice(SECONDS)
        alice.open(sound)
        bob.open()
        await asyncio.sleep(SECONDS)
        half = len(sound) // 2
        latency = lag(sound[half:], bob.heard[half:]) / 48_000
        alice.stream.close()
        bob.stream.close()
        return [moment - (taken + latency) for taken, moment in due if taken - begun > SECONDS / 2]

    return run(main())


@pytest.mark.parametrize(
    ("spoken", "seen"),
    [
        (Network(), Network()),
        (Network(delay=0.04, loss=0.05), Network(delay=0.04, loss=0.05)),
        (Network(delay=0.04, jitter=0.06), Network(delay=0.04, jitter=0.06)),
        (Network(delay=0.25), Network(delay=0.02)),
    ],
)
def test_lips_and_voice_are_less_than_60_ms_apart(spoken: Network, seen: Network) -> None:
    apart = sorted(lips_behind_voice(spoken, seen))
    assert len(apart) > 100
    assert apart[len(apart) // 50] >= -0.06
    assert apart[-len(apart) // 50] <= 0.06
