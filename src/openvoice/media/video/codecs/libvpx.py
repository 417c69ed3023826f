"""libvpx's encoders of VP8 and VP9, by the libvpx that the PyAV wheel carries, or else the system's.

FFmpeg's own wrapper of it, which PyAV offers, cannot change the settings of an encoder that runs; hence ``ctypes``,
which releases the GIL meanwhile. What is assumed of the library's memory is looked at before it is used.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_int64, c_long, c_size_t, c_uint, c_ulong, c_void_p
from functools import cache
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from openvoice.errors import MediaFailed
from openvoice.media.libraries import load

FORCE_KEY_FRAME: Final = 1
_REAL_TIME: Final = 1
"""The deadline, in µs, that asks for the quickest of the encoder's ways."""
_I420: Final = 0x102
_ABI_MISMATCH: Final = 3
_ABI_VERSIONS = range(20, 120)
_FRAME: Final = 0
_FRAME_IS_KEY: Final = 1

_LAST_QUANTIZER = 20
"""Of VP8 and VP9, as a number from 0 to 63."""
CONTROLS: Final = {
    "cpu-used": 13,
    "noise-sensitivity": 15,
    "static-threshold": 17,
    "token-partitions": 18,
    "max-intra-rate": 26,
    "screen-content-mode": 31,
    "tile-columns": 33,
    "aq-mode": 36,
    "vp9-noise-sensitivity": 38,
    "tune-content": 43,
    "postencode-drop": 66,
}
"""Numbers of ``vpx_codec_control_`` by what they set (vpx/vp8cx.h); they never change."""


class _Rational(Structure):
    _fields_: ClassVar[list[tuple[str, Any]]] = [("numerator", c_int), ("denominator", c_int)]


class _Buffer(Structure):
    _fields_: ClassVar[list[tuple[str, Any]]] = [("data", c_void_p), ("size", c_size_t)]


class Configuration(Structure):
    """``vpx_codec_enc_cfg_t`` with libvpx's names, as far as it is used; room for what follows in any version."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [
        *((name, c_uint) for name in ("g_usage", "g_threads", "g_profile", "g_w", "g_h")),
        ("g_bit_depth", c_int),
        ("g_input_bit_depth", c_uint),
        ("g_timebase", _Rational),
        ("g_error_resilient", c_uint),
        ("g_pass", c_int),
        *(
            (name, c_uint)
            for name in (
                "g_lag_in_frames",
                "rc_dropframe_thresh",
                "rc_resize_allowed",
                "rc_scaled_width",
                "rc_scaled_height",
                "rc_resize_up_thresh",
                "rc_resize_down_thresh",
            )
        ),
        ("rc_end_usage", c_int),
        ("rc_twopass_stats_in", _Buffer),
        ("rc_firstpass_mb_stats_in", _Buffer),
        *(
            (name, c_uint)
            for name in (
                "rc_target_bitrate",
                "rc_min_quantizer",
                "rc_max_quantizer",
                "rc_undershoot_pct",
                "rc_overshoot_pct",
                "rc_buf_sz",
                "rc_buf_initial_sz",
                "rc_buf_optimal_sz",
                "rc_2pass_vbr_bias_pct",
                "rc_2pass_vbr_minsection_pct",
                "rc_2pass_vbr_maxsection_pct",
                "rc_2pass_vbr_corpus_complexity",
            )
        ),
        ("kf_mode", c_int),
        ("kf_min_dist", c_uint),
        ("kf_max_dist", c_uint),
        ("rest", c_uint * 1024),
    ]


class _FramePacket(Structure):
    """The variant of ``vpx_codec_cx_pkt_t`` that holds a coded picture."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [
        ("kind", c_int),
        ("_alignment", c_int),
        ("data", c_void_p),
        ("size", c_size_t),
        ("pts", c_int64),
        ("duration", c_ulong),
        ("flags", c_uint),
    ]


_DEFAULTS: Final = {
    "g_w": 320,
    "g_h": 240,
    "g_bit_depth": 8,
    "g_pass": 0,
    "rc_end_usage": 0,
    "rc_target_bitrate": 256,
    "rc_max_quantizer": 63,
    "rc_buf_sz": 6000,
    "rc_buf_initial_sz": 4000,
    "rc_buf_optimal_sz": 5000,
    "kf_mode": 1,
}
"""What both encoders begin with, in every version there was: a library that says otherwise has another memory."""


class UnknownLibrary(MediaFailed):
    """There is no libvpx, or one that is not known: neither VP8 nor VP9 can be sent."""


@cache
def _library() -> ctypes.CDLL:
    if (library := load("vpx")) is None:
        raise UnknownLibrary(
            "VP8 and VP9 cannot be sent: install the libvpx of your system, or the wheel of PyAV (av)."
        )
    return _declare(library)


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    configuration = POINTER(Configuration)
    for interface in (library.vpx_codec_vp8_cx, library.vpx_codec_vp9_cx):
        interface.argtypes, interface.restype = [], c_void_p
    library.vpx_codec_enc_config_default.argtypes = [c_void_p, configuration, c_uint]
    library.vpx_codec_enc_init_ver.argtypes = [c_void_p, c_void_p, configuration, c_long, c_int]
    library.vpx_codec_enc_config_set.argtypes = [c_void_p, configuration]
    # Variadic: the declared types are the fixed ones, which the calling convention of Apple silicon has to know.
    library.vpx_codec_control_.argtypes = [c_void_p, c_int]
    library.vpx_codec_encode.argtypes = [c_void_p, c_void_p, c_int64, c_ulong, c_long, c_ulong]
    library.vpx_codec_get_cx_data.argtypes = [c_void_p, POINTER(c_void_p)]
    library.vpx_codec_get_cx_data.restype = POINTER(_FramePacket)
    library.vpx_codec_destroy.argtypes = [c_void_p]
    library.vpx_img_wrap.argtypes = [c_void_p, c_int, c_uint, c_uint, c_uint, c_void_p]
    library.vpx_img_wrap.restype = c_void_p
    library.vpx_img_free.argtypes, library.vpx_img_free.restype = [c_void_p], None
    library.vpx_codec_version_str.argtypes, library.vpx_codec_version_str.restype = [], c_char_p
    return library


def version() -> str:
    """What the library calls itself. Raises :class:`UnknownLibrary`."""
    return str(_library().vpx_codec_version_str().decode(errors="replace"))


@cache
def _abi_version() -> int:
    """The number that the library wants to hear: it refuses every other one.

    Raises:
        UnknownLibrary: it wants another number than any that is tried.
    """
    library, context = _library(), ctypes.create_string_buffer(_CONTEXT_OCTETS)
    interface, configuration = library.vpx_codec_vp8_cx(), default_configuration("vp8")
    for number in _ABI_VERSIONS:
        if library.vpx_codec_enc_init_ver(context, interface, byref(configuration), 0, number) != _ABI_MISMATCH:
            library.vpx_codec_destroy(context)
            return number
    raise UnknownLibrary(_FOREIGN)


_CONTEXT_OCTETS: Final = 512
"""``vpx_codec_ctx_t`` has 56."""
_FOREIGN = "The libvpx that was found is not of a known kind: install the wheel of PyAV (av)."


def default_configuration(codec: str) -> Configuration:
    """What an encoder of ``vp8`` or ``vp9`` begins with.

    Raises:
        UnknownLibrary: there is no libvpx, or its configuration has another shape in memory.
    """
    library, configuration = _library(), Configuration()
    if library.vpx_codec_enc_config_default(_interface(library, codec), byref(configuration), 0) != 0:
        raise UnknownLibrary(_FOREIGN)
    timebase = (configuration.g_timebase.numerator, configuration.g_timebase.denominator)
    if timebase != (1, 30) or any(getattr(configuration, name) != value for name, value in _DEFAULTS.items()):
        raise UnknownLibrary(_FOREIGN)
    return configuration


@cache
def is_usable() -> bool:
    """Whether there is a libvpx that is known."""
    try:
        return _abi_version() > 0
    except UnknownLibrary:
        return False


def _interface(library: ctypes.CDLL, codec: str) -> Any:
    return library.vpx_codec_vp8_cx() if codec == "vp8" else library.vpx_codec_vp9_cx()


class Encoder:
    """One running encoder, of ``vp8`` or ``vp9``; pictures are ``configuration.g_w`` by ``g_h``.

    Raises:
        UnknownLibrary: there is no libvpx that is known.
        MediaFailed: it does not start.
    """

    def __init__(self, codec: str, configuration: Configuration, controls: Mapping[str, int]) -> None:
        self._library = _library()
        self._context = ctypes.create_string_buffer(_CONTEXT_OCTETS)
        self._open = False
        interface, number = _interface(self._library, codec), _abi_version()
        if self._library.vpx_codec_enc_init_ver(self._context, interface, byref(configuration), 0, number) != 0:
            raise MediaFailed(f"The encoder of {codec.upper()} did not start.")
        self._open = True
        self._size = (int(configuration.g_w), int(configuration.g_h))
        self.control(controls)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        if getattr(self, "_open", False):
            self._open = False
            self._library.vpx_codec_destroy(self._context)

    def control(self, controls: Mapping[str, int]) -> None:
        """Raises ``ValueError`` for a value that the codec does not take."""
        for name, value in controls.items():
            if self._library.vpx_codec_control_(self._context, CONTROLS[name], c_int(value)) != 0:
                raise ValueError(f"libvpx takes no such setting: {name} = {value}")

    @property
    def quantizer(self) -> int:
        """Of the last picture, on the scale of the configuration: 0 is the finest, 63 the coarsest."""
        found = c_int()
        self._library.vpx_codec_control_(self._context, _LAST_QUANTIZER, byref(found))
        return found.value

    def configure(self, configuration: Configuration) -> None:
        """Go on with other settings, but the same sides. Raises ``ValueError`` for what libvpx does not take."""
        if self._library.vpx_codec_enc_config_set(self._context, byref(configuration)) != 0:
            raise ValueError("libvpx does not take these settings")

    def encode(
        self, data: npt.NDArray[np.uint8], pts: int, duration: int, *, key: bool = False
    ) -> tuple[bytes, bool] | None:
        """Code I420 ``data`` and say whether it became a key frame; ``None`` if it was left out. Times in the timebase.

        Raises:
            MediaFailed: it failed.
        """
        width, height = self._size
        contiguous = np.ascontiguousarray(data)
        if contiguous.shape != (height * 3 // 2, width) or contiguous.dtype != np.uint8:
            raise ValueError("the picture has not the sides of the encoder")
        image = self._library.vpx_img_wrap(None, _I420, width, height, 1, contiguous.ctypes.data)
        if not image:
            raise MediaFailed("The encoder found no memory for a picture.")
        try:
            flags = FORCE_KEY_FRAME if key else 0
            if self._library.vpx_codec_encode(self._context, image, pts, duration, flags, _REAL_TIME) != 0:
                raise MediaFailed("The encoder of VP8 or VP9 failed.")
        finally:
            self._library.vpx_img_free(image)
        return self._coded()

    def _coded(self) -> tuple[bytes, bool] | None:
        iterator = c_void_p()
        while packet := self._library.vpx_codec_get_cx_data(self._context, byref(iterator)):
            found = packet.contents
            if found.kind == _FRAME and found.size:
                return ctypes.string_at(found.data, found.size), bool(found.flags & _FRAME_IS_KEY)
        return None
