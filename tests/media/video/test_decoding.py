from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from openvoice.errors import VideoFailed
from openvoice.media.video.assembly import ReceivedPicture
from openvoice.media.video.codec import CorruptPicture
from openvoice.media.video.decoding import MOST_WAITING, DecodingCounters, DecodingThread
from openvoice.media.video.freezes import Freezes
from openvoice.ports import Picture


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.002)


def received(place: int, *, key: bool = False, payload_type: int = 96, data: bytes | None = None) -> ReceivedPicture:
    now = time.monotonic()
    return ReceivedPicture(
        data=bytes([place]) if data is None else data,
        key=key,
        payload_type=payload_type,
        timestamp=place * 3000,
        began=now,
        ended=now,
    )


@dataclass
class Bench:
    """A decoding thread, a decoder that makes grey pictures of one octet, and a place for them."""

    decoding_takes: float = 0.0
    held: threading.Event = field(default_factory=threading.Event)
    writing: threading.Event = field(default_factory=threading.Event)
    written: list[tuple[int, float, float]] = field(default_factory=list)
    decoded: list[int] = field(default_factory=list)
    made: list[int] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    keys: int = 0
    told: list[str] = field(default_factory=list)
    refuses: Exception | None = None
    wanted: bool = True
    opened: int = 0
    counters: DecodingCounters = field(default_factory=DecodingCounters)
    freezes: Freezes = field(default_factory=Freezes)

    def __post_init__(self) -> None:
        self.held.set()
        self.thread = DecodingThread(
            make_decoder=self._make,
            output=self._open,
            want_key=self._want_key,
            failed=self.told.append,
            counters=self.counters,
            freezes=self.freezes,
        )

    def _make(self, payload_type: int) -> Bench.Decoder:
        self.made.append(payload_type)
        return Bench.Decoder(self)

    def _open(self) -> Bench | None:
        self.opened += 1
        if not self.wanted and self.refuses is not None:
            raise self.refuses
        return self if self.wanted else None

    def _want_key(self) -> None:
        self.keys += 1

    @dataclass
    class Decoder:
        bench: Bench

        def decode(self, data: bytes, time: float) -> Picture | None:
            if self.bench.decoding_takes:
                threading.Event().wait(self.bench.decoding_takes)
            if data == b"\xff":
                raise CorruptPicture("corrupt")
            if data == b"\xfe":
                raise ZeroDivisionError
            self.bench.decoded.append(data[0])
            return None if data == b"\xfd" else Picture(np.full((3, 2), data[0], np.uint8), time)

        def close(self) -> None:
            self.bench.closed.append("decoder")

    def write(self, picture: Picture) -> None:
        self.writing.set()
        self.held.wait()
        if self.refuses is not None:
            raise self.refuses
        self.written.append((int(picture.data[0, 0]), picture.time, time.monotonic()))

    def close(self) -> None:
        self.closed.append("output")

    def put(self, *pictures: ReceivedPicture) -> None:
        for picture in pictures:
            self.thread.put(picture, time.monotonic())

    @property
    def shown(self) -> list[int]:
        return [place for place, _, _ in self.written]

    @property
    def lost(self) -> int:
        return self.counters.dropped + self.counters.left_out


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.held.set()
    made.thread.close()
    made.thread.join(5)
    assert not made.thread.lives


def test_pictures_are_shown_when_they_are_due_with_that_as_their_time(bench: Bench) -> None:
    begin = time.monotonic()
    for place in range(3):
        bench.thread.put(received(place, key=not place), begin + 0.05 * (place + 1))
    until(lambda: len(bench.written) == 3)
    for place, (shown, due, at) in enumerate(bench.written):
        assert shown == place
        assert due == begin + 0.05 * (place + 1)
        assert at >= due
    assert bench.counters.decoded == bench.counters.shown == 3
    assert bench.counters.keys == 1
    assert (bench.counters.width, bench.counters.height) == (2, 2)
    assert bench.counters.waiting >= 0.05


def test_nothing_is_decoded_before_a_key_picture(bench: Bench) -> None:
    bench.put(received(1), received(2, key=True))
    until(lambda: bench.shown == [2])
    assert bench.decoded == [2]
    assert bench.lost == 1


@pytest.mark.parametrize("data", [b"\xff", b"\xfe"])
def test_a_picture_that_cannot_be_decoded_costs_those_up_to_the_next_key_picture(bench: Bench, data: bytes) -> None:
    bench.put(received(1, key=True))
    until(lambda: bench.shown == [1])
    bench.put(received(2, data=data))
    until(lambda: bench.keys == 1)
    bench.put(received(3), received(4))
    until(lambda: bench.lost == 3)
    bench.put(received(5, key=True))
    until(lambda: bench.shown == [1, 5])
    assert bench.counters.corrupt == 1
    assert bench.keys == 1


def test_no_key_picture_is_asked_for_while_one_waits(bench: Bench) -> None:
    bench.held.clear()
    bench.put(received(1, key=True))
    until(bench.writing.is_set)
    bench.put(received(2, data=b"\xff"), received(3), received(4, key=True))
    bench.held.set()
    until(lambda: 4 in bench.shown)
    assert bench.keys == 0


def test_what_shows_nothing_is_no_fault(bench: Bench) -> None:
    bench.put(received(1, key=True))
    until(lambda: bench.shown == [1])
    bench.put(received(2, data=b"\xfd"))
    until(lambda: bench.counters.decoded == 2)
    assert bench.counters.corrupt == bench.keys == bench.lost == 0


def test_another_codec_gets_another_decoder(bench: Bench) -> None:
    bench.put(received(1, key=True))
    until(lambda: bench.shown == [1])
    bench.put(received(2, payload_type=97))
    until(lambda: bench.keys == 1)
    bench.put(received(3, key=True, payload_type=97))
    until(lambda: bench.shown == [1, 3])
    assert bench.made == [96, 97]
    assert bench.closed == ["decoder"]


def test_a_slow_place_holds_nobody_up_and_misses_pictures(bench: Bench) -> None:
    bench.put(received(0, key=True))
    until(lambda: bench.shown == [0])
    bench.held.clear()
    bench.writing.clear()
    bench.put(received(1))
    until(bench.writing.is_set)
    bench.put(*(received(place) for place in range(2, 40)))  # returns though nobody takes anything
    bench.held.set()
    until(lambda: bench.shown[-1:] == [39])
    assert bench.decoded == list(range(40)), "each is decoded, for the next one depends on it"
    assert len(bench.shown) < 20
    assert bench.keys == 0


def test_a_place_that_fails_is_told_once_and_costs_nothing_more(bench: Bench) -> None:
    bench.refuses = VideoFailed("the disk is full")
    bench.put(received(0, key=True))
    until(lambda: bench.told == ["the disk is full"])
    assert bench.closed == ["decoder", "output"]
    bench.put(*(received(place) for place in range(1, 40)))
    until(lambda: bench.lost == 40)
    assert bench.decoded == [0]
    assert len(bench.told) == 1


def test_words_of_a_place_that_nobody_expected_are_not_repeated(bench: Bench) -> None:
    bench.refuses = RuntimeError("secret")
    bench.put(received(0, key=True))
    until(lambda: bench.told)
    assert "secret" not in bench.told[0]


def test_decoding_that_cannot_keep_up_goes_on_with_the_next_key_picture() -> None:
    bench = Bench(decoding_takes=0.05)
    place = 0
    bench.put(received(0, key=True))
    while bench.keys == 0:
        place += 1
        assert place < 200, "it never left anything out"
        bench.put(received(place))
        time.sleep(0.01)
    bench.put(received(201), received(202))
    bench.put(received(203, key=True))
    until(lambda: 203 in bench.shown)
    assert not {201, 202} & set(bench.decoded)
    bench.thread.close()
    bench.thread.join(5)
    assert bench.closed == ["decoder", "output"]


def test_decoding_that_is_always_late_shows_pictures_all_the_same() -> None:
    bench = Bench(decoding_takes=0.03)
    place = 0
    while len(bench.shown) < 3:
        assert place < 200, "it shows nothing"
        bench.put(received(place, key=not place))
        place += 1
        time.sleep(0.02)
    assert len(bench.shown) < len(bench.decoded)
    bench.thread.close()
    bench.thread.join(5)


def test_what_waits_is_bounded_whatever_comes(bench: Bench) -> None:
    bench.held.clear()
    bench.put(received(0, key=True))
    until(bench.writing.is_set)
    for place in range(300):
        bench.thread.put(received(place % 200, key=not place % 50), time.monotonic())
        assert len(bench.thread._waiting) <= MOST_WAITING
    for _ in range(40):
        bench.thread.put(received(0, key=True, data=bytes(4_000_000)), time.monotonic())
        assert bench.thread._octets <= 8_000_000
    bench.held.set()


def test_whoever_closes_waits_for_nobody() -> None:
    bench = Bench()
    bench.held.clear()
    bench.put(received(0, key=True))
    until(bench.writing.is_set)
    bench.thread.close()
    bench.thread.close()
    assert bench.closed == []
    bench.put(received(1))
    bench.held.set()
    bench.thread.join(5)
    assert bench.closed == ["decoder", "output"]
    assert bench.shown == [0]


def test_a_thread_that_waits_for_a_picture_to_be_due_ends_at_once() -> None:
    bench = Bench()
    bench.thread.put(received(0, key=True), time.monotonic() + 60)
    until(lambda: bench.decoded)
    bench.thread.close()
    bench.thread.join(5)
    assert not bench.thread.lives
    assert bench.closed == ["decoder", "output"]


def test_what_nobody_wants_to_see_is_not_decoded() -> None:
    bench = Bench(wanted=False)
    bench.put(received(0, key=True), received(1))
    until(lambda: bench.counters.dropped == 2)
    assert (bench.made, bench.told, bench.keys) == ([], [], 0)
    bench.thread.close()


def test_who_wants_to_see_later_begins_with_a_key_picture() -> None:
    bench = Bench(wanted=False)
    bench.put(received(0, key=True), received(1))
    until(lambda: bench.counters.dropped == 2)
    bench.wanted = True
    bench.put(received(2))
    until(lambda: bench.keys == 1)
    assert bench.counters.dropped == 3
    bench.put(received(3, key=True), received(4))
    until(lambda: bench.counters.decoded == 2)
    assert bench.keys == 1
    bench.thread.close()


def test_a_place_that_cannot_be_made_is_told_once() -> None:
    bench = Bench(wanted=False, refuses=VideoFailed("there is no room"))
    bench.put(received(0, key=True), received(1))
    until(lambda: bench.counters.dropped == 2)
    assert bench.told == ["there is no room"]
    assert bench.opened == 1
    bench.thread.close()
