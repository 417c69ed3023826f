"""x264's encoder of H.264, by the libx264 that the PyAV wheel carries, or else the system's.

FFmpeg's own wrapper of it, which PyAV offers, lets the mean bit rate of an encoder that runs be changed, but neither
its peak nor its buffer, without which a change takes seconds to be felt; hence ``ctypes``, which releases the GIL
meanwhile. Settings go by their names; the little that has to be known of x264's memory is looked at before it is used.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_int64, c_uint32, c_void_p
from functools import cache
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from openvoice.errors import MediaFailed
from openvoice.media.libraries import load

_I420: Final = 2
_AUTOMATIC: Final = 0
_KEY: Final = 1
_BUILDS: Final = range(155, 200)
"""Numbers that are part of the name by which an encoder is opened."""


class _Parameters(Structure):
    """The beginning of ``x264_param_t``; room for what follows in any version."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [
        ("cpu", c_uint32),
        *(
            (name, c_int)
            for name in (
                "i_threads",
                "i_lookahead_threads",
                "b_sliced_threads",
                "b_deterministic",
                "b_cpu_independent",
                "i_sync_lookahead",
                "i_width",
                "i_height",
                "i_csp",
                "i_bitdepth",
                "i_level_idc",
            )
        ),
        ("rest", c_int * 2048),
    ]


class _Image(Structure):
    _fields_: ClassVar[list[tuple[str, Any]]] = [
        ("i_csp", c_int),
        ("i_plane", c_int),
        ("i_stride", c_int * 4),
        ("plane", c_void_p * 4),
    ]


class _Picture(Structure):
    """The beginning of ``x264_picture_t``; room for what follows in any version."""

    _fields_: ClassVar[list[tuple[str, Any]]] = [
        ("i_type", c_int),
        ("i_qpplus1", c_int),
        ("i_pic_struct", c_int),
        ("b_keyframe", c_int),
        ("i_pts", c_int64),
        ("i_dts", c_int64),
        ("param", c_void_p),
        ("img", _Image),
        ("rest", c_int * 512),
    ]


class _Nal(Structure):
    _fields_: ClassVar[list[tuple[str, Any]]] = [
        ("i_ref_idc", c_int),
        ("i_type", c_int),
        ("b_long_startcode", c_int),
        ("i_first_mb", c_int),
        ("i_last_mb", c_int),
        ("i_payload", c_int),
        ("p_payload", c_void_p),
        ("i_padding", c_int),
    ]


_DEFAULTS: Final = {
    "i_threads": 0,
    "b_deterministic": 1,
    "i_sync_lookahead": -1,
    "i_width": 0,
    "i_height": 0,
    "i_csp": _I420,
    "i_bitdepth": 8,
    "i_level_idc": -1,
}
"""What every version begins with: a library that says otherwise has another memory."""
_SUPPLEMENTAL: Final = 6
"""NAL units of this type tell who made the stream and how, which nobody needs."""


class UnknownLibrary(MediaFailed):
    """There is no libx264, or one that is not known: H.264 cannot be sent."""


_FOREIGN = "The libx264 that was found is not of a known kind: install the wheel of PyAV (av)."


@cache
def _library() -> ctypes.CDLL:
    if (library := load("x264")) is None:
        raise UnknownLibrary("H.264 cannot be sent: install the libx264 of your system, or the wheel of PyAV (av).")
    return _declare(library)


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    parameters, picture = POINTER(_Parameters), POINTER(_Picture)
    library.x264_param_default_preset.argtypes = [parameters, c_char_p, c_char_p]
    library.x264_param_parse.argtypes = [parameters, c_char_p, c_char_p]
    library.x264_param_apply_profile.argtypes = [parameters, c_char_p]
    library.x264_picture_init.argtypes, library.x264_picture_init.restype = [picture], None
    library.x264_encoder_reconfig.argtypes = [c_void_p, parameters]
    library.x264_encoder_encode.argtypes = [c_void_p, POINTER(POINTER(_Nal)), POINTER(c_int), picture, picture]
    library.x264_encoder_close.argtypes, library.x264_encoder_close.restype = [c_void_p], None
    return library


@cache
def _opening() -> Any:
    """The function that opens an encoder.

    Raises:
        UnknownLibrary: it has another name than any that is tried.
    """
    library = _library()
    for build in _BUILDS:
        if (function := getattr(library, f"x264_encoder_open_{build}", None)) is not None:
            function.argtypes, function.restype = [POINTER(_Parameters)], c_void_p
            return function
    raise UnknownLibrary(_FOREIGN)


@cache
def is_usable() -> bool:
    """Whether there is a libx264 that is known."""
    try:
        _opening()
        _default_parameters("veryfast")
    except UnknownLibrary:
        return False
    return True


def _default_parameters(preset: str) -> _Parameters:
    library, parameters = _library(), _Parameters()
    if library.x264_param_default_preset(byref(parameters), preset.encode(), None) != 0:
        raise UnknownLibrary(_FOREIGN)
    if any(getattr(parameters, name) != value for name, value in _DEFAULTS.items()):
        raise UnknownLibrary(_FOREIGN)
    if library.x264_param_default_preset(byref(parameters), preset.encode(), b"zerolatency") != 0:
        raise UnknownLibrary(_FOREIGN)
    return parameters


class Encoder:
    """One running encoder of constrained baseline. ``settings`` are by x264's names, as on its command line.

    Raises:
        UnknownLibrary: there is no libx264 that is known.
        MediaFailed: it does not start.
    """

    def __init__(self, width: int, height: int, preset: str, settings: Mapping[str, object]) -> None:
        self._library, self._handle = _library(), None
        self._parameters = _default_parameters(preset)
        self._parameters.i_width, self._parameters.i_height = width, height
        self._set(settings)
        if self._library.x264_param_apply_profile(byref(self._parameters), b"baseline") != 0:
            raise MediaFailed("The encoder of H.264 did not start.")
        self._handle = _opening()(byref(self._parameters))
        if not self._handle:
            raise MediaFailed("The encoder of H.264 did not start.")

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        if getattr(self, "_handle", None):
            self._library.x264_encoder_close(self._handle)
            self._handle = None

    def _set(self, settings: Mapping[str, object]) -> None:
        for name, value in settings.items():
            if self._library.x264_param_parse(byref(self._parameters), name.encode(), str(value).encode()) != 0:
                raise ValueError(f"x264 takes no such setting: {name} = {value}")

    def configure(self, settings: Mapping[str, object]) -> None:
        """Go on with other settings of rates and quantizers. Raises ``ValueError`` for what x264 does not take."""
        self._set(settings)
        if self._library.x264_encoder_reconfig(self._handle, byref(self._parameters)) != 0:
            raise ValueError("x264 does not take these settings")

    def encode(self, data: npt.NDArray[np.uint8], pts: int, *, key: bool = False) -> tuple[bytes, bool] | None:
        """Code I420 ``data`` and say whether it became a key picture; ``None`` if nothing came of it.

        Raises:
            MediaFailed: it failed.
        """
        width, height = int(self._parameters.i_width), int(self._parameters.i_height)
        contiguous = np.ascontiguousarray(data)
        if contiguous.shape != (height * 3 // 2, width) or contiguous.dtype != np.uint8:
            raise ValueError("the picture has not the sides of the encoder")
        picture, output = _Picture(), _Picture()
        for each in (picture, output):
            self._library.x264_picture_init(byref(each))
        first, pixels = contiguous.ctypes.data, width * height
        picture.i_type, picture.i_pts = _KEY if key else _AUTOMATIC, pts
        picture.img.i_csp, picture.img.i_plane = _I420, 3
        for plane, (start, stride) in enumerate(
            ((first, width), (first + pixels, width // 2), (first + pixels * 5 // 4, width // 2))
        ):
            picture.img.plane[plane], picture.img.i_stride[plane] = start, stride
        nals, count = POINTER(_Nal)(), c_int()
        size = self._library.x264_encoder_encode(self._handle, byref(nals), byref(count), byref(picture), byref(output))
        if size < 0:
            raise MediaFailed("The encoder of H.264 failed.")
        units = [nals[index] for index in range(count.value)]
        data_ = b"".join(
            ctypes.string_at(unit.p_payload, unit.i_payload) for unit in units if unit.i_type != _SUPPLEMENTAL
        )
        return (data_, bool(output.b_keyframe)) if data_ else None
