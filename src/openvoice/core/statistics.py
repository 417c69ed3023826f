"""The numbers of a call's sound and pictures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from openvoice.core.types import VideoLabel


@dataclass(frozen=True, kw_only=True, slots=True)
class SentVideo:
    """The pictures that this side sends, with the names of W3C's ``outbound-rtp``. Rates are kbit/s of RTP payload."""

    codec: str = ""
    frames: int = 0
    key_frames: int = 0
    frames_dropped: int = 0
    """Pictures of the source that were not sent: the path, the encoder or the machine could not take them."""
    width: int = 0
    height: int = 0
    frames_per_second: float = 0.0
    packets: int = 0
    octets: int = 0
    bitrate: float = 0.0
    available: float = 0.0
    """What the path to the peer is thought to carry for pictures."""
    retransmitted: int = 0
    nacks: int = 0
    """Requests of the peer for packets that it missed (RFC 4585, 6.2.1)."""
    plis: int = 0
    """Requests of the peer for a whole picture (RFC 4585, 6.3.1; RFC 5104, 4.3.1)."""
    limited_by: str = "none"
    """What keeps the pictures from being better: ``none``, ``bandwidth`` or ``cpu``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedVideo:
    """The pictures of the peer, with the names of W3C's ``inbound-rtp``. Rates are kbit/s of RTP payload."""

    codec: str = ""
    frames: int = 0
    """Whole frames that arrived."""
    key_frames: int = 0
    frames_decoded: int = 0
    frames_dropped: int = 0
    """Frames that arrived and were not shown."""
    width: int = 0
    height: int = 0
    frames_per_second: float = 0.0
    packets: int = 0
    octets: int = 0
    lost: int = 0
    """Packets that never came, though they may have been asked for."""
    recovered: int = 0
    """Packets that came when they were sent once more."""
    bitrate: float = 0.0
    jitter: float = 0.0
    """Milliseconds (RFC 3550, 6.4.1)."""
    delay: float = 0.0
    """Milliseconds from the arrival of a frame's first packet until it is shown, on average."""
    freezes: int = 0
    freeze_seconds: float = 0.0
    nacks: int = 0
    plis: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoStatistics:
    """One content with pictures: what this side sends in it, and what it receives."""

    content: str
    label: VideoLabel
    sent: SentVideo = SentVideo()
    received: ReceivedVideo = ReceivedVideo()


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
    video: tuple[VideoStatistics, ...] = ()
    """By content, in the order of the description."""

    def as_dict(self) -> dict[str, Any]:
        rounded: dict[str, Any] = _rounded(asdict(self))
        return rounded


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return round(value, 4)
        case dict():
            return {name: _rounded(item) for name, item in value.items()}
        case tuple():
            return [_rounded(item) for item in value]
    return value
