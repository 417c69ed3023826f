from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice.media.audio.codec import PayloadFormat, Samples
from openvoice.media.audio.g711 import G711Decoder, G711Encoder
from openvoice.media.audio.opus import OpusDecoder, OpusEncoder
from openvoice.media.audio.playout import CAPACITY, PlayoutBuffer
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS, SAMPLE_RATE
from tests.media.audio.network import Network, play
from tests.media.audio.sound import frames, lag, noise, roughness, signal_to_noise, tone, voice

OPUS_DELAY = 312
"""Samples that Opus itself looks ahead (6.5 ms)."""
SPEECH = voice(20)
Packets = list[tuple[float, int, bytes]]


def opus_buffer() -> PlayoutBuffer:
    return PlayoutBuffer({111: PayloadFormat(OpusDecoder(), 48_000)})


def encoded(sound: Samples, *, protected: bool = True) -> list[bytes]:
    encoder = OpusEncoder(complexity=5)
    encoder.set_protected(protected)
    return [encoder.encode(frame) for frame in frames(sound)]


def sent(payloads: list[bytes], network: Network | None = None, *, first_timestamp: int = 2**32 - 48_000) -> Packets:
    """The packets as they come; the timestamps wrap after a second."""
    departures = [n * FRAME_SECONDS for n in range(len(payloads))]
    return [
        (arrival, (first_timestamp + n * FRAME_SAMPLES) % 2**32, payloads[n])
        for arrival, n in (network or Network()).arrivals(departures)
    ]


def assert_conserved(buffer: PlayoutBuffer, pulled: int) -> None:
    counters = buffer.counters
    assert counters.inserted == counters.played + counters.discarded + buffer.held
    made = counters.decoded + counters.recovered + counters.concealed + counters.lengthened + counters.silent
    assert made - counters.shortened - buffer.pending == pulled * FRAME_SAMPLES


def milliseconds(
    reference: Samples, heard: list[Samples], phase: float = 0.007, since: float = 2, until: float = 18
) -> float:
    """Frame in to frame out."""
    begin, end = int(since * SAMPLE_RATE), int(until * SAMPLE_RATE)
    late = lag(reference[begin:end], np.concatenate(heard)[begin : end + SAMPLE_RATE])
    return late / 48 + phase * 1000


@pytest.mark.parametrize("phase", [0.001, 0.005, 0.01, 0.015, 0.019])
def test_on_a_clean_network_sound_waits_about_one_frame(phase: float) -> None:
    buffer = opus_buffer()
    heard = play(buffer, sent(encoded(SPEECH)), until=20, phase=phase)
    assert milliseconds(SPEECH, heard, phase) <= 40
    assert buffer.counters.concealed == 0
    assert buffer.counters.late == 0
    assert buffer.delay < 0.03
    assert_conserved(buffer, len(heard))


@pytest.mark.parametrize(
    ("network", "concealed", "delay"),
    [
        (Network(loss=0.01, seed=3), 0.008, 70),
        (Network(loss=0.05, seed=3), 0.025, 70),
        (Network(loss=0.10, seed=3), 0.05, 70),
        (Network(loss=0.20, seed=3), 0.12, 70),
        (Network(loss=0.05, burst=3, seed=3), 0.04, 70),
        (Network(loss=0.10, burst=3, seed=3), 0.085, 70),
        (Network(jitter=0.06, seed=3), 0.005, 90),
        (Network(jitter=0.06, reorder=True, seed=3), 0.005, 90),
        (Network(loss=0.05, jitter=0.06, seed=3), 0.02, 110),
        (Network(loss=0.05, jitter=0.06, reorder=True, seed=3), 0.02, 110),
    ],
    ids=str,
)
def test_delay_and_concealment_stay_small_on_a_bad_network(network: Network, concealed: float, delay: float) -> None:
    buffer = opus_buffer()
    heard = play(buffer, sent(encoded(SPEECH), network), until=20)
    assert buffer.counters.concealed / (len(heard) * FRAME_SAMPLES) <= concealed
    assert milliseconds(SPEECH, heard) <= delay
    assert_conserved(buffer, len(heard))


@pytest.mark.parametrize("phase", [0.001, 0.007, 0.013, 0.019])
def test_a_route_that_becomes_longer_for_good_costs_two_frames_at_most(phase: float) -> None:
    packets = [(a + 0.02 if a > 10 else a, timestamp, payload) for a, timestamp, payload in sent(encoded(SPEECH))]
    buffer = opus_buffer()
    heard = play(buffer, packets, until=20, phase=phase)
    assert buffer.counters.concealed + buffer.counters.recovered <= 2 * FRAME_SAMPLES
    assert buffer.counters.late <= 1
    assert milliseconds(SPEECH, heard, phase, since=13, until=18) <= 60
    assert_conserved(buffer, len(heard))


def play_with_copies(
    buffer: PlayoutBuffer, packets: Packets, payloads: list[bytes], distances: tuple[int, ...], until: float
) -> list[Samples]:
    """As :func:`play`; each packet brings copies of those sent ``distances`` packets before it."""
    heard, waiting = [], sorted(packets)[::-1]
    first = 2**32 - 48_000
    for tick in range(round(until / FRAME_SECONDS)):
        now = 0.007 + tick * FRAME_SECONDS
        while waiting and waiting[-1][0] <= now:
            arrival, timestamp, payload = waiting.pop()
            buffer.insert(111, timestamp, payload, arrival)
            for distance in distances:
                place = (timestamp - first) % 2**32 // FRAME_SAMPLES - distance
                if place >= 0:
                    offset = distance * FRAME_SAMPLES
                    buffer.insert_copy(111, (timestamp - offset) % 2**32, offset, payloads[place], arrival)
        heard.append(buffer.pull(now))
    return heard


@pytest.mark.parametrize(
    ("network", "concealed", "delay"),
    [
        (Network(loss=0.01, seed=3), 0.003, 50),
        (Network(loss=0.05, seed=3), 0.01, 70),
        (Network(loss=0.20, seed=3), 0.03, 70),
        (Network(loss=0.10, burst=3, seed=3), 0.06, 70),
        (Network(loss=0.05, jitter=0.06, reorder=True, seed=3), 0.01, 120),
    ],
    ids=str,
)
def test_copies_replace_what_is_lost_within_two_packets(network: Network, concealed: float, delay: float) -> None:
    payloads = encoded(SPEECH, protected=False)
    buffer = opus_buffer()
    heard = play_with_copies(buffer, sent(payloads, network), payloads, (2, 1), 20)
    assert buffer.counters.concealed / (len(heard) * FRAME_SAMPLES) <= concealed
    assert milliseconds(SPEECH, heard) <= delay
    assert_conserved(buffer, len(heard))


def test_copies_that_nobody_needs_change_nothing() -> None:
    payloads = encoded(SPEECH, protected=False)
    heard = []
    for distances in ((), (1,), (3, 2, 1)):
        buffer = opus_buffer()
        heard.append(np.concatenate(play_with_copies(buffer, sent(payloads), payloads, distances, 20)))
        assert buffer.counters.inserted == 1000
    np.testing.assert_array_equal(heard[0], heard[1])
    np.testing.assert_array_equal(heard[0], heard[2])


def test_the_wait_is_as_long_as_the_copies_are_away_and_never_more_than_two_packets() -> None:
    payloads = encoded(SPEECH, protected=False)
    single = [packet for n, packet in enumerate(sent(payloads)) if n % 15 != 7]
    late = {}
    for distance in (1, 2, 3):
        heard = play_with_copies(opus_buffer(), single, payloads, (distance,), 20)
        late[distance] = milliseconds(SPEECH, heard)
    clean = milliseconds(SPEECH, play(opus_buffer(), sent(payloads), until=20))
    assert late[1] - clean == pytest.approx(20, abs=3)
    assert late[2] - clean == pytest.approx(40, abs=3)
    assert late[3] == pytest.approx(clean, abs=3)


def test_the_packet_itself_takes_the_place_of_its_copy() -> None:
    payloads = encoded(SPEECH[:SAMPLE_RATE], protected=False)
    buffer = opus_buffer()
    buffer.insert(111, 2 * FRAME_SAMPLES, payloads[2], 0.0)
    buffer.insert_copy(111, FRAME_SAMPLES, FRAME_SAMPLES, payloads[1], 0.0)
    buffer.insert_copy(111, FRAME_SAMPLES, FRAME_SAMPLES, payloads[9], 0.0)
    assert (buffer.counters.inserted, buffer.held) == (2, 2)
    buffer.insert(111, FRAME_SAMPLES, payloads[1], 0.0)
    assert (buffer.counters.inserted, buffer.counters.replaced, buffer.held) == (3, 1, 2)
    buffer.insert_copy(111, FRAME_SAMPLES, FRAME_SAMPLES, payloads[9], 0.0)
    assert (buffer.counters.inserted, buffer.held) == (3, 2)


def test_copies_without_sound_or_of_another_time_or_clock_are_not_kept() -> None:
    payloads = encoded(SPEECH[:SAMPLE_RATE])
    buffer = PlayoutBuffer({111: PayloadFormat(OpusDecoder(), 48_000), 0: PayloadFormat(G711Decoder("PCMU"), 8000)})
    buffer.insert_copy(111, 0, 960, payloads[0], 0.0)
    buffer.insert(111, 960, payloads[1], 0.0)
    buffer.insert_copy(111, 0, 960, b"", 0.0)
    buffer.insert_copy(5, 0, 960, payloads[0], 0.0)
    buffer.insert_copy(0, 0, 960, bytes(160), 0.0)
    buffer.insert_copy(111, 2**31, 960, payloads[0], 0.0)
    assert (buffer.counters.inserted, buffer.held) == (1, 1)


def test_what_is_lost_is_recovered_from_the_next_packet_wherever_it_holds_a_copy() -> None:
    payloads = encoded(SPEECH)
    lost = set(range(100, 1000, 20))
    buffer = opus_buffer()
    play(buffer, [packet for n, packet in enumerate(sent(payloads)) if n not in lost], until=20)
    copies = sum(OpusDecoder().recovers(payloads[n + 1]) for n in lost)
    assert copies > 20
    assert buffer.counters.recovered == copies * FRAME_SAMPLES
    # Opus keeps no copies of pauses; and before the first loss there was no reason to wait for a copy.
    assert buffer.counters.concealed <= (len(lost) - copies + 2) * FRAME_SAMPLES


def test_latency_is_normal_again_five_seconds_after_loss_and_jitter_end() -> None:
    payloads = encoded(SPEECH)
    bad = [packet for packet in sent(payloads, Network(loss=0.1, jitter=0.1, reorder=True)) if packet[0] < 10]
    good = [packet for packet in sent(payloads) if packet[0] >= 10]
    buffer = opus_buffer()
    heard = play(buffer, bad + good, until=20)
    assert milliseconds(SPEECH, heard, since=3, until=9) > 60
    assert milliseconds(SPEECH, heard, since=15, until=18) <= 40
    assert_conserved(buffer, len(heard))


def test_a_stall_of_the_network_is_caught_up_with() -> None:
    packets = [
        (max(a, 8.3) if 8 <= a < 8.3 else a, timestamp, payload) for a, timestamp, payload in sent(encoded(SPEECH))
    ]
    buffer = opus_buffer()
    heard = play(buffer, packets, until=20)
    assert milliseconds(SPEECH, heard, since=13, until=18) <= 40
    assert buffer.counters.played + buffer.counters.late == 1000


def test_noise_which_neither_pauses_nor_repeats_itself_is_caught_up_with_too() -> None:
    rain = noise(20)
    encoder = G711Encoder("PCMU")
    packets = [
        (8.15 if 8 <= n * FRAME_SECONDS < 8.15 else n * FRAME_SECONDS, n * 160, encoder.encode(frame))
        for n, frame in enumerate(frames(rain))
    ]
    buffer = PlayoutBuffer({0: PayloadFormat(G711Decoder("PCMU"), 8000)})
    heard = play(buffer, packets, until=20, payload_type=0)
    assert buffer.delay < 0.04
    assert milliseconds(rain, heard, since=18, until=19) <= 40


def test_speech_is_stretched_in_its_pauses() -> None:
    # The clocks are off by 1 in 400: 50 ms in all are to be made up for.
    packets = [(arrival * 1.0025, timestamp, payload) for arrival, timestamp, payload in sent(encoded(SPEECH))]
    buffer = opus_buffer()
    loud, quiet = 0, 0
    for n in range(1000):
        now = n * FRAME_SECONDS + 0.007
        for arrival, timestamp, payload in packets[max(0, n - 10) : n + 2]:
            if now - FRAME_SECONDS < arrival <= now:
                buffer.insert(111, timestamp, payload, arrival)
        before = buffer.counters.shortened + buffer.counters.lengthened
        frame = buffer.pull(now)
        stretched = buffer.counters.shortened + buffer.counters.lengthened - before
        if np.abs(frame).max() > 1500:
            loud += stretched
        else:
            quiet += stretched
    assert quiet > 1000
    assert loud < 0.2 * quiet


def test_permuted_packets_are_put_in_order_without_a_loss() -> None:
    packets = sent(encoded(SPEECH), Network(delay=0.05))
    swapped = [(packets[n ^ 1][0], *packets[n][1:]) for n in range(len(packets))]
    buffer = opus_buffer()
    play(buffer, swapped, until=20)
    assert buffer.counters.late == 0
    assert buffer.counters.played >= 995


def test_duplicates_are_played_once() -> None:
    packets = sent(encoded(SPEECH[: 5 * SAMPLE_RATE]))
    buffer = opus_buffer()
    heard = play(
        buffer,
        packets + packets + [(arrival + 0.1, timestamp, payload) for arrival, timestamp, payload in packets],
        until=5,
    )
    assert buffer.counters.played == 250
    assert buffer.counters.discarded >= 490
    assert_conserved(buffer, len(heard))


def test_clocks_that_drift_apart_are_followed() -> None:
    payloads = encoded(SPEECH)
    for drift in (0.999, 1.001):  # 20 ms in 20 s; sound cards differ by less
        packets = [(arrival * drift, timestamp, payload) for arrival, timestamp, payload in sent(payloads)]
        buffer = opus_buffer()
        heard = play(buffer, packets, until=19.9)
        begin, end = 14 * SAMPLE_RATE, 19 * SAMPLE_RATE
        late = lag(SPEECH[begin:end], np.concatenate(heard)[begin - 4800 : end + SAMPLE_RATE]) / 48 - 100
        assert -20 <= late - 16.5 * (drift - 1) * 1000 <= 45
        assert buffer.counters.concealed <= 4 * FRAME_SAMPLES


def test_a_sender_that_stops_is_faded_out_and_heard_again() -> None:
    # Dino mutes by sending no packets; some senders' timestamps go on meanwhile, some stand still.
    payloads = encoded(voice(4, seed=5))
    for pause in (0, 5 * SAMPLE_RATE):
        before = sent(payloads[:100], first_timestamp=0)
        after = [
            (arrival + 5, (timestamp + pause) % 2**32, payload)
            for arrival, timestamp, payload in sent(payloads, first_timestamp=0)[100:]
        ]
        buffer = opus_buffer()
        heard = play(buffer, before + after, until=9.4)
        assert buffer.counters.concealed <= 10 * FRAME_SAMPLES
        assert np.abs(np.concatenate(heard[120:340])).max() < 30
        assert buffer.counters.played >= 195
        assert np.abs(np.concatenate(heard[370:440])).max() > 3000
        assert_conserved(buffer, len(heard))


def test_talkspurts_of_a_sender_with_discontinuous_transmission_lose_nothing() -> None:
    payloads = encoded(voice(20, seed=7))
    packets = [packet for n, packet in enumerate(sent(payloads)) if n // 25 % 2 == 0]
    buffer = opus_buffer()
    heard = play(buffer, packets, until=20)
    assert buffer.counters.played == 500
    assert buffer.counters.recovered == 0
    assert milliseconds(voice(20, seed=7), heard) <= 60


def test_a_pause_begins_and_ends_without_a_click() -> None:
    steady = tone(300, 4, amplitude=12_000)
    packets = [packet for packet in sent(encoded(steady)) if not 1.5 < packet[0] < 2.5]
    heard = np.concatenate(play(opus_buffer(), packets, until=4))
    assert roughness(heard[SAMPLE_RATE // 2 :]) < 0.02


@pytest.mark.parametrize("duration", [480, 960, 1440, 1920, 2880, 5760])
def test_packets_of_any_duration_are_played(duration: int) -> None:
    sound = tone(440, 10)
    encoder = G711Encoder("PCMU")
    octets = b"".join(encoder.encode(frame) for frame in frames(sound))
    size = duration // 6
    packets = [
        ((n + 1) * duration / SAMPLE_RATE, n * size, octets[n * size : (n + 1) * size])
        for n in range(len(octets) // size)
    ]
    buffer = PlayoutBuffer({0: PayloadFormat(G711Decoder("PCMU"), 8000)})
    heard = play(buffer, packets, until=9.9, payload_type=0)
    assert buffer.counters.concealed == 0
    assert buffer.counters.lengthened + buffer.counters.shortened <= 0.5 * SAMPLE_RATE
    steady = np.concatenate(heard)[5 * SAMPLE_RATE :]
    assert signal_to_noise(sound[: 4 * SAMPLE_RATE], steady) > 30
    assert_conserved(buffer, len(heard))


def test_what_is_no_sound_is_discarded() -> None:
    buffer = opus_buffer()
    buffer.insert(111, 0, b"", 0.0)
    buffer.insert(111, 0, b"\x03", 0.0)
    buffer.insert(5, 0, b"\x00" * 60, 0.0)
    assert buffer.counters.junk == 3
    assert not buffer.pull(1.0).any()


def test_before_it_is_pulled_only_a_few_frames_are_held() -> None:
    buffer = opus_buffer()
    payload = encoded(SPEECH[:FRAME_SAMPLES])[0]
    for n in range(500):
        buffer.insert(111, n * FRAME_SAMPLES, payload, n * FRAME_SECONDS)
    assert buffer.held <= 8
    buffer.pull(500 * FRAME_SECONDS)
    assert buffer.counters.played == 1
    assert buffer.held <= 2


def test_an_output_that_stands_still_costs_a_bounded_memory_and_no_latency() -> None:
    packets = sent(encoded(SPEECH), first_timestamp=0)
    buffer = opus_buffer()
    play(buffer, packets[:250], until=5)
    for arrival, timestamp, payload in packets[250:]:
        buffer.insert(111, timestamp, payload, arrival)
    assert buffer.held <= CAPACITY
    for tick in range(10):
        buffer.pull(20.0 + tick * FRAME_SECONDS)
    assert buffer.held <= 3


def test_one_stray_packet_changes_nothing_and_a_new_timeline_is_followed() -> None:
    payloads = encoded(SPEECH[: 8 * SAMPLE_RATE])
    packets = sent(payloads, first_timestamp=0)
    stray = (2.0, 2**31 - 5, payloads[0])
    heard = []
    for stream in (packets, [*packets, stray]):
        buffer = opus_buffer()
        heard.append(np.concatenate(play(buffer, stream, until=8)))
    assert buffer.counters.overflow == 1
    np.testing.assert_array_equal(heard[0], heard[1])

    restarted = [(a, t if a < 4 else (t + 2**30) % 2**32, p) for a, t, p in packets]
    buffer = opus_buffer()
    play(buffer, restarted, until=8)
    assert buffer.counters.played >= 395


def test_a_change_of_codec_in_the_stream_is_heard() -> None:
    sound = voice(4)
    g711 = G711Encoder("PCMU")
    buffer = PlayoutBuffer({111: PayloadFormat(OpusDecoder(), 48_000), 0: PayloadFormat(G711Decoder("PCMU"), 8000)})
    now = 0.0
    for payload in encoded(sound):
        now += FRAME_SECONDS
        buffer.insert(111, round(now * 48_000), payload, now)
        buffer.pull(now + 0.005)
    for frame in frames(sound):
        now += FRAME_SECONDS
        buffer.insert(0, round(now * 8000), g711.encode(frame), now)
        buffer.pull(now + 0.005)
    assert buffer.counters.played >= 396


def test_reset_forgets_what_waits_but_not_the_counters() -> None:
    buffer = opus_buffer()
    heard = play(buffer, sent(encoded(SPEECH[:SAMPLE_RATE])), until=0.5)
    buffer.reset()
    assert buffer.held == 0
    heard += [buffer.pull(1.0), buffer.pull(1.02)]
    assert not heard[-1].any()
    assert_conserved(buffer, len(heard))


PAYLOADS = encoded(voice(1, seed=3))


@given(
    st.lists(
        st.one_of(
            st.integers(0, 49).map(lambda n: ("packet", n)),
            st.tuples(st.just("copy"), st.integers(0, 49), st.integers(1, 3)),
            st.tuples(
                st.just("raw copy"), st.integers(0, 2**32 - 1), st.integers(0, 2**14 - 1), st.binary(max_size=20)
            ),
            st.tuples(st.just("raw"), st.integers(0, 2**32 - 1), st.binary(max_size=20)),
            st.integers(1, 12).map(lambda n: ("pull", n)),
            st.just(("reset",)),
        ),
        max_size=120,
    )
)
@settings(max_examples=150)
def test_whatever_comes_every_pull_gives_a_frame_and_nothing_is_unaccounted_for(
    steps: list[tuple[object, ...]],
) -> None:
    buffer = opus_buffer()
    now, pulled = 5.0, 0
    for step in steps:
        match step:
            case ("packet", int(n)):
                buffer.insert(111, n * FRAME_SAMPLES, PAYLOADS[n], now)
            case ("copy", int(n), int(back)):
                buffer.insert_copy(111, n * FRAME_SAMPLES, back * FRAME_SAMPLES, PAYLOADS[n], now)
            case ("raw copy", int(timestamp), int(offset), bytes(payload)):
                buffer.insert_copy(111, timestamp, offset, payload, now)
            case ("raw", int(timestamp), bytes(payload)):
                buffer.insert(111, timestamp, payload, now)
            case ("pull", int(times)):
                for _ in range(times):
                    frame = buffer.pull(now)
                    assert frame.shape == (FRAME_SAMPLES,)
                    assert frame.dtype == np.int16
                    pulled += 1
                    now += FRAME_SECONDS
            case _:
                buffer.reset()
        assert buffer.held <= CAPACITY
        assert buffer.pending <= 2 * 5760
        assert_conserved(buffer, pulled)


@given(order=st.permutations(range(50)), copies=st.integers(1, 3), lost=st.sets(st.integers(0, 49)))
@settings(max_examples=50)
def test_any_permutation_duplication_and_loss_is_survived(order: list[int], copies: int, lost: set[int]) -> None:
    buffer = opus_buffer()
    packets = [
        (place * FRAME_SECONDS + 0.001 * copy, n * FRAME_SAMPLES, PAYLOADS[n])
        for place, n in enumerate(order)
        for copy in range(copies)
        if n not in lost
    ]
    heard = play(buffer, packets, until=3)
    assert len(heard) == 150
    assert buffer.held == 0
    assert_conserved(buffer, len(heard))
