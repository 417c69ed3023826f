"""How much to send, by what the trend of the delay says: additive increase, multiplicative decrease. Pure.

draft-ietf-rmcat-gcc-02, 6, with one thing more: at the beginning, and again after a while without trouble, the rate
grows eagerly until the path objects. What is sent to find that out are pictures that look better, not padding; a queue
that grows by a few per cent is noticed before it delays voice by what anybody hears.
"""

from __future__ import annotations

from openvoice.media.path.delay import Usage

DECREASE = 0.85
"""Of what arrives over a full path is sent then, so that its queue drains; a second of queue would be as much less."""
LEAST_DECREASE = 0.5
EAGER, WARY = 1.0, 0.3
"""By what share of itself an eager rate grows in a second: where a queue is seen at once, and where it is seen late."""
_NEAR = 0.8, 1.3
"""Times what arrived when the path was full last: there an eager rate grows as if the queue were seen late."""
_FAR = 0.65
"""Times the same: so little is sent only to let a queue drain."""
_STEADY = 0.08
"""The same of one that is not eager."""
_HEADROOM, _LEAST_HEADROOM = 1.5, 10.0
"""Times what arrives, and kbit/s more: beyond that nothing is known of the path."""
_PACKET = 9.6
"""kbit: what is added within the time that an answer takes, near the rate at which the path was full last."""
_FIRST_PATIENCE, _LONGEST_PATIENCE = 5.0, 12.0
"""Seconds without trouble before the rate grows eagerly again; each time in vain doubles them."""
_HOPEFUL = 6.0
"""The longest of them while much less is sent than before the path changed."""
_STEP = 0.6
"""A rate that falls below this share of what the path took is a change of the path, which may change back soon."""
_DEVIATIONS = 3.0
_LONGEST_STEP = 0.5
"""Seconds of growth in one step, however rarely reports come."""


class PathCapacity:
    """What the path took when it was full, kbit/s: a moving average, and how far single values stray from it."""

    def __init__(self) -> None:
        self._mean: float | None = None
        self._variance = 0.4
        """Relative to the mean."""

    @property
    def mean(self) -> float | None:
        return self._mean

    def add(self, rate: float) -> None:
        if self._mean is None or not self._near(rate):
            self._mean, self._variance = rate, 0.4
            return
        error = rate - self._mean
        self._mean += 0.05 * error
        self._variance = min(max(0.95 * self._variance + 0.05 * error**2 / max(self._mean, 1.0), 0.4), 2.5)

    def exceeded(self, rate: float) -> bool:
        """Whether so much says that the path takes more than it did."""
        return self._mean is not None and rate > self._mean + self._spread

    def forget(self) -> None:
        self._mean = None

    def near(self, rate: float) -> bool:
        return self._mean is not None and self._near(rate)

    def _near(self, rate: float) -> bool:
        assert self._mean is not None
        return abs(rate - self._mean) <= self._spread

    @property
    def _spread(self) -> float:
        assert self._mean is not None
        return _DEVIATIONS * float((self._variance * self._mean) ** 0.5)


class DelayRate:
    """The rate in kbit/s, from ``first`` on, never below ``least`` nor above ``most``."""

    def __init__(self, *, first: float, least: float, most: float) -> None:
        self.rate = first
        self._least, self._most = least, most
        self._capacity = PathCapacity()
        self._full: float | None = None
        """What arrived when the path was full last."""
        self._eager = True
        self._eager_since: float | None = None
        self._patience = _FIRST_PATIENCE
        self._before_step = 0.0
        """What was sent before the path changed to take much less."""
        self._updated: float | None = None
        self._decreased: float | None = None

    @property
    def eager(self) -> bool:
        """Whether it grows quickly, to find out what the path takes."""
        return self._eager

    def update(
        self,
        usage: Usage,
        arriving: float | None,
        round_trip: float,
        now: float,
        *,
        eagerness: float = EAGER,
        queue: float = 0.0,
        busy: bool = True,
    ) -> bool:
        """Go on with what the path shows: whether the rate became less.

        ``arriving`` kbit/s came lately, if that is known; unless ``busy``, more would not have been sent anyhow.
        ``round_trip`` and what waits in the ``queue`` are seconds.
        """
        before = self.rate
        elapsed = 0.0 if self._updated is None else min(max(now - self._updated, 0.0), _LONGEST_STEP)
        self._updated = now
        if usage is Usage.OVER:
            self._decrease(arriving, round_trip + queue, now, max(LEAST_DECREASE, DECREASE - queue), busy)
        elif usage is Usage.NORMAL:
            self._heed_calm(now)
            self._increase(elapsed, arriving, round_trip, eagerness)
        return self.rate < before

    def restrict(self, rate: float, now: float) -> None:
        """Something else says that no more than ``rate`` passes: go on from there."""
        if rate < self.rate:
            self._calm_down(now, self.rate)
            self.rate = max(rate, self._least)

    def begin(self, rate: float, now: float) -> None:
        """Go on with ``rate`` at least, carefully."""
        self.rate = min(max(rate, self.rate), self._most)
        self._eager, self._eager_since, self._decreased = False, None, now

    def restore(self, rate: float) -> None:
        """Go back to ``rate``, and on: a restriction did not help, so that it was not the rate."""
        self.rate = min(max(rate, self._least, self.rate), self._most)
        self._eager, self._eager_since = True, None

    def _decrease(self, arriving: float | None, round_trip: float, now: float, share: float, busy: bool) -> None:
        wait = min(max(round_trip, 0.05), 0.3) + 0.1
        severe = arriving is not None and arriving < self.rate / 2
        if self._decreased is not None and now - self._decreased < (wait / 2 if severe else wait):
            return
        before = self.rate
        if arriving is not None and busy:
            self._capacity.add(arriving)
            self._full = arriving
            self.rate = min(self.rate, share * arriving)
        else:
            self.rate *= share
        self.rate = max(self.rate, self._least)
        self._calm_down(now, before)

    def _calm_down(self, now: float, before: float) -> None:
        if self._eager and self._eager_since is not None:
            hopeful = before < _STEP * self._before_step
            self._patience = min(2 * self._patience, _HOPEFUL if hopeful else _LONGEST_PATIENCE)
        if self.rate < _STEP * before:
            self._patience = _FIRST_PATIENCE
            self._before_step = max(self._before_step, before)
        self._eager, self._eager_since = False, None
        self._decreased = now

    def _heed_calm(self, now: float) -> None:
        if not self._eager and self._decreased is not None and now - self._decreased >= self._patience:
            self._eager, self._eager_since = True, now

    def _increase(self, elapsed: float, arriving: float | None, round_trip: float, eagerness: float) -> None:
        if arriving is not None and self._capacity.exceeded(arriving):
            self._capacity.forget()
        if self._full is not None and self.rate < _FAR * self._full:
            grown = self.rate * (1 + eagerness) ** elapsed
        elif self._eager:
            full = self._full is not None and _NEAR[0] * self._full < self.rate < _NEAR[1] * self._full
            grown = self.rate * (1 + min(eagerness, WARY if full else eagerness)) ** elapsed
        elif self._capacity.near(self.rate):
            grown = self.rate + _PACKET / (2 * (round_trip + 0.1)) * elapsed
        else:
            grown = self.rate * (1 + _STEADY) ** elapsed
        if arriving is not None:
            grown = min(grown, _HEADROOM * arriving + _LEAST_HEADROOM)
        self.rate = min(max(self.rate, grown), self._most)
