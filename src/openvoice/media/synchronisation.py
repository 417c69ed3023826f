"""When sound and pictures that were taken at one moment are heard and to be seen (RFC 3550, 6.4.1). Pure.

The peer's sender reports tie the timestamps of each of its streams to one clock of the peer. The voice says when the
sound of a moment on that clock is heard here; a picture of the same moment belongs there. The voice never waits for
pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiortc.rtp import RtcpSrPacket

_FRESH = 2.0
"""Seconds after which it is not known any more how voice is played: nothing of it was."""
_SMOOTHING = 0.1
"""What one frame of sound counts in the moving average: the playout goes in steps of 20 ms, and stretches."""
_JUMP = 0.3
"""Seconds beyond which the playout is not unsteady but begins anew."""


class SenderClock:
    """Reads the timestamps of one source on its sender's clock. ``rate`` is that of its timestamps, in Hz."""

    def __init__(self, ssrc: int, rate: int) -> None:
        self.ssrc = ssrc
        self._rate = rate
        self._report: tuple[float, int] | None = None

    def handle(self, report: RtcpSrPacket) -> None:
        """Take a sender report; one of another source is passed over."""
        if report.ssrc == self.ssrc:
            info = report.sender_info
            self._report = info.ntp_timestamp / 2**32, info.rtp_timestamp

    def time_of(self, timestamp: int) -> float | None:
        """Seconds on the sender's clock; ``None`` as long as it has not said."""
        if self._report is None:
            return None
        time, reported = self._report
        ticks = (timestamp - reported + 2**31) % 2**32 - 2**31
        return time + ticks / self._rate


class Synchronisation:
    """Of one call: when what was said is heard. Times are seconds: here of any steady clock, there of the peer's."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._told_at: float | None = None

    def hear(self, moment: float, at: float) -> None:
        """Sound of the peer's ``moment`` leaves for the loudspeaker so that it is heard ``at``."""
        offset = at - moment
        steady = self._told_at is not None and at - self._told_at <= _FRESH and abs(offset - self._offset) <= _JUMP
        self._offset += (offset - self._offset) * (_SMOOTHING if steady else 1.0)
        self._told_at = at

    def heard_at(self, moment: float, now: float) -> float | None:
        """When sound of the peer's ``moment`` is heard; ``None`` while nothing of it is played."""
        if self._told_at is None or now - self._told_at > _FRESH:
            return None
        return moment + self._offset


class Hearing:
    """Tells a :class:`Synchronisation` how the stream of the voice is played."""

    def __init__(self, synchronisation: Synchronisation) -> None:
        self._synchronisation = synchronisation
        self._clock = SenderClock(0, 1)

    def handle(self, packets: Sequence[Any]) -> None:
        """Take the parts of a compound packet."""
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                self._clock.handle(packet)

    def play(self, ssrc: int, rate: int, timestamp: int, at: float) -> None:
        """Sound of ``timestamp``, in ``rate`` Hz, is heard ``at``."""
        if self._clock.ssrc != ssrc:
            self._clock = SenderClock(ssrc, rate)
        moment = self._clock.time_of(timestamp)
        if moment is not None:
            self._synchronisation.hear(moment, at)
