"""The stream of one content: which packets are of it, what pictures they make, what the peer is asked for. Pure."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from aiortc.rtp import RTCP_PSFB_FIR, RTCP_PSFB_PLI, RtcpPsfbPacket, RtpPacket, unwrap_rtx

from openvoice.core.description import Codec, Content, Feedback
from openvoice.media.reports import ReceptionStatistics, missing
from openvoice.media.unwrap import Unwrapper
from openvoice.media.video.assembly import PictureAssembly, ReceivedPicture
from openvoice.media.video.codec import CLOCK_RATE, Depayloader, MalformedPayload
from openvoice.media.video.keys import KeyRequests
from openvoice.media.video.retransmission import Requests

_INSISTENCE = 3
"""Packets in a row that another source must send before it takes the place of the one that is shown."""
_FARTHEST = 3000
"""Numbers that a stream may jump before it counts as another one: MAX_DROPOUT of RFC 3550, A.1."""
PATIENCE, _REORDERING = 0.25, 0.03
"""Seconds that something missing may come yet: if it was asked for, and if nothing can be."""
_ROUND_TRIP = 0.1
"""Seconds that are taken for the round trip until it is known."""
_WITHOUT_PICTURES = frozenset({"rtx", "red", "ulpfec", "flexfec-03"})


class VideoReception:
    """Of the content that is ``local`` here and ``remote`` there. Feedback is in the name of ``local.source``.

    Times are seconds of any steady clock. Nothing that a peer sends raises, or makes this hold more than
    :mod:`~openvoice.media.video.assembly` allows.
    """

    def __init__(self, *, local: Content, remote: Content, make_depayloader: Callable[[Codec], Depayloader]) -> None:
        assert local.source is not None, "our own descriptions name their streams"
        self._ssrc = local.source.ssrc
        self._repair = remote.repair
        self._repaired = _repaired(local)
        self._depayloaders = {
            codec.payload_type: make_depayloader(codec)
            for codec in local.codecs
            if codec.name.lower() not in _WITHOUT_PICTURES
        }
        feedback = {each for codec in local.codecs for each in codec.feedback}
        feedback &= {each for codec in remote.codecs for each in codec.feedback}
        self._asks = Feedback("nack") in feedback
        self._intra = Feedback("ccm", "fir") in feedback and Feedback("nack", "pli") not in feedback
        self._rival: list[tuple[RtpPacket, float]] = []
        self._round_trip = _ROUND_TRIP
        self.reception: ReceptionStatistics | None = None
        self.packets = self.octets = self.mended = 0
        self.nacks = self.plis = self.firs = 0
        self._dropped = 0
        self._begin()

    def _begin(self) -> None:
        self._numbers = Unwrapper(16)
        self._highest: int | None = None
        self._stray: int | None = None
        self._assembly = PictureAssembly(self._depayloaders)
        self._requests = Requests()
        self.keys = KeyRequests()

    @property
    def dropped(self) -> int:
        """Pictures of which something came, and that could not be decoded."""
        return self._dropped + self._assembly.dropped

    @property
    def held(self) -> int:
        """Octets that wait."""
        return self._assembly.octets

    def learn(self, round_trip: float | None) -> None:
        """How many seconds a packet takes there and back; ``None`` if that is not known."""
        self._round_trip = _ROUND_TRIP if round_trip is None else round_trip

    def handle(self, packet: RtpPacket, arrival: float) -> list[ReceivedPicture]:
        """Take a packet of the content; the pictures that can be decoded now, in order."""
        original = self._original(packet)
        if original is None:
            return []
        if original is not packet:
            return self._insert(original, arrival, again=True)
        return [picture for each, at in self._heard(packet, arrival) for picture in self._insert(each, at)]

    def _original(self, packet: RtpPacket) -> RtpPacket | None:
        """The packet itself, or the one that it repeats (RFC 4588); ``None`` if it is of no use."""
        if packet.payload_type in self._depayloaders:
            return packet
        repaired = self._repaired.get(packet.payload_type)
        named = self._repair is None or packet.ssrc == self._repair
        # Shorter ones are padding: senders probe with it how much the path carries.
        if repaired not in self._depayloaders or not named or len(packet.payload) < 3 or self.reception is None:
            return None
        return unwrap_rtx(packet, repaired, self.reception.ssrc)

    def _heard(self, packet: RtpPacket, arrival: float) -> list[tuple[RtpPacket, float]]:
        """What is to be taken of the stream that is shown, now that ``packet`` came."""
        if self.reception is not None and packet.ssrc == self.reception.ssrc:
            self._rival.clear()
            return [(packet, arrival)]
        if self._rival and self._rival[0][0].ssrc != packet.ssrc:
            self._rival.clear()
        self._rival.append((packet, arrival))
        if self.reception is not None and len(self._rival) < _INSISTENCE:
            return []
        self._dropped += self._assembly.dropped
        self.reception = ReceptionStatistics(packet.ssrc, CLOCK_RATE)
        self._begin()
        waiting, self._rival = self._rival, []
        return waiting

    def _insert(self, packet: RtpPacket, arrival: float, *, again: bool = False) -> list[ReceivedPicture]:
        number = self._place(packet.sequence_number, again)
        if number is None:
            return []
        # The peer should know what the network does to its packets, not what was mended afterwards.
        if self._requests.was_asked(number):
            self.mended += 1
        elif not again:
            self.packets += 1
            assert self.reception is not None
            self.reception.add(packet, arrival)
        self.octets += len(packet.payload)
        if self._highest is None and not packet.payload:
            return []
        self._highest = number if self._highest is None else max(self._highest, number)
        self._requests.received(number, arrival, self._round_trip)
        try:
            pictures = self._assembly.insert(number, packet, arrival)
        except MalformedPayload:
            pictures = []
            self.keys.want(arrival)
        if any(picture.key for picture in pictures):
            self.keys.satisfy()
        elif self._assembly.is_key(number):
            self.keys.arrive(arrival)
        if self._assembly.floor is not None:
            self._requests.forget_before(self._assembly.floor)
        self._heed(arrival)
        return pictures

    def _place(self, sequence: int, again: bool) -> int | None:
        """The number of a packet; ``None`` for one that is far from all others, until a second one follows it."""
        number = self._numbers.unwrap(sequence)
        if self._highest is None or abs(number - self._highest) <= _FARTHEST:
            return number
        if again or self._stray != number - 1:
            self._stray = None if again else number
            return None
        self._dropped += self._assembly.dropped
        self._begin()
        return self._numbers.unwrap(sequence)

    def _heed(self, now: float) -> None:
        """What of a key picture is needed."""
        if self._assembly.needs_key:
            self.keys.want(now)
        since = self._requests.missing_since
        patience = PATIENCE if self._asks else _REORDERING
        if self._requests.hopeless:
            self.keys.wait(-math.inf)
        else:
            self.keys.wait(None if since is None else since + patience)

    def deadline(self) -> float | None:
        """When to call :meth:`feedback`; ``None`` while there is nothing to ask for."""
        asks = self._requests.deadline
        wants = self.keys.deadline(self._round_trip)
        return min((each for each in (asks, wants) if each is not None), default=None)

    def feedback(self, now: float) -> list[bytes]:
        """The RTCP messages to send at ``now``, without the head of a compound packet."""
        if self.reception is None:
            return []
        messages = []
        numbers = self._requests.due(now, self._round_trip)
        if numbers and self._asks:
            self.nacks += len(numbers)
            messages.append(missing(self._ssrc, self.reception.ssrc, [number & 0xFFFF for number in numbers]))
        self._heed(now)
        if self.keys.ask(now, self._round_trip):
            messages.append(self._key_request(self.reception.ssrc))
        return messages

    def _key_request(self, media_ssrc: int) -> bytes:
        if not self._intra:
            self.plis += 1
            return bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=self._ssrc, media_ssrc=media_ssrc))
        entry = struct.pack("!LBxxx", media_ssrc, self.firs & 0xFF)
        self.firs += 1
        return bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_FIR, ssrc=self._ssrc, media_ssrc=0, fci=entry))


def _repaired(local: Content) -> dict[int, int]:
    """By the payload type of repetitions, that of what they repeat (``apt`` of RFC 4588, 8.1)."""
    repaired = {}
    for codec in local.codecs:
        original = codec.parameter("apt") or ""
        if codec.name.lower() == "rtx" and original.isdecimal() and local.codec(int(original)) is not None:
            repaired[codec.payload_type] = int(original)
    return repaired
