"""Keeps a stream to a sound device open, whatever happens to the device."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

from openvoice.core.inputs import DeviceChanged
from openvoice.core.types import DeviceChange, SoundDirection
from openvoice.devices.choice import Choice
from openvoice.devices.library import PORTAUDIO, reason
from openvoice.devices.line import RING_SECONDS, Line
from openvoice.devices.listing import Device, devices
from openvoice.devices.stream import DeviceStream
from openvoice.errors import DeviceFailed

RETRY_SECONDS = 1.0
LOOK_SECONDS = 0.1
FRESH_SECONDS = 2.0
"""Before its first stream a keeper looks for devices again, unless that was done so shortly before."""
BEGUN_BLOCKS = 10
"""So many blocks of a new stream are sound that flows: some sound systems give a few, and then nothing for a second."""


class StreamKeeper:
    """Opens the stream of a device, another one when it is lost or a better one is there, and closes it when told to.

    A new stream begins before the old one ends; which of the two lines is heard is decided by whoever made them.
    All of that happens on a thread of its own: a sound system may take longer to answer than the event loop can wait.

    ``opened`` is called on the event loop, with the name of the device of each new stream or with what keeps the first
    one from running. With ``insist`` only what was asked for may be the first, sound must flow before it counts, and
    without it there is none. ``report`` is called on the event loop for each thing that changes after that.
    """

    def __init__(
        self,
        choice: Choice,
        open_line: Callable[[int], Line],
        *,
        opened: Callable[[str | DeviceFailed], None],
        report: Callable[[DeviceChanged], None],
        insist: bool = False,
    ) -> None:
        self._choice = choice
        self._noun = choice.kind.noun
        self._open_line = open_line
        self._opened = opened
        self._report = report
        self._insist = insist
        self._looked = False
        self._told: DeviceChanged | None = None
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"openvoice-{self._noun}")
        self._thread.start()

    def stop(self) -> None:
        """Let the device go, as soon as what it was given is played; this does not wait for that."""
        self._stop.set()

    def _run(self) -> None:
        stream: DeviceStream | None = None
        while not self._unwanted():
            stream = self._improve(stream)
            if stream is not None:
                self._insist = False
            elif self._insist:
                return
            stream = self._watch(stream)
        if stream is not None:
            self._end(stream)

    def _improve(self, stream: DeviceStream | None) -> DeviceStream | None:
        """The best stream there can be now: ``stream``, which works, or another one."""
        renew, self._looked = self._looked or PORTAUDIO.age > FRESH_SECONDS, True
        try:
            with PORTAUDIO.use(renew=renew) as sounddevice:
                fresh = self._try(sounddevice, stream)
        except DeviceFailed as error:
            if self._insist and not renew:
                # It may have been plugged in a moment ago.
                return self._improve(stream)
            if stream is None:
                self._fail(error)
            return stream
        if fresh is None:
            return stream
        if (stream is not None or self._insist) and not self._begins(fresh):
            fresh.close(play_out=False)
            if stream is None:
                self._fail(DeviceFailed(f"the {self._noun} {fresh.device.name!r} gives no sign of life"))
            return stream
        if stream is not None:
            self._end(stream)
        self._tell_of(fresh.device, before=stream)
        return fresh

    def _try(self, sounddevice: Any, stream: DeviceStream | None) -> DeviceStream | None:
        """A new stream, or ``None`` if there is nothing better. Raises the first failure if all fail."""
        listed, now = devices(), time.monotonic()
        if self._insist:
            candidates = [self._choice.meant(listed)]
        elif stream is None:
            candidates = self._choice.first(listed, now)
        else:
            better = self._choice.better(listed, stream.device, now)
            candidates = [better] if better else []
        failure: Exception | None = None
        for device in candidates:
            try:
                return DeviceStream(sounddevice, device, self._open_line)
            except sounddevice.PortAudioError as error:
                failure = failure or error
                if self._choice.is_meant(device):
                    self._choice.why = reason(error)
        if failure is not None:
            raise failure
        return None

    def _begins(self, fresh: DeviceStream) -> bool:
        """Wait until sound flows; whether it does."""
        step = LOOK_SECONDS / 10
        while fresh.lives(step) and not self._unwanted():
            if fresh.line.blocks > BEGUN_BLOCKS:
                return True
            self._stop.wait(step)
        return False

    def _end(self, stream: DeviceStream) -> None:
        """Close a stream that works, as soon as what its line was given is played."""
        end = time.monotonic() + RING_SECONDS
        while not stream.line.over and stream.lives(0) and time.monotonic() < end:
            time.sleep(LOOK_SECONDS / 10)
        stream.close(play_out=True)

    def _watch(self, stream: DeviceStream | None) -> DeviceStream | None:
        """Wait until there may be something to do; the stream, unless it is lost by then."""
        if stream is None:
            self._stop.wait(RETRY_SECONDS)
            return None
        looks = self._choice.may_improve(stream.device)
        waited = 0.0
        while stream.lives(LOOK_SECONDS):
            self._stop.wait(LOOK_SECONDS)
            waited += LOOK_SECONDS
            if self._unwanted() or (looks and waited >= RETRY_SECONDS):
                return stream
        stream.close(play_out=False)
        self._choice.lose()
        name = "" if self._choice.follows else f" {stream.device.name!r}"
        text = f"The {self._noun}{name} is gone; the call goes on without it until it is back."
        self._tell(DeviceChange.LOST, stream.device.name, text)
        return None

    # --- what is told -------------------------------------------------------------------------------------------------

    def _fail(self, error: DeviceFailed) -> None:
        self._choice.lose()
        self._call(self._opened, error)
        if not self._insist:
            self._tell(DeviceChange.MISSING, self._choice.name, f"The {self._noun} does not work: {error}")

    def _tell_of(self, device: Device, before: DeviceStream | None) -> None:
        self._call(self._opened, device.name)
        if not self._choice.is_meant(device):
            why = f" ({self._choice.why})" if self._choice.why else ""
            text = f"{device.name!r} is the {self._noun} until {self._choice.name!r} works{why}."
            self._tell(DeviceChange.SUBSTITUTED, device.name, text)
        elif before is not None and self._choice.follows:
            text = f"The system settings changed: {device.name!r} is the {self._noun} now."
            self._tell(DeviceChange.FOLLOWED, device.name, text)
        elif self._told is not None:
            name = "" if self._choice.follows else f" {device.name!r}"
            self._tell(DeviceChange.RESTORED, device.name, f"The {self._noun}{name} works again.")

    def _tell(self, what: DeviceChange, device: str | None, text: str) -> None:
        changed = DeviceChanged(direction=SoundDirection(self._choice.kind.value), what=what, device=device, text=text)
        if changed != self._told:
            self._told = changed
            self._call(self._report, changed)

    def _call(self, told: Callable[[Any], None], what: object) -> None:
        # The loop may be closed a moment later.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._deliver, told, what)

    def _deliver(self, told: Callable[[Any], None], what: object) -> None:
        if not self._stop.is_set():
            told(what)

    def _unwanted(self) -> bool:
        """Whether it was stopped, or forgotten by a loop that is no more."""
        return self._stop.is_set() or self._loop.is_closed()
