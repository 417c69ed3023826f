from __future__ import annotations

import io
import os
import time

import numpy as np
import pytest

from openvoice.errors import AudioFileError
from openvoice.media.sinks import WAITING_FRAMES, NullSink, StreamSink
from openvoice.ports import FRAME_SAMPLES, AudioSink


def test_nobody_takes_everything() -> None:
    sink: AudioSink = NullSink()
    sink.write(np.zeros(FRAME_SAMPLES, np.int16))
    sink.close()


def test_stream_gets_raw_little_endian_samples() -> None:
    stream = io.BytesIO()
    sink = StreamSink(stream)
    for value in (1, -2, 3):
        sink.write(np.full(FRAME_SAMPLES, value, np.int16))
    sink.close()
    assert stream.getvalue() == b"".join(
        sample.to_bytes(2, "little", signed=True) * FRAME_SAMPLES for sample in (1, -2, 3)
    )
    sink.write(np.ones(FRAME_SAMPLES, np.int16))
    assert len(stream.getvalue()) == 3 * 2 * FRAME_SAMPLES


@pytest.mark.parametrize("blocking", [True, False])
def test_a_slow_reader_loses_sound_and_delays_nobody(blocking: bool) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, blocking)
    with os.fdopen(reading, "rb") as other, os.fdopen(writing, "wb") as stream:
        sink = StreamSink(stream)
        for _ in range(500):
            sink.write(np.ones(FRAME_SAMPLES, np.int16))
        assert sink.lost >= 500 - WAITING_FRAMES - 65536 // 1920 - 2
        assert len(other.read(10 * 1920)) == 10 * 1920
        sink.close()
        # Let the writing thread finish before its stream closes under it.
        os.set_blocking(reading, False)
        while sink._thread.is_alive():
            other.read()
            time.sleep(0.001)


def test_a_reader_that_went_away_is_told_once() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as stream:
        sink = StreamSink(stream)
        sink.write(np.ones(FRAME_SAMPLES, np.int16))
        sink._thread.join()
        with pytest.raises(AudioFileError, match="has gone"):
            sink.write(np.ones(FRAME_SAMPLES, np.int16))
        sink.write(np.ones(FRAME_SAMPLES, np.int16))
        sink.close()
