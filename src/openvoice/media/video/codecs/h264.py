"""H.264 (ITU-T H.264), constrained baseline, coded in real time at a constant bit rate that may change at any time."""

from __future__ import annotations

from typing import Final

from openvoice.media.video.codecs.encoder import BaseEncoder, Pixels
from openvoice.media.video.codecs.libx264 import Encoder
from openvoice.media.video.h264_profile import level_for
from openvoice.ports import PictureFormat

SLICE_OCTETS: Final = 1000
"""What a NAL unit has at most where each one has to fit into a packet of its own (packetization mode 0)."""
_BUFFER: Final = 0.3
"""Seconds of bits by which the encoder may be ahead: what a pacer would make the other side wait for."""
_RATE: Final = 30
"""Pictures a second that x264 is told."""
_PRESET: Final = "veryfast"
"""Slower ones take three times as long for what is hardly seen in a call."""


class H264Encoder(BaseEncoder):
    """``slices``: no NAL unit has more than :data:`SLICE_OCTETS`. Parameter sets come with each key picture.

    Raises:
        UnknownLibrary: there is no libx264 that is known.
        MediaFailed: it does not start, or fails.
    """

    def __init__(self, *, slices: bool = False) -> None:
        super().__init__()
        self._slices = slices
        self._encoder: Encoder | None = None
        self._interval = _Interval()
        self._pts = 0

    def _begin(self, width: int, height: int, wanted: PictureFormat, bitrate: int) -> None:
        self._interval.expect(1 / wanted.rate)
        settings: dict[str, object] = {
            "log": -1,
            "fps": f"{_RATE}/1",
            "force-cfr": 1,
            "level": level_for(width, height, max(_RATE, wanted.rate)),
            "threads": 1,
            "sliced-threads": 0,
            "keyint": "infinite",
            "scenecut": 0,
            "annexb": 1,
            "repeat-headers": 1,
            **_rates(bitrate, self._interval.seconds),
        }
        if self._slices:
            settings["slice-max-size"] = SLICE_OCTETS
        self._encoder = Encoder(width, height, _PRESET, settings)

    def _adjust(self, wanted: PictureFormat, bitrate: int) -> None:
        self._interval.expect(1 / wanted.rate)
        if self._encoder is not None:
            self._encoder.configure(_rates(bitrate, self._interval.seconds))

    def _code(self, data: Pixels, step: float, *, key: bool) -> tuple[bytes, bool] | None:
        assert self._encoder is not None
        if self._interval.sees(step):
            self._encoder.configure(_rates(self._bitrate, self._interval.seconds))
        self._pts += 1
        return self._encoder.encode(data, self._pts, key=key)

    def _end(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
        self._encoder = None


class _Interval:
    """How far apart pictures are: what is wanted, until they come otherwise."""

    def __init__(self) -> None:
        self.seconds = 1 / _RATE
        self._mean = self.seconds

    def expect(self, seconds: float) -> None:
        self.seconds = self._mean = seconds

    def sees(self, step: float) -> bool:
        """Whether ``seconds`` is another one after this picture."""
        self._mean += (step - self._mean) * 0.1
        if abs(self._mean / self.seconds - 1) < 0.15:
            return False
        self.seconds = self._mean
        return True


def _rates(bitrate: int, interval: float) -> dict[str, object]:
    """x264 shares the bit rate out among as many pictures a second as it began with, whatever their times are."""
    rate = max(1, round(bitrate * interval * _RATE))
    return {"bitrate": rate, "vbv-maxrate": rate, "vbv-bufsize": max(1, round(bitrate * _BUFFER))}
