"""The numbers of a call's sound."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class CallStatistics:
    """A snapshot. Times are milliseconds, levels dBFS (-127 is silence), shares between 0 and 1."""

    packets_sent: int = 0
    packets_received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    loss: float = 0.0
    """Share of the peer's packets that were lost, though some may have come when they were sent once more."""
    remote_loss: float = 0.0
    """Share of our packets that the peer missed, by its last receiver report."""
    remote_burst: float = 1.0
    """Mean length of a run of our packets that the peer missed, as far as its reports tell."""
    jitter: float = 0.0
    round_trip: float | None = None
    """By RTCP (RFC 3550, 6.4.1); ``None`` until the first report came back."""
    playout_delay: float = 0.0
    """How long sound waits in the playout buffer."""
    concealed: float = 0.0
    """Share of the played sound that was made up because its packets were missing."""
    bitrate_sent: float = 0.0
    """kbit/s of RTP payload over the last second."""
    retransmitted: int = 0
    """Packets sent once more because the peer asked for them."""
    protection: str = "none"
    """How what is sent is protected against loss now: ``none``, ``in-band`` or ``copies``."""
    level_sent: float = -127.0
    level_received: float = -127.0
    codec: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}
