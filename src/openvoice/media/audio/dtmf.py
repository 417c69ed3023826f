"""Digits dialled in a call: named telephone events (RFC 4733), or tones in the voice where those are not negotiated.

The sending side works in ticks of 20 ms, one for each frame of voice that the digit displaces.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from struct import pack, unpack

import numpy as np

from openvoice.errors import UsageError
from openvoice.media.unwrap import Unwrapper
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE, Frame

DIGITS = "0123456789*#ABCD"
"""By the event codes of RFC 4733, 3.2."""
TONE_TICKS = 6
"""120 ms of each digit."""
END_TICKS = 3
"""The end is said three times (RFC 4733, 2.5.1.4); each in a tick of its own, so that a burst of loss spares one."""
PAUSE_TICKS = 4
"""At least 80 ms between two digits."""
LONGEST = 64
"""Digits that may wait."""

_VOLUME = 10
"""-10 dBm0."""
_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477, 1633)
_KEYPAD = "123A456B789C*0#D"
_AMPLITUDE = 5000
_RISE = 96


@dataclass(frozen=True, slots=True)
class Tick:
    """What a digit does in 20 ms: ``elapsed`` ticks of it are over at the end of this one."""

    digit: str
    elapsed: int
    end: bool = False

    @property
    def first(self) -> bool:
        return self.elapsed == 1


class DigitSender:
    """A queue of digits to dial, drained tick by tick."""

    def __init__(self) -> None:
        self._digits: deque[str] = deque()
        self._ticks: Iterator[Tick | None] = iter(())

    def play(self, digits: str) -> None:
        """Queue ``digits``.

        Raises:
            UsageError: one of them is no digit, or too many wait.
        """
        wanted = digits.upper()
        if not set(wanted) <= set(DIGITS):
            raise UsageError("Only the digits 0-9, *, # and A-D can be dialled.")
        if len(self._digits) + len(wanted) > LONGEST:
            raise UsageError("Too many digits wait to be dialled: give it some seconds.")
        self._digits.extend(wanted)

    def next(self) -> Tick | None:
        """What the next 20 ms are for: ``None`` is for voice."""
        while True:
            try:
                return next(self._ticks)
            except StopIteration:
                if not self._digits:
                    return None
                self._ticks = _ticks(self._digits.popleft())


def _ticks(digit: str) -> Iterator[Tick | None]:
    for elapsed in range(1, TONE_TICKS + 1):
        yield Tick(digit, elapsed)
    for _ in range(END_TICKS):
        yield Tick(digit, TONE_TICKS, end=True)
    for _ in range(PAUSE_TICKS):
        yield None


def event_payload(tick: Tick, clock_rate: int) -> bytes:
    """The payload of RFC 4733, 2.3, with the duration in the clock of the voice codec."""
    duration = tick.elapsed * FRAME_SAMPLES * clock_rate // SAMPLE_RATE
    return pack("!BBH", DIGITS.index(tick.digit), tick.end << 7 | _VOLUME, duration)


def tone(tick: Tick) -> Frame:
    """The same in the voice itself (ITU-T Q.23): two sines, and silence once the digit is over."""
    if tick.end:
        return np.zeros(FRAME_SAMPLES, np.int16)
    row, column = divmod(_KEYPAD.index(tick.digit), 4)
    time = np.arange((tick.elapsed - 1) * FRAME_SAMPLES, tick.elapsed * FRAME_SAMPLES)
    sound = sum(np.sin(2 * np.pi * pitch / SAMPLE_RATE * time) for pitch in (_ROWS[row], _COLUMNS[column]))
    rise = np.clip(np.minimum(time, TONE_TICKS * FRAME_SAMPLES - 1 - time) / _RISE, 0, 1)
    return np.asarray(_AMPLITUDE * rise * sound).astype(np.int16)


class DigitReceiver:
    """Makes one digit of the many packets of each, whichever of them arrive, in whatever order.

    At most ten digits a second are told: what comes faster is no finger's work.
    """

    _SPACING = 0.1
    _BURST = 8

    def __init__(self) -> None:
        self._timestamps = Unwrapper(32)
        self._latest: int | None = None
        self._event = -1
        self._segment_end = -1
        self._told: deque[float] = deque(maxlen=self._BURST)

    def handle(self, timestamp: int, payload: bytes, arrival: float) -> str | None:
        """The digit that begins with this packet; ``None`` if it is known already, or no digit."""
        if len(payload) < 4:
            return None
        event, _, duration = unpack("!BBH", payload[:4])
        start = self._timestamps.unwrap(timestamp)
        if event >= len(DIGITS) or (self._latest is not None and start < self._latest):
            return None
        known = start == self._latest or (event == self._event and start == self._segment_end)
        self._latest, self._event = start, event
        # A digit of more than 65535 ticks goes on in another segment, where the first ends (RFC 4733, 2.5.1.3).
        self._segment_end = start + duration if duration == 0xFFFF else -1
        if known or self._is_flood(arrival):
            return None
        return DIGITS[event]

    def _is_flood(self, arrival: float) -> bool:
        if len(self._told) == self._BURST and arrival - self._told[0] < self._BURST * self._SPACING:
            return True
        self._told.append(arrival)
        return False
