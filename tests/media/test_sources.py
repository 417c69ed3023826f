from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from openvoice.media.sources import SilenceSource, StreamSource, ToneSource
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE, AudioSource, Frame


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def read_all(source: StreamSource) -> list[Frame]:
    """Every frame until the end, but for the silence in between."""
    frames: list[Frame] = []
    while (frame := source.read()) is not None:
        if frame.any():
            frames.append(frame)
        else:
            time.sleep(0.001)
    return frames


def test_silence_is_silent_and_endless() -> None:
    source: AudioSource = SilenceSource()
    for _ in range(3):
        frame = source.read()
        assert frame is not None
        assert frame.shape == (FRAME_SAMPLES,)
        assert not frame.any()
    source.close()


@pytest.mark.parametrize("hertz", [50.0, 440.0, 997.3, 12_000.0])
def test_tone_has_its_pitch_and_level_and_no_clicks(hertz: float) -> None:
    source = ToneSource(hertz, level=-6.0)
    sound = np.concatenate([source.read() for _ in range(50)]).astype(float)
    source.close()
    expected = 32767 * 10 ** (-6 / 20) * np.sin(2 * np.pi * hertz * np.arange(len(sound)) / SAMPLE_RATE)
    assert np.abs(sound - expected).max() <= 1


@pytest.mark.parametrize(("hertz", "level"), [(0, -20), (24_000, -20), (-1, -20), (440, 1)])
def test_tone_refuses_what_cannot_be(hertz: float, level: float) -> None:
    with pytest.raises(ValueError, match="a tone lies"):
        ToneSource(hertz, level)


def test_stream_is_cut_into_frames_and_ends() -> None:
    samples = np.arange(1, 2501, dtype="<i2")
    frames = read_all(StreamSource(io.BytesIO(samples.tobytes() + b"\x07")))
    sound = np.concatenate(frames)
    assert len(sound) == 3 * FRAME_SAMPLES
    assert sound[:2500].tolist() == samples.tolist()
    assert not sound[2500:].any()


def test_empty_stream_ends_at_once() -> None:
    source = StreamSource(io.BytesIO())
    assert read_all(source) == []
    assert source.read() is None


@pytest.mark.parametrize("blocking", [True, False])
def test_a_late_stream_is_silence_and_never_waits(blocking: bool) -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, blocking)
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb", buffering=0) as other:
        source = StreamSource(stream)
        silent = source.read()
        assert silent is not None
        assert not silent.any()
        samples = np.full(FRAME_SAMPLES, 5, "<i2").tobytes()
        for position in range(0, len(samples), 7):
            other.write(samples[position : position + 7])
        other.close()
        assert [frame.tolist() for frame in read_all(source)] == [[5] * FRAME_SAMPLES]


def test_a_fast_stream_is_read_ahead_to_a_bound() -> None:
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size: int = -1) -> bytes:
            self.taken += size
            return b"\x01" * size

    stream = Endless()
    source = StreamSource(stream)  # type: ignore[arg-type]
    wait_for(lambda: stream.taken >= 26 * 1920)
    time.sleep(0.05)
    assert stream.taken <= 27 * 1920
    source.close()
    assert source.read() is None
    wait_for(lambda: "openvoice-stream-source" not in {thread.name for thread in threading.enumerate()})


def test_a_stream_that_breaks_ends_the_source() -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError("gone")

    assert read_all(StreamSource(Broken())) == []  # type: ignore[arg-type]


def test_a_terminal_where_nobody_types_does_not_hold_the_program() -> None:
    program = (
        "import sys; from openvoice.media.sources import StreamSource\n"
        "source = StreamSource(sys.stdin.buffer); source.read(); source.close(); print('over')"
    )
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.wait(timeout=20) == 0
    assert child.stdout.read() == b"over\n"
    child.stdin.close()
    child.stdout.close()
