"""VP8 (RFC 6386) and VP9, coded in real time at a constant bit rate that may change with every picture."""

from __future__ import annotations

import os
from typing import Final

from openvoice.media.video.codec import CLOCK_RATE, EncodedPicture
from openvoice.media.video.codecs.libvpx import Configuration, Encoder, default_configuration
from openvoice.media.video.conversion import fitted, scaled
from openvoice.ports import Picture, PictureFormat

_CONSTANT_BITRATE: Final = 1
_KEY_FRAMES_AUTOMATIC: Final = 1
_LONGEST_STEP: Final = 0.2
"""Seconds. After a longer pause a picture gets no more octets than after this one, or after that of a missing one."""
_LARGE: Final = 1280 * 720
"""Pixels from which on a second thread is worth its cost, where there are cores to spare."""
_BUFFER, _BUFFER_OPTIMAL, _BUFFER_INITIAL = 500, 300, 250
"""ms of bits by which the encoder may be ahead: what a pacer would make the other side wait for."""
_KEY_FRAME_PERCENT: Final = 500
"""A key picture has at most as many octets as so many of a hundred pictures usually."""


class VpxEncoder:
    """Codes ``vp8`` or ``vp9``; ``screen`` is for what has text in it and mostly stands still.

    Raises:
        UnknownLibrary: there is no libvpx that is known.
        MediaFailed: it does not start, or fails.
    """

    def __init__(self, codec: str, *, screen: bool = False) -> None:
        self._codec, self._screen = codec, screen
        self._configuration = default_configuration(codec)
        self._wanted: PictureFormat | None = None
        self._encoder: Encoder | None = None
        self._key = True
        self._time = 0.0
        self._pts = 0

    def configure(self, wanted: PictureFormat, bitrate: int) -> None:
        self._wanted = wanted
        configuration = self._configuration
        _control_rate(configuration, bitrate)
        if self._encoder is not None:
            self._encoder.configure(configuration)

    def encode(self, picture: Picture, *, key: bool = False) -> EncodedPicture | None:
        if self._wanted is None:
            raise ValueError("configure the encoder first")
        self._key = self._key or key
        width, height = fitted(picture.width, picture.height, self._wanted)
        # A change of sides makes a key picture in VP8 anyway, and in VP9 where the new ones are larger.
        if self._encoder is None or (self._configuration.g_w, self._configuration.g_h) != (width, height):
            self._begin(width, height)
        assert self._encoder is not None
        step = self._step(picture.time)
        self._pts += step
        if (picture.width, picture.height) != (width, height):
            picture = scaled(picture, width, height)
        coded = self._encoder.encode(picture.data, self._pts, step, key=self._key)
        if coded is None:
            return None
        data, is_key = coded
        self._key = self._key and not is_key
        return EncodedPicture(data=data, key=is_key, time=picture.time, width=width, height=height)

    def close(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
        self._encoder = None

    def _step(self, time: float) -> int:
        """How long since the picture before, in ticks; of the first, what a picture has at the rate that is wanted."""
        assert self._wanted is not None
        step = time - self._time if self._pts else 1 / self._wanted.rate
        self._time = time
        return int(CLOCK_RATE * min(max(step, 0.001), 2 / self._wanted.rate, _LONGEST_STEP))

    def _begin(self, width: int, height: int) -> None:
        self.close()
        configuration = self._configuration
        configuration.g_w, configuration.g_h = width, height
        large = width * height >= _LARGE and (os.cpu_count() or 1) >= 4
        configuration.g_threads = 2 if large else 1
        configuration.g_timebase.numerator, configuration.g_timebase.denominator = 1, CLOCK_RATE
        # Whole pictures arrive, in order, or a key picture is asked for: what makes up for losses would cost octets.
        configuration.g_error_resilient = 0
        configuration.g_lag_in_frames = 0
        configuration.rc_end_usage = _CONSTANT_BITRATE
        configuration.rc_dropframe_thresh = 30
        configuration.rc_resize_allowed = 0
        configuration.rc_min_quantizer, configuration.rc_max_quantizer = 2, 63 if self._codec == "vp8" else 56
        configuration.rc_undershoot_pct, configuration.rc_overshoot_pct = 100, 15
        configuration.rc_buf_sz = _BUFFER
        configuration.rc_buf_initial_sz = _BUFFER_INITIAL
        configuration.rc_buf_optimal_sz = _BUFFER_OPTIMAL
        configuration.kf_mode, configuration.kf_max_dist = _KEY_FRAMES_AUTOMATIC, 1 << 20
        self._encoder = Encoder(self._codec, configuration, self._controls(width * height, configuration.g_threads))
        self._key = True

    def _controls(self, pixels: int, threads: int) -> dict[str, int]:
        common = {"static-threshold": 100 if self._screen else 1, "max-intra-rate": _KEY_FRAME_PERCENT}
        if self._codec == "vp8":
            return {
                # Negative: as quick as that always, however much time there seems to be. Quicker ones do not look for
                # where a rough surface moved to.
                "cpu-used": -6,
                "noise-sensitivity": 0,
                "token-partitions": threads - 1,
                "screen-content-mode": int(self._screen),
                **common,
            }
        return {
            "cpu-used": 8 if pixels < _LARGE else 9,
            "vp9-noise-sensitivity": 0,
            "tile-columns": threads - 1,
            "aq-mode": 3,
            "tune-content": int(self._screen),
            "postencode-drop": 1,
            **common,
        }


def _control_rate(configuration: Configuration, bitrate: int) -> None:
    configuration.rc_target_bitrate = max(1, bitrate)
