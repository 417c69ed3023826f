from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from openvoice.core.processing import Processing
from openvoice.devices.processing.webrtc import WebRtcProcessor, installed
from openvoice.errors import DeviceFailed
from tests.devices.processing.room import decibels

there = pytest.mark.skipif(not importlib.util.find_spec("livekit"), reason="livekit is not installed")


def speech_like(seconds: float, level: float = 3000) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    random = np.random.default_rng(2)
    time = np.arange(round(seconds * 48_000)) / 48_000
    sound = sum(np.sin(2 * np.pi * 140 * n * time + random.uniform(0, 6)) / n for n in range(1, 20))
    sound = np.asarray(sound) * (np.sin(2 * np.pi * 3 * time) > 0)
    return np.asarray(np.rint(level * sound / np.abs(sound).max()), np.int16)


@there
def test_one_level_comes_of_a_quiet_voice() -> None:
    processor = WebRtcProcessor(Processing(echo=False, noise=False))
    sound = speech_like(8, 300)
    made = np.concatenate([processor.process(block, None, 0.0).copy() for block in sound.reshape(-1, 480)])
    assert made.dtype == np.int16
    assert decibels(made[-96_000:]) > decibels(sound[-96_000:]) + 10


@there
def test_steady_noise_is_taken_out() -> None:
    processor = WebRtcProcessor(Processing(echo=False, level=False))
    noise = (300 * np.random.default_rng(1).standard_normal(5 * 48_000)).astype(np.int16)
    made = np.concatenate([processor.process(block, None, 0.0).copy() for block in noise.reshape(-1, 480)])
    assert decibels(made[-48_000:]) < decibels(noise[-48_000:]) - 12


@there
def test_a_library_that_fails_is_one_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("something private")

    processor = WebRtcProcessor(Processing())
    monkeypatch.setattr("livekit.rtc.AudioProcessingModule.process_stream", fail)
    with pytest.raises(DeviceFailed, match=r"fails \(RuntimeError\)$"):
        processor.process(np.zeros(480, np.int16), None, 0.0)


@there
def test_a_library_that_does_not_load_is_one_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**settings: bool) -> None:
        raise OSError("no such symbol")

    monkeypatch.setattr("livekit.rtc.AudioProcessingModule", fail)
    with pytest.raises(DeviceFailed, match=r"does not load \(OSError\)"):
        WebRtcProcessor(Processing())


def test_what_is_not_installed_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert not installed()
    with pytest.raises(DeviceFailed, match=r"pip install 'openvoice\[processing\]'"):
        WebRtcProcessor(Processing())
