from __future__ import annotations

import numpy as np

from openvoice.media.audio.waveform import Concealment
from openvoice.ports import FRAME_SAMPLES
from tests.media.audio.sound import roughness, tone


def test_concealment_goes_on_with_the_pitch_of_what_was_heard() -> None:
    sound = tone(200, 0.2)
    concealment = Concealment()
    concealment.follow(sound[:4800])
    made = concealment.conceal(480)
    np.testing.assert_allclose(made.astype(float), sound[4800:5280].astype(float), atol=200)


def test_concealment_falls_silent_within_100_ms() -> None:
    concealment = Concealment()
    concealment.follow(tone(200, 0.2))
    made = np.concatenate([concealment.conceal(FRAME_SAMPLES) for _ in range(6)])
    assert np.abs(made[:960]).max() > 6000
    assert not made[4400:].any()


def test_what_comes_after_concealment_joins_without_a_click() -> None:
    sound = tone(200, 0.5)
    concealment = Concealment()
    before = concealment.follow(sound[:4800])
    made = concealment.conceal(1000)
    after = concealment.follow(sound[9777:14_577])  # out of phase with what was made
    whole = np.concatenate([before, made, after])
    assert len(after) == 4800
    assert roughness(whole[4000:]) < 0.003
    assert roughness(np.concatenate([before, made, sound[9777:]])) > 0.03  # a plain cut
    np.testing.assert_array_equal(after[300:], sound[10_077:14_577])


def test_silence_is_concealed_by_silence() -> None:
    assert not Concealment().conceal(FRAME_SAMPLES).any()
