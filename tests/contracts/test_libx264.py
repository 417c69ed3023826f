"""What is assumed of the libx264 in PyAV's wheel: where it is, how it is opened, how its structures lie in memory."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from openvoice.media.video.codecs import libx264
from openvoice.media.video.codecs.libx264 import Encoder


def test_the_wheel_has_one_that_is_known() -> None:
    libx264._opening()
    assert libx264.is_usable()


def test_structures_lie_in_memory_as_they_are_declared() -> None:
    assert libx264._Parameters.i_level_idc.offset == 44
    assert libx264._Picture.img.offset == 40
    assert libx264._Nal.p_payload.offset == 24
    parameters = libx264._default_parameters("veryfast")
    library = libx264._library()
    assert library.x264_param_parse(ctypes.byref(parameters), b"level", b"31") == 0
    assert parameters.i_level_idc == 31
    library.x264_picture_alloc.argtypes = [ctypes.POINTER(libx264._Picture), *[ctypes.c_int] * 3]
    library.x264_picture_clean.argtypes = [ctypes.POINTER(libx264._Picture)]
    picture = libx264._Picture()
    assert library.x264_picture_alloc(ctypes.byref(picture), libx264._I420, 64, 48) == 0
    assert (picture.img.i_csp, picture.img.i_plane) == (libx264._I420, 3)
    assert (picture.img.i_stride[0], picture.img.i_stride[1]) == (64, 32)
    assert picture.img.plane[1] - picture.img.plane[0] >= 64 * 48
    library.x264_picture_clean(ctypes.byref(picture))


def test_a_library_with_another_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(libx264._DEFAULTS, "i_level_idc", 7)
    with pytest.raises(libx264.UnknownLibrary, match="not of a known kind"):
        libx264._default_parameters("veryfast")


def test_settings_go_by_name_and_unknown_ones_are_refused() -> None:
    encoder = Encoder(64, 48, "veryfast", {"log": -1, "bitrate": 100, "vbv-maxrate": 100, "vbv-bufsize": 30})
    encoder.configure({"bitrate": 50, "vbv-maxrate": 50, "vbv-bufsize": 15})
    with pytest.raises(ValueError, match="loudness"):
        encoder.configure({"loudness": 3})
    picture = np.full((72, 64), 128, np.uint8)
    first, second, third = (encoder.encode(picture, pts, key=pts == 2) for pts in range(3))
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first[1], second[1], third[1]) == (True, False, True)
    with pytest.raises(ValueError, match="sides"):
        encoder.encode(picture[:, :32], 3)
    encoder.close()
    encoder.close()
