"""Frames to payloads: as well protected against loss, and as small, as the peer's reports ask for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from openvoice.core.bandwidth import DEFAULT_BANDWIDTH
from openvoice.core.description import Codec
from openvoice.media.audio.adaptation import Adaptation
from openvoice.media.audio.codec import Encoder
from openvoice.media.audio.negotiation import create_encoder
from openvoice.media.audio.opus import OpusEncoder
from openvoice.media.audio.protection import Protection
from openvoice.media.audio.redundancy import LONGEST_OFFSET, Block, pack
from openvoice.media.audio.shape import COPY_DISTANCE, Shape
from openvoice.media.reports import PeerReport
from openvoice.ports import FRAME_SAMPLES, Frame


@dataclass(frozen=True, slots=True)
class Payload:
    """What one packet carries. Its sound begins at the RTP ``timestamp``."""

    payload_type: int
    data: bytes
    timestamp: int


class VoiceEncoder:
    """One stream with one codec; ``redundancy`` is what carries copies (RFC 2198), if it was negotiated for it.

    Only Opus can adapt: to ``bandwidth``, in kbit/s on the wire, and to what the peer reports.

    Raises:
        MediaFailed: a codec does not start.
    """

    def __init__(self, codec: Codec, redundancy: Codec | None, bandwidth: float = DEFAULT_BANDWIDTH) -> None:
        encoder = create_encoder(codec)
        self._stream: _PlainStream | _AdaptiveStream
        if isinstance(encoder, OpusEncoder):
            self._stream = _AdaptiveStream(encoder, codec, redundancy, bandwidth)
        else:
            self._stream = _PlainStream(encoder, codec)

    def encode(self, frame: Frame, timestamp: int) -> Payload | None:
        """Take the 20 ms that begin at the RTP ``timestamp``; ``None`` while a packet waits for more."""
        return self._stream.encode(frame, timestamp)

    def skip(self) -> None:
        """Something else takes the place of the next frame: what waits is dropped."""
        self._stream.skip()

    def report(self, report: PeerReport, others_yield: bool = False) -> None:
        """Adapt to what the peer reports."""
        self._stream.report(report, others_yield)

    @property
    def protection(self) -> Protection:
        return self._stream.adaptation.step if isinstance(self._stream, _AdaptiveStream) else Protection.NONE

    @property
    def remote_burst(self) -> float:
        """The mean length of a run of packets that the peer missed, by its reports."""
        return self._stream.adaptation.burst if isinstance(self._stream, _AdaptiveStream) else 1.0


class _PlainStream:
    """Of a codec with nothing to adapt: one frame, one packet."""

    def __init__(self, encoder: Encoder, codec: Codec) -> None:
        self._encoder = encoder
        self._payload_type = codec.payload_type

    def encode(self, frame: Frame, timestamp: int) -> Payload:
        return Payload(self._payload_type, self._encoder.encode(frame), timestamp)

    def skip(self) -> None: ...

    def report(self, report: PeerReport, others_yield: bool) -> None: ...


class _AdaptiveStream:
    def __init__(self, encoder: OpusEncoder, codec: Codec, redundancy: Codec | None, bandwidth: float) -> None:
        self._encoder = encoder
        self._payload_type = codec.payload_type
        self._copier = _Copier(codec, redundancy) if redundancy is not None else None
        self.adaptation = Adaptation(Protection.IN_BAND if redundancy is None else Protection.COPIES, bandwidth)
        self._pending: list[Frame] = []
        self._begin = 0
        self._shape: Shape | None = None

    def encode(self, frame: Frame, timestamp: int) -> Payload | None:
        if not self._pending:
            # A packet that was begun is finished as it was begun.
            self._apply(self.adaptation.shape)
            self._begin = timestamp
        self._pending.append(frame)
        assert self._shape is not None
        if len(self._pending) < self._shape.frames:
            return None
        sound = np.concatenate(self._pending)
        self._pending.clear()
        payload = Payload(self._payload_type, self._encoder.encode(sound), self._begin)
        if self._copier is None or not self._shape.copy_octets:
            return payload
        return self._copier.add(sound, payload)

    def skip(self) -> None:
        self._pending.clear()

    def report(self, report: PeerReport, others_yield: bool) -> None:
        self.adaptation.report(report, others_yield)

    def _apply(self, shape: Shape) -> None:
        if shape == self._shape:
            return
        had_copies = self._shape is not None and self._shape.copy_octets > 0
        self._shape = shape
        self._encoder.set_bitrate(shape.bitrate)
        self._encoder.set_wideband(shape.wideband)
        self._encoder.set_protected(shape.protected)
        if self._copier is not None and shape.copy_octets:
            self._copier.begin(shape.copy_bitrate, anew=not had_copies)


class _Copier:
    """Encodes everything a second time, smaller, for a later packet."""

    def __init__(self, codec: Codec, redundancy: Codec) -> None:
        self._payload_type = codec.payload_type
        self._redundant_payload_type = redundancy.payload_type
        self._encoder = OpusEncoder()
        self._encoder.set_wideband(True)
        self._encoder.set_protected(True)
        self._last: list[tuple[int, bytes]] = []

    def begin(self, bitrate: int, *, anew: bool) -> None:
        """Copies have so many bit/s from now on; ``anew``: of what was said long ago nothing may be repeated."""
        self._encoder.set_bitrate(bitrate)
        if anew:
            self._encoder.reset()
            self._last.clear()

    def add(self, sound: Frame, payload: Payload) -> Payload:
        """The payload with a copy of an earlier one, unless there is none or it is too long ago."""
        self._last = [*self._last[-COPY_DISTANCE:], (payload.timestamp, self._encoder.encode(sound))]
        timestamp, copied = self._last[0]
        offset = payload.timestamp - timestamp & 0xFFFFFFFF
        if not COPY_DISTANCE * FRAME_SAMPLES <= offset <= LONGEST_OFFSET:
            return payload
        block = Block(self._payload_type, copied, offset)
        data = pack(Block(self._payload_type, payload.data), [block])
        return Payload(self._redundant_payload_type, data, payload.timestamp)
