"""AV1 in RTP (the RTP Payload Format For AV1 of the Alliance for Open Media, version 1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from openvoice.media.video.codec import EncodedPicture, Fragment, MalformedPayload
from openvoice.media.video.payload.splitting import check_maximum

_CONTINUES, _CONTINUED, _COUNT, _NEW_SEQUENCE = 0x80, 0x40, 0x30, 0x08
_HAS_EXTENSION, _HAS_SIZE = 0x04, 0x02
_TEMPORAL_DELIMITER, _TILE_LIST, _PADDING = 2, 8, 15
_NOT_SENT: Final = frozenset({_TEMPORAL_DELIMITER, _TILE_LIST, _PADDING})
"""Section 5 leaves these out."""
_DELIMITER: Final = bytes((_TEMPORAL_DELIMITER << 3 | _HAS_SIZE, 0))
_LONGEST_SIZE: Final = 8


def _write_size(value: int) -> bytes:
    """leb128 (the AV1 specification, 4.10.5): seven bits in an octet, the lowest first."""
    octets = bytearray()
    while value >= 0x80:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def _read_size(data: bytes, position: int) -> tuple[int, int]:
    """A size, and where it ends. Raises ``MalformedPayload``."""
    value = 0
    for index, octet in enumerate(data[position : position + _LONGEST_SIZE]):
        value |= (octet & 0x7F) << 7 * index
        if not octet & 0x80:
            return value, position + index + 1
    raise MalformedPayload("a size in AV1 has no end")


def units(stream: bytes) -> Iterator[bytes]:
    """The OBUs of a temporal unit that are sent, without their sizes. Raises ``MalformedPayload``."""
    position = 0
    while position < len(stream):
        header = stream[position]
        start = position + (2 if header & _HAS_EXTENSION else 1)
        size, body = _read_size(stream, start) if header & _HAS_SIZE else (len(stream) - start, start)
        if body + size > len(stream):
            raise MalformedPayload("an OBU of AV1 is cut off")
        if header >> 3 & 0x0F not in _NOT_SENT:
            yield bytes((header & ~_HAS_SIZE,)) + stream[position + 1 : start] + stream[body : body + size]
        position = body + size


class Av1Payloader:
    """Each element of a packet has its size before it, and packets are filled to the brim."""

    def packets(self, encoded: EncodedPicture, maximum: int) -> list[bytes]:
        """Raises ``ValueError`` for data that is no temporal unit, or an empty one."""
        check_maximum(maximum)
        payloads: list[bytearray] = []
        room = 0
        for unit in units(encoded.data):
            rest = unit
            while rest:
                # An element takes a size of two octets at most, and is worth beginning with a few octets of its own.
                if room < 8:
                    payloads.append(bytearray(1))
                    room = maximum - 1
                taken, rest = rest[: room - 2], rest[room - 2 :]
                element = _write_size(len(taken)) + taken
                payloads[-1] += element
                room -= len(element)
                if rest:
                    payloads[-1][0] |= _CONTINUED
                    payloads.append(bytearray((_CONTINUES,)))
                    room = maximum - 1
        if not payloads:
            raise ValueError("a temporal unit has OBUs")
        if encoded.key:
            payloads[0][0] |= _NEW_SEQUENCE
        return [bytes(payload) for payload in payloads]


class Av1Depayloader:
    """The data of a fragment is the whole payload."""

    tells_beginning = False

    def fragment(self, payload: bytes) -> Fragment:
        if not _elements(payload):
            raise MalformedPayload("a payload of AV1 has a header only")
        if payload[0] & _CONTINUES and payload[0] & _NEW_SEQUENCE:
            raise MalformedPayload("a sequence of AV1 begins within an OBU")
        return Fragment(data=payload, begins=not payload[0] & _CONTINUES, key=bool(payload[0] & _NEW_SEQUENCE))

    def join(self, fragments: Sequence[Fragment]) -> bytes:
        whole: list[bytes] = []
        open_ = False
        for fragment in fragments:
            elements = _elements(fragment.data)
            if open_ != bool(fragment.data[0] & _CONTINUES):
                raise MalformedPayload("not the fragments of one temporal unit of AV1")
            if open_:
                whole[-1] += elements.pop(0)
            whole.extend(elements)
            open_ = bool(fragment.data[0] & _CONTINUED)
        if not whole or open_:
            raise MalformedPayload("not the fragments of one temporal unit of AV1")
        return _DELIMITER + b"".join(_with_size(unit) for unit in whole)


def _elements(payload: bytes) -> list[bytes]:
    """The OBU elements of 4.3 and 4.4. Raises ``MalformedPayload``."""
    if not payload:
        raise MalformedPayload("a payload of AV1 is empty")
    count, position = (payload[0] & _COUNT) >> 4, 1
    found: list[bytes] = []
    while position < len(payload):
        size = len(payload) - position
        if not count or len(found) < count - 1:
            size, position = _read_size(payload, position)
        if not size or position + size > len(payload):
            raise MalformedPayload("an element of AV1 is empty or cut off")
        found.append(payload[position : position + size])
        position += size
    if count and len(found) != count:
        raise MalformedPayload("a payload of AV1 has another number of elements than it says")
    return found


def _with_size(unit: bytes) -> bytes:
    """An OBU as decoders take it. Some senders leave the size in: it is kept."""
    header = unit[0]
    if header & _HAS_SIZE:
        return unit
    start = 2 if header & _HAS_EXTENSION else 1
    if len(unit) < start:
        raise MalformedPayload("an OBU of AV1 ends within its header")
    return bytes((header | _HAS_SIZE,)) + unit[1:start] + _write_size(len(unit) - start) + unit[start:]
