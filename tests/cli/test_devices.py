from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from openvoice import (
    SAMPLE_RATE,
    Camera,
    CameraDevice,
    Device,
    DeviceFailed,
    Frame,
    Processing,
    SoundDevice,
    SoundProgress,
    SoundReport,
    SoundStage,
)
from openvoice.core.diagnosis import Outcome, Step
from openvoice.core.soundcheck import Echo, SoundFigures, judge

from .conftest import Run

HEADSET = SoundDevice(
    index=3, name="USB Headset\x1b[2J", kind="input", channels=1, rate=48_000, default=True, host="ALSA"
)
SPEAKER = SoundDevice(index=4, name="Speaker", kind="output", channels=2, rate=44_100, default=False, host="ALSA")


def have(monkeypatch: pytest.MonkeyPatch, *devices: SoundDevice) -> None:
    monkeypatch.setattr("openvoice.cli.devices.sound_devices", lambda: list(devices))
    monkeypatch.setattr("openvoice.cli.devices.camera_devices", list)
    monkeypatch.setattr("openvoice.cli.devices.screen_in_words", lambda: None)


def test_devices_are_listed_for_people_and_programs(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from openvoice.cli import devices  # noqa: F401 - imported before it is changed

    have(monkeypatch, HEADSET, SPEAKER)
    assert run("devices").output.splitlines() == [
        "* input   USB Headset\N{REPLACEMENT CHARACTER}[2J  (1 channels, ALSA)",
        "  output  Speaker  (2 channels, ALSA)",
        "* is what the system uses by default",
    ]
    listed = run("devices", "--json")
    assert [device["name"] for device in listed.events] == [HEADSET.name, SPEAKER.name]


def test_cameras_and_the_screen_are_listed_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, SPEAKER)
    listed = [CameraDevice(index=0, name="Front"), CameraDevice(index=1, name="Rear")]
    monkeypatch.setattr("openvoice.cli.devices.camera_devices", lambda: listed)
    monkeypatch.setattr("openvoice.cli.devices.screen_in_words", lambda: "X11 display :0")
    assert run("devices").output.splitlines()[1:4] == ["* camera  Front", "  camera  Rear", "* screen  X11 display :0"]
    assert [(device["kind"], device["default"]) for device in run("devices", "--json").events] == [
        ("output", False),
        ("camera", True),
        ("camera", False),
        ("screen", True),
    ]


def test_a_camera_is_looked_through(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    async def check(camera: Camera) -> Step:
        looked.append(camera.name)
        return Step("camera", Outcome.FAILED, "it is not there", "Plug it in.")

    monkeypatch.setattr("openvoice.cli.devices.check_camera", check)
    tested = run("devices", "test", "--camera")
    assert (tested.code, tested.output.splitlines()[0]) == (3, "✗ camera: it is not there")
    assert run("devices", "test", "--json", "--camera", "usb").events[0]["outcome"] == "failed"
    assert looked == ["default", "usb"]
    assert run("devices", "test", "--camera", "pattern").code == 2


def test_no_device_is_no_reason_to_give_up(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch)
    assert "calls with files work all the same" in run("devices").output
    assert run("devices", "--json").output == ""


def test_a_sound_system_that_does_not_work_has_its_code(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[SoundDevice]:
        raise DeviceFailed("PortAudio is not installed")

    monkeypatch.setattr("openvoice.cli.devices.sound_devices", broken)
    listed = run("devices")
    assert (listed.code, listed.errors) == (7, "openvoice: PortAudio is not installed\n")


# --- test -------------------------------------------------------------------------------------------------------------

FIGURES = SoundFigures(
    microphone_rate=48_000,
    loudspeaker_rate=48_000,
    speed=1.0,
    late=0.0,
    silent=False,
    noise=-60.0,
    voice=-25.0,
    clipped=0.0,
    echo=Echo(delay=0.1, level=-20.0, likeness=0.5, removed=30.0),
    processed=True,
)


class Check:
    """Stands in for the test of devices."""

    def __init__(self) -> None:
        self.figures = FIGURES
        self.asked: list[tuple[Device, Device]] = []
        self.failure: BaseException | None = None
        self.closed = False

    async def __call__(
        self, source: Device, sink: Device, sentence: Frame
    ) -> AsyncGenerator[SoundProgress | SoundReport, None]:
        self.asked.append((source, sink))
        assert len(sentence) > 3 * SAMPLE_RATE
        try:
            for stage in SoundStage:
                yield SoundProgress(stage, -30.0, 2.0)
                yield SoundProgress(stage, -30.0, 1.0)
                if self.failure and stage is SoundStage.SPEAKING:
                    raise self.failure
            yield SoundReport(self.figures, tuple(judge(self.figures)))
        finally:
            self.closed = True


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Check:
    made = Check()
    monkeypatch.setattr("openvoice.cli.devices.check_devices", made)
    return made


def test_the_test_says_what_to_do_and_what_it_found(run: Run, check: Check) -> None:
    tested = run("devices", "test")
    assert tested.code == 0
    assert tested.output.splitlines() == [
        "Nothing that is recorded here is kept, and nothing is sent anywhere.",
        "Opening the devices ...",
        "Please say nothing for a moment.",
        "You should hear a voice now.",
        "Now say a sentence, as you would in a call.",
        "This is what others hear of you.",
        "✓ microphone: it works at 48000 Hz",
        "✓ voice: it is well heard (-25 dB, 35 dB above the noise)",
        "✓ noise: it is quiet where you are (-60 dB)",
        "✓ echo: the microphone hears the loudspeaker, 20 dB quieter than it was played; "
        "the processing takes out 30 dB of it",
        "✓ delay: sound takes 100 ms from the program through loudspeaker and microphone",
    ]
    assert check.asked == [(Device(), Device())]


def test_the_devices_are_those_named_or_of_the_settings(run: Run, check: Check, home: Path) -> None:
    home.mkdir()
    (home / "openvoice.toml").write_text("[sound]\ninput = 'usb'\noutput = 'hdmi'\necho = false\n")
    run("devices", "test")
    run("devices", "test", "--input", "webcam", "--output", "box")
    processing = Processing(echo=False)
    assert check.asked == [
        (Device("usb", processing), Device("hdmi")),
        (Device("webcam", processing), Device("box")),
    ]


@pytest.mark.parametrize("words", [("--input", "tone"), ("--output", "x.wav"), ("--output", "null")])
def test_what_is_no_device_is_not_tested(run: Run, check: Check, words: tuple[str, str]) -> None:
    tested = run("devices", "test", *words)
    assert tested.code == 2
    assert "only sound devices can be tested" in tested.errors
    assert check.asked == []


def test_what_is_wrong_is_the_exit_code(run: Run, check: Check) -> None:
    check.figures = replace(FIGURES, silent=True)
    tested = run("devices", "test")
    assert tested.code == 3
    assert "✗ microphone: it gives nothing but zeros\n    It is muted" in tested.output
    check.figures = replace(FIGURES, echo=None)
    tested = run("devices", "test")
    assert tested.code == 0
    assert "· loudspeaker: the microphone does not hear it, which is right for a headset" in tested.output


def test_programs_get_stages_steps_and_figures(run: Run, check: Check) -> None:
    tested = run("devices", "test", "--json")
    assert tested.names == [*["stage"] * 5, *["step"] * 5, "figures"]
    assert tested.events[0] == {"event": "stage", "stage": "opening"}
    assert tested.events[5]["name"] == "microphone"
    assert tested.events[-1]["echo"] == {"delay": 0.1, "level": -20.0, "likeness": 0.5, "removed": 30.0}


def test_a_device_that_fails_and_ctrl_c_let_the_devices_go(run: Run, check: Check) -> None:
    check.failure = DeviceFailed("the microphone is busy")
    tested = run("devices", "test")
    assert (tested.code, tested.errors) == (7, "openvoice: the microphone is busy\n")
    assert check.closed
    check.closed, check.failure = False, asyncio.CancelledError()
    assert run("devices", "test").code == 130
    assert check.closed


def test_the_list_says_what_is_not_installed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, HEADSET)
    monkeypatch.setattr("openvoice.cli.devices.processing_missing", lambda: "x is not installed: do so")
    assert "microphones are sent as they are: x is not installed: do so" in run("devices").output
