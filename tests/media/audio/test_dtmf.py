from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.errors import UsageError
from openvoice.media.audio.dtmf import (
    DIGITS,
    PAUSE_TICKS,
    TONE_TICKS,
    DigitReceiver,
    DigitSender,
    Tick,
    event_payload,
    tone,
)
from openvoice.ports import FRAME_SAMPLES

Event = tuple[int, bytes]


def ticks(digits: str) -> list[Tick | None]:
    sender = DigitSender()
    sender.play(digits)
    return [sender.next() for _ in range(20 * len(digits) + 5)]


def events(digits: str, *, clock_rate: int = 48_000, first: int = 1000) -> list[Event]:
    """(timestamp, payload) of the packets, with the timestamp frozen through each digit."""
    step = FRAME_SAMPLES * clock_rate // 48_000
    sent, start = [], 0
    for place, tick in enumerate(ticks(digits)):
        if tick is not None:
            start = first + place * step if tick.first else start
            sent.append((start, event_payload(tick, clock_rate)))
    return sent


def test_a_digit_lasts_120_ms_and_ends_three_times() -> None:
    digit = ticks("5")
    assert [tick.elapsed for tick in digit if tick] == [1, 2, 3, 4, 5, 6, 6, 6, 6]
    assert [tick.end for tick in digit if tick] == [False] * 6 + [True] * 3
    assert digit[9:] == [None] * len(digit[9:])


def test_between_two_digits_are_at_least_80_ms() -> None:
    both = ticks("11")
    assert PAUSE_TICKS * 20 >= 50
    assert both[9 : 9 + PAUSE_TICKS] == [None] * PAUSE_TICKS
    assert both[9 + PAUSE_TICKS] == Tick("1", 1)


@pytest.mark.parametrize(("clock_rate", "durations"), [(8000, (160, 960)), (48_000, (960, 5760))])
def test_the_duration_is_in_the_clock_of_the_voice(clock_rate: int, durations: tuple[int, int]) -> None:
    assert event_payload(Tick("#", 1), clock_rate) == bytes([11, 10]) + durations[0].to_bytes(2, "big")
    assert event_payload(Tick("#", 6, end=True), clock_rate) == bytes([11, 0x8A]) + durations[1].to_bytes(2, "big")


def test_only_digits_are_dialled_and_only_so_many() -> None:
    sender = DigitSender()
    sender.play("abcd")
    with pytest.raises(UsageError, match="digits"):
        sender.play("12E")
    with pytest.raises(UsageError, match="Too many"):
        sender.play("1" * 64)
    assert sender.next() == Tick("A", 1)


@pytest.mark.parametrize("digit", DIGITS)
def test_a_tone_has_its_two_pitches_and_no_others(digit: str) -> None:
    sound = np.concatenate([tone(Tick(digit, elapsed)) for elapsed in range(1, TONE_TICKS + 1)])
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    pitches = (697, 770, 852, 941, 1209, 1336, 1477, 1633)
    strengths = {pitch: spectrum[round(pitch * len(sound) / 48_000)] for pitch in pitches}
    loudest = sorted(sorted(strengths, key=lambda pitch: strengths[pitch])[-2:])
    keypad = ("123A", "456B", "789C", "*0#D")
    row = next(n for n, keys in enumerate(keypad) if digit in keys)
    assert loudest == [pitches[row], pitches[4 + keypad[row].index(digit)]]
    assert sorted(strengths.values())[-3] < 0.05 * sorted(strengths.values())[-2]
    assert abs(int(sound[0])) < 100
    assert abs(int(sound[-1])) < 100
    assert not tone(Tick(digit, TONE_TICKS, end=True)).any()


def received(packets: list[Event], spacing: float = 0.02) -> str:
    receiver = DigitReceiver()
    digits = [receiver.handle(timestamp, payload, n * spacing) for n, (timestamp, payload) in enumerate(packets)]
    return "".join(digit for digit in digits if digit)


def test_what_is_dialled_arrives_once_each() -> None:
    assert received(events("0123456789*#ABCD")) == "0123456789*#ABCD"
    assert received(events("11", clock_rate=8000)) == "11"


@given(st.sets(st.integers(0, 8), max_size=8), st.sets(st.integers(0, 8), max_size=8))
def test_one_packet_of_nine_is_enough(first: set[int], second: set[int]) -> None:
    packets = events("77")
    kept = [packet for n, packet in enumerate(packets) if not (n in first if n < 9 else n - 9 in second)]
    assert received(kept) == "77"


@given(st.permutations(range(9)))
def test_packets_out_of_order_are_one_digit(order: list[int]) -> None:
    packets = events("4")
    assert received([packets[n] for n in order]) == "4"


def test_a_digit_told_late_is_not_told_again() -> None:
    packets = events("12")
    assert received([*packets[:9], *packets[9:], packets[3]]) == "12"


def test_timestamps_that_wrap_are_followed() -> None:
    assert received([(timestamp % 2**32, payload) for timestamp, payload in events("123", first=2**32 - 2000)]) == "123"


def test_a_digit_of_many_seconds_is_one() -> None:
    long = b"\x05\x0a\xff\xff"
    assert received([(0, b"\x05\x0a\x80\x00"), (0, long), (65535, long), (131_070, b"\x05\x8a\x10\x00")]) == "5"


def test_other_events_and_stubs_are_no_digits() -> None:
    assert received([(0, b"\x10\x0a\x00\xa0"), (9000, b"\x05"), (18_000, b"")]) == ""


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=6)), max_size=50))
def test_whatever_comes_is_a_digit_or_none(packets: list[Event]) -> None:
    assert set(received(packets)) <= set(DIGITS)


def test_a_flood_of_digits_is_thinned_out() -> None:
    flood = [(n * 960, b"\x01\x0a\x03\xc0") for n in range(500)]
    assert len(received(flood, spacing=0.002)) <= 8 + 10
