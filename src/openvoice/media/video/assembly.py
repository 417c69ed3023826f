"""Packets to coded pictures, in the order in which they can be decoded. Pure: there is no clock here, and no waiting.

A picture leaves the moment its last packet is there, which the marker bit tells (RFC 3550, 5.1), and everything before
it left; or when it is a key picture, whatever is missing before. Packets are known by numbers that do not wrap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiortc.rtp import RtpPacket

from openvoice.media.video.codec import Depayloader, Fragment, MalformedPayload

MOST_PACKETS = 3000
"""Packets held: six seconds of 4 Mbit/s, and no picture is larger."""
MOST_OCTETS = 4_000_000
"""Octets held, of pictures that are not whole yet or wait for one that is not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceivedPicture:
    """A whole coded picture, as a decoder takes it. ``began`` and ``ended``: when its first and last packet came.

    ``timestamp`` is the one of RTP.
    """

    data: bytes
    key: bool
    payload_type: int
    timestamp: int
    began: float
    ended: float


class _Picture:
    """What is there of one picture. Its ends are ``None`` until they are known."""

    def __init__(self) -> None:
        self.first: int | None = None
        self.last: int | None = None
        self.packets = 0
        self.key = False


@dataclass(frozen=True, slots=True)
class _Packet:
    payload_type: int
    timestamp: int
    picture: _Picture | None
    """``None`` for padding: it belongs to none."""
    fragment: Fragment | None
    arrival: float


class PictureAssembly:
    """Of one stream. ``depayloaders`` are by RTP payload type, one for each codec that may come."""

    def __init__(self, depayloaders: Mapping[int, Depayloader]) -> None:
        self._depayloaders = depayloaders
        self._packets: dict[int, _Packet] = {}
        self._pictures: dict[int, _Picture] = {}
        """By timestamp."""
        self._whole: dict[int, int] = {}
        """The first packet of each whole picture, and its last."""
        self._latest_key: int | None = None
        """The first packet of the latest whole key picture."""
        self._octets = 0
        self._floor: int | None = None
        """What is below is done with."""
        self._boundary: int | None = None
        """A number with which a picture begins, since the one before it belongs to another."""
        self._broken = True
        self.dropped = 0
        """Pictures of which something came that were never whole, or depended on one that was not."""

    @property
    def floor(self) -> int | None:
        """The number that the next picture begins with if nothing is lost; ``None`` before the first one."""
        return self._floor

    @property
    def needs_key(self) -> bool:
        """Whether only a key picture can go on, though nothing is missing."""
        return self._broken

    @property
    def held(self) -> int:
        """Packets that wait."""
        return len(self._packets)

    @property
    def octets(self) -> int:
        """Octets that wait."""
        return self._octets

    def is_key(self, number: int) -> bool:
        """Whether the packet ``number`` waits, and is known to be of a key picture."""
        packet = self._packets.get(number)
        return packet is not None and packet.picture is not None and packet.picture.key

    def insert(self, number: int, packet: RtpPacket, arrival: float) -> list[ReceivedPicture]:
        """Take a packet; the pictures that can be decoded now, in order.

        Raises:
            MalformedPayload: nobody can read it. Nothing was changed.
        """
        if number in self._packets or (self._floor is not None and number < self._floor):
            return []
        depayloader = self._depayloaders[packet.payload_type]
        fragment = depayloader.fragment(packet.payload) if packet.payload else None
        if len(self._packets) >= MOST_PACKETS or self._octets + len(packet.payload) > MOST_OCTETS:
            self._clear()
        if self._floor is None and not self._packets:
            # Nothing of this picture came before, as far as anybody knows.
            self._boundary = number
        picture = None
        if fragment is not None:
            self._octets += len(fragment.data)
            picture = self._pictures.setdefault(packet.timestamp, _Picture())
            picture.packets += 1
            picture.key = picture.key or fragment.key
            if packet.marker:
                picture.last = number
            if fragment.begins and (depayloader.tells_beginning or number == self._boundary):
                picture.first = number if picture.first is None else min(picture.first, number)
        self._packets[number] = _Packet(packet.payload_type, packet.timestamp, picture, fragment, arrival)
        self._part(number - 1)
        self._part(number)
        for each in (number - 1, number, number + 1):
            self._note_whole(each)
        return self._release()

    def _part(self, number: int) -> None:
        """Where ``number`` and the one after it are not of one picture, one ends and another begins."""
        before, after = self._packets.get(number), self._packets.get(number + 1)
        if before is not None and after is not None and before.picture is not after.picture:
            if before.picture is not None:
                before.picture.last = number
            self._begin(number + 1)

    def _begin(self, number: int) -> None:
        packet = self._packets.get(number)
        if packet is None or packet.picture is None or packet.fragment is None:
            return
        if packet.fragment.begins and packet.picture.first is None:
            packet.picture.first = number

    def _note_whole(self, number: int) -> None:
        packet = self._packets.get(number)
        picture = packet.picture if packet is not None else None
        if picture is None or picture.first is None or picture.last is None:
            return
        numbers = range(picture.first, picture.last + 1)
        if picture.packets == len(numbers) and all(self._is_of(picture, each) for each in numbers):
            self._whole[picture.first] = picture.last
            if picture.key and (self._latest_key is None or picture.first > self._latest_key):
                self._latest_key = picture.first

    def _is_of(self, picture: _Picture, number: int) -> bool:
        packet = self._packets.get(number)
        return packet is not None and packet.picture is picture

    def _release(self) -> list[ReceivedPicture]:
        released: list[ReceivedPicture] = []
        while True:
            self._skip_padding()
            if not self._broken and self._floor in self._whole:
                first = self._floor
            elif self._latest_key is not None:
                first = self._latest_key
                self._drop_before(first)
            else:
                return released
            assert first is not None
            picture = self._take(first, self._whole[first])
            if picture is not None:
                released.append(picture)

    def _skip_padding(self) -> None:
        while self._floor is not None:
            packet = self._packets.get(self._floor)
            if packet is None or packet.picture is not None:
                return
            del self._packets[self._floor]
            self._move_to(self._floor + 1)

    def _move_to(self, number: int) -> None:
        """The next picture begins with ``number``."""
        self._floor = self._boundary = number
        self._begin(number)
        self._note_whole(number)

    def _take(self, first: int, last: int) -> ReceivedPicture | None:
        packets = [self._packets.pop(number) for number in range(first, last + 1)]
        fragments = [packet.fragment for packet in packets if packet.fragment is not None]
        payload_type, timestamp = packets[0].payload_type, packets[0].timestamp
        self._octets -= sum(len(fragment.data) for fragment in fragments)
        self._pictures.pop(timestamp, None)
        self._whole = {each: end for each, end in self._whole.items() if each > last}
        if self._latest_key is not None and self._latest_key <= last:
            self._latest_key = None
        self._move_to(last + 1)
        try:
            data = self._depayloaders[payload_type].join(fragments)
        except MalformedPayload:
            self.dropped += 1
            self._broken = True
            return None
        self._broken = False
        return ReceivedPicture(
            data=data,
            key=any(fragment.key for fragment in fragments),
            payload_type=payload_type,
            timestamp=timestamp,
            began=min(packet.arrival for packet in packets),
            ended=max(packet.arrival for packet in packets),
        )

    def _drop_before(self, number: int) -> None:
        dropped = {}
        for each in [each for each in self._packets if each < number]:
            packet = self._packets.pop(each)
            if packet.picture is not None and packet.fragment is not None:
                self._octets -= len(packet.fragment.data)
                dropped[packet.timestamp] = packet.picture
        for timestamp, picture in dropped.items():
            if self._pictures.get(timestamp) is picture:
                del self._pictures[timestamp]
        self.dropped += len(dropped)

    def _clear(self) -> None:
        """More came than is held: begin with a key picture that is still to come."""
        if self._packets:
            self._floor, self._boundary = max(self._packets) + 1, None
        self.dropped += len(self._pictures)
        self._packets.clear()
        self._pictures.clear()
        self._whole.clear()
        self._latest_key = None
        self._octets = 0
        self._broken = True
