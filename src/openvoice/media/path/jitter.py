"""How far delays stray without a queue: what makes them rise lets them fall again within moments. Pure.

A queue that grows or drains only makes packets later, or only sooner, for as long as that takes.
"""

from __future__ import annotations

from collections import deque

_WINDOW = 0.4
"""Seconds of sending in which delays rise and fall."""
_FEWEST = 8
"""Packets of which it is measured, however long they took to send."""
_USUAL = 0.03
"""Seconds that own pictures wait behind each other where they leave together."""
_MEMORY = 2.0
"""Seconds in which most of what was measured is forgotten: a queue that rises and falls once is not usual."""
_MOST = 512


class Jitter:
    """Takes packets in the order of sending, and judges at the end of each report."""

    def __init__(self) -> None:
        self._delays: deque[tuple[float, float]] = deque(maxlen=_MOST)
        self.seconds = 0.0
        """That delays stray by, beyond what own pictures do to each other."""

    def add(self, sent: float, delay: float) -> None:
        """A packet took ``delay``, by two different clocks."""
        self._delays.append((sent, delay))

    def judge(self, elapsed: float) -> None:
        """A report is at its end, ``elapsed`` seconds after the one before."""
        while len(self._delays) > _FEWEST and self._delays[-1][0] - self._delays[0][0] > _WINDOW:
            self._delays.popleft()
        present = max(0.0, min(self._change(1), self._change(-1)) - _USUAL)
        self.seconds += min(elapsed / _MEMORY, 1.0) * (present - self.seconds)

    def _change(self, sign: int) -> float:
        """The largest rise, or fall, from one packet to any later one."""
        least, change = float("inf"), 0.0
        for _, delay in self._delays:
            least = min(least, sign * delay)
            change = max(change, sign * delay - least)
        return change
