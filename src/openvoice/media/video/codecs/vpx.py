"""VP8 (RFC 6386) and VP9, coded in real time at a constant bit rate that may change with every picture."""

from __future__ import annotations

import os
from typing import Final

from openvoice.media.video.codec import CLOCK_RATE
from openvoice.media.video.codecs.encoder import BaseEncoder, Pixels
from openvoice.media.video.codecs.libvpx import Encoder, default_configuration
from openvoice.ports import PictureFormat

_CONSTANT_BITRATE: Final = 1
_KEY_FRAMES_AUTOMATIC: Final = 1
_LARGE: Final = 1280 * 720
"""Pixels from which on a second thread is worth its cost, where there are cores to spare."""
_BUFFER, _BUFFER_OPTIMAL, _BUFFER_INITIAL = 1000, 600, 500
"""ms of bits. With less, and few pictures a second, VP9 leaves out all of them for seconds after a key picture."""
_KEY_FRAME_PERCENT: Final = 300
"""A key picture has at most as many octets as so many of a hundred pictures usually."""
_FINEST: Final = 2
_REFINEMENT, _REFINEMENT_OF_SCREENS = 0.9, 0.75
"""By how much each picture after a coarse key picture may be finer: else the first one is as large as a dozen."""


class VpxEncoder(BaseEncoder):
    """Codes ``vp8`` or ``vp9``; ``screen`` is for what has text in it and mostly stands still.

    Other sides make another encoder: they make a key picture in VP8 anyway, and in VP9 where they are larger.

    Raises:
        UnknownLibrary: there is no libvpx that is known.
        MediaFailed: it does not start, or fails.
    """

    def __init__(self, codec: str, *, screen: bool = False) -> None:
        super().__init__()
        self._codec, self._screen = codec, screen
        self._configuration = default_configuration(codec)
        self._encoder: Encoder | None = None
        self._pts = 0
        self._finest: float = _FINEST

    def _begin(self, width: int, height: int, wanted: PictureFormat, bitrate: int) -> None:
        configuration = self._configuration
        configuration.g_w, configuration.g_h = width, height
        large = width * height >= _LARGE and (os.cpu_count() or 1) >= 4
        configuration.g_threads = 2 if large else 1
        configuration.g_timebase.numerator, configuration.g_timebase.denominator = 1, CLOCK_RATE
        # Whole pictures arrive, in order, or a key picture is asked for: what makes up for losses would cost octets.
        configuration.g_error_resilient = 0
        configuration.g_lag_in_frames = 0
        configuration.rc_target_bitrate = bitrate
        configuration.rc_end_usage = _CONSTANT_BITRATE
        configuration.rc_dropframe_thresh = 30
        configuration.rc_resize_allowed = 0
        configuration.rc_min_quantizer, configuration.rc_max_quantizer = _FINEST, 63
        configuration.rc_undershoot_pct, configuration.rc_overshoot_pct = 100, 15
        configuration.rc_buf_sz = _BUFFER
        configuration.rc_buf_initial_sz = _BUFFER_INITIAL
        configuration.rc_buf_optimal_sz = _BUFFER_OPTIMAL
        configuration.kf_mode, configuration.kf_max_dist = _KEY_FRAMES_AUTOMATIC, 1 << 20
        self._encoder = Encoder(self._codec, configuration, self._controls(width * height, configuration.g_threads))

    def _adjust(self, wanted: PictureFormat, bitrate: int) -> None:
        self._configuration.rc_target_bitrate = bitrate
        if self._encoder is not None:
            self._encoder.configure(self._configuration)

    def _code(self, data: Pixels, step: float, *, key: bool) -> tuple[bytes, bool] | None:
        assert self._encoder is not None
        duration = int(step * CLOCK_RATE)
        began, self._pts = self._pts, self._pts + duration
        coded = self._encoder.encode(data, began, duration, key=key)
        if coded is not None and coded[1]:
            self._refine(self._encoder.quantizer)
        elif self._finest > _FINEST:
            self._refine(self._finest)
        return coded

    def _refine(self, coarse: float) -> None:
        """Code only a little finer next: what a coarse key picture lacks is made up for bit by bit."""
        assert self._encoder is not None
        self._finest = max(_FINEST, coarse * (_REFINEMENT_OF_SCREENS if self._screen else _REFINEMENT))
        self._configuration.rc_min_quantizer = int(self._finest)
        self._encoder.configure(self._configuration)

    def _end(self) -> None:
        if self._encoder is not None:
            self._encoder.close()
        self._encoder = None

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
