"""What two streams do against loss, and what an eavesdropper sees of it."""

from __future__ import annotations

import asyncio
import random
import secrets
from dataclasses import replace

import numpy as np
import pytest
from aiortc.rtp import RtcpRtpfbPacket

from openvoice.media.audio.codec import Samples
from openvoice.media.audio.negotiation import offered_codecs
from openvoice.ports import FRAME_SAMPLES, Frame
from tests.media.audio.network import Network
from tests.media.audio.sound import frames, noise, voice
from tests.media.audio.test_stream import Samplewise, Side, content, pair
from tests.media.audio.virtual_time import run


async def talk(alice: Side, bob: Side, seconds: float) -> tuple[list[int], list[float]]:
    """Let two sides talk; for each second Alice's largest packet, in octets, and how long sound waits at Bob, in ms."""
    sizes, waits = [], []
    for _ in range(round(seconds)):
        before = len(alice.rtp)
        await asyncio.sleep(1)
        sizes.append(max(len(packet.payload) for _, packet in alice.rtp[before:]))
        waits.append(bob.stream.statistics().playout_delay)
    return sizes, waits


PLAIN, PROTECTED = 120, 168


class Listener(Samplewise):
    """Counts what is made up where something was said: Opus keeps no copies of pauses, and nobody misses one."""

    def __init__(self, speaker: Side, listener: Side, sound: Samples) -> None:
        super().__init__()
        self._speaker = speaker
        self._buffer = listener.stream._receiver._buffer
        self._spoken = [np.abs(frame.astype(int)).mean() > 300 for frame in frames(sound)]
        self._concealed = 0
        self.spoken = self.made_up = 0

    def write(self, frame: Frame) -> None:
        concealed, self._concealed = self._concealed, self._buffer.counters.concealed
        if self._buffer._position is None:
            return
        place = (self._buffer._position - self._speaker.rtp[0][1].timestamp) // FRAME_SAMPLES - 1
        if 0 <= place < len(self._spoken) and self._spoken[place]:
            self.spoken += FRAME_SAMPLES
            self.made_up += self._concealed - concealed


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_copies_fill_what_a_bad_network_loses_and_go_when_it_is_good_again(seed: int) -> None:
    async def main() -> None:
        alice, bob = pair(Network(loss=0.2, seed=seed))
        sound = voice(60)
        bob.sink = ear = Listener(alice, bob, sound)
        alice.open(sound)
        bob.open(sound)
        await talk(alice, bob, 15)
        ear.spoken = ear.made_up = 0
        sizes, waits = await talk(alice, bob, 15)
        assert ear.made_up / ear.spoken < 0.03
        assert bob.stream.statistics().loss == pytest.approx(0.2, abs=0.04)
        assert set(sizes[8:]) == {PROTECTED}
        assert max(waits) <= 70
        # Nothing is lost on the way back, and nothing is spent for it.
        assert len(bob.rtp[-1][1].payload) == PLAIN

        alice._arrivals = dict.fromkeys(range(20000), 0.0005)
        sizes, waits = await talk(alice, bob, 20)
        assert sizes[-1] == PLAIN
        assert sizes == sorted(sizes, reverse=True)
        assert waits[-1] <= 30
        alice.stream.close()
        bob.stream.close()

    run(main())


def test_copies_are_sent_only_to_who_described_them() -> None:
    without = content(*(codec for codec in offered_codecs() if codec.name != "red"))

    async def main() -> None:
        for local, remote in ((None, without), (without, None)):
            alice = Side(Network(loss=0.2), local, remote)
            bob = Side(None, remote, local)
            alice.peer, bob.peer = bob, alice
            alice.open(voice(5))
            bob.open()
            await asyncio.sleep(5)
            assert {packet.payload_type for _, packet in alice.rtp} == {111}
            assert bob.stream.statistics().concealed < 0.15
            alice.stream.close()
            bob.stream.close()

    run(main())


class Near(Side):
    """One end of a call with a round trip of 10 ms."""

    rtcp_delay = 0.005


def test_what_is_lost_on_a_short_way_is_asked_for_and_heard() -> None:
    async def main() -> None:
        alice, bob = Near(Network(loss=0.1, seed=3, delay=0.005)), Near()
        alice.peer, bob.peer = bob, alice
        sound = voice(20)
        alice.open(sound)
        bob.open()
        await asyncio.sleep(5)
        statistics = alice.stream.statistics()
        before = bob.stream._receiver._buffer.counters.concealed
        await asyncio.sleep(15)
        after = alice.stream.statistics()
        again = after.retransmitted - statistics.retransmitted
        assert 40 < again < 110
        assert bob.stream._receiver._buffer.counters.concealed - before < 0.02 * 15 * 48_000
        assert bob.stream.statistics().playout_delay < 75
        # What was sent again was the same packet, soon after.
        for moment, packet in alice.resent:
            first = next(sent for sent, each in alice.rtp if each is packet)
            assert moment - first < 0.1
        alice.stream.close()
        bob.stream.close()

    run(main())


@pytest.mark.parametrize("silent", ["far", "local", "remote"])
def test_nothing_is_asked_for_over_a_long_way_or_from_who_did_not_offer_it(silent: str) -> None:
    plain = content(*(replace(codec, feedback=()) for codec in offered_codecs()))

    async def main() -> None:
        network = Network(loss=0.1, seed=3)
        if silent == "far":
            alice, bob = pair(network)
            alice.rtcp_delay = bob.rtcp_delay = 0.04
        else:
            local, remote = (None, plain) if silent == "remote" else (plain, None)
            alice, bob = Side(network, local, remote), Side(None, remote, local)
            alice.peer, bob.peer = bob, alice
        alice.open(voice(4))
        bob.open()
        await asyncio.sleep(4)
        assert not alice.resent
        assert not any(
            isinstance(part, RtcpRtpfbPacket) for side in (alice, bob) for _, parts in side.rtcp for part in parts
        )
        alice.stream.close()
        bob.stream.close()

    run(main())


def test_of_what_a_peer_demands_little_is_given_and_nothing_while_on_hold() -> None:
    async def main() -> None:
        alice, bob = pair()
        alice.open(voice(4))
        bob.open()
        await asyncio.sleep(1)
        for _ in range(200):
            known = [packet.sequence_number for _, packet in alice.rtp[-32:]]
            greed = RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=alice.stream._ssrc, lost=known)
            alice.stream.handle_rtcp([greed] * 10, alice.loop.time())
            await asyncio.sleep(0.01)
        assert len(alice.resent) <= 12 + 20 * 2
        given = alice.stream.statistics().retransmitted
        assert given == len(alice.resent) > 20
        alice.stream.held = True
        await asyncio.sleep(0.2)
        alice.stream.handle_rtcp([greed], alice.loop.time())
        assert alice.stream.statistics().retransmitted == given
        alice.stream.close()
        bob.stream.close()

    run(main())


@pytest.mark.parametrize("seed", range(5))
def test_the_first_loss_protects_within_a_moment(seed: int) -> None:
    async def main() -> None:
        alice, bob = pair()
        alice.open(voice(20))
        bob.open()
        await asyncio.sleep(12 + seed / 7)
        assert alice.stream.statistics().protection == "none"
        del alice._arrivals[len(alice.rtp)]
        await asyncio.sleep(0.6)
        assert alice.stream.statistics().protection == "in-band"
        alice.stream.close()
        bob.stream.close()

    run(main())


@pytest.mark.slow
def test_speech_and_silence_make_the_same_packets_at_the_same_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """An eavesdropper sees times and sizes. What decides them besides chance is the network alone."""
    seen = []
    speech = voice(30)
    for sound in (speech, np.zeros_like(speech), noise(30)):
        monkeypatch.setattr(secrets, "randbelow", random.Random(5).randrange)

        async def main(sound: Samples = sound) -> None:
            alice, bob = pair(Network(loss=0.1, burst=3, jitter=0.03, seed=2))
            alice.open(sound)
            bob.open(sound)
            await asyncio.sleep(30)
            for side in (alice, bob):
                begin = side.rtp[0][0]
                packets = [
                    (round(now - begin, 6), packet.payload_type, len(packet.payload)) for now, packet in side.rtp
                ]
                seen.append((packets, [round(now - begin, 6) for now, _ in side.rtcp]))
                side.stream.close()

        run(main())
    assert seen[0::2] == [seen[0]] * 3
    assert seen[1::2] == [seen[1]] * 3
    # And it is not that nothing ever changed.
    assert {size for _, _, size in seen[0][0]} >= {PLAIN, PROTECTED}
