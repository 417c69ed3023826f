"""Devices that come and go under a call, and those that are preferred to what is used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from openvoice.core.inputs import DeviceChanged
from openvoice.core.types import DeviceChange, SoundDirection
from openvoice.devices.library import PORTAUDIO
from openvoice.devices.loudspeaker import Loudspeaker
from openvoice.devices.microphone import Microphone
from openvoice.errors import DeviceFailed
from openvoice.ports import FRAME_SAMPLES, Frame
from tests.devices.fake_sounddevice import FakeSoundDevice, FakeStream
from tests.waiting import until

CORE_AUDIO = 2


class Ends:
    """A microphone and a loudspeaker of one call, whose devices turn for as long as they run."""

    def __init__(self, library: FakeSoundDevice, microphone: Microphone, loudspeaker: Loudspeaker) -> None:
        self.library = library
        self.reports: list[DeviceChanged] = []
        self.heard: list[Frame] = []
        self.requested = 0
        self.played: dict[str, list[int]] = {}
        self._ends = (microphone, loudspeaker)
        loudspeaker.start(self._request, self.reports.append)
        microphone.start(self._take, self.reports.append)
        self._turning = asyncio.create_task(self._turn())

    async def __aenter__(self) -> Ends:
        return self

    async def __aexit__(self, *_: object) -> None:
        for end in self._ends:
            end.stop()
        await until(lambda: PORTAUDIO.streams == 0)
        self._turning.cancel()

    async def _turn(self) -> None:
        """Each device plays, and hears a number of its own."""
        while True:
            for stream in self.library.running():
                name = self.library.name_of(stream)
                block = stream.turn(len(name))
                if stream.is_output:
                    self.played.setdefault(name, []).append(int(block[0, 0]))
            await asyncio.sleep(0.001)

    def _take(self, frame: Frame | None) -> None:
        assert frame is not None
        self.heard.append(frame)

    def _request(self) -> Frame:
        self.requested += 1
        return np.full(FRAME_SAMPLES, self.requested, np.int16)

    def changes(self, direction: SoundDirection) -> list[tuple[DeviceChange, str | None]]:
        return [(report.what, report.device) for report in self.reports if report.direction is direction]

    def stream(self, *, output: bool) -> FakeStream | None:
        """The one that runs, if it is one alone."""
        running = [stream for stream in self.library.running() if stream.is_output is output]
        return running[0] if len(running) == 1 else None

    async def uses(self, name: str, *, output: bool) -> FakeStream:
        def found() -> bool:
            stream = self.stream(output=output)
            return stream is not None and self.library.name_of(stream) == name

        await until(found)
        stream = self.stream(output=output)
        assert stream is not None
        return stream

    async def hears(self, name: str) -> None:
        await until(lambda: bool(self.heard) and int(self.heard[-1][-1]) == len(name))


@pytest.fixture(autouse=True)
def plugged(library: FakeSoundDevice) -> None:
    library.add("Built-in", 2, 2)
    library.add("Headset", 1, 2)
    library.defaults = [0, 0]


def unplug(library: FakeSoundDevice, name: str) -> dict[str, Any]:
    for stream in library.running():
        if library.name_of(stream) == name:
            stream.active = False
    gone = next(device for device in library.listed if device["name"] == name)
    library.listed.remove(gone)
    library.defaults = [0, 0] if library.listed else [-1, -1]
    return gone


async def test_the_default_takes_over_until_the_chosen_one_is_back(library: FakeSoundDevice) -> None:
    async with Ends(library, Microphone("headset"), Loudspeaker("built")) as ends:
        await ends.uses("Headset", output=False)
        loudspeaker = await ends.uses("Built-in", output=True)
        gone = unplug(library, "Headset")
        await ends.uses("Built-in", output=False)
        await ends.hears("Built-in")
        # It is another number now, and others have the old one.
        library.listed += [{**gone, "name": "Camera"}, gone]
        await ends.uses("Headset", output=False)
        await ends.hears("Headset")
        await until(lambda: len(ends.reports) == 3)
        assert ends.changes(SoundDirection.INPUT) == [
            (DeviceChange.LOST, "Headset"),
            (DeviceChange.SUBSTITUTED, "Built-in"),
            (DeviceChange.RESTORED, "Headset"),
        ]
        assert [report.text for report in ends.reports] == [
            "The microphone 'Headset' is gone; the call goes on without it until it is back.",
            "'Built-in' is the microphone until 'Headset' works (the microphone 'Headset' is not there).",
            "The microphone 'Headset' works again.",
        ]
        # The other direction heard nothing of all that.
        assert loudspeaker.active
        assert ends.changes(SoundDirection.OUTPUT) == []
        assert not any(library.name_of(stream) == "Camera" for stream in library.streams)


async def test_without_any_device_there_is_silence_until_one_is_back(library: FakeSoundDevice) -> None:
    async with Ends(library, Microphone("headset"), Loudspeaker()) as ends:
        await ends.uses("Headset", output=False)
        await ends.uses("Built-in", output=True)
        headset, built_in = unplug(library, "Headset"), unplug(library, "Built-in")
        await until(lambda: [report.what for report in ends.reports].count(DeviceChange.MISSING) == 2)
        count, requested = len(ends.heard), ends.requested
        await until(lambda: len(ends.heard) > count + 5 and ends.requested > requested + 5)
        assert not ends.heard[-1].any()
        assert ends.changes(SoundDirection.INPUT)[-1] == (DeviceChange.MISSING, "Headset")
        assert ends.changes(SoundDirection.OUTPUT) == [(DeviceChange.LOST, "Built-in"), (DeviceChange.MISSING, None)]
        library.listed += [headset, built_in]
        library.defaults = [1, 1]
        await ends.uses("Headset", output=False)
        await ends.uses("Built-in", output=True)
        await until(lambda: [report.what for report in ends.reports].count(DeviceChange.RESTORED) == 2)
        assert ends.changes(SoundDirection.INPUT)[-1] == (DeviceChange.RESTORED, "Headset")
        assert ends.changes(SoundDirection.OUTPUT)[-1] == (DeviceChange.RESTORED, "Built-in")


async def test_a_changed_default_is_followed_before_the_old_one_is_left(library: FakeSoundDevice) -> None:
    for device in library.listed:
        device["hostapi"] = CORE_AUDIO
    async with Ends(library, Microphone(), Loudspeaker()) as ends:
        await ends.uses("Built-in", output=True)
        await ends.uses("Built-in", output=False)
        await until(lambda: ends.requested > 20)
        library.defaults = [0, 1]
        stream = await ends.uses("Headset", output=True)
        await until(lambda: len(ends.reports) == 1)
        assert ends.changes(SoundDirection.OUTPUT) == [(DeviceChange.FOLLOWED, "Headset")]
        assert ends.changes(SoundDirection.INPUT) == []
        requested = ends.requested
        await until(lambda: ends.requested > requested + 10)
        first, second = ([number for number in ends.played[name] if number] for name in ("Built-in", "Headset"))
        # No frame was lost on the way from one to the other, and none was played twice.
        assert second[0] - first[-1] in (0, 1)
        assert sorted(set(first + second)) == list(range(first[0], second[-1] + 1))
        assert stream.library is not library.streams[0].library
        library.defaults = [1, 1]
        await ends.uses("Headset", output=False)
        await ends.hears("Headset")


async def test_what_the_sound_server_moves_is_not_looked_after(library: FakeSoundDevice) -> None:
    async with Ends(library, Microphone(), Loudspeaker()) as ends:
        await ends.uses("Built-in", output=True)
        await ends.uses("Built-in", output=False)
        library.defaults = [1, 1]
        await asyncio.sleep(0.2)
        assert library.renewed == library.copies == 0
        assert len(library.streams) == 2


async def test_no_sound_is_left_for_a_device_that_gives_none(
    library: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openvoice.devices.stream.LIFELESS_SECONDS", 0.05)
    for device in library.listed:
        device["hostapi"] = CORE_AUDIO
    async with Ends(library, Microphone(), Loudspeaker()) as ends:
        stream = await ends.uses("Built-in", output=False)
        await ends.hears("Built-in")
        library.dead = {"Headset"}
        library.defaults = [1, 0]
        await until(lambda: sum(library.name_of(stream) == "Headset" for stream in library.streams) >= 2)
        assert stream.active
        assert ends.changes(SoundDirection.INPUT) == []
        await ends.hears("Built-in")


@pytest.mark.parametrize("end", [Microphone, Loudspeaker])
async def test_what_is_insisted_on_is_opened_or_fails(
    library: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch, end: Callable[..., Microphone | Loudspeaker]
) -> None:
    reports: list[DeviceChanged] = []

    def begin(device: str) -> Microphone | Loudspeaker:
        made = end(device, insist=True)
        if isinstance(made, Microphone):
            made.start(lambda _: None, reports.append)
        else:
            made.start(lambda: np.zeros(FRAME_SAMPLES, np.int16), reports.append)
        return made

    async def turn() -> None:
        while True:
            for stream in library.running():
                stream.turn()
            await asyncio.sleep(0.001)

    turning = asyncio.create_task(turn())
    there, missing = begin("headset"), begin("webcam")
    assert await there.opened() == "Headset"
    with pytest.raises(DeviceFailed, match=r"there is no .* 'webcam'"):
        await missing.opened()
    assert [library.name_of(stream) for stream in library.running()] == ["Headset"]
    missing.stop()
    there.stop()
    library.start_error = "Device unavailable"
    busy = begin("headset")
    with pytest.raises(DeviceFailed, match="the sound system refuses: Device unavailable"):
        await busy.opened()
    busy.stop()
    library.start_error = ""
    turning.cancel()
    monkeypatch.setattr("openvoice.devices.stream.LIFELESS_SECONDS", 0.05)
    dead = begin("headset")
    with pytest.raises(DeviceFailed, match="'Headset' gives no sign of life"):
        await dead.opened()
    dead.stop()
    assert reports == []


@pytest.mark.parametrize(("insist", "fresh"), [(False, 0.0), (True, 60.0)])
async def test_what_was_plugged_in_since_the_last_look_is_found(
    library: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch, insist: bool, fresh: float
) -> None:
    with PORTAUDIO.use() as first:
        first.query_devices()
    library.add("Camera", 1, 0)
    monkeypatch.setattr("openvoice.devices.keeper.FRESH_SECONDS", fresh)
    monkeypatch.setattr("openvoice.devices.keeper.BEGUN_BLOCKS", -1)
    microphone = Microphone("camera", insist=insist)
    microphone.start(lambda _: None, lambda _: None)
    assert await microphone.opened() == "Camera"
    assert library.renewed == 1
    microphone.stop()


async def test_who_waits_for_a_device_that_is_let_go_hears_of_it(library: FakeSoundDevice) -> None:
    library.listed.clear()
    microphone = Microphone()
    microphone.start(lambda _: None, lambda _: None)
    waiting = asyncio.create_task(microphone.opened())
    await asyncio.sleep(0)
    microphone.stop()
    with pytest.raises(DeviceFailed):
        await waiting
