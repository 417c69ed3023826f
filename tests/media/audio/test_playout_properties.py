"""Whatever a network makes of a stream, every packet and every sample is accounted for, and delay and memory end."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice.media.audio.codec import PayloadFormat
from openvoice.media.audio.playout import CAPACITY, PlayoutBuffer
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS, SAMPLE_RATE
from tests.media.audio.sound import voice
from tests.media.audio.test_playout import assert_conserved
from tests.media.audio.test_playout_drift import Plain

SOUND = voice(6, seed=9)
SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Fate:
    """Of one packet: ``lost``, or ``late`` by so many ms and again ``again`` ms after that."""

    lost: bool
    late: int
    again: int | None


FATES = st.builds(
    Fate,
    lost=st.sampled_from([False, False, False, True]),
    late=st.one_of(st.integers(0, 5), st.integers(0, 5), st.integers(0, 400)),
    again=st.one_of(st.none(), st.none(), st.integers(0, 300)),
)
STREAMS = st.fixed_dictionaries(
    {
        "duration": st.sampled_from([480, 960, 1920, 2880]),
        "first": st.sampled_from([0, 2**31, 2**32 - 48_000, 2**32 - 1]),
        "fates": st.lists(FATES, min_size=20, max_size=60),
        "pauses": st.lists(st.tuples(st.integers(0, 200), st.integers(1, 40)), max_size=2),
        "clock_stands": st.booleans(),
    }
)


def arrivals(
    duration: int, first: int, fates: list[Fate], pauses: list[tuple[int, int]], clock_stands: bool
) -> list[tuple[float, int, bytes]]:
    """What a sender of packets of ``duration`` sends, that pauses, and whose timestamps may stand still meanwhile."""
    packets = []
    elapsed = 0.0
    timestamp = 0
    for n in range(int((SECONDS - 2) * SAMPLE_RATE) // duration):
        fate = fates[n % len(fates)]
        for begin, length in pauses:
            if begin == n:
                elapsed += length * FRAME_SECONDS
                timestamp += 0 if clock_stands else length * FRAME_SAMPLES
        place = n * duration % (len(SOUND) - duration)
        payload = SOUND[place : place + duration].tobytes()
        moment = elapsed + fate.late / 1000
        if not fate.lost:
            packets.append((moment, (first + timestamp) % 2**32, payload))
            if fate.again is not None:
                packets.append((moment + fate.again / 1000, (first + timestamp) % 2**32, payload))
        elapsed += duration / SAMPLE_RATE
        timestamp += duration
    return sorted(packets, key=lambda packet: packet[0])


@given(stream=STREAMS, phase=st.integers(0, 19))
@settings(max_examples=60, deadline=None)
def test_all_is_accounted_for_and_bounded(stream: dict[str, object], phase: int) -> None:
    buffer = PlayoutBuffer({0: PayloadFormat(Plain(), 48_000)})
    waiting = arrivals(**stream)[::-1]  # type: ignore[arg-type]
    sent = len(waiting)
    pulled, before = 0, -1
    now = phase / 1000
    while waiting or now < SECONDS + 3:
        while waiting and waiting[-1][0] <= now:
            arrival, timestamp, payload = waiting.pop()
            buffer.insert(0, timestamp, payload, arrival)
            assert buffer.held <= CAPACITY
        assert len(buffer.pull(now)) == FRAME_SAMPLES
        pulled += 1
        # Nothing is played twice, and nothing of an earlier time after something of a later one.
        assert buffer.position is None or buffer.position >= before
        before = before if buffer.position is None else buffer.position
        assert buffer.pending <= 2 * 5760
        assert_conserved(buffer, pulled)
        now += FRAME_SECONDS
    assert buffer.counters.inserted == sent
    assert buffer.held == 0
    assert buffer.delay < 1.5


@given(numbers=st.lists(st.integers(1, 30), min_size=1, max_size=6), duration=st.sampled_from([480, 960, 2880]))
@settings(max_examples=30, deadline=None)
def test_talkspurts_on_a_clean_network_are_played_whole(numbers: list[int], duration: int) -> None:
    buffer = PlayoutBuffer({0: PayloadFormat(Plain(), 48_000)})
    waiting = []
    moment = 0
    for number in numbers:
        for _ in range(number):
            waiting.append((moment + duration, moment, SOUND[:duration].tobytes()))
            moment += duration
        moment += 24_000
    for tick in range(moment // FRAME_SAMPLES + 20):
        now = tick * FRAME_SECONDS + 0.007
        while waiting and waiting[0][0] / SAMPLE_RATE <= now:
            at, timestamp, payload = waiting.pop(0)
            buffer.insert(0, timestamp, payload, at / SAMPLE_RATE)
        buffer.pull(now)
    # Of what came before the first pull only the latest is played: a call begins without delay.
    assert buffer.counters.played >= sum(numbers) - 1
    assert buffer.counters.discarded == buffer.counters.late == sum(numbers) - buffer.counters.played
