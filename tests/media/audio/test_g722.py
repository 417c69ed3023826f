from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice.media.audio.g722 import G722Decoder, G722Encoder
from openvoice.ports import FRAME_SAMPLES
from tests.media.audio.sound import frames, signal_to_noise, tone, voice


@pytest.mark.parametrize("frequency", [300, 1000, 5000])
def test_tones_of_the_wide_band_survive(frequency: int) -> None:
    encoder, decoder = G722Encoder(), G722Decoder()
    sent = tone(frequency)
    heard = np.concatenate([decoder.decode(encoder.encode(frame)) for frame in frames(sent)])
    assert signal_to_noise(sent[4800:-4800], heard) > 20


def test_every_frame_has_160_octets() -> None:
    encoder = G722Encoder()
    assert {len(encoder.encode(frame)) for frame in frames(voice(2))} == {160}


@given(st.binary(max_size=1200))
@settings(max_examples=50)
def test_any_payload_is_sound(payload: bytes) -> None:
    decoder = G722Decoder()
    assert len(decoder.decode(payload)) == (decoder.duration(payload) or FRAME_SAMPLES)


def test_reset_forgets_the_past() -> None:
    encoder, decoder = G722Encoder(), G722Decoder()
    for frame in frames(tone(300, 0.2)):
        decoder.decode(encoder.encode(frame))
    decoder.reset()
    assert not decoder.conceal(FRAME_SAMPLES).any()
