"""G.722, the wideband sound of desk telephones: 16 kHz at 64 kbit/s, whose RTP clock says 8 kHz (RFC 3551, 4.5.2)."""

from __future__ import annotations

from typing import Literal

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.error import FFmpegError

from openvoice.media.audio.codec import Samples
from openvoice.media.audio.resample import Downsampler
from openvoice.media.audio.waveform import WaveformDecoder
from openvoice.ports import Frame

RATE = 16_000


def _context(mode: Literal["r", "w"]) -> AudioCodecContext:
    context = AudioCodecContext.create("g722", mode)
    context.format, context.layout, context.sample_rate = "s16", "mono", RATE
    return context


class G722Encoder:
    def __init__(self) -> None:
        self._context = _context("w")
        self._downsampler = Downsampler(RATE)

    def encode(self, frame: Frame) -> bytes:
        sound = av.AudioFrame.from_ndarray(self._downsampler.convert(frame)[np.newaxis], format="s16", layout="mono")
        sound.sample_rate = RATE
        return b"".join(bytes(packet) for packet in self._context.encode(sound))


class G722Decoder(WaveformDecoder):
    def __init__(self) -> None:
        super().__init__(RATE)
        self._context = _context("r")

    def expand(self, payload: bytes) -> Samples:
        try:
            frames = self._context.decode(av.Packet(payload)) if payload else []
        except FFmpegError:
            frames = []
        return np.concatenate([np.zeros(0, np.int16), *(frame.to_ndarray().reshape(-1) for frame in frames)])

    def reset(self) -> None:
        super().reset()
        self._context = _context("r")
