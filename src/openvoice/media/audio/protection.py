"""How strongly voice is protected against loss: a step of a short ladder, by what the peer reports. Pure.

Each step has one size of packet, whatever is said; steps change by reports of loss alone, and seldom.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum

from openvoice.media.reports import PeerReport

FIRST_QUIET = 5.0
"""Seconds in which less would have done, after which protection is lowered by one step."""
LONGEST_QUIET = 80.0
"""Each step that was given up too early doubles that time, up to this."""
HEAVY = 0.12
"""The share of loss above which a packet and the one after it are often lost both."""
LEAST_BURSTY = 0.02
"""Less loss than this in bursts is rare enough to be concealed."""
BURSTY = 2.0
"""The mean length of a burst above which the packet after a lost one is often lost as well."""

_SAMPLE = 45
"""Packets counted together. In fewer of them a burst is hardly to be told from chance; and a peer that reports at once
what it lost would else show one burst in each report, which looks like no chance at all."""
_SAMPLES, _FEWEST_SAMPLES = 12, 3


class Protection(IntEnum):
    """The ladder. In PESQ-WB at 78 kbit/s of SRTP, with 5, 10 and 20 % of random loss, and 5 and 10 % in bursts of 3:
    in-band 4.1, 3.9, 2.8, 3.2, 2.2; with copies 3.9, 3.8, 3.1, 3.4, 2.5."""

    NONE = 0
    IN_BAND = 1
    """Opus itself puts a rough copy of each frame into the next packet, in the same number of octets."""
    COPIES = 2
    """Each packet carries a separate copy of the one two before it as well (RFC 2198)."""


class LossPattern:
    """The share of loss and the length of its bursts, from receiver reports: all that every peer sends.

    Of independent losses the counts in equal stretches of the stream vary as chance has it; where losses come in bursts
    of ``b`` packets on average they vary ``2 b - 1`` times as much.
    """

    def __init__(self) -> None:
        self._samples: deque[tuple[int, int]] = deque(maxlen=_SAMPLES)
        self._lost = self._expected = 0

    def add(self, lost: int, expected: int) -> None:
        """``lost`` of the ``expected`` packets since the report before."""
        self._lost += min(lost, expected)
        self._expected += expected
        if self._expected >= _SAMPLE:
            self._samples.append((self._lost, self._expected))
            self._lost = self._expected = 0

    @property
    def share(self) -> float:
        """0 to 1, over the last samples."""
        lost = sum(lost for lost, _ in self._samples) + self._lost
        return lost / max(_SAMPLE, sum(expected for _, expected in self._samples) + self._expected)

    @property
    def burst(self) -> float:
        """The mean length of a run of lost packets; 1 until that can be told."""
        if len(self._samples) < _FEWEST_SAMPLES:
            return 1.0
        share = sum(lost for lost, _ in self._samples) / sum(expected for _, expected in self._samples)
        if not 0 < share < 1:
            return 1.0
        squares = sum(
            (lost - share * expected) ** 2 / (share * (1 - share) * expected) for lost, expected in self._samples
        )
        return max(1.0, (squares / (len(self._samples) - 1) + 1) / 2)


class ProtectionPolicy:
    """Begins in-band, since it is not known what the network does; rises at once by what the reports say, falls slowly.

    ``most`` is the highest step that was negotiated.
    """

    def __init__(self, most: Protection) -> None:
        self._most = most
        self._pattern = LossPattern()
        self._quiet = FIRST_QUIET
        self._since: float | None = None
        self._fell = False
        self.step = min(Protection.IN_BAND, most)

    @property
    def burst(self) -> float:
        """The mean length of a run of lost packets, as far as reports tell."""
        return self._pattern.burst

    def report(self, report: PeerReport) -> Protection:
        """The step from now on."""
        self._pattern.add(report.lost, report.expected)
        needed = min(self._needed(report), self._most)
        if self._since is None or needed >= self.step:
            self._since = report.time
        if needed > self.step:
            self._rise(needed)
        elif report.time - self._since >= self._quiet:
            self._since = report.time
            self._fell = True
            self.step = Protection(self.step - 1)
        return self.step

    def _needed(self, report: PeerReport) -> Protection:
        if not report.loss:
            return Protection.NONE
        share = self._pattern.share
        if share >= HEAVY or (share >= LEAST_BURSTY and self._pattern.burst >= BURSTY):
            return Protection.COPIES
        return Protection.IN_BAND

    def _rise(self, step: Protection) -> None:
        self.step = step
        if self._fell:
            self._quiet = min(2 * self._quiet, LONGEST_QUIET)
            self._fell = False
