"""Is the peer still there, and does it still want what we send? Pure: time comes in as seconds of any clock."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable

INTERRUPTED_AFTER = 1.0
"""Seconds without anything authenticated until the path counts as dead."""
PROBE_AFTER = 0.25
"""Seconds of silence until consent is asked for at once, and again as often."""
SEEK_AFTER = 0.5
"""Seconds of silence until every other path is asked too: by then two questions had their time on most paths."""
CONSENT_INTERVAL = 5.0
"""Seconds between consent checks, give or take a fifth (RFC 7675, 5.1)."""
CONSENT_LIFETIME = 30.0
"""Seconds for which one answer is good (RFC 7675, 5.1)."""
LATE = 0.2
"""Seconds by which a look is so late that this process was not there to hear anything."""

_RANDOM = secrets.SystemRandom()


class Liveness:
    """Watches one transport from ``now`` on, which is when its first path was found: that answered a check.

    Silence is no proof: a muted Dino sends nothing for seconds. So after a quarter of a second of it the peer is asked,
    and only a peer that does not answer either is gone. Of three questions one may be lost, and a round trip may take
    300 ms. Look at :meth:`due` after each call, and then in time at :meth:`asks_consent` and :meth:`breaks`.
    """

    def __init__(self, now: float, spread: Callable[[], float] = _RANDOM.random) -> None:
        self._heard_at = now
        self._consented_at = now
        self._asked_at = now
        self._doubted_until = math.inf
        self._spread = spread
        self._interval = self._draw_interval()
        self.interrupted = False

    def heard(self, now: float) -> bool:
        """Something authenticated arrived. True if that ends an interruption.

        It does not where there is doubt: what arrives says nothing of what leaves.
        """
        self._heard_at = now
        return self._restore() if self._doubted_until == math.inf else False

    def consented(self, now: float) -> bool:
        """A consent check was answered, so that both directions work. True if that ends an interruption."""
        self._consented_at = now
        self._heard_at = now
        self._doubted_until = math.inf
        return self._restore()

    def doubt(self, now: float, patience: float) -> None:
        """There is reason to think that the path is dead: it breaks in ``patience`` seconds without consent."""
        self._doubted_until = min(self._doubted_until, now + patience)

    def due(self) -> float:
        """When to look next."""
        return min(self._asks_at, math.inf if self.interrupted else self._breaks_at)

    def asks_consent(self, now: float) -> bool:
        """Whether to check consent now; the caller then does."""
        if now < self._asks_at:
            return False
        self._asked_at = now
        self._interval = self._draw_interval()
        return True

    def seeks(self, now: float) -> bool:
        """Whether it is time to ask all other paths too."""
        return self._doubted_until < math.inf or now - self._heard_at >= SEEK_AFTER

    def breaks(self, now: float) -> bool:
        """True once per interruption, when it begins."""
        if self.interrupted or now < self._breaks_at:
            return False
        self.interrupted = True
        return True

    def may_send(self, now: float) -> bool:
        """Whether the peer's consent still stands: without it nothing but checks may be sent."""
        return now - self._consented_at < CONSENT_LIFETIME

    def looked(self, now: float, due: float) -> None:
        """A look that was due at ``due`` happens ``now``. If that is late, the peer gets time to be heard again."""
        if now - due >= LATE:
            self._heard_at = max(self._heard_at, now - SEEK_AFTER)

    @property
    def _asks_at(self) -> float:
        again = self._asked_at + PROBE_AFTER
        quiet = again if self._doubted_until < math.inf else max(again, self._heard_at + PROBE_AFTER)
        return min(self._asked_at + self._interval, quiet)

    @property
    def _breaks_at(self) -> float:
        return min(self._heard_at + INTERRUPTED_AFTER, self._doubted_until)

    def _restore(self) -> bool:
        restored, self.interrupted = self.interrupted, False
        return restored

    def _draw_interval(self) -> float:
        return CONSENT_INTERVAL * (0.8 + 0.4 * self._spread())
