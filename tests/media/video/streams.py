"""Streams of coded pictures without a codec: what their packets look like, and a call of them on a virtual clock."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from aiortc.rtp import RTCP_PSFB_FIR, RTCP_PSFB_PLI, RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, RtpPacket, wrap_rtx

from openvoice.core.description import Codec, Content, Feedback, Media, Source, TransportDescription
from openvoice.media.synchronisation import SenderClock, Synchronisation
from openvoice.media.video.assembly import ReceivedPicture
from openvoice.media.video.codec import CLOCK_RATE, Fragment, MalformedPayload
from openvoice.media.video.freezes import Freezes
from openvoice.media.video.presentation import Presentation
from openvoice.media.video.reception import VideoReception
from tests.media.audio.network import Network, Way

PLAIN, VAGUE, REPETITION = 96, 97, 98
"""Payload types: of a codec that tells where pictures begin, of one that does not, and of repetitions of the first."""
OCTETS = 1100
SSRC, REPAIR, OWN = 7, 8, 1
FEEDBACK = (Feedback("nack"), Feedback("nack", "pli"), Feedback("ccm", "fir"))


class PlainDepayloader:
    """A payload is one octet (1: a picture may begin here, 2: of a key picture) and data."""

    def __init__(self, tells_beginning: bool = True) -> None:
        self.tells_beginning = tells_beginning

    def fragment(self, payload: bytes) -> Fragment:
        if payload[0] > 3:
            raise MalformedPayload("no such payload")
        return Fragment(data=payload[1:], begins=bool(payload[0] & 1), key=bool(payload[0] & 2))

    def join(self, fragments: Sequence[Fragment]) -> bytes:
        if any(fragment.data == b"unfit" for fragment in fragments):
            raise MalformedPayload("they do not fit")
        return b"".join(fragment.data for fragment in fragments)


def make_depayloader(codec: Codec) -> PlainDepayloader:
    return PlainDepayloader(codec.payload_type == PLAIN)


def content(
    ssrc: int = OWN, *, feedback: tuple[Feedback, ...] = FEEDBACK, repair: int | None = None, name: str = "1"
) -> Content:
    codecs = (
        Codec(payload_type=PLAIN, name="VP8", clock_rate=CLOCK_RATE, feedback=feedback),
        Codec(payload_type=VAGUE, name="H264", clock_rate=CLOCK_RATE, feedback=feedback),
        Codec(payload_type=REPETITION, name="rtx", clock_rate=CLOCK_RATE, parameters=(("apt", str(PLAIN)),)),
    )
    transport = TransportDescription(ufrag="user", pwd="password of the ice")
    source = Source(ssrc, "name")
    return Content(name=name, media=Media.VIDEO, codecs=codecs, transport=transport, source=source, repair=repair)


def packets(
    data: bytes, sequence: int, timestamp: int, *, key: bool = False, size: int = OCTETS, payload_type: int = PLAIN
) -> list[RtpPacket]:
    """The packets of one picture, as a sender makes them."""
    pieces = [data[start : start + size] for start in range(0, len(data), size)] or [b""]
    return [
        RtpPacket(
            payload_type=payload_type,
            marker=int(place == len(pieces) - 1),
            sequence_number=(sequence + place) & 0xFFFF,
            timestamp=timestamp & 0xFFFFFFFF,
            ssrc=SSRC,
            payload=bytes([(1 if not place or payload_type == VAGUE else 0) | (2 if key else 0)]) + piece,
        )
        for place, piece in enumerate(pieces)
    ]


@dataclass(slots=True)
class VideoCall:
    """A sender that answers requests as soon as they come, and what a receiver makes of its packets.

    ``repairs``: it has RTX. ``key_size`` and ``size`` are octets of a key picture and of another one. A packet that was
    asked for is lost like any other.
    """

    way: Network = field(default_factory=Network)
    back: Network = field(default_factory=Network)
    rate: float = 30.0
    size: int = 2000
    key_size: int = 12_000
    repairs: bool = True
    answers: bool = True
    feedback: tuple[Feedback, ...] = FEEDBACK
    round_trip: float | None = None
    synchronisation: Synchronisation = field(default_factory=Synchronisation)
    received: list[tuple[float, ReceivedPicture]] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    freezes: Freezes = field(default_factory=Freezes)
    sent_keys: int = 0
    requests: int = 0
    reception: VideoReception = field(init=False)

    def run(self, seconds: float, seed: int = 1) -> VideoCall:
        chance = random.Random(seed)
        self.reception = reception = VideoReception(
            local=content(feedback=self.feedback),
            remote=content(SSRC, feedback=self.feedback, repair=REPAIR if self.repairs else None),
            make_depayloader=make_depayloader,
        )
        reception.learn(self.round_trip)
        presentation = Presentation(self.synchronisation, SenderClock(SSRC, CLOCK_RATE))
        way, back = Way(self.way), Way(self.back)
        events: list[tuple[float, int, Callable[[float], None]]] = []
        order = itertools.count()
        history: dict[int, RtpPacket] = {}
        state = {"sequence": 65_000, "repetition": 0, "key": True, "looks": -1.0}

        def at(moment: float, work: Callable[[float], None]) -> None:
            heapq.heappush(events, (moment, next(order), work))

        def send(packet: RtpPacket, now: float) -> None:
            arrival = way.arrival(now, len(packet.payload) + 12)
            if arrival is not None:
                at(arrival, lambda moment: arrive(packet, moment))

        def take_picture(number: int, now: float) -> None:
            key, state["key"] = bool(state["key"]), False
            self.sent_keys += key
            octets = round((self.key_size if key else self.size) * chance.uniform(0.7, 1.3))
            timestamp = 4_294_000_000 + round(number * CLOCK_RATE / self.rate)
            for packet in packets(bytes(octets), int(state["sequence"]), timestamp, key=key):
                state["sequence"] = packet.sequence_number + 1
                history[packet.sequence_number] = packet
                history.pop(packet.sequence_number - 1000 & 0xFFFF, None)
                send(packet, now)

        def arrive(packet: RtpPacket, now: float) -> None:
            for picture in reception.handle(packet, now):
                self.received.append((now, picture))
                due = presentation.schedule(picture, now)
                self.shown.append(max(due, self.shown[-1] if self.shown else 0.0))
                self.freezes.show(self.shown[-1])
            look(now)

        def look(now: float) -> None:
            deadline = reception.deadline()
            if deadline is not None and deadline <= now:
                for message in reception.feedback(now):
                    self.requests += 1
                    arrival = back.arrival(now, len(message))
                    if arrival is not None:
                        at(arrival, partial(answer, RtcpPacket.parse(message)))
                deadline = reception.deadline()
            if deadline is not None and not now < state["looks"] <= deadline:
                state["looks"] = max(deadline, now + 0.001)
                at(state["looks"], look)

        def answer(messages: Sequence[object], now: float) -> None:
            for message in messages:
                if isinstance(message, RtcpPsfbPacket) and message.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
                    state["key"] = True
                if isinstance(message, RtcpRtpfbPacket) and self.answers:
                    for sequence in message.lost:
                        packet = history.get(sequence & 0xFFFF)
                        if packet is not None and self.repairs:
                            state["repetition"] += 1
                            packet = wrap_rtx(packet, REPETITION, int(state["repetition"]) & 0xFFFF, REPAIR)
                        if packet is not None:
                            send(packet, now)

        for number in range(round(seconds * self.rate)):
            at(number / self.rate, partial(take_picture, number))
        while events:
            now, _, work = heapq.heappop(events)
            if now > seconds:
                break
            work(now)
        return self

    @property
    def longest_gap(self) -> float:
        """Seconds between two pictures that are shown."""
        return max(after - before for before, after in itertools.pairwise(self.shown))
