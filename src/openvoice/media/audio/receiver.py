"""RTP packets to frames: which stream is heard, what is voice in it and what is a dialled digit."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from aiortc.rtp import RtpPacket

from openvoice.core.description import Codec
from openvoice.media.audio.dtmf import DigitReceiver
from openvoice.media.audio.level import LevelMeter
from openvoice.media.audio.negotiation import create_formats, is_event, is_redundancy
from openvoice.media.audio.playout import PlayoutBuffer
from openvoice.media.audio.redundancy import unpack
from openvoice.media.reports import ReceptionStatistics
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE, Frame

_LONGEST_PACKET = 0.12
"""Seconds: what Opus allows (RFC 6716, 2.1.4)."""
_MOST_EXPECTED = 32
"""Packets asked for again of which that is remembered."""
_INSISTENCE = 3
"""Packets in a row that another source must send before it takes the place of the one that is heard."""


class AudioReceiver:
    """The stream of one content. ``codecs`` are those that this side announced; ``dialled`` is told each digit."""

    def __init__(self, codecs: Sequence[Codec], dialled: Callable[[str], None]) -> None:
        self._codecs = {codec.payload_type: codec for codec in codecs}
        self._dialled = dialled
        self._buffer = PlayoutBuffer(create_formats(codecs))
        self._digits = DigitReceiver()
        self._level = LevelMeter()
        self._rival: tuple[int, int] = (0, 0)
        self._expected: deque[int] = deque(maxlen=_MOST_EXPECTED)
        self._latest = (0, 0, 0, 1)
        """Sequence number and timestamp of the latest packet, timestamp units in a packet, and in a second."""
        self.reception: ReceptionStatistics | None = None
        self.playing = True
        """Whether voice is kept; digits and statistics always are."""
        self.packets = 0
        self.octets = 0

    def handle(self, packet: RtpPacket, arrival: float) -> None:
        """Take an authenticated packet. Never raises for its content."""
        codec = self._codecs.get(packet.payload_type)
        self.packets += 1
        self.octets += len(packet.payload)
        if codec is None or not self._is_heard(packet.ssrc, codec) or self.reception is None:
            return
        if packet.sequence_number in self._expected:
            # The peer should know what the network does to its packets, not what was mended afterwards.
            self._expected.remove(packet.sequence_number)
        else:
            self.reception.add(packet, arrival)
        self._note(packet, codec.clock_rate)
        if is_redundancy(codec):
            self._handle_blocks(packet, arrival)
        else:
            self._handle_payload(codec, packet.timestamp, packet.payload, arrival)

    def _note(self, packet: RtpPacket, clock_rate: int) -> None:
        sequence, timestamp, ticks, _ = self._latest
        ahead = packet.sequence_number - sequence & 0xFFFF
        if 0 < ahead < 0x8000:
            elapsed = packet.timestamp - timestamp & 0xFFFFFFFF
            ticks = elapsed // ahead if 0 < elapsed <= ahead * _LONGEST_PACKET * clock_rate else ticks
            self._latest = packet.sequence_number, packet.timestamp, ticks, clock_rate

    def _handle_blocks(self, packet: RtpPacket, arrival: float) -> None:
        *copies, own = unpack(packet.payload) or (None,)
        codec = self._codecs.get(own.payload_type) if own is not None else None
        if own is None or codec is None:
            return
        self._handle_payload(codec, packet.timestamp, own.payload, arrival)
        if self.playing:
            for copy in copies:
                timestamp = packet.timestamp - copy.offset & 0xFFFFFFFF
                self._buffer.insert_copy(copy.payload_type, timestamp, copy.offset, copy.payload, arrival)

    def _handle_payload(self, codec: Codec, timestamp: int, payload: bytes, arrival: float) -> None:
        if is_event(codec):
            digit = self._digits.handle(timestamp, payload, arrival)
            if digit is not None:
                self._dialled(digit)
        elif self.playing:
            self._buffer.insert(codec.payload_type, timestamp, payload, arrival)

    def expect(self, sequence: int, now: float) -> None:
        """The packet ``sequence`` was asked for again."""
        if not self.playing:
            return
        if sequence not in self._expected:
            self._expected.append(sequence)
        self._buffer.expect(self._timestamp_of(sequence), now)

    def wait_for(self, sequence: int, seconds: float, now: float) -> None:
        """The packet ``sequence`` is missing, and would have come again within ``seconds`` of its time."""
        if self.playing:
            self._buffer.wait_for(self._timestamp_of(sequence), seconds, now)

    def _timestamp_of(self, sequence: int) -> int:
        latest, timestamp, ticks, _ = self._latest
        return timestamp - (latest - sequence & 0xFFFF) * ticks & 0xFFFFFFFF

    def pull(self, now: float) -> Frame:
        """The next 20 ms to play. ``now`` in seconds, on the clock of the arrivals."""
        frame = self._buffer.pull(now)
        self._level.add(frame)
        return frame

    def reset(self) -> None:
        """Forget the voice that waits: it is over."""
        self._buffer.reset()

    @property
    def timestamp(self) -> int | None:
        """Where the frame that was pulled last begins in the sender's stream; ``None`` if it is made up."""
        end, clock_rate = self._buffer.played, self._latest[3]
        return None if end is None else (end - FRAME_SAMPLES) * clock_rate // SAMPLE_RATE & 0xFFFFFFFF

    @property
    def packet_length(self) -> float:
        """Seconds of sound in a packet, as far as known."""
        return self._latest[2] / self._latest[3]

    @property
    def delay(self) -> float:
        """Seconds that sound waits."""
        return self._buffer.delay

    @property
    def concealed(self) -> float:
        """The share of made-up sound in all that was played; pauses of the sender do not count."""
        counters = self._buffer.counters
        played = counters.decoded + counters.recovered + counters.concealed
        return counters.concealed / played if played else 0.0

    @property
    def level(self) -> float:
        """dBFS of what was played last."""
        return self._level.level

    def _is_heard(self, ssrc: int, codec: Codec) -> bool:
        if self.reception is not None and self.reception.ssrc == ssrc:
            self._rival = (0, 0)
            return True
        packets = self._rival[1] + 1 if self._rival[0] == ssrc else 1
        self._rival = (ssrc, packets)
        if self.reception is not None and packets < _INSISTENCE:
            return False
        self.reception = ReceptionStatistics(ssrc, codec.clock_rate)
        self._digits = DigitReceiver()
        self._latest = (0, 0, 0, 1)
        self._expected.clear()
        self._buffer.reset()
        return True
