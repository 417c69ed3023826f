"""When a received picture is due. Pure: time is an argument, in seconds of any steady clock.

On a network that brings pictures evenly that is at once. Elsewhere they wait for as long as most of them come later
than the quickest, be it by jitter or because packets of them come again; and where the voice is later than the picture
by more than one sees, the picture waits for it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque

from openvoice.media.synchronisation import SenderClock, Synchronisation
from openvoice.media.unwrap import Unwrapper
from openvoice.media.video.assembly import ReceivedPicture
from openvoice.media.video.codec import CLOCK_RATE

_WINDOW = 5.0
"""Seconds of which the lateness is remembered."""
_MOST_REMEMBERED = 600
_SHARE = 0.95
"""The share of pictures that are waited for."""
_UNSEEN = 0.010
"""Seconds of unevenness that nobody sees: no display shows pictures more evenly."""
MOST_SMOOTHING = 0.2
"""Seconds: beyond that a picture that is late is better than all being late."""
_OTHER_TIMELINE = 2.0
"""Seconds that a picture is off before its sender must have begun to count anew."""
AHEAD, BEHIND = 0.04, 0.05
"""Seconds that lips may be ahead of the voice, and that smoothing may put them behind it; 60 ms are the limit, and what
is known of the voice is not exact."""
MOST_WAITING = 0.5
"""Seconds that pictures wait for the voice at most."""
_OTHER_CLOCK = 3.0
"""Seconds beyond which the two streams cannot be on the clock that their sender says they are on."""
_PACE = 0.2
"""Seconds that the waiting for the voice changes in a second: pictures go a fifth slower or faster meanwhile."""


class Presentation:
    """Of one stream. ``clock`` reads its timestamps on its sender's clock."""

    def __init__(self, synchronisation: Synchronisation, clock: SenderClock) -> None:
        self._synchronisation = synchronisation
        self._clock = clock
        self._begin()
        self._waiting = 0.0
        self._scheduled_at: float | None = None

    def _begin(self) -> None:
        self._timestamps = Unwrapper(32)
        self._offsets: deque[tuple[float, float]] = deque()
        self._sorted: list[float] = []

    @property
    def smoothing(self) -> float:
        """Seconds that the quickest picture waits, so that most others need not be later than it."""
        if not self._sorted:
            return 0.0
        late = self._sorted[int(_SHARE * (len(self._sorted) - 1))] - self._sorted[0]
        return min(late, MOST_SMOOTHING) if late > _UNSEEN else 0.0

    @property
    def waiting(self) -> float:
        """Seconds that pictures wait for the voice."""
        return self._waiting

    def schedule(self, picture: ReceivedPicture, now: float) -> float:
        """When ``picture``, which can be decoded at ``now``, is due; never before ``now``.

        How late it was counts as its own, though it came again or waited for another one.
        """
        sent = self._timestamps.unwrap(picture.timestamp) / CLOCK_RATE
        if self._sorted and abs(picture.ended - sent - self._sorted[0]) > _OTHER_TIMELINE:
            self._begin()
            sent = self._timestamps.unwrap(picture.timestamp) / CLOCK_RATE
        self._remember(picture.ended - sent, now)
        quickest = sent + self._sorted[0]
        heard = self._heard(picture.timestamp, now)
        smoothing = self.smoothing if heard is None else min(self.smoothing, max(0.0, heard + BEHIND - quickest))
        smooth = quickest + smoothing
        self._adapt(0.0 if heard is None else heard - AHEAD - smooth, now)
        return max(now, smooth + self._waiting) if smoothing or self._waiting else now

    def _remember(self, offset: float, now: float) -> None:
        self._offsets.append((now, offset))
        insort(self._sorted, offset)
        while now - self._offsets[0][0] > _WINDOW or len(self._offsets) > _MOST_REMEMBERED:
            _, old = self._offsets.popleft()
            del self._sorted[bisect_left(self._sorted, old)]

    def _heard(self, timestamp: int, now: float) -> float | None:
        """When what was said at the moment of a picture is heard; ``None`` if that is not known."""
        moment = self._clock.time_of(timestamp)
        heard = None if moment is None else self._synchronisation.heard_at(moment, now)
        return None if heard is None or abs(heard - now) > _OTHER_CLOCK else heard

    def _adapt(self, wanted: float, now: float) -> None:
        wanted = min(MOST_WAITING, max(0.0, wanted))
        if self._scheduled_at is None:
            self._waiting = wanted
        else:
            most = _PACE * (now - self._scheduled_at)
            self._waiting += min(most, max(-most, wanted - self._waiting))
        self._scheduled_at = now
