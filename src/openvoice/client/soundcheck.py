"""Tries a microphone and a loudspeaker: what they do in a call, without a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from openvoice.client.sound import Device
from openvoice.core.diagnosis import Step
from openvoice.core.inputs import DeviceChanged
from openvoice.core.processing import Processing
from openvoice.core.soundcheck import SoundFigures, judge
from openvoice.core.types import DeviceChange
from openvoice.devices.line import BLOCKS_PER_SECOND
from openvoice.devices.loudspeaker import Loudspeaker
from openvoice.devices.measuring import clipped_share, find_echo, level, noise_level, voice_level
from openvoice.devices.microphone import Microphone
from openvoice.devices.processing.voice import VoiceProcessor
from openvoice.errors import DeviceFailed
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS, SAMPLE_RATE, Frame

LOOK_SECONDS = 0.1
OPEN_WITHIN = 5.0
"""Seconds that a device may take to begin, and the processing to load."""
QUIET_SECONDS = 2.0
SPEAK_SECONDS = 5.0
TAIL_SECONDS = 1.0
"""How long an echo is waited for."""


class SoundStage(StrEnum):
    """What a test does at the moment."""

    OPENING = "opening"
    QUIET = "quiet"
    """Nobody should speak."""
    PLAYING = "playing"
    """A voice is to be heard from the loudspeaker."""
    SPEAKING = "speaking"
    """The user should say a sentence."""
    REPEATING = "repeating"
    """The user hears what was said, as others would."""


@dataclass(frozen=True, slots=True)
class SoundProgress:
    """Said ten times a second: the microphone's ``level`` in dBFS, and the seconds of the stage that are ``left``."""

    stage: SoundStage
    level: float
    left: float


@dataclass(frozen=True, slots=True)
class SoundReport:
    """The last that a test says."""

    figures: SoundFigures
    steps: tuple[Step, ...]


async def check_devices(
    source: Device, sink: Device, sentence: Frame
) -> AsyncGenerator[SoundProgress | SoundReport, None]:
    """Listen, play ``sentence`` (``int16``, mono, 48 kHz), listen to the user, play that back; then say what was found.

    It takes about 15 seconds. Nothing of what was heard is kept once it ends, or is closed.

    Raises:
        DeviceFailed: there is no such device, or it does not open; the message says what to do.
    """
    source.check("input")
    sink.check("output")
    test = _Test(source, sink, sentence)
    try:
        async for progress in test.run():
            yield progress
    finally:
        test.stop()
    figures = test.figures()
    yield SoundReport(figures, tuple(judge(figures)))


class _Test:
    """Both devices, what one was given and what the other gave."""

    def __init__(self, source: Device, sink: Device, sentence: Frame) -> None:
        # An even level would hide how loud the voice is, and how much of an echo is left.
        self._processor = _Noting(replace(source.processing, level=False))
        self._microphone = Microphone(source.selector, self._processor, insist=True)
        self._loudspeaker = Loudspeaker(sink.selector, self._processor, insist=True)
        self._loop = asyncio.get_running_loop()
        self._sentence = sentence
        self._to_play: list[Frame] = []
        self._asked: list[float] = []
        self._sentence_asked: list[float] = []
        self._troubles: list[str] = []
        self._spans: dict[SoundStage, slice] = {}

    async def run(self) -> AsyncIterator[SoundProgress]:
        self._loudspeaker.start(self._next, self._changed)
        self._microphone.start(_ignore, self._changed)
        yield SoundProgress(SoundStage.OPENING, level(_joined([])), OPEN_WITHIN)
        for device in (self._loudspeaker, self._microphone):
            try:
                await asyncio.wait_for(device.opened(), OPEN_WITHIN)
            except TimeoutError as error:
                raise DeviceFailed("a sound device does not open: choose another, or try again") from error
        async for progress in self._stage(SoundStage.OPENING, OPEN_WITHIN, lambda: self._ready):
            yield progress
        if not self._processor.raw:
            raise DeviceFailed("the microphone opens, but gives no sound: choose another with --input")
        async for progress in self._stage(SoundStage.QUIET, QUIET_SECONDS):
            yield progress
        self._sentence_asked = self._play(self._sentence)
        async for progress in self._stage(SoundStage.PLAYING, len(self._sentence) / SAMPLE_RATE + TAIL_SECONDS):
            yield progress
        async for progress in self._stage(SoundStage.SPEAKING, SPEAK_SECONDS):
            yield progress
        self._play(self._heard(SoundStage.SPEAKING, self._processor.processed))
        async for progress in self._stage(SoundStage.REPEATING, SPEAK_SECONDS):
            yield progress

    def stop(self) -> None:
        self._microphone.stop()
        self._loudspeaker.stop()

    def figures(self) -> SoundFigures:
        heard, ready = self._processor, self._processor.ready
        said, noise = self._heard(SoundStage.SPEAKING, heard.raw), noise_level(self._heard(SoundStage.QUIET, heard.raw))
        answer = self._heard(SoundStage.PLAYING, heard.processed) if ready else None
        lasted = max(FRAME_SECONDS, heard.arrived[-1] - heard.arrived[0])
        lost, late = self._microphone.missed / self._microphone.rate, self._loudspeaker.missed / BLOCKS_PER_SECOND
        return SoundFigures(
            microphone_rate=self._microphone.rate,
            loudspeaker_rate=self._loudspeaker.rate,
            speed=((len(heard.arrived) - 1) * FRAME_SECONDS + lost) / lasted,
            late=max(lost, late) / lasted,
            silent=not any(frame.any() for frame in heard.raw),
            noise=noise,
            voice=voice_level(said),
            clipped=clipped_share(said),
            echo=find_echo(self._sentence, self._heard(SoundStage.PLAYING, heard.raw), answer, noise, self._behind()),
            processed=ready,
            troubles=tuple(dict.fromkeys(self._troubles)),
        )

    async def _stage(
        self, stage: SoundStage, seconds: float, done: Callable[[], bool] = lambda: False
    ) -> AsyncIterator[SoundProgress]:
        begin, end = len(self._processor.raw), self._loop.time() + seconds
        while (left := end - self._loop.time()) > 0 and not done():
            yield SoundProgress(stage, level(_joined(self._processor.raw[-5:])), left)
            await asyncio.sleep(min(LOOK_SECONDS, left))
        self._spans[stage] = slice(begin, len(self._processor.raw))

    @property
    def _ready(self) -> bool:
        return bool(self._processor.raw) and self._processor.settled

    def _heard(self, stage: SoundStage, frames: list[Frame]) -> Frame:
        span = self._spans[stage]
        return in_time(frames[span], self._processor.times[span])

    def _play(self, sound: Frame) -> list[float]:
        """Returns the times at which its frames will have been asked for."""
        self._to_play = list(np.pad(sound, (0, -len(sound) % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES))
        self._asked = []
        return self._asked

    def _next(self) -> Frame:
        if not self._to_play:
            return np.zeros(FRAME_SAMPLES, np.int16)
        self._asked.append(self._loop.time())
        return self._to_play.pop(0)

    def _changed(self, change: DeviceChanged) -> None:
        if change.what in (DeviceChange.MISSING, DeviceChange.LOST):
            self._troubles.append(change.text)

    def _behind(self) -> float:
        """How long after the first of the sentence was given away the first came of what was heard meanwhile."""
        span = self._spans[SoundStage.PLAYING]
        times, arrived = np.array(self._processor.times[span]), np.array(self._processor.arrived[span])
        asked = np.array(self._sentence_asked[:25])
        if not len(times) or not len(asked):
            return 0.0
        begun = np.median(asked - FRAME_SECONDS * np.arange(len(asked)))
        return float(times[0] + np.median(arrived - times) - begun)


class _Noting(VoiceProcessor):
    """Keeps what was captured, as it was and as it would be sent."""

    def __init__(self, processing: Processing) -> None:
        super().__init__(processing)
        self.raw: list[Frame] = []
        self.processed: list[Frame] = []
        self.times: list[float] = []
        self.arrived: list[float] = []
        self._missing: list[DeviceChanged] = []
        self._wanted = bool(processing)

    @property
    def settled(self) -> bool:
        """Whether it processes, or is known not to."""
        return self.ready or bool(self._missing) or not self._wanted

    def start(self, report: Callable[[DeviceChanged], None]) -> None:
        super().start(self._missing.append)

    def captured(self, samples: Frame, time: float) -> Frame:
        made = super().captured(samples, time)
        self.raw.append(samples)
        self.processed.append(made)
        self.times.append(time)
        self.arrived.append(asyncio.get_running_loop().time())
        return made


def _ignore(frame: Frame | None) -> None:
    """What was captured was noted before it was delivered."""


def _joined(frames: list[Frame]) -> Frame:
    return np.concatenate([*frames, np.zeros(0, np.int16)])


def in_time(frames: list[Frame], times: list[float]) -> Frame:
    """The frames in their order, with silence where some are missing, as the ``times`` of their first samples show."""
    joined: list[Frame] = []
    end = times[0] if times else 0.0
    for frame, time in zip(frames, times, strict=True):
        if time - end > FRAME_SECONDS / 2:
            joined.append(np.zeros(round((time - end) * SAMPLE_RATE), np.int16))
            end = time
        joined.append(frame)
        end += len(frame) / SAMPLE_RATE
    return _joined(joined)
