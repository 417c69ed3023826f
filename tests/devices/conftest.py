from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator

import pytest

from openvoice.devices import keeper
from tests.devices.fake_sounddevice import FakeSoundDevice


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> FakeSoundDevice:
    """A sound system without devices, in which lost devices are tried again without delay."""
    fake = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    monkeypatch.setattr(keeper, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(keeper, "LOOK_SECONDS", 0.01)
    return fake


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    yield
    deadline = time.monotonic() + 5
    while any(thread.name.startswith("openvoice-") for thread in threading.enumerate()):
        assert time.monotonic() < deadline, "a device kept its thread"
        time.sleep(0.01)
