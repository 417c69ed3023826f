"""How strongly voice is protected against loss: a step of a short ladder, by what the peer reports. Pure.

Each step has one size of packet, whatever is said; steps change by reports of loss alone, and seldom.
"""

from __future__ import annotations

from enum import IntEnum

FIRST_QUIET = 5.0
"""Seconds without a loss after which protection is lowered by one step."""
LONGEST_QUIET = 80.0
"""Each step that was given up too early doubles that time, up to this."""


class Protection(IntEnum):
    """The ladder. At 48 kbit/s, in PESQ-WB without loss and with 5 %, 20 % and bursts of 5 %: none 4.1, 2.4, 1.4, 2.6;
    in-band 3.9, 3.5, 2.3, 2.9; copies 4.1, 3.8, 3.1, 3.2, for 82 kbit/s.

    Copies of a second encoder at 32 kbit/s, protected in-band themselves, do better than whatever else fits into that
    rate: the packet keeps its quality, the next one has a good copy of it, and the one after that another.
    """

    NONE = 0
    IN_BAND = 1
    """Opus itself puts a rough copy of each frame into the next packet, in the same number of octets."""
    COPIES = 2
    """Each packet carries a separate copy of the one before it (RFC 2198)."""


class ProtectionPolicy:
    """Begins in-band, since it is not known what the network does; goes up with each report of loss.

    ``most`` is the highest step that was negotiated.
    """

    def __init__(self, most: Protection) -> None:
        self._most = most
        self._quiet = FIRST_QUIET
        self._since: float | None = None
        self._fell = False
        self.step = min(Protection.IN_BAND, most)

    def report(self, loss: float, now: float) -> Protection:
        """The step from now on. ``loss`` is the share (0 to 1) of packets since the last report, ``now`` in seconds."""
        if self._since is None:
            self._since = now
        if loss > 0:
            self._since = now
            self._rise()
        elif now - self._since >= self._quiet and self.step > Protection.NONE:
            self._since = now
            self._fell = True
            self.step = Protection(self.step - 1)
        return self.step

    def _rise(self) -> None:
        if self.step == self._most:
            return
        self.step = Protection(self.step + 1)
        if self._fell:
            self._quiet = min(2 * self._quiet, LONGEST_QUIET)
            self._fell = False
