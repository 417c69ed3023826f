"""Echo, in a room on a virtual clock, taken out by the real library."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest

import openvoice.samples
from openvoice.client.sound import load_sound
from openvoice.core.processing import Processing
from openvoice.devices.processing import voice
from openvoice.devices.processing.alignment import Alignment
from openvoice.devices.processing.voice import VoiceProcessor
from openvoice.devices.processing.webrtc import WebRtcProcessor
from openvoice.ports import SAMPLE_RATE
from tests.devices.processing.room import Heard, Room, Sound, attenuation, converse, delay, intelligibility

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("livekit"), reason="livekit is not installed")

ECHO_ALONE = Processing(noise=False, level=False)
CONVERGED = 6.0
"""Seconds after which the canceller knows the room; those before are not judged."""


@functools.cache
def spoken(name: str, seconds: float) -> Sound:
    """Somebody who says a sentence again and again."""
    sentence = load_sound(Path(openvoice.samples.__file__).parent / f"{name}.flac").astype(np.float64)
    return np.asarray(np.resize(sentence, round(seconds * SAMPLE_RATE))) * 0.5


def hear(room: Room, far: Sound, near: Sound, processing: Processing = ECHO_ALONE) -> tuple[Heard, VoiceProcessor]:
    processor = VoiceProcessor(processing)
    processor._processor = WebRtcProcessor(processing)
    return converse(room, far, near, processor), processor


def silence(seconds: float) -> Sound:
    return np.zeros(round(seconds * SAMPLE_RATE))


@pytest.mark.parametrize(
    "room",
    [
        Room(way=0.02),
        Room(way=0.25, drift=200e-6, error=0.001),
        Room(output_latency=0.2, input_latency=0.1),
        Room(direct=-8.0, reverberation=0.4, gain=1.0),
        Room(drift=-200e-6),
        Room(drift=1000e-6),
        Room(drift=-1000e-6),
        Room(loudspeaker_rate=44_100, drift=-200e-6),
        Room(loudspeaker_rate=16_000, drift=200e-6),
        Room(microphone_rate=16_000, drift=200e-6),
        Room(microphone_rate=44_100, loudspeaker_rate=44_100, drift=-50e-6),
    ],
    ids=lambda room: room.name,
)
def test_echo_is_gone(room: Room) -> None:
    seconds = 10.0
    heard, processor = hear(room, spoken("alice", seconds), silence(seconds))
    for begin in np.arange(CONVERGED, seconds - 1):
        assert heard.erle(begin, begin + 1) >= 25
    assert processor.drift == pytest.approx(room.drift, abs=40e-6)


def test_a_way_that_changes_is_found_again() -> None:
    seconds = 16.0
    heard, _ = hear(Room(way=0.02, later=0.08), spoken("alice", seconds), silence(seconds))
    assert heard.erle(CONVERGED, 8) >= 25
    assert heard.erle(8, 8.3) < 25, "this test must see the change"
    assert heard.erle(11, 15) >= 25


def test_lost_sound_does_not_bring_the_echo_back() -> None:
    seconds = 16.0
    heard, _ = hear(Room(lost=(7.0, 9.5, 12.0)), spoken("alice", seconds), silence(seconds))
    for begin in (7.4, 9.9, 12.4):
        assert heard.erle(begin, begin + 2) >= 25


def test_devices_of_different_clocks_are_the_worse_without_their_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    class Rigid(Alignment):
        """Believes that both clocks are one, and looks again when they are 40 ms apart."""

        _last: float | None = None

        def follow(self, told: float) -> tuple[float, float] | None:
            used = super().follow(told)
            if used is None:
                return None
            place = used[0] if self._last is None or abs(self._last - used[0]) > 2000 else self._last
            self._last = place + 480
            return place, 1.0

    seconds = 14.0
    monkeypatch.setattr(voice, "Alignment", Rigid)
    heard, _ = hear(Room(drift=1000e-6), spoken("alice", seconds), silence(seconds))
    assert heard.erle(10, 13) < 25


@pytest.mark.parametrize(
    ("room", "quieter", "least"),
    [(Room(gain=0.25), 2, 0.75), (Room(gain=0.5, drift=-200e-6), 4, 0.65)],
    ids=["echo-12-dB-below", "echo-6-dB-below"],
)
def test_who_speaks_at_the_same_time_is_heard(room: Room, quieter: float, least: float) -> None:
    seconds = 20.0
    near = spoken("bob", seconds) * 0.8
    near[: len(near) // 2] = 0
    heard, _ = hear(room, spoken("alice", seconds), near)
    both = slice(round(10.5 * SAMPLE_RATE), round(19.5 * SAMPLE_RATE))
    behind = delay(heard.near[both], heard.sent[both])
    sent = np.roll(heard.sent[both], -behind)
    assert behind < 0.015 * SAMPLE_RATE
    assert attenuation(heard.near[both], sent) < quieter
    assert intelligibility(heard.near[both], sent) > least
    assert heard.erle(CONVERGED, 10) > 25


def test_who_speaks_alone_is_left_alone() -> None:
    near = spoken("bob", 8.0)
    heard, _ = hear(Room(), silence(8.0), near)
    behind = delay(near, heard.sent)
    sent = np.roll(heard.sent, -behind)
    assert abs(attenuation(near, sent)) < 1
    assert intelligibility(near, sent) > 0.95
