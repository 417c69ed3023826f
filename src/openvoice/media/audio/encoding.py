"""Frames to payloads as well protected against loss as the peer's reports ask for."""

from __future__ import annotations

from openvoice.core.description import Codec
from openvoice.media.audio.negotiation import create_encoder
from openvoice.media.audio.opus import LEAST_EXPECTED_LOSS, OpusEncoder
from openvoice.media.audio.protection import Protection, ProtectionPolicy
from openvoice.media.audio.redundancy import LONGEST_OFFSET, Block, pack
from openvoice.ports import Frame

COPY_BITRATE = 32_000
"""bit/s of the copies. With less Opus has no room to protect the copies themselves."""


class VoiceEncoder:
    """One stream with one codec; ``redundancy`` is what carries copies (RFC 2198), if it was negotiated for it.

    Raises:
        MediaFailed: a codec does not start.
    """

    def __init__(self, codec: Codec, redundancy: Codec | None) -> None:
        self._payload_type = codec.payload_type
        self._encoder = create_encoder(codec)
        self._copier = _Copier(codec, redundancy) if redundancy is not None else None
        self._policy = ProtectionPolicy(Protection.IN_BAND if redundancy is None else Protection.COPIES)
        self._protect(self._policy.step, 0.0)

    def encode(self, frame: Frame, timestamp: int) -> tuple[int, bytes]:
        """Payload type and payload of the 20 ms that begin at the RTP ``timestamp``."""
        payload = self._encoder.encode(frame)
        if self._copier is not None and self._policy.step is Protection.COPIES:
            return self._copier.add(frame, timestamp, payload)
        return self._payload_type, payload

    def report_loss(self, share: float, now: float) -> None:
        """The peer missed this share (0 to 1) of the packets since its last report; ``now`` in seconds."""
        before = self._policy.step
        step = self._policy.report(share, now)
        if self._copier is not None and before < step:
            self._copier.reset()
        self._protect(step, share)

    def _protect(self, step: Protection, share: float) -> None:
        self._encoder.expect_loss(max(LEAST_EXPECTED_LOSS, share) if step is Protection.IN_BAND else 0.0)


class _Copier:
    """Encodes every frame a second time, for the packet after it."""

    def __init__(self, codec: Codec, redundancy: Codec) -> None:
        self._payload_type = codec.payload_type
        self._redundant_payload_type = redundancy.payload_type
        self._encoder = OpusEncoder(bitrate=COPY_BITRATE)
        self._last: tuple[int, bytes] | None = None

    def reset(self) -> None:
        """Forget the past: of what was said long ago nothing may be repeated."""
        self._encoder.reset()
        self._last = None

    def add(self, frame: Frame, timestamp: int, payload: bytes) -> tuple[int, bytes]:
        """Payload type and payload with a copy of the frame before, unless there is none or it is too long ago."""
        last, self._last = self._last, (timestamp, self._encoder.encode(frame))
        if last is None:
            return self._payload_type, payload
        offset = timestamp - last[0] & 0xFFFFFFFF
        if offset > LONGEST_OFFSET:
            return self._payload_type, payload
        copy = Block(self._payload_type, last[1], offset)
        return self._redundant_payload_type, pack(Block(self._payload_type, payload), [copy])
