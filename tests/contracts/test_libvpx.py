"""What is assumed of the libvpx in PyAV's wheel: where it is, its ABI, how its structures lie in memory."""

from __future__ import annotations

import numpy as np
import pytest

from openvoice.media.video.codecs import libvpx
from openvoice.media.video.codecs.libvpx import Configuration, Encoder, default_configuration


def test_the_wheel_has_one_with_an_abi_that_is_found() -> None:
    assert libvpx.version().startswith("v1.")
    assert libvpx._abi_version() in range(30, 100)


@pytest.mark.parametrize("codec", ["vp8", "vp9"])
def test_the_configuration_lies_in_memory_as_it_is_declared(codec: str) -> None:
    configuration = default_configuration(codec)
    # Offsets of vpx/vpx_encoder.h where pointers have 64 bits.
    assert Configuration.g_timebase.offset == 28
    assert Configuration.rc_end_usage.offset == 72
    assert Configuration.rc_target_bitrate.offset == 112
    assert Configuration.kf_max_dist.offset == 168
    assert (configuration.kf_mode, configuration.rc_undershoot_pct) == (1, 100 if codec == "vp8" else 25)


def test_a_library_with_another_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(libvpx._DEFAULTS, "rc_target_bitrate", 257)
    with pytest.raises(libvpx.UnknownLibrary, match="not of a known kind"):
        default_configuration("vp8")


LIMITS = {
    "vp8": {"noise-sensitivity": 6, "token-partitions": 3, "screen-content-mode": 2},
    "vp9": {"vp9-noise-sensitivity": 6, "tile-columns": 6, "tune-content": 2},
}
"""The highest value that each control takes, which shows that its number is right."""


@pytest.mark.parametrize("codec", LIMITS)
def test_settings_and_controls_reach_what_they_are_named_for(codec: str) -> None:
    configuration = default_configuration(codec)
    configuration.g_w, configuration.g_h, configuration.g_lag_in_frames = 64, 48, 0
    encoder = Encoder(codec, configuration, {"cpu-used": -6, "static-threshold": 1, "max-intra-rate": 300})
    for name, limit in LIMITS[codec].items():
        encoder.control({name: limit})
        with pytest.raises(ValueError, match=name):
            encoder.control({name: limit + 1 if name != "vp9-noise-sensitivity" else limit + 99})
    for setting, value in (("rc_max_quantizer", 64), ("rc_undershoot_pct", 1001), ("rc_dropframe_thresh", 101)):
        wrong = Configuration.from_buffer_copy(configuration)
        setattr(wrong, setting, value)
        with pytest.raises(ValueError, match="these settings"):
            encoder.configure(wrong)
    picture = np.full((72, 64), 128, np.uint8)
    assert encoder.encode(picture, 0, 1) is not None
    coded = encoder.encode(picture, 1, 1, key=True)
    assert coded is not None
    assert coded[1], "the flags of a packet lie elsewhere"
    encoder.close()
    encoder.close()
