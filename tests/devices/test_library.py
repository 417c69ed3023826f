from __future__ import annotations

import builtins
import os
import sys
from typing import Any

import pytest

from openvoice.devices import library as module
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


def test_looks_for_devices_anew_in_a_copy_while_streams_are_open(library: FakeSoundDevice) -> None:
    portaudio = PortAudio()
    with portaudio.use() as first:
        assert first is library
    with portaudio.use(renew=True) as again:
        assert again is first
        assert (library.renewed, library.copies) == (1, 0)
    portaudio.opened(first)
    with portaudio.use(renew=True) as second:
        assert second is not first
        assert (library.renewed, library.copies) == (1, 1)
    with portaudio.use(renew=True), portaudio.use() as newest:
        assert newest is second
        assert (library.renewed, library.copies) == (2, 1)
    portaudio.opened(second)
    portaudio.closed(first)
    assert portaudio.streams == 1
    with portaudio.use(renew=True) as third:
        assert third is first
        assert (library.renewed, library.copies) == (3, 1)


def test_it_knows_how_old_its_list_is(library: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("openvoice.devices.library.time.monotonic", lambda: now[0])
    portaudio = PortAudio()
    assert portaudio.age == 0
    for renew in (False, True):
        with portaudio.use(renew=renew):
            assert portaudio.age == 0
        now[0] += 5
        assert portaudio.age == 5


def test_where_the_library_cannot_be_loaded_twice_open_streams_come_first(
    library: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(module, "duplicate", asked.append)
    portaudio = PortAudio()
    portaudio.opened(library)
    for _ in range(2):
        with portaudio.use(renew=True) as used:
            assert used is library
    assert asked == [library]
    assert library.renewed == 0
    portaudio.closed(library)
    with portaudio.use(renew=True):
        assert library.renewed == 1


def test_errors_of_every_copy_become_one_line(library: FakeSoundDevice) -> None:
    class OtherError(Exception):
        pass

    portaudio = PortAudio()
    with portaudio.use() as first:
        portaudio.opened(first)
    with portaudio.use(renew=True) as second:
        second.PortAudioError = OtherError
    with pytest.raises(DeviceFailed, match="the sound system refuses: busy"), portaudio.use():
        raise PortAudioError("busy")
    with pytest.raises(DeviceFailed, match="the sound system refuses: gone"), portaudio.use():
        raise OtherError("gone")


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
