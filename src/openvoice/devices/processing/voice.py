"""The processing of one microphone, which knows what one loudspeaker plays."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from openvoice.core.inputs import DeviceChanged
from openvoice.core.processing import Processing
from openvoice.core.types import DeviceChange, SoundDirection
from openvoice.devices.processing.alignment import Alignment
from openvoice.devices.processing.lead import Lead
from openvoice.devices.processing.reference import BLOCK_SAMPLES, Reference
from openvoice.devices.processing.webrtc import Block, Processor, WebRtcProcessor
from openvoice.errors import DeviceFailed
from openvoice.ports import SAMPLE_RATE

Samples = npt.NDArray[np.int16]

BLOCK_SECONDS = BLOCK_SAMPLES / SAMPLE_RATE
OVER = 0.1
"""Seconds after its last sound at which a loudspeaker plays no more."""


class VoiceProcessor:
    """Shared by the microphone and the loudspeaker of a call, whichever these are at the moment.

    The loudspeaker says what it :meth:`played` and when that is heard, the microphone what it :meth:`captured` and
    when. Times are seconds of ``time.monotonic()``. Blocks are 10 ms long: other lengths are other rates.
    """

    def __init__(self, processing: Processing, make: Callable[[Processing], Processor] = WebRtcProcessor) -> None:
        self._processing = processing
        self._make = make
        self._begun = False
        self._processor: Processor | None = None
        self._reference: Reference | None = None
        self._aligned: Reference | None = None
        self._alignment = Alignment()
        self._lead = Lead()

    @property
    def ready(self) -> bool:
        """Whether captured sound is processed. Until it is, and where it cannot be, it goes as it comes."""
        return self._processor is not None

    @property
    def drift(self) -> float:
        """By how much the loudspeaker's clock is faster than the microphone's: 1e-6 is 1 ppm."""
        return self._alignment.drift

    def change(self, processing: Processing) -> None:
        """Do this to the sound of the microphone that is started next."""
        if processing != self._processing:
            self._processing, self._processor, self._begun = processing, None, False

    def start(self, report: Callable[[DeviceChanged], None]) -> None:
        """Load what processes, on a thread of its own. ``report`` is told on the event loop that runs now, once, if
        there is none. Twice is once.
        """
        if self._begun or not self._processing:
            return
        self._begun = True
        self._report = report
        loop = asyncio.get_running_loop()
        processing = self._processing

        def load() -> None:
            try:
                made = self._make(processing)
                if processing is self._processing:
                    self._processor = made
            except DeviceFailed as error:
                # The loop may be closed by now.
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(self._give_up, processing, error)

        threading.Thread(target=load, name="openvoice-processing").start()

    def renew(self) -> None:
        """Another device has come, or the same one again: what was known of their clocks is forgotten. Any thread."""
        self._aligned = None

    def played(self, samples: Samples, time: float) -> None:
        """A block that is heard from ``time`` on, at the loudspeaker's rate. Runs on the device's thread."""
        if not self._processing.echo:
            return
        reference = self._reference
        if reference is None or reference.block_samples != len(samples):
            self._reference = reference = Reference(len(samples))
        reference.played(samples, time)

    def captured(self, samples: Samples, time: float) -> Samples:
        """Samples captured from ``time`` on, whole blocks at 48 kHz, as they are to be sent."""
        made = samples.copy()
        for begin in range(0, len(samples), BLOCK_SAMPLES):
            block = made[begin : begin + BLOCK_SAMPLES]
            far = self._far(time + begin / SAMPLE_RATE) if self._processing.echo else None
            # Read once: another thread may choose other processing at any moment.
            processor = self._processor
            if processor is not None:
                try:
                    block[:] = processor.process(block, far, self._lead.seconds)
                except DeviceFailed as error:
                    self._give_up(self._processing, error)
        return made

    def _give_up(self, processing: Processing, error: DeviceFailed) -> None:
        self._processor = None
        text = f"The microphone is sent as it is, without care for {processing}: {error}"
        self._report(DeviceChanged(direction=SoundDirection.INPUT, what=DeviceChange.FAILED, text=text))

    def _far(self, time: float) -> Block:
        """What the loudspeaker sounds a lead after ``time``; silence when it plays nothing."""
        reference = self._reference
        if reference is None:
            return _SILENCE
        if reference is not self._aligned:
            self._aligned, self._alignment, self._lead = reference, Alignment(), Lead()
        reference.take_in()
        told = reference.heard_at(time + self._lead.seconds)
        if told is None or told > reference.end + OVER * SAMPLE_RATE:
            return _SILENCE
        place = self._alignment.follow(told)
        spare = (reference.end - told) / SAMPLE_RATE - BLOCK_SECONDS
        self._alignment.move(self._lead.note(spare, first=place is None) * SAMPLE_RATE)
        far = reference.read(*place) if place is not None else None
        if far is None:
            return _SILENCE
        rounded: Block = np.clip(np.rint(far), -32768, 32767).astype(np.int16)
        return rounded


_SILENCE: Block = np.zeros(BLOCK_SAMPLES, np.int16)
