"""Pictures to RTP packets: taken from whatever thread, encoded in one of their own, given to the path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from openvoice.core.description import Codec, HeaderExtension, Source
from openvoice.core.types import VideoLabel
from openvoice.media.path.sending import SendingPath
from openvoice.ports import VideoInput, VideoReport


@dataclass(frozen=True, kw_only=True, slots=True)
class SenderStatistics:
    """Counts since the beginning; ``bitrate`` and ``available`` in kbit/s, ``limited_by`` none, bandwidth or cpu
    (W3C qualityLimitationReason)."""

    frames: int = 0
    frames_dropped: int = 0
    key_frames: int = 0
    width: int = 0
    height: int = 0
    packets: int = 0
    octets: int = 0
    bitrate: float = 0.0
    available: float = 0.0
    retransmitted: int = 0
    nacks: int = 0
    plis: int = 0
    round_trip: float | None = None
    limited_by: str = "none"


class VideoSender:
    """One stream of pictures on ``path``, with ``codec``; ``repair`` is RFC 4588's for it, on ``repair_ssrc``.

    ``extensions`` are those that were negotiated, ``mid`` the name of the content. ``resend`` sends a packet of that
    sequence number of ours once more, octet for octet, for peers without RTX. ``report`` is told what becomes of the
    device, ``ended`` that the source has no more pictures or failed for good; both on the event loop.

    Everything here is called on the event loop of the path, and returns at once: devices are started and stopped in
    the thread that encodes.
    """

    def __init__(
        self,
        *,
        label: VideoLabel,
        codec: Codec,
        repair: Codec | None,
        source: Source,
        repair_ssrc: int | None,
        extensions: Sequence[HeaderExtension],
        mid: str,
        path: SendingPath,
        send_rtcp: Callable[[bytes], None],
        resend: Callable[[int], bool],
        report: VideoReport,
        ended: Callable[[], None],
    ) -> None: ...

    def start(self, input: VideoInput) -> None:  # noqa: A002
        """Show what it delivers from now on, in place of whatever was shown before; a key frame comes first."""

    def stop(self) -> None:
        """Let the device go and show a few black pictures, then nothing. Twice is once."""

    def handle_rtcp(self, packets: Sequence[Any], arrival: float) -> None:
        """Take the parts of a compound packet: reports, NACK, PLI, FIR of this stream; the rest is passed over."""

    def statistics(self) -> SenderStatistics:
        return SenderStatistics()

    def close(self) -> None:
        """Say goodbye (RFC 3550, 6.6) and end, whatever is shown. Twice is once."""

    async def wait_closed(self) -> None:
        """Until the device is let go and the thread is at its end."""
