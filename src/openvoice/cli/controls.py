"""The keys of a call: compare words, change devices, talk, show camera and screen."""

from __future__ import annotations

import asyncio
import string
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

from openvoice import (
    Call,
    CallFailed,
    CallState,
    Device,
    OpenVoiceError,
    Processing,
    TalkMode,
    VideoLabel,
    VideoSource,
    sound_devices,
)
from openvoice.cli.keyboard import Turn
from openvoice.cli.printing import Printer

SAME, DIFFERENT, DEVICES, TALK, CAMERA, SCREEN = "v", "x", "d", " ", "c", "s"
_LABELS = string.digits[1:] + string.ascii_lowercase


@asynccontextmanager
async def controlled(
    call: Call,
    shown: Printer,
    *,
    asks: bool,
    processing: Processing | None = None,
    camera: VideoSource | None = None,
    turn: Turn | None = None,
) -> AsyncIterator[None]:
    """While this lasts, and if ``asks``, keys count as long as the call is active.

    ``processing`` is what another microphone gets; without it the devices stay as they are. ``camera`` is what is shown
    when somebody wants the camera on. ``turn`` says who may read the terminal.
    """
    if not asks:
        yield
        return
    controls = _Controls(call, shown, processing, camera)
    task = asyncio.create_task(controls.run(turn or Turn()))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class _Controls:
    def __init__(self, call: Call, shown: Printer, processing: Processing | None, camera: VideoSource | None) -> None:
        self._call = call
        self._shown = shown
        self._processing = processing
        self._camera = camera
        self._decided = False
        self._offered: dict[str, tuple[str, Device]] = {}
        """What the next key chooses: the direction and the device."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, turn: Turn) -> None:
        """Read keys until the call has ended."""
        with suppress(CallFailed):
            await self._call.wait_for(CallState.ACTIVE)
            if self._processing is not None:
                self._shown.say("d: another microphone or loudspeaker; c: camera on or off; s: screen")
            if self._call.talk.mode is TalkMode.PUSH_TO_TALK:
                self._shown.say("space: talk, and again: be silent. You are not heard now")
            try:
                await turn.keys(self._press, until=self._call.wait_closed())
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    def _press(self, key: str) -> None:
        key = key.lower()
        if self._offered:
            chosen = self._offered.get(key)
            self._offered = {}
            if chosen is not None:
                self._do(self._use(*chosen))
            else:
                self._shown.say("the devices stay as they are")
        elif key in (SAME, DIFFERENT) and self._call.verification_words is not None and not self._decided:
            self._decided = True
            self._do(self._call.confirm_verified() if key == SAME else self._call.reject_words())
        elif key == DEVICES and self._processing is not None:
            self._do(self._offer(self._processing))
        elif key == CAMERA:
            self._do(self._show_camera())
        elif key == SCREEN:
            self._do(self._show_screen())
        elif key == TALK and self._call.talk.mode is TalkMode.PUSH_TO_TALK:
            self._talk()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        async def done() -> None:
            try:
                await work
            except OpenVoiceError as error:
                self._shown.say(str(error))

        task = asyncio.create_task(done())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _show_camera(self) -> None:
        if VideoLabel.CAMERA in self._call.showing:
            await self._call.remove_video()
        else:
            await self._call.add_video(self._camera)

    async def _show_screen(self) -> None:
        if VideoLabel.SCREEN in self._call.showing:
            await self._call.stop_screen()
        else:
            await self._call.share_screen()

    def _talk(self) -> None:
        """A terminal tells when a key is pressed, and never when it is let go."""
        if self._call.talk.pressed:
            self._call.talk.release()
        else:
            self._call.talk.press()
        self._shown.say("you are heard" if self._call.talk.pressed else "you are not heard any more")

    async def _offer(self, processing: Processing) -> None:
        """Show the devices that there are now; the next key is a choice."""
        found = await asyncio.to_thread(sound_devices, renew=True)
        choices: list[tuple[str, str, Device]] = []
        for kind, noun in (("input", "microphone"), ("output", "loudspeaker")):
            choices.append((kind, f"{noun}: as the system has it", Device(processing=processing)))
            names = dict.fromkeys(device.name for device in found if device.kind == kind)
            choices += [(kind, f"{noun}: {name}", Device(name, processing)) for name in names if name != "default"]
        self._offered = {}
        for label, (kind, text, device) in zip(_LABELS, choices, strict=False):
            self._offered[label] = kind, device
            self._shown.say(f"{label}  {text}")
        self._shown.say("Press what stands before the one to use; any other key leaves all as it is.")

    async def _use(self, kind: str, device: Device) -> None:
        await (self._call.set_input(device) if kind == "input" else self._call.set_output(device))
