"""The private names of sounddevice that ``openvoice.devices`` leans on, and that PortAudio can be loaded twice."""

from __future__ import annotations

import logging
import sys
from types import SimpleNamespace

import pytest

from openvoice.devices import duplicate as module
from openvoice.devices.duplicate import duplicate

try:
    import sounddevice
except (ImportError, OSError):
    pytest.skip("PortAudio is missing", allow_module_level=True)


@pytest.mark.parametrize("name", ["_lib", "_ffi", "_libname", "_initialize", "_terminate"])
def test_the_names_are_there(name: str) -> None:
    assert hasattr(sounddevice, name)


@pytest.mark.skipif(sys.platform != "linux", reason="where the library lies is found out on Linux alone")
def test_a_second_portaudio_is_another_one() -> None:
    second = duplicate(sounddevice)
    assert second is not None
    assert second is not sounddevice
    assert second._lib.Pa_Initialize != sounddevice._lib.Pa_Initialize
    assert second.PortAudioError is not sounddevice.PortAudioError
    assert sys.modules["sounddevice"] is sounddevice
    third = duplicate(second)
    assert third is not None
    # Each is ended and started alone.
    second._terminate()
    with pytest.raises(second.PortAudioError, match="not initialized"):
        second.query_devices()
    sounddevice.query_devices()
    third.query_devices()
    third._terminate()


def test_a_system_that_gives_the_same_library_again_has_no_second_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_load", lambda ffi, path: sounddevice._lib)
    assert duplicate(sounddevice) is None
    sounddevice.query_devices()


def test_a_library_whose_file_is_not_found_has_no_second_one(caplog: pytest.LogCaptureFixture) -> None:
    assert duplicate(SimpleNamespace(_libname="libnowhere.so", __file__=sounddevice.__file__)) is None
    with caplog.at_level(logging.WARNING):
        assert duplicate(SimpleNamespace(_libname="/nowhere/lib.so", __file__=sounddevice.__file__)) is None
    assert "cannot be loaded a second time" in caplog.text
    sounddevice.query_devices()
