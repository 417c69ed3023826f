from __future__ import annotations

import pytest

from openvoice import DeviceFailed, SoundDevice

from .conftest import Run

HEADSET = SoundDevice(
    index=3, name="USB Headset\x1b[2J", kind="input", channels=1, rate=48_000, default=True, host="ALSA"
)
SPEAKER = SoundDevice(index=4, name="Speaker", kind="output", channels=2, rate=44_100, default=False, host="ALSA")


def have(monkeypatch: pytest.MonkeyPatch, *devices: SoundDevice) -> None:
    monkeypatch.setattr("openvoice.cli.devices.sound_devices", lambda: list(devices))


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
