from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from aiortc.rtp import (
    RtcpByePacket,
    RtcpPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSdesPacket,
    RtcpSrPacket,
    RtpPacket,
)

from openvoice.core.description import Codec, Content, Media, Source, TransportDescription
from openvoice.core.inputs import DeviceChanged, DigitReceived, MediaInput, SourceEnded
from openvoice.core.types import DeviceChange, SoundDirection
from openvoice.errors import MediaFailed, UsageError
from openvoice.media.audio.clock import PacedInput, PacedOutput
from openvoice.media.audio.codec import Samples
from openvoice.media.audio.negotiation import offered_codecs
from openvoice.media.audio.redundancy import unpack
from openvoice.media.audio.stream import AudioStream
from openvoice.media.reports import PeerReport
from openvoice.media.synchronisation import Synchronisation
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS, Frame
from tests.media.audio.network import Network
from tests.media.audio.sound import frames, lag, tone, voice
from tests.media.audio.virtual_time import VirtualLoop, run


def content(*codecs: Codec, ssrc: int | None = None) -> Content:
    return Content(
        name="0",
        media=Media.AUDIO,
        codecs=codecs or offered_codecs(),
        transport=TransportDescription(ufrag="ufrag", pwd="p" * 22),
        source=Source(secrets.randbits(32) if ssrc is None else ssrc, "name"),
    )


class Samplewise:
    """A source that reads from a sound, and a sink that keeps one."""

    def __init__(self, sound: Samples | None = None) -> None:
        self._frames = iter(frames(sound)) if sound is not None else None
        self.heard: list[Frame] = []
        self.closed = False

    def read(self) -> Frame | None:
        return next(self._frames, None) if self._frames else np.zeros(FRAME_SAMPLES, np.int16)

    def write(self, frame: Frame) -> None:
        self.heard.append(frame)

    def close(self) -> None:
        self.closed = True


class NoInput:
    """A microphone that delivers nothing."""

    stopped = False

    def start(self, deliver: Callable[[Frame | None], None], report: Callable[[DeviceChanged], None]) -> None:
        self.deliver, self.report = deliver, report

    def stop(self) -> None:
        self.stopped = True


class Side:
    """One end of a call: a stream, what it sent and what it told."""

    rtcp_delay = 0.02

    def __init__(
        self, network: Network | None = None, local: Content | None = None, remote: Content | None = None
    ) -> None:
        self.loop = cast("VirtualLoop", asyncio.get_running_loop())
        self.rtp: list[tuple[float, RtpPacket]] = []
        self.resent: list[tuple[float, RtpPacket]] = []
        self.rtcp: list[tuple[float, list[Any]]] = []
        self.told: list[MediaInput] = []
        self.sink = Samplewise()
        self.synchronisation = Synchronisation()
        self.peer: Side | None = None
        self._again = replace(network or Network(), seed=99).fates()
        self._arrivals = {n: a for a, n in (network or Network()).arrivals([0.0] * 20_000)}
        self.stream = AudioStream(
            local=local or content(),
            remote=remote or content(),
            send_rtp=self._send_rtp,
            resend_rtp=self._resend_rtp,
            send_rtcp=self._send_rtcp,
            notify=self.told.append,
            synchronisation=self.synchronisation,
        )

    def _send_rtp(self, data: bytes) -> None:
        packet = RtpPacket.parse(data)
        late = self._arrivals.get(len(self.rtp))
        self.rtp.append((self.loop.time(), packet))
        if self.peer is not None and late is not None:
            stream = self.peer.stream
            self.loop.call_later(late, lambda: stream.handle_rtp(packet, self.loop.time()))

    def _resend_rtp(self, sequence: int) -> bool:
        found = [packet for _, packet in self.rtp[-32:] if packet.sequence_number == sequence]
        if not found:
            return False
        self.resent.append((self.loop.time(), found[0]))
        late = next(self._again)
        if self.peer is not None and late is not None:
            stream = self.peer.stream
            self.loop.call_later(late, lambda: stream.handle_rtp(found[0], self.loop.time()))
        return True

    def _send_rtcp(self, data: bytes) -> None:
        packets = RtcpPacket.parse(data)
        self.rtcp.append((self.loop.time(), packets))
        if self.peer is not None:
            stream = self.peer.stream
            self.loop.call_later(self.rtcp_delay, lambda: stream.handle_rtcp(packets, self.loop.time()))

    def open(self, sound: Samples | None = None) -> None:
        self.stream.start_reports()
        self.stream.open_gate(PacedInput(Samplewise(sound)), PacedOutput(self.sink))

    @property
    def heard(self) -> Samples:
        return np.concatenate(self.sink.heard)


def pair(network: Network | None = None) -> tuple[Side, Side]:
    alice, bob = Side(network), Side()
    alice.peer, bob.peer = bob, alice
    return alice, bob


def test_two_streams_talk() -> None:
    async def main() -> None:
        alice, bob = pair()
        sound = voice(10)
        alice.open(sound)
        bob.open()
        await asyncio.sleep(10)
        assert lag(sound, bob.heard) / 48 <= 40
        there, back = alice.stream.statistics(), bob.stream.statistics()
        assert there.codec == "opus"
        assert there.packets_sent == pytest.approx(500, abs=2)
        assert back.packets_received == pytest.approx(500, abs=2)
        assert back.bytes_received == back.packets_received * 120
        assert there.bitrate_sent == pytest.approx(48, abs=1)
        assert there.round_trip == pytest.approx(40, abs=1)
        assert (there.remote_loss, back.loss, back.concealed) == (0, 0, 0)
        assert back.jitter < 1
        assert 0 < back.playout_delay <= 30
        assert there.level_sent > -60
        assert back.level_received > -60
        alice.stream.close()
        bob.stream.close()
        assert bob.sink.closed

    run(main())


def test_a_lossy_network_is_reported_and_survived() -> None:
    async def main() -> None:
        alice, bob = pair(Network(loss=0.1, seed=5))
        alice.open(voice(20))
        bob.open()
        await asyncio.sleep(20)
        there, back = alice.stream.statistics(), bob.stream.statistics()
        assert back.loss == pytest.approx(0.1, abs=0.03)
        assert 0.01 < there.remote_loss < 0.3
        assert back.concealed < 0.07
        assert back.playout_delay < 62

    run(main())


def test_nothing_is_sent_and_nothing_decoded_before_the_gate_opens() -> None:
    async def main() -> None:
        alice, bob = pair()
        bob.stream.start_reports()
        alice.open(voice(5))
        await asyncio.sleep(2)
        assert bob.rtp == []
        assert bob.stream.statistics().packets_received == pytest.approx(100, abs=2)
        bob.open()
        await asyncio.sleep(1)
        # What came before is not played late: the delay is that of a call that just began.
        assert lag(voice(5), np.concatenate([np.zeros(96_000, np.int16), bob.heard])) / 48 <= 40

    run(main())


def test_the_first_report_leaves_at_once_and_the_others_every_second() -> None:
    async def main() -> None:
        alice, _ = pair()
        begin = alice.loop.time()
        alice.stream.start_reports()
        alice.stream.start_reports()
        assert [moment for moment, _ in alice.rtcp] == [begin]
        assert [type(packet) for packet in alice.rtcp[0][1]] == [RtcpRrPacket, RtcpSdesPacket]
        await asyncio.sleep(60)
        assert len(alice.rtcp) == pytest.approx(60, abs=12)
        gaps = np.diff([moment for moment, _ in alice.rtcp])
        assert 0.5 <= gaps.min() < gaps.max() <= 1.5

    run(main())


def test_once_voice_is_sent_reports_say_how_much() -> None:
    async def main() -> None:
        alice, bob = pair()
        alice.open()
        await asyncio.sleep(5)
        last = next(p for _, ps in reversed(alice.rtcp) for p in ps if isinstance(p, RtcpSrPacket))
        assert last.sender_info.packet_count >= 150
        assert last.ssrc == alice.rtp[0][1].ssrc
        bob.stream.close()

    run(main())


class _SharedPath:
    yields = True

    def __init__(self) -> None:
        self.reports: list[PeerReport] = []

    def voice_reported(self, report: PeerReport) -> None:
        self.reports.append(report)


def test_what_is_reported_about_voice_is_told_to_the_path_that_it_shares() -> None:
    async def main() -> None:
        path = _SharedPath()
        packets: list[bytes] = []
        stream = AudioStream(
            local=content(ssrc=1234),
            remote=content(),
            send_rtp=packets.append,
            resend_rtp=lambda _: False,
            send_rtcp=packets.append,
            notify=lambda _: None,
            path=path,
        )
        block = RtcpReceiverInfo(
            ssrc=1234, fraction_lost=64, packets_lost=5, highest_sequence=20, jitter=0, lsr=0, dlsr=0
        )
        stream.handle_rtcp([RtcpRrPacket(ssrc=1, reports=[block])], 5.0)
        assert [(report.time, report.loss) for report in path.reports] == [(5.0, 0.25)]
        stream.close()

    run(main())


def test_after_the_end_of_one_source_another_may_come() -> None:
    async def main() -> None:
        alice, _ = pair()
        microphone = NoInput()
        alice.stream.open_gate(microphone, PacedOutput(alice.sink))
        for _ in range(2):
            microphone.deliver(None)
            await asyncio.sleep(0.5)
            before = len(alice.rtp)
            for _ in range(50):
                microphone.deliver(np.full(960, 1000, np.int16))
                await asyncio.sleep(FRAME_SECONDS)
            # Silence is not sent beside it.
            assert len(alice.rtp) - before == pytest.approx(50, abs=2)
            assert alice.stream.statistics().level_sent > -60
        assert alice.told == [SourceEnded(), SourceEnded()]

    run(main())


def test_an_input_that_delivers_nothing_is_replaced_by_silence() -> None:
    async def main() -> None:
        alice, _ = pair()
        microphone = NoInput()
        alice.stream.open_gate(microphone, PacedOutput(alice.sink))
        await asyncio.sleep(5)
        assert len(alice.rtp) == pytest.approx(247, abs=4)
        assert np.diff([moment for moment, _ in alice.rtp]) == pytest.approx(FRAME_SECONDS)
        for frame in frames(voice(0.2)):
            microphone.deliver(frame)
            await asyncio.sleep(FRAME_SECONDS)
        assert len(alice.rtp) == pytest.approx(257, abs=4)
        alice.stream.close()
        assert microphone.stopped

    run(main())


def test_the_end_of_the_source_is_told_and_followed_by_silence() -> None:
    async def main() -> None:
        alice, bob = pair()
        alice.open(voice(1))
        bob.open()
        await asyncio.sleep(4)
        assert alice.told == [SourceEnded()]
        assert len(alice.rtp) == pytest.approx(200, abs=4)
        assert np.abs(bob.heard[-48_000:]).max() < 20

    run(main())


def test_the_end_of_the_source_leaves_no_gap_between_packets() -> None:
    async def check() -> None:
        side = Side()
        side.stream.open_gate(PacedInput(Samplewise(tone(440, 0.5))), PacedOutput(side.sink))
        await asyncio.sleep(1.0)
        side.stream.close()
        times = [time for time, _ in side.rtp]
        gaps = np.diff(times)
        assert SourceEnded() in side.told
        assert len(times) >= 48
        assert gaps == pytest.approx(np.full(len(gaps), FRAME_SECONDS), abs=0.001)

    run(check())


def test_muting_changes_neither_the_size_nor_the_times_of_packets() -> None:
    async def main() -> None:
        alice, bob = pair()
        alice.open(voice(20))
        bob.open()
        await asyncio.sleep(3)
        alice.stream.muted = True
        assert alice.stream.muted
        await asyncio.sleep(3)
        assert np.abs(bob.heard[-96_000:]).max() < 20
        alice.stream.muted = False
        await asyncio.sleep(3)
        assert np.abs(bob.heard[-96_000:]).max() > 3000
        assert len({len(packet.payload) for _, packet in alice.rtp}) == 1
        assert np.diff([moment for moment, _ in alice.rtp]) == pytest.approx(FRAME_SECONDS)

    run(main())


def test_a_call_on_hold_neither_sends_nor_plays_and_goes_on_without_delay() -> None:
    async def main() -> None:
        alice, bob = pair()
        sound = voice(20)
        alice.open(sound)
        bob.open(tone(500, 20))
        await asyncio.sleep(3)
        bob.stream.held = True
        assert bob.stream.held
        sent, reports = len(bob.rtp), len(bob.rtcp)
        await asyncio.sleep(4)
        assert len(bob.rtp) == sent
        assert len(bob.rtcp) > reports + 1
        assert not bob.heard[-150_000:].any()
        assert not alice.heard[-96_000:].any()
        bob.stream.held = False
        await asyncio.sleep(3)
        assert np.abs(alice.heard[-96_000:]).max() > 3000
        assert abs(lag(sound[7 * 48_000 : 10 * 48_000], bob.heard[7 * 48_000 :])) / 48 <= 40
        times = [(moment, packet.timestamp) for moment, packet in bob.rtp]
        elapsed = (times[-1][1] - times[0][1]) % 2**32 / 48_000
        assert elapsed == pytest.approx(times[-1][0] - times[0][0], abs=0.041)

    run(main())


def test_digits_are_dialled_and_told() -> None:
    async def main() -> None:
        alice, bob = pair(Network(loss=0.2, seed=9))
        alice.open()
        bob.open()
        alice.stream.play_digits("0123456789*#")
        await asyncio.sleep(5)
        assert bob.told == [DigitReceived(digit) for digit in "0123456789*#"]
        with pytest.raises(UsageError):
            alice.stream.play_digits("x")

    run(main())


def test_to_a_gateway_digits_are_told_in_its_clock() -> None:
    async def main() -> None:
        pcmu = Codec(payload_type=0, name="PCMU", clock_rate=8000)
        events = Codec(payload_type=96, name="telephone-event", clock_rate=8000)
        alice = Side(remote=content(pcmu, events))
        alice.open()
        alice.stream.play_digits("1")
        await asyncio.sleep(1)
        assert {packet.payload_type for _, packet in alice.rtp} == {0, 96}
        assert alice.stream.statistics().codec == "PCMU"

    run(main())


def test_trouble_of_a_device_is_passed_on() -> None:
    async def main() -> None:
        alice, _ = pair()
        microphone = NoInput()
        alice.stream.open_gate(microphone, PacedOutput(alice.sink))
        lost = DeviceChanged(direction=SoundDirection.INPUT, what=DeviceChange.LOST, text="The microphone vanished.")
        microphone.report(lost)
        assert alice.told == [lost]
        alice.stream.close()
        microphone.report(lost)
        microphone.deliver(None)
        assert len(alice.told) == 1

    run(main())


def test_the_announced_source_is_the_one_that_sends() -> None:
    async def main() -> None:
        alice = Side(local=content(ssrc=1234))
        alice.open()
        await asyncio.sleep(0.1)
        assert {packet.ssrc for _, packet in alice.rtp} == {1234}
        assert alice.rtcp[0][1][0].ssrc == 1234

    run(main())


def test_closing_says_goodbye_once_and_leaves_nothing_that_runs() -> None:
    async def main() -> None:
        alice, bob = pair()
        alice.open(voice(5))
        await asyncio.sleep(1)
        alice.stream.close()
        alice.stream.close()
        assert [type(packet) for packet in alice.rtcp[-1][1]] == [RtcpSrPacket, RtcpSdesPacket, RtcpByePacket]
        sent = len(alice.rtp), len(alice.rtcp)
        alice.stream.handle_rtp(alice.rtp[0][1], 0.0)
        alice.stream.handle_rtcp(alice.rtcp[0][1], 0.0)
        alice.stream.open_gate(NoInput(), PacedOutput(alice.sink))
        await asyncio.sleep(5)
        assert (len(alice.rtp), len(alice.rtcp)) == sent
        assert alice.sink.closed
        assert len(asyncio.all_tasks()) == 1
        assert bob.stream.statistics().packets_received == sent[0]

    run(main())


def test_a_goodbye_of_the_peer_does_not_end_what_still_comes() -> None:
    async def main() -> None:
        alice, bob = pair()
        alice.open(voice(5))
        bob.open()
        await asyncio.sleep(1)
        bob.stream.handle_rtcp([RtcpByePacket(sources=[alice.rtp[0][1].ssrc])], bob.loop.time())
        await asyncio.sleep(2)
        assert np.abs(bob.heard[-48_000:]).max() > 3000

    run(main())


def test_a_stall_of_the_loop_leads_to_no_burst() -> None:
    async def main() -> None:
        alice, bob = pair()
        alice.open(voice(20))
        bob.open()
        await asyncio.sleep(3)
        before = len(alice.rtp)
        alice.loop.stall(5)
        await asyncio.sleep(0.001)
        assert len(alice.rtp) - before <= 7
        await asyncio.sleep(5)
        assert bob.stream.statistics().playout_delay <= 40

    run(main())


def test_a_peer_without_a_common_codec_is_refused() -> None:
    async def main() -> None:
        with pytest.raises(MediaFailed):
            Side(remote=content(Codec(payload_type=3, name="GSM", clock_rate=8000)))

    run(main())


def test_copies_are_numbered_as_the_peer_numbers_them() -> None:
    theirs = content(
        Codec(payload_type=96, name="opus", clock_rate=48_000, channels=2),
        Codec(payload_type=97, name="red", clock_rate=48_000, channels=2),
    )

    async def main() -> None:
        alice, bob = Side(Network(loss=0.2), content(), theirs), Side(None, theirs, content())
        alice.peer, bob.peer = bob, alice
        alice.open(voice(5))
        bob.open()
        await asyncio.sleep(5)
        assert alice.rtp[-1][1].payload_type == 97
        assert {block.payload_type for block in unpack(alice.rtp[-1][1].payload)} == {96}
        assert {packet.payload_type for _, packet in bob.rtp} == {111}
        assert bob.stream.statistics().concealed < 0.1
        alice.stream.close()
        bob.stream.close()

    run(main())


@pytest.mark.parametrize("network", [Network(), Network(delay=0.05, jitter=0.06), Network(delay=0.03, loss=0.05)])
def test_the_call_knows_when_what_is_said_is_heard(network: Network) -> None:
    async def main() -> None:
        alice, bob = pair(network)
        sound = voice(10)
        began = alice.loop.time()
        alice.open(sound)
        bob.open()
        await asyncio.sleep(10)
        now = alice.loop.time()
        told = bob.synchronisation.heard_at(now, now)
        assert told is not None
        half = len(sound) // 2
        actual = lag(sound[half:], bob.heard[half:]) / 48_000
        assert told - now == pytest.approx(actual, abs=0.012)
        assert began < told
        bob.stream.held = True
        await asyncio.sleep(5)
        assert bob.synchronisation.heard_at(now, alice.loop.time()) is None
        alice.stream.close()
        bob.stream.close()

    run(main())
