"""The test of devices against a real sound system: PulseAudio with virtual cards, through the real PortAudio."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest

from openvoice import Device, SoundProgress, SoundReport, SoundStage, check_devices, load_sound
from openvoice.client import soundcheck
from openvoice.core.diagnosis import Outcome, Step
from openvoice.devices.loudspeaker import Loudspeaker
from openvoice.ports import FRAME_SAMPLES, Frame
from openvoice.samples import sample
from tests.devices.pulse import PulseAudio, plugged

ALSA = Path("/usr/share/alsa/alsa.conf")
pytestmark = [
    pytest.mark.sound,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("pulseaudio") or not shutil.which("pactl"), reason="PulseAudio is missing"),
    pytest.mark.skipif(not ALSA.exists(), reason="libasound is missing"),
    pytest.mark.skipif(not importlib.util.find_spec("sounddevice"), reason="sounddevice is missing"),
]
SENTENCE = load_sound(sample("alice"))[: 3 * 48_000]
ANSWER = load_sound(sample("bob"))


@pytest.fixture
def pulse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PulseAudio]:
    with plugged(PulseAudio(tmp_path), monkeypatch) as daemon:
        yield daemon


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundcheck, "QUIET_SECONDS", 0.4)
    monkeypatch.setattr(soundcheck, "SPEAK_SECONDS", 0.8)


async def check(microphone: str, voice: Frame | None = None) -> tuple[SoundReport, dict[str, Step]]:
    """``voice`` is what the user says into the microphone when asked to."""
    mouth = Loudspeaker("ov_room")
    to_say: list[Frame] = []

    def say() -> Frame:
        return to_say.pop(0) if to_say else np.zeros(FRAME_SAMPLES, np.int16)

    if voice is not None:
        mouth.start(say, lambda change: None)
    try:
        async with aclosing(check_devices(Device(microphone), Device("ov_speaker"), SENTENCE)) as said:
            stage = None
            async for told in said:
                if isinstance(told, SoundReport):
                    return told, {step.name: step for step in told.steps}
                assert isinstance(told, SoundProgress)
                if told.stage is not stage and told.stage is SoundStage.SPEAKING and voice is not None:
                    to_say.extend(voice[: len(voice) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES))
                stage = told.stage
    finally:
        mouth.stop()
    raise AssertionError("there was no report")


async def test_a_microphone_that_gives_nothing_is_muted(pulse: PulseAudio) -> None:
    report, steps = await check("ov_ear")
    assert report.figures.silent
    assert steps["microphone"].outcome is Outcome.FAILED


async def test_the_monitor_of_the_loudspeaker_is_no_microphone(pulse: PulseAudio) -> None:
    report, steps = await check("ov_tap")
    assert report.figures.echo is not None
    assert report.figures.echo.level == pytest.approx(0, abs=1.5)
    assert "no microphone" in steps["microphone"].text


async def test_an_echo_is_measured_and_a_clipped_voice_heard(pulse: PulseAudio) -> None:
    pulse.let_the_room_hear(percent=46)  # of PulseAudio, whose percent are cubic: -20 dB
    report, steps = await check("ov_ear", np.clip(ANSWER.astype(np.int32) * 6, -32768, 32767).astype(np.int16))
    assert "clipped" in steps["voice"].text
    echo = report.figures.echo
    assert echo is not None
    assert echo.level == pytest.approx(-20, abs=3)
    assert 0.03 < echo.delay < 0.6
    assert {"echo", "delay"} <= set(steps)
