"""AV1, coded in real time by the SVT-AV1 that comes with PyAV."""

from __future__ import annotations

import os
from fractions import Fraction
from functools import cache
from typing import Any, Final

import av
import av.error
from av.video.frame import PictureType

from openvoice.errors import MediaFailed
from openvoice.media.video.codecs.encoder import BaseEncoder, Pixels
from openvoice.ports import PictureFormat

_CODEC: Final = "libsvtav1"
_PRESET: Final = "12"
"""At 1280 by 720 a picture takes 5 ms of one core of 2020; slower presets take twice that."""
_SETTINGS: Final = "rtc=1:pred-struct=1:rc=2:lp=1:scd=0:keyint=-1"
"""Low delay, a constant bit rate, one core, key pictures only when they are asked for."""
_MUCH_LESS, _MUCH_MORE = 0.75, 1.5
_PATIENCE: Final = 3.0
"""Seconds of pictures between two changes, because each makes a key picture."""


@cache
def is_usable() -> bool:
    """Whether PyAV has the encoder."""
    try:
        av.Codec(_CODEC, "w")
    except ValueError:
        return False
    return True


class Av1Encoder(BaseEncoder):
    """SVT-AV1 takes no other bit rate while it runs, as FFmpeg wraps it. It is begun anew where that is far from what
    is wanted, but not often; until then, and where it spends too much, :class:`PictureCoding` leaves pictures out.

    Raises:
        MediaFailed: it is missing, does not start, or fails.
    """

    def __init__(self) -> None:
        super().__init__()
        self._context: Any = None
        self._begun_with = 0
        self._age = 0.0
        self._pts = 0

    def _begin(self, width: int, height: int, wanted: PictureFormat, bitrate: int) -> None:
        # Else it speaks on the terminal: it looks for this when it starts.
        os.environ.setdefault("SVT_LOG", "0")
        rate = max(1, round(wanted.rate))
        try:
            context: Any = av.CodecContext.create(_CODEC, "w")
            context.width, context.height, context.pix_fmt = width, height, "yuv420p"
            context.time_base, context.framerate = Fraction(1, rate), Fraction(rate)
            context.bit_rate = bitrate * 1000
            context.options = {"preset": _PRESET, "svtav1-params": _SETTINGS}
            context.open()
        except (av.error.FFmpegError, ValueError) as error:
            raise MediaFailed("The encoder of AV1 did not start.") from error
        self._context, self._begun_with, self._age, self._pts = context, bitrate, 0.0, 0

    def _adjust(self, wanted: PictureFormat, bitrate: int) -> None:
        """Nothing can be changed; see :meth:`_code`."""

    def _code(self, data: Pixels, step: float, *, key: bool) -> tuple[bytes, bool] | None:
        self._age += step
        far = not _MUCH_LESS <= self._bitrate / self._begun_with <= _MUCH_MORE
        if far and self._age >= _PATIENCE:
            assert self._wanted is not None
            width, height = int(self._context.width), int(self._context.height)
            self._end()
            self._begin(width, height, self._wanted, self._bitrate)
        frame = av.VideoFrame.from_ndarray(data, format="yuv420p")
        frame.pts, frame.time_base = self._pts, self._context.time_base
        frame.pict_type = PictureType.I if key else PictureType.NONE
        self._pts += 1
        try:
            packets = self._context.encode(frame)
        except (av.error.FFmpegError, ValueError) as error:
            raise MediaFailed("The encoder of AV1 failed.") from error
        coded = b"".join(bytes(packet) for packet in packets)
        return (coded, any(packet.is_keyframe for packet in packets)) if coded else None

    def _end(self) -> None:
        if self._context is not None:
            # It complains if it is let go before it has heard that nothing follows.
            self._context.encode(None)
        self._context = None
