"""Payloads of pictures as RTP packets that are written when they leave, and again if the peer missed them. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence

from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket, wrap_rtx

from openvoice.core.description import HeaderExtension
from openvoice.media.path.sending import Outgoing
from openvoice.media.video.requests import History

HEADERS = 32
"""Octets of a packet's header with its extensions, at most."""


class PacketWriter:
    """Of one stream. ``repair`` is payload type and SSRC of RFC 4588, if that was negotiated; ``first`` two numbers.

    Only when a packet leaves it gets a number, so that nobody misses what never left. ``resend`` sends the packet with
    that number once more, octet for octet: for peers without RTX.
    """

    def __init__(
        self,
        *,
        payload_type: int,
        ssrc: int,
        repair: tuple[int, int] | None,
        extensions: Sequence[HeaderExtension],
        mid: str,
        first: tuple[int, int],
        resend: Callable[[int], bool],
    ) -> None:
        self._payload_type, self._ssrc, self._repair, self._mid = payload_type, ssrc, repair, mid
        self._sequence, self._repair_sequence = first
        self._extensions = _extensions_map(extensions)
        self._resend = resend
        self._history = History()
        self._picture = 0
        self._cut = False
        """Whether the last packet that left was not the last one of its picture."""
        self._recent: deque[tuple[float, int, bool]] = deque(maxlen=4096)
        self.counts: Counter[str] = Counter()
        """``packets``, ``octets`` of payload and ``retransmitted``, of what left."""

    def picture(self, payloads: Sequence[bytes], timestamp: int) -> list[Outgoing]:
        """The packets of the next picture, in order; the last one has the marker bit."""
        self._picture += 1
        last = len(payloads) - 1
        return [
            Outgoing(len(payload) + HEADERS, self._picture, self._first(payload, timestamp, ends=index == last))
            for index, payload in enumerate(payloads)
        ]

    def again(self, sequences: Sequence[int], round_trip: float | None, now: float) -> list[Outgoing]:
        """Those that are to be sent again, of the sequence numbers that are asked for."""
        packets = (self._history.again(sequence, round_trip, now) for sequence in sequences)
        return [
            Outgoing(len(packet.payload) + HEADERS, None, self._repeat(packet))
            for packet in packets
            if packet is not None
        ]

    def skip(self) -> None:
        """What was to come is thrown away. If that cuts a picture, the peer has to see that something is missing."""
        self._history.clear()
        if self._cut:
            self._sequence, self._cut = self._sequence + 1 & 0xFFFF, False

    def rates(self, now: float) -> tuple[float, int]:
        """kbit/s of payload, and pictures, in the second before ``now``; of what is sent for the first time."""
        while self._recent and now - self._recent[0][0] > 1:
            self._recent.popleft()
        return sum(octets for _, octets, _ in self._recent) * 8 / 1000, sum(ends for _, _, ends in self._recent)

    def _first(self, payload: bytes, timestamp: int, *, ends: bool) -> Callable[[int, float], bytes]:
        def make(number: int, now: float) -> bytes:
            packet = RtpPacket(
                payload_type=self._payload_type,
                marker=int(ends),
                sequence_number=self._sequence,
                timestamp=timestamp,
                ssrc=self._ssrc,
                payload=payload,
            )
            self._sequence = self._sequence + 1 & 0xFFFF
            self._cut = not ends
            self._history.add(packet, now)
            self.counts.update(packets=1, octets=len(payload))
            self._recent.append((now, len(payload), ends))
            return self._write(packet, number, now)

        return make

    def _repeat(self, packet: RtpPacket) -> Callable[[int, float], bytes | None]:
        def make(number: int, now: float) -> bytes | None:
            if self._repair is None:
                self.counts.update(retransmitted=int(self._resend(packet.sequence_number)))
                return None
            payload_type, ssrc = self._repair
            repeated = wrap_rtx(packet, payload_type=payload_type, sequence_number=self._repair_sequence, ssrc=ssrc)
            self._repair_sequence = self._repair_sequence + 1 & 0xFFFF
            self.counts.update(retransmitted=1)
            return self._write(repeated, number, now)

        return make

    def _write(self, packet: RtpPacket, number: int, now: float) -> bytes:
        packet.extensions.mid = self._mid
        packet.extensions.abs_send_time = round(now * 2**18) & 0xFFFFFF
        packet.extensions.transport_sequence_number = number
        return packet.serialize(self._extensions)


def _extensions_map(extensions: Sequence[HeaderExtension]) -> HeaderExtensionsMap:
    mapped = HeaderExtensionsMap()
    mapped.configure(
        RTCRtpParameters(
            headerExtensions=[RTCRtpHeaderExtensionParameters(id=each.id, uri=each.uri) for each in extensions]
        )
    )
    return mapped
