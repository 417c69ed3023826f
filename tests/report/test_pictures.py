from __future__ import annotations

import io
import re

import av
import numpy as np
import numpy.typing as npt
import pytest

from openvoice.report import Sound
from openvoice.report.spectrogram import COLUMNS, HIGHEST_HERTZ, ROWS, levels, png, spectrogram
from openvoice.report.waveform import waveform

RATE = 48_000


def sound(samples: npt.NDArray[np.floating], rate: int = RATE) -> Sound:
    return Sound(samples=np.rint(samples).astype(np.int16), rate=rate)


def sine(hertz: float, seconds: float = 1.0, rate: int = RATE, level: float = 30_000) -> Sound:
    return sound(level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate), rate)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("hertz", [300, 1000, 4000, 7500])
def test_a_tone_is_a_line_at_its_height(rate: int, hertz: int) -> None:
    picture = levels(sine(hertz, rate=rate))
    assert picture.shape == (ROWS, COLUMNS)
    rows = ROWS - 1 - np.argmax(picture[:, 50:-50], axis=0)
    assert np.abs(rows * HIGHEST_HERTZ / ROWS - hertz).max() <= HIGHEST_HERTZ / ROWS
    # 255 is full scale; the tone lies 0.8 dB below, and at most 1.4 more are lost between two bins.
    assert 240 <= picture[:, 50:-50].max() <= 255


def test_time_goes_from_left_to_right() -> None:
    samples = np.zeros(RATE)
    samples[RATE // 4 : RATE // 2] = 20_000 * np.sin(2 * np.pi * 1000 * np.arange(RATE // 4) / RATE)
    loud = np.flatnonzero(levels(sound(samples)).max(axis=0) > 200)
    assert loud[0] == pytest.approx(COLUMNS / 4, abs=10)
    assert loud[-1] == pytest.approx(COLUMNS / 2, abs=10)


@pytest.mark.parametrize("length", [0, 1, 100, 10 * RATE])
def test_silence_of_any_length_is_empty(length: int) -> None:
    assert not levels(sound(np.zeros(length))).any()


def test_a_low_rate_leaves_the_upper_part_empty() -> None:
    picture = levels(sound(np.random.default_rng(1).normal(0, 8000, 8000).clip(-32768, 32767), rate=8000))
    assert not picture[: ROWS // 2 - 2].any()
    assert picture[ROWS // 2 :].any()


def test_a_decoder_reads_the_png() -> None:
    values = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS).astype(np.uint8)
    with av.open(io.BytesIO(png(values)), mode="r") as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height) == (COLUMNS, ROWS)
    colours = frame.to_ndarray(format="rgba")
    assert colours[0, 0].tolist()[3] == 0
    assert colours[0, 255].tolist() == [255, 150, 40, 255]
    # Equal values have equal colours, and unequal ones do not.
    assert len(np.unique(colours.reshape(-1, 4), axis=0)) > 200
    assert np.array_equal(colours[0, 10], colours[0, 266])


def test_a_spectrogram_is_an_image_with_words() -> None:
    made = spectrogram(sine(440), "Spectrogram of what A &amp; B said")
    assert re.fullmatch(
        r'<img class="spectrogram" alt="Spectrogram of what A &amp; B said" '
        r'src="data:image/png;base64,[A-Za-z0-9+/=]+">',
        made,
    )
    assert len(made) < 120_000


def points(svg: str) -> npt.NDArray[np.floating]:
    found = re.search(r'points="([^"]*)"', svg)
    assert found
    return np.array([[float(number) for number in point.split(",")] for point in found[1].split()])


def test_a_waveform_spans_from_lowest_to_highest() -> None:
    samples = np.zeros(RATE)
    samples[RATE // 2 :] = 32_767
    samples[-RATE // 4 :: 2] = -32_768
    shape = points(waveform(sound(samples), "x"))
    upper, lower = shape[:500], shape[500:][::-1]
    assert np.array_equal(upper[:, 0], np.arange(500))
    assert upper[100, 1] == 49.5
    assert lower[100, 1] == 50.5
    assert upper[300, 1] == pytest.approx(0, abs=0.1)
    assert lower[300, 1] == 50.5
    assert lower[450, 1] == pytest.approx(100, abs=0.1)


@pytest.mark.parametrize("length", [0, 1, 499])
def test_a_waveform_of_few_samples_is_whole(length: int) -> None:
    assert len(points(waveform(sound(np.ones(length)), "x"))) == 1000


def test_lasting_cuts_and_fills_up() -> None:
    one = sound(np.ones(RATE))
    assert one.lasting(0.5).samples.tolist() == [1] * (RATE // 2)
    assert one.lasting(1.5).samples.tolist() == [1] * RATE + [0] * (RATE // 2)
    assert one.seconds == 1.0


def test_a_sound_is_one_row_of_samples() -> None:
    for samples, rate in ((np.zeros(3), 1), (np.zeros((2, 2), np.int16), 1), (np.zeros(3, np.int16), 0)):
        with pytest.raises(ValueError, match="one row"):
            Sound(samples=samples, rate=rate)  # type: ignore[arg-type]
