from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from openvoice.client.fader import FADE_SAMPLES, Fader
from openvoice.ports import FRAME_SAMPLES

LOUD = np.full(FRAME_SAMPLES, 20_000, np.int16)


def test_sound_is_passed_on_as_it_is() -> None:
    assert Fader()(LOUD, heard=True) is LOUD


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_silence_is_silence_and_no_step_is_heard(heard: list[bool]) -> None:
    fader = Fader()
    made = [fader(LOUD, heard=one) for one in heard]
    for before, one, frame in zip([True, *heard], heard, made, strict=False):
        assert frame.shape == (FRAME_SAMPLES,)
        assert frame.dtype == np.int16
        if not one:
            assert not frame[FADE_SAMPLES:].any()
            assert before or not frame.any()
        else:
            assert (frame[FADE_SAMPLES:] == 20_000).all()
    sound = np.concatenate([LOUD, *made]).astype(int)
    assert np.abs(np.diff(sound)).max() <= 20_000 / FADE_SAMPLES * 1.1
