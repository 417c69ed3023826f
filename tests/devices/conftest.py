from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator

import pytest

from openvoice.devices import choice, keeper
from openvoice.devices import library as portaudio
from tests.devices.fake_sounddevice import FakeSoundDevice


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSoundDevice]:
    """A sound system without devices, in which lost devices are tried again without delay."""
    fake = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    monkeypatch.setattr(portaudio, "duplicate", lambda module: module.duplicate())
    monkeypatch.setattr(portaudio.PORTAUDIO, "_copies", [])
    monkeypatch.setattr(portaudio.PORTAUDIO, "_streams", {})
    monkeypatch.setattr(keeper, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(choice, "STABLE_SECONDS", 0.03)
    yield fake
    _wait_for_threads()


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    yield
    _wait_for_threads()


def _wait_for_threads() -> None:
    deadline = time.monotonic() + 5
    while any(thread.name.startswith("openvoice-") for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "a device kept its thread"
        time.sleep(0.01)
