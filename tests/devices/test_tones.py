from __future__ import annotations

import numpy as np
import pytest

from openvoice.core.tones import Tone
from openvoice.devices.tones import LINE_HERTZ, seconds, sound
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE


@pytest.mark.parametrize("tone", Tone)
def test_each_is_whole_frames_that_begin_and_end_in_silence(tone: Tone) -> None:
    samples = sound(tone)
    assert samples.dtype == np.int16
    assert len(samples) % FRAME_SAMPLES == 0
    assert samples[0] == 0
    # One period follows the other without a click.
    assert abs(int(samples[-1])) < 50
    assert 0.05 < np.abs(samples.astype(int)).max() / 32767 < 0.35
    assert np.abs(np.diff(samples.astype(int))).max() < 4000
    assert sound(tone) is samples


@pytest.mark.parametrize(("tone", "shape"), [(Tone.RING_BACK, [(1.0, 4.0)]), (Tone.BUSY, [(0.5, 0.5)] * 2)])
def test_ring_back_and_busy_are_those_of_the_world(tone: Tone, shape: list[tuple[float, float]]) -> None:
    """ITU-T E.180."""
    samples = sound(tone)
    loud = np.abs(samples.reshape(-1, 480).astype(int)).max(axis=1) > 300
    expected: list[bool] = []
    for on, off in shape:
        expected += [True] * round(on * 100) + [False] * round(off * 100)
    assert loud.tolist() == expected
    first = samples[: SAMPLE_RATE // 2].astype(float)
    hertz = np.argmax(np.abs(np.fft.rfft(first))) * SAMPLE_RATE / len(first)
    assert abs(hertz - LINE_HERTZ) <= 2


def test_the_end_is_short_and_a_ring_leaves_time_to_breathe() -> None:
    assert seconds(Tone.ENDED) < 1
    assert seconds(Tone.BUSY) < 3
    ring = sound(Tone.RING)
    assert not ring[-SAMPLE_RATE:].any()
