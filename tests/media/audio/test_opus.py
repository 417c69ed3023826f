from __future__ import annotations

from weakref import WeakSet

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.errors import MediaFailed
from openvoice.media import libraries
from openvoice.media.audio import opus
from openvoice.media.audio.opus import OpusDecoder, OpusEncoder
from openvoice.ports import FRAME_SAMPLES
from tests.media.audio.sound import frames, noise, signal_to_noise, tone, voice


def test_speech_survives() -> None:
    encoder, decoder = OpusEncoder(), OpusDecoder()
    sent = voice(4)
    heard = np.concatenate([decoder.decode(encoder.encode(frame)) for frame in frames(sent)])
    assert signal_to_noise(sent, heard) > 7


def test_the_size_of_a_packet_tells_nothing_of_what_is_said() -> None:
    encoder = OpusEncoder()
    corpus = np.concatenate([voice(6), np.zeros(48_000, np.int16), noise(1), tone(1000), voice(3, seed=2)])
    sizes = {len(encoder.encode(frame)) for frame in frames(corpus)}
    assert sizes == {120}  # one size: an entropy of 0 bits; 120 octets in 20 ms are 48 kbit/s


def test_muted_packets_have_the_size_of_speech() -> None:
    encoder = OpusEncoder()
    assert {len(encoder.encode(np.zeros(FRAME_SAMPLES, np.int16))) for _ in range(100)} == {120}


def test_the_bitrate_changes_while_it_runs() -> None:
    encoder = OpusEncoder()
    frame = frames(voice(0.1))[0]
    encoder.set_bitrate(24_000)
    assert len(encoder.encode(frame)) == 60
    with pytest.raises(ValueError, match="bitrate"):
        encoder.set_bitrate(1)


def test_in_a_crowd_new_encoders_are_thrifty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opus, "_encoders", WeakSet())
    crowd = [OpusEncoder() for _ in range(opus.CROWD)]
    assert {encoder.complexity for encoder in crowd} == {opus.BEST_COMPLEXITY}
    assert OpusEncoder().complexity == opus.THRIFTY_COMPLEXITY
    crowd.pop()
    assert OpusEncoder().complexity == opus.BEST_COMPLEXITY


@pytest.mark.parametrize(
    "frame", [np.zeros(480, np.int16), np.zeros(960, np.float32), np.zeros((960, 2), np.int16)], ids=str
)
def test_what_is_no_frame_is_refused(frame: np.ndarray) -> None:
    with pytest.raises(ValueError, match="960"):
        OpusEncoder().encode(frame)


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("wideband", [True, False])
def test_longer_packets_hold_more_at_the_same_rate(length: int, wideband: bool) -> None:
    encoder, decoder = OpusEncoder(bitrate=24_000), OpusDecoder()
    encoder.set_wideband(wideband)
    sent = voice(3)
    pieces = [sent[n : n + length * FRAME_SAMPLES] for n in range(0, len(sent) - 2880, length * FRAME_SAMPLES)]
    payloads = [encoder.encode(piece) for piece in pieces]
    assert {len(payload) for payload in payloads} == {60 * length}
    heard = np.concatenate([decoder.decode(payload) for payload in payloads])
    assert signal_to_noise(sent, heard) > 4


def test_a_wideband_packet_has_nothing_above_8_khz() -> None:
    def treble(wideband: bool) -> float:
        encoder, decoder = OpusEncoder(), OpusDecoder()
        encoder.set_wideband(wideband)
        heard = np.concatenate([decoder.decode(encoder.encode(frame)) for frame in frames(noise(1))])
        return float(np.abs(np.fft.rfft(heard.astype(float)))[int(9000 * len(heard) / 48_000) :].sum())

    assert treble(True) < 0.05 * treble(False)


def test_a_frame_with_gaps_in_memory_is_encoded_as_it_reads() -> None:
    wide = np.repeat(frames(voice(0.5))[10], 2)
    assert OpusEncoder().encode(wide[::2]) == OpusEncoder().encode(wide[::2].copy())


def test_the_next_packet_recovers_a_lost_one_better_than_concealment() -> None:
    sent = voice(6)
    encoder = OpusEncoder()
    encoder.set_protected(True)
    payloads = [encoder.encode(frame) for frame in frames(sent)]
    quality = {}
    for recovering in (False, True):
        decoder, heard = OpusDecoder(), []
        for index, payload in enumerate(payloads):
            if index % 10 == 5 and index + 1 < len(payloads):
                recovered = decoder.recover(payloads[index + 1], FRAME_SAMPLES) if recovering else None
                heard.append(decoder.conceal(FRAME_SAMPLES) if recovered is None else recovered)
            else:
                heard.append(decoder.decode(payload))
        quality[recovering] = signal_to_noise(sent, np.concatenate(heard))
    assert quality[True] > quality[False] + 1, quality


def test_a_packet_without_redundancy_recovers_nothing() -> None:
    encoder, decoder = OpusEncoder(), OpusDecoder()
    silent = [encoder.encode(np.zeros(FRAME_SAMPLES, np.int16)) for _ in range(5)]
    assert decoder.recovers(b"") is False
    assert decoder.recover(silent[0], FRAME_SAMPLES) is None  # the first has nothing before it


def test_concealment_goes_on_and_has_any_length() -> None:
    encoder, decoder = OpusEncoder(), OpusDecoder()
    for frame in frames(tone(200, 0.4)):
        decoder.decode(encoder.encode(frame))
    first = decoder.conceal(FRAME_SAMPLES)
    assert np.abs(first).max() > 1000
    assert [len(decoder.conceal(length)) for length in (1, 119, 960, 2880)] == [1, 119, 960, 2880]


def test_reset_forgets_the_past() -> None:
    encoder, decoder = OpusEncoder(), OpusDecoder()
    for frame in frames(tone(200, 0.4)):
        decoder.decode(encoder.encode(frame))
    decoder.reset()
    assert not decoder.conceal(FRAME_SAMPLES).any()


@given(payload=st.binary(max_size=1500), samples=st.integers(1, 5760))
def test_no_payload_raises_and_every_one_has_its_duration(payload: bytes, samples: int) -> None:
    decoder = OpusDecoder()
    duration = decoder.duration(payload)
    assert 0 <= duration <= 5760
    assert len(decoder.decode(payload)) == (duration or FRAME_SAMPLES)
    recovered = decoder.recover(payload, samples)
    assert recovered is None or len(recovered) == samples


@given(st.data())
def test_a_corrupted_packet_is_concealed_and_the_next_is_heard(data: st.DataObject) -> None:
    encoder, decoder = OpusEncoder(), OpusDecoder()
    for frame in frames(voice(0.3)):
        payload = bytearray(encoder.encode(frame))
        place = data.draw(st.integers(0, len(payload) - 1))
        payload[place] ^= data.draw(st.integers(1, 255))
        decoder.decode(bytes(payload))
    sent = tone(440, 0.5)
    heard = np.concatenate([decoder.decode(encoder.encode(frame)) for frame in frames(sent)])
    assert signal_to_noise(sent[-9600:], heard[-12_000:]) > 10


def test_without_a_library_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "_places", lambda name: iter(["/nowhere/libopus.so"]))
    opus._library.cache_clear()
    try:
        with pytest.raises(MediaFailed, match="install"):
            OpusEncoder()
    finally:
        opus._library.cache_clear()
