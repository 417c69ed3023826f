"""Lets a person hear what becomes of calls: ring, ring-back, busy, ended."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import TYPE_CHECKING, Self

from openvoice.client.client import Client
from openvoice.client.happening import Happening
from openvoice.client.sound import Device
from openvoice.core.events import CallPlaced
from openvoice.core.tones import Tone, ToneChoice

if TYPE_CHECKING:
    from openvoice.devices.player import PlayedTone


class Tones:
    """Plays a tone for each thing that a person at this machine waits for. Nothing of it is sent to anybody.

    Only faces with a person before them want this: it is off unless somebody makes one. ``output`` is where all but the
    ring are heard, ``ring`` where it rings; ``None`` is nowhere. ::

        async with client, Tones(client, output=Device(), ring=Device("speakers")):
            ...

    Calls that the policy answers without asking do not ring. It ends when the last tone has.
    """

    def __init__(self, client: Client, *, output: Device | None = None, ring: Device | None = None) -> None:
        self._client = client
        self._devices = {Tone.RING: ring, Tone.RING_BACK: output, Tone.BUSY: output, Tone.ENDED: output}
        self._choice = ToneChoice()
        self._lasting: Tone | None = None
        self._sounding: PlayedTone | None = None
        self._ending: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._happenings = self._client.events()
        self._task = asyncio.create_task(self._listen(), name="openvoice tones")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            # What was told until now is still heard.
            await self._happenings.aclose()
            await self._task
            if kind is None and self._lasting is None:
                await self._quiet.wait()
        finally:
            self._task.cancel()
            self._stop()

    async def _listen(self) -> None:
        async for happening in self._happenings:
            self._hear(happening)

    def _hear(self, happening: Happening) -> None:
        event = happening.event
        if happening.call is None or event is None:
            return
        call = next((call for call in self._client.calls if call.id == happening.call), None)
        alone = call is not None and self._client.answers(call)
        once = self._choice.hear(happening.call, event, answered_alone=alone)
        lasting = self._choice.lasting
        if lasting is not self._lasting or (lasting is None and isinstance(event, CallPlaced)):
            self._lasting = lasting
            self._stop()
            if lasting is not None:
                self._play(lasting)
        if once is not None and lasting is None:
            self._play(once)

    def _play(self, tone: Tone) -> None:
        from openvoice.devices.player import PlayedTone
        from openvoice.devices.tones import seconds

        self._stop()
        device = self._devices[tone]
        if device is None:
            return
        self._sounding = PlayedTone(tone, device.selector)
        if not tone.lasts:
            self._quiet.clear()
            self._ending = asyncio.get_running_loop().call_later(seconds(tone), self._stop)

    def _stop(self) -> None:
        """At once."""
        if self._ending is not None:
            self._ending.cancel()
        if self._sounding is not None:
            self._sounding.stop()
        self._sounding = self._ending = None
        self._quiet.set()
