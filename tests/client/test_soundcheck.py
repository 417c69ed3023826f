"""A whole test of devices, in a room on a virtual clock."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable
from contextlib import aclosing

import numpy as np
import pytest

from openvoice import (
    Device,
    DeviceFailed,
    Processing,
    SoundProgress,
    SoundReport,
    SoundStage,
    check_devices,
    load_sound,
)
from openvoice.client import soundcheck
from openvoice.client.soundcheck import in_time
from openvoice.core.diagnosis import Outcome, Step
from openvoice.core.inputs import DeviceChanged
from openvoice.core.types import DeviceChange, SoundDirection
from openvoice.devices.processing.voice import VoiceProcessor
from openvoice.devices.processing.webrtc import WebRtcProcessor
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS, Frame
from openvoice.samples import sample
from tests.media.audio.virtual_time import run

SENTENCE = load_sound(sample("alice"))
ANSWER = load_sound(sample("bob"))
WAY = 5
"""Frames from the loudspeaker to the microphone."""


class Room:
    """A loudspeaker, a microphone that hears it, and a user who speaks when told to."""

    def __init__(self) -> None:
        self.echo = 0.1
        self.noise = 5.0
        self.voice = 0.5
        self.mute = False
        self.lose_at = -1
        self.played: list[Frame] = []
        self.speaking = False
        self.running: set[str] = set()
        self.failure: DeviceFailed | None = None
        self._said = 0
        self._random = np.random.default_rng(1)

    def heard(self) -> Frame:
        sound = self.noise * self._random.standard_normal(FRAME_SAMPLES)
        if len(self.played) > WAY:
            sound += self.echo * self.played[-1 - WAY]
        if self.speaking:
            sound += self.voice * np.resize(ANSWER, self._said + FRAME_SAMPLES)[-FRAME_SAMPLES:]
            self._said += FRAME_SAMPLES
        return np.clip(np.rint(sound), -32768, 32767).astype(np.int16) * np.int16(not self.mute)


class FakeDevice:
    rate = 48_000
    missed = 0
    room: Room

    def __init__(self, selector: str | None, processor: VoiceProcessor, *, insist: bool) -> None:
        assert insist
        self._processor = processor
        self._task: asyncio.Task[None] | None = None

    async def opened(self) -> None:
        if self.room.failure:
            raise self.room.failure

    def stop(self) -> None:
        assert self._task is not None
        self._task.cancel()
        self.room.running.discard(type(self).__name__)

    def _begin(self, step: Callable[[], None]) -> None:
        self.room.running.add(type(self).__name__)

        async def turn() -> None:
            loop = asyncio.get_running_loop()
            due = loop.time()
            while True:
                step()
                due += FRAME_SECONDS
                await asyncio.sleep(due - loop.time())

        self._task = asyncio.get_running_loop().create_task(turn())


class FakeLoudspeaker(FakeDevice):
    def start(self, request: Callable[[], Frame], report: Callable[[DeviceChanged], None]) -> None:
        def step() -> None:
            frame = request()
            self.room.played.append(frame)
            now = asyncio.get_running_loop().time()
            for half in (0, 1):
                self._processor.played(frame[480 * half : 480 * (half + 1)], now + 0.06 + half * 0.01)

        self._begin(step)


class FakeMicrophone(FakeDevice):
    def start(self, deliver: Callable[[Frame | None], None], report: Callable[[DeviceChanged], None]) -> None:
        self._processor.start(report)
        frames = 0

        def step() -> None:
            nonlocal frames
            frames += 1
            if frames == self.room.lose_at:
                gone = "The microphone is gone."
                report(DeviceChanged(direction=SoundDirection.INPUT, what=DeviceChange.LOST, text=gone))
            if 0 < self.room.lose_at <= frames:
                return
            deliver(self._processor.captured(self.room.heard(), asyncio.get_running_loop().time() - 0.03))

        self._begin(step)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    made = Room()
    monkeypatch.setattr(FakeDevice, "room", made, raising=False)
    monkeypatch.setattr(soundcheck, "Microphone", FakeMicrophone)
    monkeypatch.setattr(soundcheck, "Loudspeaker", FakeLoudspeaker)
    monkeypatch.setattr(Device, "check", lambda self, kind: None)

    def load_at_once(self: VoiceProcessor, report: Callable[[DeviceChanged], None]) -> None:
        if self._processing:
            self._processor = WebRtcProcessor(self._processing)

    monkeypatch.setattr(VoiceProcessor, "start", load_at_once)
    return made


def check(room: Room, processing: Processing | None = None) -> tuple[list[SoundProgress], SoundReport]:
    async def work() -> tuple[list[SoundProgress], SoundReport]:
        progress: list[SoundProgress] = []
        report = None
        source = Device("a") if processing is None else Device("a", processing)
        async with aclosing(check_devices(source, Device("b"), SENTENCE)) as said:
            async for told in said:
                if isinstance(told, SoundReport):
                    report = told
                else:
                    progress.append(told)
                    room.speaking = told.stage is SoundStage.SPEAKING
        assert report is not None
        return progress, report

    return run(work())


def steps(report: SoundReport) -> dict[str, Step]:
    return {step.name: step for step in report.steps}


NONE = Processing(echo=False, noise=False, level=False)


@pytest.mark.skipif(not importlib.util.find_spec("livekit"), reason="livekit is not installed")
def test_good_devices_are_good(room: Room) -> None:
    progress, report = check(room)
    assert list(dict.fromkeys(each.stage for each in progress)) == list(SoundStage)
    assert {step.outcome for step in report.steps} == {Outcome.PASSED}, report.steps
    echo = report.figures.echo
    assert echo is not None
    assert echo.level == pytest.approx(-20, abs=1)
    assert echo.delay == pytest.approx(WAY * FRAME_SECONDS, abs=0.021)
    assert echo.removed is not None
    assert echo.removed > 20
    assert report.figures.speed == pytest.approx(1, abs=0.002)
    assert room.running == set()


def test_the_level_is_shown_and_the_time_that_is_left(room: Room) -> None:
    progress, _ = check(room, NONE)
    speaking = [each for each in progress if each.stage is SoundStage.SPEAKING]
    assert len(speaking) == pytest.approx(50, abs=2)
    assert max(each.level for each in speaking) > -25
    assert [each.left for each in speaking] == sorted((each.left for each in speaking), reverse=True)
    assert max(each.level for each in progress if each.stage is SoundStage.QUIET) < -70


def test_the_user_hears_what_was_said(room: Room) -> None:
    room.echo = room.noise = 0.0
    check(room, NONE)
    played = np.concatenate(room.played)
    said = np.rint(0.5 * np.resize(ANSWER, 48_000)).astype(np.int16)
    assert said[20_000:22_000].tobytes() in played.tobytes()


def test_without_processing_others_hear_themselves(room: Room) -> None:
    _, report = check(room, NONE)
    assert steps(report)["echo"].outcome is Outcome.WARNING
    assert not report.figures.processed


def test_a_muted_microphone(room: Room) -> None:
    room.mute = True
    _, report = check(room, NONE)
    assert [(step.name, step.outcome) for step in report.steps] == [("microphone", Outcome.FAILED)]


def test_a_monitor_is_no_microphone(room: Room) -> None:
    room.echo, room.noise, room.voice = 1.0, 0.0, 0.0
    _, report = check(room, NONE)
    assert "no microphone" in steps(report)["microphone"].text


@pytest.mark.parametrize(("voice", "text"), [(8.0, "clipped"), (0.0, "none was heard"), (0.02, "it is quiet")])
def test_a_voice_that_is_too_loud_or_too_quiet(room: Room, voice: float, text: str) -> None:
    room.voice, room.noise = voice, 1.0
    _, report = check(room, NONE)
    assert text in steps(report)["voice"].text


def test_a_headset_and_a_loud_room(room: Room) -> None:
    room.echo, room.noise = 0.0, 500.0
    _, report = check(room, NONE)
    assert steps(report)["loudspeaker"].outcome is Outcome.HINT
    assert steps(report)["noise"].outcome is Outcome.WARNING


@pytest.mark.parametrize("frame", [5, 200, 500])
def test_a_device_that_is_lost_is_told_and_the_test_ends(room: Room, frame: int) -> None:
    room.lose_at = frame
    _, report = check(room, NONE)
    assert steps(report)["devices"].text == "The microphone is gone."
    assert steps(report)["devices"].outcome is Outcome.FAILED
    assert room.running == set()


def test_a_device_that_does_not_open_is_an_error(room: Room) -> None:
    room.failure = DeviceFailed("it is busy")
    with pytest.raises(DeviceFailed, match="it is busy"):
        check(room, NONE)
    assert room.running == set()


def test_a_device_that_never_opens_is_an_error(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(self: FakeDevice) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(FakeLoudspeaker, "opened", never)
    with pytest.raises(DeviceFailed, match="does not open"):
        check(room, NONE)
    assert room.running == set()


def test_a_microphone_that_gives_nothing_is_an_error(room: Room) -> None:
    room.lose_at = 1
    with pytest.raises(DeviceFailed, match="gives no sound"):
        check(room, NONE)


def test_whoever_stops_listening_lets_the_devices_go(room: Room) -> None:
    async def work() -> None:
        async with aclosing(check_devices(Device("a", NONE), Device("b"), SENTENCE)) as said:
            async for told in said:
                if isinstance(told, SoundProgress) and told.stage is SoundStage.PLAYING:
                    break
        assert room.running == set()

    run(work())


def test_lost_sound_is_silence_in_its_place() -> None:
    frames = [np.full(960, value, np.int16) for value in (1, 2, 3)]
    joined = in_time(frames, [1.0, 1.0205, 1.1])
    assert joined[:960].tolist() + joined[960:1920].tolist() == [1] * 960 + [2] * 960
    assert joined[-960:].tolist() == [3] * 960
    assert len(joined) == pytest.approx(0.12 * 48_000, abs=50)
    assert in_time([], []).size == 0
