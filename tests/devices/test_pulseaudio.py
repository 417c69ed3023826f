"""Against a real sound system: PulseAudio with a virtual card, through the real PortAudio."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from openvoice.client.call_sound import CallSound
from openvoice.client.sound import Device
from openvoice.core.inputs import DeviceChanged
from openvoice.core.tones import Tone
from openvoice.core.types import DeviceChange
from openvoice.devices.library import PORTAUDIO
from openvoice.devices.listing import Kind, devices
from openvoice.devices.loudspeaker import Loudspeaker
from openvoice.devices.microphone import Microphone
from openvoice.devices.player import PlayedTone
from openvoice.errors import DeviceFailed
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE, Frame
from tests.devices.pulse import PulseAudio, plugged
from tests.waiting import until

ALSA = Path("/usr/share/alsa/alsa.conf")
pytestmark = [
    pytest.mark.sound,
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("pulseaudio") or not shutil.which("pactl"), reason="PulseAudio is missing"),
    pytest.mark.skipif(not ALSA.exists(), reason="libasound is missing"),
    pytest.mark.skipif(not importlib.util.find_spec("sounddevice"), reason="sounddevice is missing"),
]


@pytest.fixture
def headset(tmp_path: Path) -> Iterator[PulseAudio]:
    """A second sound card: it is plugged in when it is started."""
    (tmp_path / "headset").mkdir()
    daemon = PulseAudio(tmp_path / "headset", "headset")
    yield daemon
    daemon.kill()


@pytest.fixture
def pulse(tmp_path: Path, headset: PulseAudio, monkeypatch: pytest.MonkeyPatch) -> Iterator[PulseAudio]:
    with plugged(PulseAudio(tmp_path, others=[headset]), monkeypatch) as daemon:
        yield daemon


class Loop:
    """A tone played on the virtual loudspeaker, and what the virtual microphone at its side hears."""

    def __init__(
        self, sound: Callable[[int], Frame], microphone: str | None = "ov_tap", loudspeaker: str | None = "OV_SPEAKER"
    ) -> None:
        self.heard: list[Frame] = []
        self.longest_wait = 0.0
        """Seconds between two frames of the microphone, since the last time it was set to 0."""
        self._heard_at = 0.0
        self.played = 0
        self.reports: list[DeviceChanged] = []
        self._sound = sound
        self._microphone = Microphone(microphone)
        self._loudspeaker = Loudspeaker(loudspeaker)

    async def __aenter__(self) -> Loop:
        self._loudspeaker.start(self._request, self.reports.append)
        self._microphone.start(self._take, self.reports.append)
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._microphone.stop()
        self._loudspeaker.stop()

    @property
    def troubles(self) -> list[str]:
        return [report.text for report in self.reports]

    def _request(self) -> Frame:
        self.played += 1
        return self._sound(self.played - 1)

    def _take(self, frame: Frame | None) -> None:
        assert frame is not None
        now = time.monotonic()
        self.longest_wait = max(self.longest_wait, now - self._heard_at if self._heard_at else 0.0)
        self._heard_at = now
        self.heard.append(frame)

    def last(self, frames: int) -> npt.NDArray[np.int16]:
        return np.concatenate(self.heard[-frames:])


def tone(number: int) -> Frame:
    times = (np.arange(FRAME_SAMPLES) + number * FRAME_SAMPLES) / SAMPLE_RATE
    return np.asarray(np.rint(10_000 * np.sin(2 * np.pi * 1000 * times)), np.int16)


def loudest_hertz(sound: npt.NDArray[np.int16]) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(sound))) * SAMPLE_RATE / len(sound))


async def test_a_tone_played_is_the_tone_heard(pulse: PulseAudio) -> None:
    async with Loop(tone) as loop:
        await until(lambda: len(loop.heard) > 40 and bool(np.all([frame.any() for frame in loop.heard[-30:]])))
        assert loudest_hertz(loop.last(25)) == pytest.approx(1000, abs=2)
        assert loop.last(25).astype(float).std() == pytest.approx(10_000 / np.sqrt(2), rel=0.05)
    assert loop.troubles == []


async def test_sound_goes_round_in_little_time(pulse: PulseAudio) -> None:
    click = np.zeros(FRAME_SAMPLES, np.int16)
    click[:48] = 20_000
    times: dict[str, list[float]] = {"played": [], "heard": []}
    clock = asyncio.get_running_loop()

    def sound(number: int) -> Frame:
        if number % 25:
            return np.zeros(FRAME_SAMPLES, np.int16)
        times["played"].append(clock.time())
        return click

    async with Loop(sound) as loop:
        for _ in range(300):
            before = len(loop.heard)
            await until(lambda before=before: len(loop.heard) > before)  # type: ignore[misc]
            times["heard"] += [
                clock.time() for frame in loop.heard[before:] if np.abs(frame.astype(int)).max() > 10_000
            ]
    rounds = [min(heard - played for heard in times["heard"] if heard > played) for played in times["played"][2:-2]]
    # Request to delivery: 30 ms of the sound server, 20 ms of a frame, 10 to 30 ms of blocks ahead. It is no matter of
    # milliseconds here: a machine at work on other things is slower, but not by the half second of a wrong buffer.
    assert np.median(rounds) < 0.2


async def test_a_sound_system_that_dies_is_not_the_end_of_the_call(pulse: PulseAudio) -> None:
    async with Loop(tone) as loop:
        await until(lambda: len(loop.heard) > 30 and bool(loop.heard[-1].any()))
        pulse.kill()
        await until(lambda: [report.what for report in loop.reports].count(DeviceChange.LOST) == 2)
        assert {report.device for report in loop.reports if report.what is DeviceChange.LOST} == {
            "ov_tap",
            "ov_speaker",
        }
        heard, played = len(loop.heard), loop.played
        await until(lambda: len(loop.heard) > heard + 25 and loop.played > played + 25)
        assert not loop.last(20).any()
        pulse.start()
        await until(lambda: [report.what for report in loop.reports].count(DeviceChange.RESTORED) == 2)
        await until(lambda: bool(np.all([frame.any() for frame in loop.heard[-30:]])))
        assert loudest_hertz(loop.last(25)) == pytest.approx(1000, abs=2)


async def test_an_unplugged_card_is_not_the_end_of_the_call(pulse: PulseAudio) -> None:
    async with Loop(tone) as loop:
        await until(lambda: len(loop.heard) > 30 and bool(loop.heard[-1].any()))
        pulse.unload_card()
        heard, played = len(loop.heard), loop.played
        await until(lambda: len(loop.heard) > heard + 100 and loop.played > played + 100)


async def test_a_card_that_is_plugged_in_again_is_taken_and_the_other_direction_does_not_notice(
    pulse: PulseAudio, headset: PulseAudio
) -> None:
    headset.start()
    devices(renew=True)
    async with Loop(tone, "headset_tap") as loop:
        with pulse.recorded("speaker") as played:
            await until(lambda: len(loop.heard) > 30 and len(played()) > 48_000)
            assert not loop.last(20).any()
            began = len(played())
            headset.kill()
            await until(lambda: len(loop.reports) == 2)
            # The default hears the tone.
            await until(lambda: loudest_hertz(loop.last(25)) == pytest.approx(1000, abs=2))
            loop.longest_wait = 0.0
            await asyncio.to_thread(headset.start)
            await until(lambda: len(loop.reports) == 3)
            await until(lambda: not loop.last(20).any())
            # It is no matter of milliseconds here: a machine at work on other things loses some at any time. A stream
            # that is opened again would lose more.
            assert loop.longest_wait < 0.2
            sound = played()[began:]
        assert [(report.what, report.device) for report in loop.reports] == [
            (DeviceChange.LOST, "headset_tap"),
            (DeviceChange.SUBSTITUTED, "default"),
            (DeviceChange.RESTORED, "headset_tap"),
        ]
        assert silent_milliseconds(sound) < 200


async def test_on_the_default_the_sound_server_moves_the_sound(pulse: PulseAudio) -> None:
    async with Loop(tone, loudspeaker=None) as loop:
        with pulse.recorded("speaker") as before, pulse.recorded("other") as after:
            await until(lambda: len(before()) > 48_000 and bool(before()[-4800:].any()))
            pulse.set_default_sink("other")
            moved = time.monotonic()
            await until(lambda: len(after()) > 0 and bool(after()[-4800:].any()))
            assert time.monotonic() - moved < 2
            await until(lambda: silent_milliseconds(after()[-24_000:]) == 0)
            await until(lambda: not before()[-4800:].any())
    assert loop.reports == []


async def test_another_loudspeaker_in_a_call_takes_over_without_a_gap(pulse: PulseAudio, headset: PulseAudio) -> None:
    headset.start()
    reports: list[DeviceChanged] = []
    frames = itertools.count()
    sound = CallSound(lambda: False)
    sound.choose(None, Device("ov_speaker"))
    output = sound.make_output()
    output.start(lambda: tone(next(frames)), reports.append)
    with pulse.recorded("speaker") as before, headset.recorded("speaker") as after:
        await until(lambda: len(before()) > 48_000 and len(after()) > 48_000)
        begin, other = len(before()), len(after())
        await sound.set_output(Device("headset_speaker"))
        await asyncio.sleep(0.5)
        # Both are recorded by one clock, up to now.
        old, new = before()[begin:], after()[other:]
        length = min(len(old), len(new))
        assert silent_milliseconds(np.maximum(np.abs(old[-length:]), np.abs(new[-length:]))) < 200
        assert not old[-4800:].any()
        assert new[-4800:].any()
        with pytest.raises(DeviceFailed, match="there is no loudspeaker 'webcam'"):
            await sound.set_output(Device("webcam"))
        again = len(after())
        await until(lambda: len(after()) > again + 9600)
        assert after()[-4800:].any()
    output.stop()
    sound.close()
    assert [(report.what, report.device) for report in reports] == [(DeviceChange.CHOSEN, "headset_speaker")]


async def test_a_tone_sounds_and_stops(pulse: PulseAudio) -> None:
    with pulse.recorded("speaker") as played:
        ring = PlayedTone(Tone.RING_BACK, "ov_speaker")
        await until(lambda: len(played()) > 48_000 and bool(played()[-4800:].any()))
        assert loudest_hertz(played()[-24_000:]) == pytest.approx(425, abs=4)
        ring.stop()
        stopped = time.monotonic()
        await until(lambda: not played()[-480:].any())
        assert time.monotonic() - stopped < 1


def silent_milliseconds(sound: npt.NDArray[np.int16]) -> int:
    """How many whole milliseconds of a tone are missing."""
    blocks = sound[: len(sound) // 48 * 48].reshape(-1, 48)
    return int(np.sum(np.abs(blocks.astype(int)).max(axis=1) < 1000))


def test_lists_the_devices_of_the_system(pulse: PulseAudio) -> None:
    listed = devices(renew=True)
    assert {"ov_speaker", "ov_tap"} <= {device.name for device in listed}
    for kind in Kind:
        assert [device.name for device in listed if device.kind is kind and device.default] == ["default"]
    assert {device.host for device in listed} == {"ALSA"}


def test_portaudio_is_given_back(pulse: PulseAudio) -> None:
    with PORTAUDIO.use():
        assert "sounddevice" in sys.modules
    assert PORTAUDIO.streams == 0
