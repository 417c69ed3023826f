"""Is the peer still there, and does it still want what we send? Pure: time comes in as seconds of any clock."""

from __future__ import annotations

import secrets
from collections.abc import Callable

INTERRUPTED_AFTER = 2.0
"""Seconds without anything authenticated until the path counts as dead."""
PROBE_AFTER = 0.5
"""Seconds of silence until consent is asked for at once, and again as often."""
CONSENT_INTERVAL = 5.0
"""Seconds between consent checks, give or take a fifth (RFC 7675, 5.1)."""
CONSENT_LIFETIME = 30.0
"""Seconds for which one answer is good (RFC 7675, 5.1)."""

_RANDOM = secrets.SystemRandom()


class Liveness:
    """Watches one transport from ``now`` on, which is when its first path was found: that answered a check.

    Silence is no proof: a muted Dino sends nothing for seconds. So after half a second of it the peer is asked, and
    only a peer that does not answer either is gone.
    """

    def __init__(self, now: float, spread: Callable[[], float] = _RANDOM.random) -> None:
        self._heard_at = now
        self._consented_at = now
        self._asked_at = now
        self._spread = spread
        self._interval = self._draw_interval()
        self.interrupted = False

    def heard(self, now: float) -> bool:
        """Something authenticated arrived. True if that ends an interruption."""
        self._heard_at = now
        restored, self.interrupted = self.interrupted, False
        return restored

    def consented(self, now: float) -> bool:
        """A consent check was answered. True if that ends an interruption."""
        self._consented_at = now
        return self.heard(now)

    def asks_consent(self, now: float) -> bool:
        """Whether to check consent now; the caller then does."""
        asked_ago = now - self._asked_at
        if asked_ago < self._interval and (now - self._heard_at < PROBE_AFTER or asked_ago < PROBE_AFTER):
            return False
        self._asked_at = now
        self._interval = self._draw_interval()
        return True

    def breaks(self, now: float) -> bool:
        """True once per interruption, when it begins."""
        if self.interrupted or now - self._heard_at < INTERRUPTED_AFTER:
            return False
        self.interrupted = True
        return True

    def may_send(self, now: float) -> bool:
        """Whether the peer's consent still stands: without it nothing but checks may be sent."""
        return now - self._consented_at < CONSENT_LIFETIME

    def _draw_interval(self) -> float:
        return CONSENT_INTERVAL * (0.8 + 0.4 * self._spread())
