"""A ``sounddevice`` module whose devices do what a test wants, at the moment it wants."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt


class PortAudioError(Exception):
    pass


class FakeStream:
    """Runs when the test says :meth:`turn`."""

    latency = 0.01

    def __init__(self, library: FakeSoundDevice, settings: dict[str, Any]) -> None:
        self.library = library
        self.settings = settings
        self.active = False
        self.closed = False
        self.ended_by = ""

    def start(self) -> None:
        if self.library.start_error:
            raise PortAudioError(self.library.start_error, -9999)
        self.active = True
        self.library.started.set()

    def stop(self) -> None:
        self.ended_by = self.ended_by or "stop"
        self.active = False

    def abort(self) -> None:
        self.ended_by = self.ended_by or "abort"
        self.active = False

    def close(self) -> None:
        self.closed = True
        self.active = False

    def turn(self, value: int = 0) -> npt.NDArray[np.int16]:
        """Handle one block, filled with ``value``, on a thread that is not the event loop's; returns what it holds."""
        block = np.full((self.settings["blocksize"], self.settings["channels"]), value, np.int16)
        worker = threading.Thread(target=self.settings["callback"], args=(block, len(block), None, None))
        worker.start()
        worker.join()
        return block


class FakeSoundDevice:
    """Put it into ``sys.modules`` under the name ``sounddevice``."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        self.listed: list[dict[str, Any]] = []
        self.default = SimpleNamespace(device=[-1, -1])
        self.renewed = 0
        self.start_error = ""
        self.refuse: Callable[[dict[str, Any]], bool] = lambda settings: False
        self.streams: list[FakeStream] = []
        self.started = threading.Event()
        self.connect_after_renewal: Callable[[], object] = lambda: None

    def add(self, name: str, inputs: int, outputs: int, rate: float = 48_000.0, host: int = 0) -> None:
        self.listed.append(
            {
                "name": name,
                "max_input_channels": inputs,
                "max_output_channels": outputs,
                "default_samplerate": rate,
                "hostapi": host,
            }
        )

    def query_devices(self) -> Sequence[dict[str, Any]]:
        return self.listed

    def query_hostapis(self) -> Sequence[dict[str, Any]]:
        return [{"name": "ALSA"}, {"name": "JACK"}]

    def _terminate(self) -> None:
        assert not any(stream.active for stream in self.streams), "PortAudio was ended under a running stream"

    def _initialize(self) -> None:
        self.renewed += 1
        self.connect_after_renewal()

    def InputStream(self, **settings: Any) -> FakeStream:  # noqa: N802
        return self._open(settings)

    def OutputStream(self, **settings: Any) -> FakeStream:  # noqa: N802
        return self._open(settings)

    def _open(self, settings: dict[str, Any]) -> FakeStream:
        if self.refuse(settings):
            raise PortAudioError("Error opening Stream: Invalid sample rate", -9997)
        self.streams.append(FakeStream(self, settings))
        return self.streams[-1]
