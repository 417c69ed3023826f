from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from openvoice.devices.resampler import FrameResampler

RATES = [8000, 16_000, 22_050, 32_000, 44_100, 96_000, 192_000]


def sine(rate: int, hertz: float, amplitude: float = 20_000) -> npt.NDArray[np.int16]:
    return np.asarray(np.rint(amplitude * np.sin(2 * np.pi * hertz * np.arange(rate) / rate)), np.int16)


def convert(sound: npt.NDArray[np.int16], incoming: int, outgoing: int) -> npt.NDArray[np.int16]:
    resample = FrameResampler(incoming // 50, outgoing // 50)
    return np.concatenate([resample(frame) for frame in sound.reshape(50, -1)])


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("up", [True, False])
def test_a_tone_stays_the_same_tone(rate: int, up: bool) -> None:
    incoming, outgoing = (rate, 48_000) if up else (48_000, rate)
    made = convert(sine(incoming, 1000), incoming, outgoing).astype(float)
    assert len(made) == outgoing
    steady = made[outgoing // 10 :]
    angles = 2 * np.pi * 1000 * np.arange(len(steady)) / outgoing
    basis = np.stack([np.sin(angles), np.cos(angles)])
    fit = basis.T @ np.linalg.lstsq(basis.T, steady, rcond=None)[0]
    assert np.sqrt(np.mean(fit**2)) == pytest.approx(20_000 / np.sqrt(2), rel=0.01)
    assert 20 * np.log10(np.std(steady - fit) / np.std(fit)) < -60


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
def test_what_the_lower_rate_cannot_hold_is_kept_out(rate: int) -> None:
    made = convert(sine(48_000, rate / 2 * 1.3 if rate < 40_000 else 23_700), 48_000, rate)
    limit = -40 if rate < 40_000 else -15
    assert 20 * np.log10(np.std(made[rate // 10 :].astype(float)) / (20_000 / np.sqrt(2))) < limit


def test_the_same_rate_is_left_alone() -> None:
    frame = np.arange(960, dtype=np.int16)
    assert FrameResampler(960, 960)(frame) is frame


def test_full_scale_is_clipped_and_does_not_wrap() -> None:
    square = np.where(np.arange(44_100) // 50 % 2, 32_767, -32_768).astype(np.int16)
    made = convert(square, 44_100, 48_000).astype(int)
    assert np.abs(np.diff(made)).max() <= 65_535
    assert (made.max(), made.min()) == (32_767, -32_768)
    # A wrapped peak would stand alone, far from its neighbours on both sides.
    assert not np.any((np.abs(made[1:-1] - made[:-2]) > 50_000) & (np.abs(made[1:-1] - made[2:]) > 50_000))


@pytest.mark.parametrize(("incoming", "outgoing"), [(0, 960), (960, 0)])
def test_frames_hold_something(incoming: int, outgoing: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        FrameResampler(incoming, outgoing)
