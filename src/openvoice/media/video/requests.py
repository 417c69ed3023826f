"""What the peer asks of a stream of pictures: packets again (NACK), or a key picture (PLI, FIR). Pure."""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiortc.rtp import RTCP_PSFB_FIR, RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket

_MOST_ASKED = 256
"""Sequence numbers of one message that are read."""
_REMEMBERED = 1024
"""Packets: three seconds of 3 Mbit/s. Nobody waits longer for a picture."""
_LONGEST = 2.0
"""Seconds after which nobody needs a packet any more."""
_MOST_GIVEN = 8
_LEAST_ROUND_TRIP, _USUAL_ROUND_TRIP = 0.01, 0.1
_KEY_INTERVAL = 0.5
"""Seconds between two key pictures at least, however often they are asked for."""


def asked_packets(packets: Sequence[Any], ssrc: int) -> Iterator[int]:
    """The sequence numbers that are asked for again (RFC 4585, 6.2.1)."""
    for packet in packets:
        if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK and packet.media_ssrc == ssrc:
            for sequence in packet.lost[:_MOST_ASKED]:
                yield sequence & 0xFFFF


def asks_for_key(packet: Any, ssrc: int) -> bool:
    """Whether it is a Picture Loss Indication (RFC 4585, 6.3.1) or a Full Intra Request (RFC 5104, 4.3.1) for us."""
    if not isinstance(packet, RtcpPsfbPacket):
        return False
    if packet.fmt == RTCP_PSFB_FIR:
        data = packet.fci
        return any(struct.unpack_from("!L", data, at)[0] == ssrc for at in range(0, len(data) - 7, 8))
    return packet.fmt == RTCP_PSFB_PLI and packet.media_ssrc == ssrc


@dataclass(slots=True)
class _Sent:
    packet: RtpPacket
    time: float
    given_at: float = 0.0
    given: int = 0


class History:
    """The last packets that were sent, and which of them are sent again."""

    def __init__(self) -> None:
        self._sent: OrderedDict[int, _Sent] = OrderedDict()

    def add(self, packet: RtpPacket, now: float) -> None:
        """It leaves now."""
        self._sent.pop(packet.sequence_number, None)
        self._sent[packet.sequence_number] = _Sent(packet, now)
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)

    def clear(self) -> None:
        """Nobody needs any of them any more."""
        self._sent.clear()

    def again(self, sequence: int, round_trip: float | None, now: float) -> RtpPacket | None:
        """The packet, if it is to be sent again at ``now``.

        Once in a round trip: the request for one that is under way says nothing new.
        """
        sent = self._sent.get(sequence)
        if sent is None or now - sent.time > _LONGEST or sent.given >= _MOST_GIVEN:
            return None
        wait = max(_USUAL_ROUND_TRIP if round_trip is None else round_trip, _LEAST_ROUND_TRIP)
        if sent.given and now - sent.given_at < wait:
            return None
        sent.given, sent.given_at = sent.given + 1, now
        return sent.packet


class KeyRequests:
    """When a key picture is made for those who ask."""

    def __init__(self) -> None:
        self._made: float | None = None
        self._due: float | None = None

    def ask(self, now: float, round_trip: float | None) -> None:
        """Somebody asks. Who cannot have seen the last one yet is answered by that."""
        trip = _USUAL_ROUND_TRIP if round_trip is None else round_trip
        if self._made is None or now - self._made >= _KEY_INTERVAL:
            self._due = now
        elif now - self._made > trip and self._due is None:
            self._due = self._made + _KEY_INTERVAL

    def due(self, now: float) -> bool:
        """Whether one is to be made now."""
        return self._due is not None and now >= self._due

    def made(self, now: float) -> None:
        """One was made, whoever asked."""
        self._made, self._due = now, None
