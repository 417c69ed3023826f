"""The voice of one content: what the transport gives packets to and takes packets from.

Everything runs on the event loop of whoever calls; nothing blocks it for longer than one frame takes to encode.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from aiortc.rtp import RtcpByePacket, RtpPacket

from openvoice.core.bandwidth import DEFAULT_BANDWIDTH
from openvoice.core.description import Content
from openvoice.core.inputs import DeviceChanged, DigitReceived, MediaInput, SourceEnded
from openvoice.core.statistics import CallStatistics
from openvoice.media.audio.negotiation import event_codec, redundancy_codec, retransmits, sending_codec
from openvoice.media.audio.receiver import AudioReceiver
from openvoice.media.audio.retransmission import Answers, Requests
from openvoice.media.audio.sender import SILENCE, AudioSender
from openvoice.media.reports import PeerReport, Reporter, until_next_report
from openvoice.media.synchronisation import Hearing, Synchronisation
from openvoice.ports import FRAME_SECONDS, AudioInput, AudioOutput, Frame

_EARLIEST_REPORT = 0.5
"""Seconds between reports at least, if one is sent early because something is lost."""
_STALLED = 3 * FRAME_SECONDS
"""Seconds without a frame of the input after which silence is sent instead of it."""


class SharedPath(Protocol):
    """What else is sent where voice is sent."""

    @property
    def yields(self) -> bool:
        """Whether it is for the others to make room when the path is full."""
        ...

    def voice_reported(self, report: PeerReport) -> None:
        """What the peer reports about voice says something of the path, too."""
        ...


class AudioStream:
    """Voice both ways. ``send_rtp`` and ``send_rtcp`` take plain packets, ``notify`` what the call should know.

    ``resend_rtp`` sends a packet of that sequence number once more, and tells whether it could. ``synchronisation`` is
    told when what the peer says is heard. What is sent takes ``bandwidth`` kbit/s on the wire at most. ``path`` is
    known where others send as well.

    Nothing is encoded, and what comes is only kept to a few frames, until :meth:`open_gate`.

    Raises:
        MediaFailed: no voice codec is in common, or a codec does not start.
    """

    def __init__(
        self,
        *,
        local: Content,
        remote: Content,
        send_rtp: Callable[[bytes], None],
        resend_rtp: Callable[[int], bool],
        send_rtcp: Callable[[bytes], None],
        notify: Callable[[MediaInput], None],
        synchronisation: Synchronisation | None = None,
        bandwidth: float = DEFAULT_BANDWIDTH,
        path: SharedPath | None = None,
    ) -> None:
        codec = sending_codec(local.codecs, remote.codecs)
        assert local.source is not None, "our own descriptions name their streams"
        self._ssrc = local.source.ssrc
        self._codec = codec
        self._send_rtcp = send_rtcp
        self._notify = notify
        self._sender = AudioSender(
            codec=codec,
            redundancy=redundancy_codec(local.codecs, remote.codecs, codec),
            events=event_codec(remote.codecs, codec.clock_rate),
            ssrc=local.source.ssrc,
            send=send_rtp,
            bandwidth=bandwidth,
        )
        self._receiver = AudioReceiver(local.codecs, lambda digit: notify(DigitReceived(digit)))
        self._reporter = Reporter(local.source, self._heed_report)
        self._hearing = Hearing(synchronisation or Synchronisation())
        self._path = path
        self._resend_rtp = resend_rtp
        self._requests = Requests() if retransmits(local.codecs, codec) else None
        self._answers = Answers()
        self._retransmitted = 0
        self._reported_at = 0.0
        self._reported_lost = 0
        self._held = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._report_timer: asyncio.TimerHandle | None = None
        self._silence_timer: asyncio.TimerHandle | None = None
        self._delivered_at = 0.0
        self._source_ended = False
        self._input: AudioInput | None = None
        self._output: AudioOutput | None = None
        self._closed = False

    def handle_rtp(self, packet: RtpPacket, arrival: float) -> None:
        """Take an authenticated packet. ``arrival`` is the time of the event loop, in seconds."""
        if not self._closed:
            self._receiver.handle(packet, arrival)
            if self._requests is not None:
                self._heed_loss(self._requests, packet, arrival)

    def handle_rtcp(self, packets: list[Any], arrival: float) -> None:
        """Take the parts of an authenticated compound packet."""
        if not self._closed:
            self._reporter.handle(packets, arrival)
            self._hearing.handle(packets)
            if self._requests is not None and not self._held:
                self._answer(self._reporter.requested(packets), arrival)

    def start_reports(self) -> None:
        """Send RTCP from now on: at once, since some peers wait for a packet, and then every second."""
        if self._report_timer is None and not self._closed:
            self._loop = asyncio.get_running_loop()
            self._report(self._loop)

    def open_gate(self, input: AudioInput, output: AudioOutput) -> None:  # noqa: A002
        """Begin to capture, send and play. Whatever the input does, packets leave every 20 ms."""
        if self._input is not None or self._closed:
            return
        self._loop = asyncio.get_running_loop()
        self._input, self._output = input, output
        self._delivered_at = self._loop.time()
        self._watch_input(self._loop, self._delivered_at + FRAME_SECONDS)
        output.start(self._request, self._device_changed)
        input.start(self._deliver, self._device_changed)

    @property
    def muted(self) -> bool:
        """Whether silence is sent instead of the input: packets of the same size, at the same times."""
        return self._sender.muted

    @muted.setter
    def muted(self, muted: bool) -> None:
        self._sender.muted = muted

    @property
    def held(self) -> bool:
        """Whether nothing is sent and nothing is played."""
        return self._held

    @held.setter
    def held(self, held: bool) -> None:
        if self._held and not held and self._loop is not None:
            self._sender.resume(self._loop.time())
        if held:
            self._receiver.reset()
        self._held = held
        self._receiver.playing = not held

    @property
    def round_trip(self) -> float | None:
        """Seconds to the peer and back, by RTCP; ``None`` until the first report came back."""
        return self._reporter.round_trip

    def play_digits(self, digits: str) -> None:
        """Dial. Raises :class:`~openvoice.errors.UsageError` for what are no digits."""
        self._sender.digits.play(digits)

    def statistics(self) -> CallStatistics:
        """What was measured until now."""
        now = self._loop.time() if self._loop else 0.0
        sender, receiver, reception = self._sender, self._receiver, self._receiver.reception
        round_trip = self._reporter.round_trip
        return CallStatistics(
            packets_sent=sender.packets,
            packets_received=receiver.packets,
            bytes_sent=sender.octets,
            bytes_received=receiver.octets,
            loss=reception.loss if reception else 0.0,
            remote_loss=self._reporter.remote_loss,
            remote_burst=sender.remote_burst,
            jitter=1000 * reception.jitter if reception else 0.0,
            round_trip=None if round_trip is None else 1000 * round_trip,
            playout_delay=1000 * receiver.delay,
            concealed=receiver.concealed,
            bitrate_sent=sender.bitrate(now),
            retransmitted=self._retransmitted,
            protection=sender.protection.name.lower().replace("_", "-"),
            level_sent=sender.level,
            level_received=receiver.level,
            codec=self._codec.name,
        )

    def close(self) -> None:
        """Say goodbye (RFC 3550, 6.6), stop, and let the devices go. Twice is once."""
        if self._closed:
            return
        self._closed = True
        if self._report_timer is not None and self._loop is not None:
            self._report_timer.cancel()
            self._send_rtcp(self._compound(self._loop.time()) + bytes(RtcpByePacket(sources=[self._ssrc])))
        if self._silence_timer is not None:
            self._silence_timer.cancel()
        if self._input is not None:
            self._input.stop()
        if self._output is not None:
            self._output.stop()

    def _deliver(self, frame: Frame | None) -> None:
        if self._closed or self._loop is None:
            return
        now = self._loop.time()
        if frame is not None:
            self._source_ended = False
            self._delivered_at = now
            self._send(frame, now)
        elif not self._source_ended:
            self._source_ended = True
            # Silence takes over in this very slot: a slot without a packet would be heard as a gap.
            self._send(SILENCE, now)
            if self._silence_timer is not None:
                self._silence_timer.cancel()
            self._watch_input(self._loop, now + FRAME_SECONDS)
            self._notify(SourceEnded())

    def _request(self) -> Frame:
        if self._held or self._closed or self._loop is None:
            return SILENCE.copy()
        now, receiver = self._loop.time(), self._receiver
        frame = receiver.pull(now)
        if receiver.reception is not None and receiver.timestamp is not None:
            self._hearing.play(receiver.reception.ssrc, receiver.reception.clock_rate, receiver.timestamp, now)
        return frame

    def _device_changed(self, change: DeviceChanged) -> None:
        if not self._closed:
            self._notify(change)

    def _heed_report(self, report: PeerReport) -> None:
        if self._path is not None:
            self._path.voice_reported(report)
        self._sender.report(report, others_yield=self._path is not None and self._path.yields)

    def _send(self, frame: Frame, now: float) -> None:
        if not self._held:
            self._sender.send(frame, now)

    def _watch_input(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        """Send silence for an input that delivers nothing: the addresses of NATs and the peer's buffer live by it."""

        def tick() -> None:
            now = loop.time()
            if self._source_ended or now - self._delivered_at > _STALLED:
                self._send(SILENCE, now)
            self._watch_input(loop, max(due + FRAME_SECONDS, now))

        self._silence_timer = loop.call_at(due, tick)

    def _answer(self, sequences: Sequence[int], now: float) -> None:
        for sequence in sequences:
            if self._answers.allows(sequence, now) and self._resend_rtp(sequence):
                self._retransmitted += 1

    def _heed_loss(self, requests: Requests, packet: RtpPacket, now: float) -> None:
        """Ask for what is missing, and tell the peer soon that something is (RFC 4585, 3)."""
        reception = self._receiver.reception
        if reception is None or packet.ssrc != reception.ssrc or self._report_timer is None or self._loop is None:
            return
        sequences = requests.received(
            packet.sequence_number,
            now,
            round_trip=self._reporter.round_trip,
            wait=self._receiver.delay,
            length=self._receiver.packet_length,
        )
        if requests.regretted is not None and self._reporter.round_trip is not None:
            wait = requests.worth(self._reporter.round_trip, self._receiver.packet_length)
            self._receiver.wait_for(requests.regretted, wait, now)
        if sequences:
            self._send_rtcp(self._reporter.request(sequences, packet.ssrc))
            for sequence in sequences:
                self._receiver.expect(sequence, now)
        self._reported_lost = min(self._reported_lost, reception.lost)
        if reception.lost > self._reported_lost and now - self._reported_at >= _EARLIEST_REPORT:
            self._report_timer.cancel()
            self._report(self._loop)

    def _report(self, loop: asyncio.AbstractEventLoop) -> None:
        self._send_rtcp(self._compound(loop.time()))
        self._reported_at = loop.time()
        self._reported_lost = self._receiver.reception.lost if self._receiver.reception else 0
        self._report_timer = loop.call_later(until_next_report(), self._report, loop)

    def _compound(self, now: float) -> bytes:
        return self._reporter.compound(
            now,
            reception=self._receiver.reception,
            packets_sent=self._sender.packets,
            octets_sent=self._sender.octets,
            timestamp=self._sender.timestamp_at(now),
        )
