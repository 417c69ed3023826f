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

    @property
    def is_output(self) -> bool:
        return bool(self.settings["is_output"])

    def start(self) -> None:
        original = self.library._original
        if original.start_error:
            raise PortAudioError(original.start_error, -9999)
        self.active = True
        original.started.set()

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
        if self.library.name_of(self) in self.library._original.dead:
            return np.zeros((1, 1), np.int16)
        block = np.full((self.settings["blocksize"], self.settings["channels"]), value, np.int16)
        worker = threading.Thread(target=self.settings["callback"], args=(block, len(block), None, None))
        worker.start()
        worker.join()
        return block


class FakeSoundDevice:
    """Put it into ``sys.modules`` under the name ``sounddevice``.

    As the real one it looks for devices when it starts, and what it does not know it cannot open.
    """

    PortAudioError = PortAudioError

    def __init__(self, original: FakeSoundDevice | None = None) -> None:
        self._original = original or self
        self._known: list[dict[str, Any]] | None = None
        self._known_defaults = [-1, -1]
        self.listed: list[dict[str, Any]] = []
        """What is plugged in, of the original."""
        self.defaults = [-1, -1]
        self.renewed = 0
        self.start_error = ""
        self.refuse: Callable[[dict[str, Any]], bool] = lambda settings: False
        self.streams: list[FakeStream] = []
        self.started = threading.Event()
        self.connect_after_renewal: Callable[[], object] = lambda: None
        self.copies = 0
        self.dead: set[str] = set()
        """Names of devices whose streams run and give no sound."""

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

    def running(self) -> list[FakeStream]:
        return [stream for stream in self.streams if stream.active]

    def name_of(self, stream: FakeStream) -> str:
        """The device that ``stream`` belongs to."""
        assert stream.library._known is not None
        return str(stream.library._known[stream.settings["device"]]["name"])

    def duplicate(self) -> FakeSoundDevice:
        """A copy with a look of its own at the same devices."""
        self._original.copies += 1
        copy = FakeSoundDevice(self._original)
        copy._look()
        return copy

    @property
    def default(self) -> SimpleNamespace:
        self._look_once()
        return SimpleNamespace(device=self._known_defaults)

    def query_devices(self) -> Sequence[dict[str, Any]]:
        self._look_once()
        assert self._known is not None
        return self._known

    def query_hostapis(self) -> Sequence[dict[str, Any]]:
        return [{"name": "ALSA"}, {"name": "JACK"}, {"name": "Core Audio"}]

    def _look_once(self) -> None:
        if self._known is None:
            self._look()

    def _look(self) -> None:
        self._known = list(self._original.listed)
        self._known_defaults = list(self._original.defaults)

    def _terminate(self) -> None:
        used = [stream for stream in self._original.streams if stream.library is self and not stream.closed]
        assert not used, "PortAudio was ended under an open stream"

    def _initialize(self) -> None:
        self._original.renewed += 1
        self._original.connect_after_renewal()
        self._look()

    def InputStream(self, **settings: Any) -> FakeStream:  # noqa: N802
        return self._open({**settings, "is_output": False})

    def OutputStream(self, **settings: Any) -> FakeStream:  # noqa: N802
        return self._open({**settings, "is_output": True})

    def _open(self, settings: dict[str, Any]) -> FakeStream:
        if self._original.refuse(settings):
            raise PortAudioError("Error opening Stream: Invalid sample rate", -9997)
        if self.query_devices()[settings["device"]] not in self._original.listed:
            raise PortAudioError("Error opening Stream: Device unavailable", -9985)
        self._original.streams.append(FakeStream(self, settings))
        return self._original.streams[-1]
