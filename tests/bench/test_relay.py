"""The relay between the two ends of a call: what it lets pass, loses, delays and counts."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS
from tests.bench.relay import Flow, Relay, is_padding, is_rtp, relay
from tests.media.audio.network import HEADERS, Network

BEGIN = 1_700_000_000.0


def rtp(number: int, *, size: int = 160, padded: bool = False) -> bytes:
    first = 0xA0 if padded else 0x80
    return struct.pack("!BBHII", first, 111, number, number * FRAME_SAMPLES % 2**32, 7) + bytes(size - 12)


RTCP = struct.pack("!BBHI", 0x80, 200, 1, 7) + bytes(8)
STUN = bytes(20)
DTLS = bytes([22]) + bytes(30)


def begun(network: Network) -> Flow:
    flow = Flow(network)
    flow.begin(BEGIN)
    return flow


def test_rtp_is_told_from_what_shares_its_port() -> None:
    assert is_rtp(rtp(1))
    assert not any(map(is_rtp, (RTCP, STUN, DTLS, b"", b"\x80")))
    assert is_padding(rtp(1, padded=True))
    assert not is_padding(rtp(1))


def test_only_rtp_meets_the_network() -> None:
    flow = begun(Network(loss=0.5, delay=0.05))
    for n in range(200):
        assert flow.pass_on(RTCP, BEGIN + n) == pytest.approx(BEGIN + n + 0.05)
        assert flow.pass_on(STUN, BEGIN + n) == pytest.approx(BEGIN + n + 0.05)
    arrivals = [flow.pass_on(rtp(n), BEGIN + n * FRAME_SECONDS) for n in range(200)]
    assert 60 < arrivals.count(None) < 140
    assert flow.count.lost == arrivals.count(None)


def test_everything_passes_at_once_before_the_begin_and_after_the_end() -> None:
    flow = Flow(Network(loss=0.9, delay=1.0))
    assert flow.pass_on(rtp(1), 5.0) == 5.0
    flow.begin(6.0)
    flow.end(7.0)
    assert flow.pass_on(rtp(2), 8.0) == 8.0
    assert flow.count.packets == 0


def test_probes_are_counted_apart_and_shift_no_fate() -> None:
    network = Network(loss=0.3)
    alone, probed = begun(network), begun(network)
    for n in range(100):
        now = BEGIN + n * FRAME_SECONDS
        probed.pass_on(rtp(n, padded=True), now)
        assert alone.pass_on(rtp(n), now) == probed.pass_on(rtp(n), now)
    assert probed.count.packets == 100
    assert probed.count.probe_octets == 100 * 160


def test_kilobits_on_the_wire() -> None:
    flow = begun(Network())
    for n in range(500):
        flow.pass_on(rtp(n), BEGIN + n * FRAME_SECONDS)
    count = flow.end(BEGIN + 10)
    assert count.first == BEGIN
    assert count.kilobits() == pytest.approx(50 * 160 * 8 / 1000)
    assert count.kilobits(headers=True) == pytest.approx(50 * (160 + HEADERS) * 8 / 1000)


def test_a_sender_that_is_late_is_seen_by_its_own_timestamps() -> None:
    flow = begun(Network())
    for n in range(500):
        late = 0.2 if n in (100, 200, 201) else 0.02 if n % 3 else 0.0
        flow.pass_on(rtp(n), BEGIN + n * FRAME_SECONDS + late)
    assert flow.count.stalls == 3
    assert flow.count.latest == pytest.approx(0.2, abs=0.01)


def test_neither_a_clock_that_drifts_nor_a_repetition_nor_a_pause_is_late() -> None:
    flow = begun(Network())
    for n in range(3000):
        now = BEGIN + n * FRAME_SECONDS * 1.001 + (100 if n > 2000 else 0)
        flow.pass_on(rtp(n if n <= 2000 else n + 1000), now)
        if n % 10 == 0:
            flow.pass_on(rtp(max(0, n - 40)), now)
    assert flow.count.stalls == 0


def test_timestamps_wrap_around() -> None:
    flow = begun(Network())
    first = 2**32 // FRAME_SAMPLES - 10
    for n in range(50):
        datagram = bytearray(rtp(0))
        struct.pack_into("!I", datagram, 4, (first + n) * FRAME_SAMPLES % 2**32)
        flow.pass_on(bytes(datagram), BEGIN + n * FRAME_SECONDS)
    assert flow.count.stalls == 0


@pytest.fixture(scope="module")
def running() -> Iterator[Relay]:
    with relay() as one:
        yield one


def end() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.settimeout(5)
    return made


@pytest.mark.network
@pytest.mark.slow
def test_two_ends_believe_that_each_is_where_the_relay_is(running: Relay) -> None:
    to_first, to_second = running.open(1, Network(cut=(0.0, 1000.0)))
    with end() as first, end() as second:
        # The second end has not said anything yet: this is kept for it.
        first.sendto(b"hello", ("127.0.0.1", to_second))
        second.sendto(b"here", ("127.0.0.1", to_first))
        assert first.recvfrom(100) == (b"here", ("127.0.0.1", to_second))
        assert second.recvfrom(100) == (b"hello", ("127.0.0.1", to_first))
        running.begin(1)
        first.sendto(rtp(1), ("127.0.0.1", to_second))
        first.sendto(RTCP, ("127.0.0.1", to_second))
        assert second.recvfrom(100)[0] == RTCP
        count = running.end(1)
        assert (count.packets, count.lost, count.control_octets) == (1, 1, len(RTCP))
        first.sendto(rtp(2), ("127.0.0.1", to_second))
        assert second.recvfrom(200)[0] == rtp(2)
    running.close(1)


@pytest.mark.network
@pytest.mark.slow
def test_calls_do_not_meet(running: Relay) -> None:
    ports = [running.open(number, Network()) for number in (2, 3)]
    with end() as one, end() as other, end() as second:
        for sender, (_, to_second) in zip((one, other), ports, strict=True):
            sender.sendto(b"x", ("127.0.0.1", to_second))
        second.sendto(b"y", ("127.0.0.1", ports[0][0]))
        assert second.recvfrom(100) == (b"x", ("127.0.0.1", ports[0][0]))
        assert one.recvfrom(100)[0] == b"y"
        other.settimeout(0.05)
        with pytest.raises(TimeoutError):
            other.recvfrom(100)
    for number in (2, 3):
        running.close(number)
