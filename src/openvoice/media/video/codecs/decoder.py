"""Coded pictures of any codec back into pictures, by the decoders of FFmpeg."""

from __future__ import annotations

from typing import Any, Final

import av
import av.error
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import ColorRange, Colorspace

from openvoice.errors import MediaFailed
from openvoice.media.video.codec import CorruptPicture
from openvoice.media.video.conversion import to_picture
from openvoice.ports import MAXIMUM_SIDE, Picture

DECODERS: Final = {"VP8": "vp8", "VP9": "vp9", "H264": "h264", "AV1": "libdav1d"}
"""FFmpeg's names, by those of RTP."""
_MAXIMUM_OCTETS: Final = 8 << 20
"""No coded picture has more: it would take a second at 64 Mbit/s."""


class Decoder:
    """Decodes at once, in the thread that calls.

    FFmpeg holds the sides in each header against ``max_pixels`` before it takes memory for them.

    Raises:
        MediaFailed: this FFmpeg lacks the codec.
    """

    def __init__(self, name: str) -> None:
        try:
            context: Any = av.CodecContext.create(DECODERS[name], "r")
            context.thread_count = 1
            context.flags |= Flags.low_delay
            context.options = {"max_pixels": str(MAXIMUM_SIDE * MAXIMUM_SIDE)}
            context.open()
        except (av.error.FFmpegError, ValueError) as error:
            raise MediaFailed(f"Pictures in {name} cannot be decoded: install the wheel of PyAV (av).") from error
        self._context: Any = context

    def decode(self, data: bytes, time: float) -> Picture | None:
        if self._context is None:
            raise ValueError("the decoder is closed")
        if not 0 < len(data) <= _MAXIMUM_OCTETS:
            raise CorruptPicture("a coded picture has some octets, and not millions")
        try:
            frames = self._context.decode(av.Packet(data))
        except (av.error.FFmpegError, ValueError) as error:
            # What is left of it would spoil the next ones.
            self._context.flush_buffers()
            raise CorruptPicture("a picture cannot be decoded") from error
        if not frames:
            return None
        frame = frames[-1]
        if frame.is_corrupt:
            raise CorruptPicture("a picture is damaged, or what it depends on is missing")
        if max(frame.width, frame.height) > MAXIMUM_SIDE:
            raise CorruptPicture(f"a picture has sides of more than {MAXIMUM_SIDE} pixels")
        return _picture(frame, time)

    def close(self) -> None:
        self._context = None


def _picture(frame: Any, time: float) -> Picture:
    plain = frame.format.name == "yuv420p" and not frame.width % 2 and not frame.height % 2
    if plain and frame.colorspace != Colorspace.ITU709 and frame.color_range != ColorRange.JPEG:
        return Picture(np.ascontiguousarray(frame.to_ndarray()), time)
    return to_picture(frame, time)
