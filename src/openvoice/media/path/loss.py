"""Whether lost packets say that too much is sent: that shows when less is sent. Pure.

A radio link loses by chance, a full one by the rate. Where more is lost than is usual on this path, less is sent for a
moment: if less is lost then, that was right; if not, the path is simply like that, and the rate comes back.
"""

from __future__ import annotations

from openvoice.media.audio.congestion import LossTrial
from openvoice.media.path.rate import DECREASE
from openvoice.media.reports import PeerReport

_SAMPLE = 100
"""Packets of which the share of loss is taken."""
_LONGEST_SAMPLE, _FEWEST = 1.5, 20
"""Seconds after which fewer have to do, and how few at least."""
_HEAVY = 0.1
"""The share of loss beyond what is usual that is taken for trouble (draft-ietf-rmcat-gcc-02, 6)."""
_TRIAL = 0.7
"""Of the rate is sent in a trial, or less than what arrives if that is less."""
_LONGEST_TRIAL = 4.0
_TRUSTED = 30.0
"""Seconds for which a path is taken to lose so much by itself."""
_BURST = 2.0
"""Packets lost in a row, as is usual in networks: shares of loss vary the more by chance."""


class LossWatch:
    """Takes the fates of packets in order, and says by how much to send less."""

    def __init__(self) -> None:
        self._lost = self._expected = 0
        self._since: float | None = None
        self._usual = 0.0
        self._usual_until = 0.0
        self._trial: LossTrial | None = None
        self._trial_began = 0.0
        self._before = 0.0
        self.share = 0.0
        """Of the last sample."""

    @property
    def trying(self) -> bool:
        """Whether less is sent to see what that changes: no time to send more."""
        return self._trial is not None

    def confirm(self) -> None:
        """Something else says that too much is sent: there is nothing to try any more."""
        if self._trial is not None:
            self._trial = None
            self._forget()

    def add(self, lost: int, expected: int, *, rate: float, arriving: float | None, now: float) -> float | None:
        """``lost`` of ``expected`` packets never came, at ``rate`` kbit/s, of which ``arriving`` came.

        Returns another rate to go on with, if it has to change: less, or again what it was.
        """
        if self._trial is not None:
            return self._go_on(self._trial, lost, expected, now)
        if now >= self._usual_until:
            self._usual = 0.0
        self._since = now if self._since is None else self._since
        self._lost += lost
        self._expected += expected
        if self._expected < _SAMPLE and (self._expected < _FEWEST or now - self._since < _LONGEST_SAMPLE):
            return None
        self.share = self._lost / self._expected
        counts = self._lost, self._expected
        self._forget()
        if self.share - self._usual <= _HEAVY + _chance(self.share, counts[1]):
            return None
        self._trial, self._trial_began, self._before = LossTrial(*counts, _BURST), now, rate
        passing = rate * (1 - self.share)
        return min(_TRIAL * rate, DECREASE * max(passing, arriving or 0.0))

    def _go_on(self, trial: LossTrial, lost: int, expected: int, now: float) -> float | None:
        trial.add(PeerReport(time=now, loss=0.0, lost=lost, expected=expected))
        self._lost += lost
        self._expected += expected
        if not trial.finished and now - self._trial_began < _LONGEST_TRIAL:
            return None
        share = self._lost / self._expected if self._expected else 0.0
        fell = trial.finished and trial.fell
        self._trial = None
        self._forget()
        if fell:
            return None
        self._usual, self._usual_until = max(share, self.share), now + _TRUSTED
        return self._before

    def _forget(self) -> None:
        self._lost = self._expected = 0
        self._since = None


def _chance(share: float, packets: int) -> float:
    """By how much a share of so many packets may be larger by chance alone."""
    spread = (2 * _BURST - 1) * share * (1 - share) / packets
    return float(spread**0.5)
