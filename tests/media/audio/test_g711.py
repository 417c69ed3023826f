from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.audio.g711 import A_LAW, MU_LAW, G711Decoder, G711Encoder
from openvoice.ports import FRAME_SAMPLES
from tests.media.audio.sound import frames, signal_to_noise, tone


@pytest.mark.parametrize(
    ("octet", "sample"), [(0x00, -32124), (0x80, 32124), (0x7F, 0), (0xFF, 0), (0xFE, 8), (0x7E, -8), (0xEF, 132)]
)
def test_mu_law_levels_are_those_of_the_standard(octet: int, sample: int) -> None:
    assert MU_LAW[octet] == sample


@pytest.mark.parametrize(
    ("octet", "sample"), [(0xD5, 8), (0x55, -8), (0xAA, 32256), (0x2A, -32256), (0xD4, 24), (0xC5, 264)]
)
def test_a_law_levels_are_those_of_the_standard(octet: int, sample: int) -> None:
    assert A_LAW[octet] == sample


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_a_tone_survives_in_160_octets_a_frame(law: str) -> None:
    encoder, decoder = G711Encoder(law), G711Decoder(law)
    sent = tone(1000)
    payloads = [encoder.encode(frame) for frame in frames(sent)]
    assert {len(payload) for payload in payloads} == {160}
    assert {decoder.duration(payload) for payload in payloads} == {FRAME_SAMPLES}
    heard = np.concatenate([decoder.decode(payload) for payload in payloads])
    assert signal_to_noise(sent[4800:-4800], heard) > 30


@pytest.mark.parametrize("law", ["PCMU", "PCMA"])
def test_silence_is_silence(law: str) -> None:
    encoder, decoder = G711Encoder(law), G711Decoder(law)
    payload = encoder.encode(np.zeros(FRAME_SAMPLES, np.int16))
    assert np.abs(decoder.decode(payload)).max() <= 10  # A-law has no zero
    assert set(payload) == {0xFF if law == "PCMU" else 0xD5}


@given(st.binary(max_size=1200))
def test_any_payload_is_sound(payload: bytes) -> None:
    decoder = G711Decoder("PCMU")
    assert len(decoder.decode(payload)) == (decoder.duration(payload) or FRAME_SAMPLES)
    assert decoder.recover(payload, 960) is None


def test_more_than_120_ms_in_one_packet_are_junk() -> None:
    assert G711Decoder("PCMA").duration(bytes(961)) == 0
