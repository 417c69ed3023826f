from __future__ import annotations

import builtins
import os
import sys
from typing import Any

import pytest

from openvoice.devices.library import PortAudio
from openvoice.errors import DeviceFailed
from tests.devices.fake_sounddevice import FakeSoundDevice, PortAudioError


@pytest.mark.parametrize("error", [OSError("PortAudio library not found"), ImportError("no module")])
def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    real = builtins.__import__

    def fail(name: str, *args: Any, **words: Any) -> Any:
        if name == "sounddevice":
            raise error
        return real(name, *args, **words)

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(builtins, "__import__", fail)
    with pytest.raises(DeviceFailed, match="apt install libportaudio2"), PortAudio().use():
        pass


def test_portaudio_errors_become_one_line(library: FakeSoundDevice) -> None:
    with pytest.raises(DeviceFailed, match=r"^the sound system refuses: Device unavailable$"), PortAudio().use():
        raise PortAudioError("Device\n unavailable", -9985)


def test_looks_for_devices_again_only_while_no_stream_is_open(library: FakeSoundDevice) -> None:
    portaudio = PortAudio()
    portaudio.opened()
    with portaudio.use(renew=True):
        assert library.renewed == 0
    portaudio.closed()
    with portaudio.use(renew=True):
        assert library.renewed == 1


def test_native_chatter_is_hidden_while_it_looks_again(
    library: FakeSoundDevice, capfd: pytest.CaptureFixture[str]
) -> None:
    library.connect_after_renewal = lambda: os.write(2, b"ALSA lib: no such thing\n")
    portaudio = PortAudio()
    with portaudio.use(renew=True):
        os.write(2, b"Expression 'ret' failed\n")
    with portaudio.use():
        os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"
