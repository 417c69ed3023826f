"""The measures of the bench, on sound whose delay and damage are known."""

from __future__ import annotations

import numpy as np
import pytest

from openvoice.media.audio.codec import Samples
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS, SAMPLE_RATE
from tests.bench import score
from tests.bench.score import Delay
from tests.bench.speech import Script, Voice, conversation, train
from tests.bench.take import Clock, Heard
from tests.media.audio.network import Network
from tests.media.audio.sound import noise, voice

BEGIN = 1_700_000_000.0
SPOKEN = conversation([Voice(name=str(seed), samples=voice(2, seed)) for seed in range(3)])


def blocks(count: int, begin: float) -> Clock:
    numbers = np.arange(0, count, FRAME_SAMPLES)
    return Clock(numbers, begin + numbers / SAMPLE_RATE)


def heard(script: Script, late: float, samples: Samples | None = None) -> Heard:
    """What is played ``late`` seconds after it was all spoken."""
    sound = script.samples if samples is None else samples
    return Heard(
        samples=sound,
        said=blocks(len(script.samples), BEGIN),
        heard=blocks(len(sound), BEGIN + late + FRAME_SECONDS),
        concealed=0.0,
        cpu_pct=0.0,
    )


@pytest.mark.parametrize("late", [0.0, 0.0123, 0.4])
def test_the_delay_of_each_chirp(late: float) -> None:
    found = score.delays(SPOKEN, heard(SPOKEN, late))
    assert len(found) == len(SPOKEN.chirps)
    assert [one.late for one in found] == pytest.approx([late] * len(found), abs=1e-4)
    assert found[0].spoken == pytest.approx(BEGIN + SPOKEN.chirps[0] / SAMPLE_RATE)


def test_a_chirp_is_heard_through_noise_but_not_where_there_is_none() -> None:
    rough = (SPOKEN.samples + noise(SPOKEN.seconds, 1500)[: len(SPOKEN.samples)]).astype(np.int16)
    found = score.delays(SPOKEN, heard(SPOKEN, 0.05, rough))
    assert [one.late for one in found] == pytest.approx([0.05] * len(SPOKEN.chirps), abs=1e-3)
    assert score.delays(SPOKEN, heard(SPOKEN, 0.05, noise(SPOKEN.seconds))) == []
    assert score.delays(SPOKEN, heard(SPOKEN, 0.05, np.zeros_like(SPOKEN.samples))) == []


def test_a_chirp_of_a_train_is_not_taken_for_the_one_before() -> None:
    script = train()
    found = score.delays(script, heard(script, 0.6))
    assert [one.late for one in found[:40]] == pytest.approx([0.6] * 40, abs=1e-4)


def test_a_delay_that_changes_is_seen_where_it_does() -> None:
    gap = np.zeros(round(0.1 * SAMPLE_RATE), np.int16)
    middle = SPOKEN.chirps[4] + round(0.2 * SAMPLE_RATE)
    longer = np.concatenate([SPOKEN.samples[:middle], gap, SPOKEN.samples[middle:]])
    lates = [one.late for one in score.delays(SPOKEN, heard(SPOKEN, 0.05, longer))]
    assert lates == pytest.approx([0.05] * 5 + [0.15] * (len(lates) - 5), abs=1e-4)


def test_each_voice_is_cut_out_where_it_is_heard() -> None:
    pairs = score.voices(SPOKEN, heard(SPOKEN, 0.05), 0.05)
    assert len(pairs) == 2
    for spoken, sound in pairs:
        np.testing.assert_array_equal(spoken, sound)


def test_a_voice_that_shifted_a_little_is_found() -> None:
    begin, end = SPOKEN.voices[1]
    gap = np.zeros(round(0.08 * SAMPLE_RATE), np.int16)
    shifted = np.concatenate([SPOKEN.samples[: begin - 100], gap, SPOKEN.samples[begin - 100 :]])
    _, (spoken, sound) = score.voices(SPOKEN, heard(SPOKEN, 0.05, shifted), 0.05)
    np.testing.assert_array_equal(spoken, sound)
    assert len(sound) == end - begin


def test_a_voice_that_is_cut_off_is_filled_with_silence() -> None:
    begin, end = SPOKEN.voices[1]
    _, (spoken, sound) = score.voices(SPOKEN, heard(SPOKEN, 0.05, SPOKEN.samples[: (begin + end) // 2]), 0.05)
    assert len(spoken) == len(sound)
    assert not sound[-(end - begin) // 3 :].any()


def course(*lates: float) -> list[Delay]:
    """One chirp a quarter of a second."""
    return [Delay(spoken=BEGIN + n / 4, late=late) for n, late in enumerate(lates)]


def test_recovery_counts_from_the_end_of_the_trouble_until_the_delay_stays_normal() -> None:
    held = Network(held=(2.0, 2.5))
    late = [0.05] * 8 + [0.5, 0.3] + [0.2, 0.15, 0.05, 0.1, 0.054] + [0.05] * 10
    assert score.recovery(course(*late), held, BEGIN) == pytest.approx(14 / 4 - 2.5)


def test_what_is_normal_at_once_has_recovered_at_once() -> None:
    assert score.recovery(course(*[0.05] * 40), Network(cut=(2.0, 3.0)), BEGIN) == 0


def test_a_delay_that_stays_has_not_recovered() -> None:
    assert score.recovery(course(*[0.05] * 8, *[0.2] * 30), Network(cut=(2.0, 3.0)), BEGIN) is None
    assert score.recovery([], Network(cut=(2.0, 3.0)), BEGIN) is None


def test_pesq_hears_damage() -> None:
    pytest.importorskip("pesq")
    spoken = voice(4)
    holed = spoken.copy()
    for begin in range(0, len(holed), 10 * FRAME_SAMPLES):
        holed[begin : begin + FRAME_SAMPLES] = 0
    assert score.pesq_wb(spoken, spoken) > 4.5
    assert score.pesq_wb(spoken, holed) < 3
    assert score.pesq_wb(spoken, np.zeros_like(spoken)) == score.WORST_PESQ
