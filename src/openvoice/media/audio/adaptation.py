"""Receiver reports to the shape of the packets to come. Pure."""

from __future__ import annotations

from openvoice.core.bandwidth import DEFAULT_BANDWIDTH
from openvoice.media.audio.protection import Protection, ProtectionPolicy
from openvoice.media.audio.rate import RateControl
from openvoice.media.audio.shape import Shape, shape, useful
from openvoice.media.reports import PeerReport


class Adaptation:
    """Of one stream; ``most`` is the highest step of protection that was negotiated, ``bandwidth`` in kbit/s."""

    def __init__(self, most: Protection, bandwidth: float = DEFAULT_BANDWIDTH) -> None:
        self._protection = ProtectionPolicy(most)
        self._rate = RateControl(bandwidth)

    @property
    def step(self) -> Protection:
        return self._protection.step

    @property
    def burst(self) -> float:
        """The mean length of a run of packets that the peer missed."""
        return self._protection.burst

    @property
    def shape(self) -> Shape:
        return shape(self._rate.level, self._protection.step)

    def report(self, report: PeerReport, others_yield: bool = False) -> Shape:
        """The shape from now on; ``others_yield``: others make room if the path is too full."""
        present = self.shape
        self._protection.report(report)
        self._rate.report(
            report,
            sending=present.wire_rate,
            octets=present.wire_octets,
            burst=self.burst,
            useful=useful(self.step),
            others_yield=others_yield,
        )
        return self.shape
