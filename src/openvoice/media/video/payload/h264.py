"""H.264 in RTP (RFC 6184), packetization modes 0 and 1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from openvoice.media.video.codec import EncodedPicture, Fragment, MalformedPayload
from openvoice.media.video.payload.splitting import Octets, check_maximum, split

START_CODE: Final = b"\x00\x00\x00\x01"
_START: Final = re.compile(rb"\x00\x00\x01")
_TYPE, _IMPORTANCE = 0x1F, 0xE0
_SLICE, _KEY_SLICE, _SEQUENCE_PARAMETERS = 1, 5, 7
_BEFORE_SLICES: Final = frozenset({6, 7, 8, 9})
"""Supplemental information, both kinds of parameter sets, delimiter: they stand before the first slice of a picture."""
_SINGLE: Final = range(1, 24)
_STAP_A, _FU_A = 24, 28
_FU_START, _FU_END = 0x80, 0x40


def units(stream: bytes) -> list[bytes]:
    """The NAL units of an access unit (ITU-T H.264, annex B), without start codes."""
    # No NAL unit ends in zeros: those belong to the longer of the two start codes.
    return [unit for unit in (piece.rstrip(b"\x00") for piece in _START.split(stream)[1:]) if unit]


class H264Payloader:
    """``mode`` is ``packetization-mode``: in 0 each NAL unit has to fit into one packet."""

    def __init__(self, mode: int) -> None:
        self._mode = mode

    def packets(self, encoded: EncodedPicture, maximum: int) -> list[bytes]:
        """Raises ``ValueError`` for a NAL unit that is too long for mode 0, and for data without any."""
        check_maximum(maximum)
        found = units(encoded.data)
        if not found:
            raise ValueError("an access unit has NAL units")
        if self._mode == 0:
            if max(map(len, found)) > maximum:
                raise ValueError("a NAL unit is longer than a packet")
            return found
        payloads: list[bytes] = []
        for group in _groups(found, maximum):
            if len(group) > 1:
                payloads.append(_aggregate(group))
            elif len(group[0]) <= maximum:
                payloads.append(group[0])
            else:
                payloads.extend(_fragments(group[0], maximum))
        return payloads


def _groups(found: Sequence[bytes], maximum: int) -> Iterator[list[bytes]]:
    """Neighbours that fit into one packet together."""
    group: list[bytes] = []
    size = 1
    for unit in found:
        if group and size + 2 + len(unit) > maximum:
            yield group
            group, size = [], 1
        group.append(unit)
        size += 2 + len(unit)
    yield group


def _aggregate(group: Sequence[bytes]) -> bytes:
    """STAP-A (5.7.1), as important as the most important unit in it."""
    header = max(unit[0] & _IMPORTANCE & 0x7F for unit in group) | _STAP_A
    return bytes((header,)) + b"".join(len(unit).to_bytes(2, "big") + unit for unit in group)


def _fragments(unit: bytes, maximum: int) -> Iterator[bytes]:
    """FU-A (5.8)."""
    indicator, kind = unit[0] & _IMPORTANCE | _FU_A, unit[0] & _TYPE
    pieces = split(unit[1:], maximum - 2)
    for index, piece in enumerate(pieces):
        start = _FU_START if index == 0 else 0
        end = _FU_END if index == len(pieces) - 1 else 0
        yield bytes((indicator, start | end | kind)) + piece


class H264Depayloader:
    """Reads what either mode allows, whichever was negotiated."""

    tells_beginning = False

    def fragment(self, payload: bytes) -> Fragment:
        octets = Octets(payload)
        kind = octets.take() & _TYPE
        if kind in _SINGLE:
            return _fragment([payload])
        if kind == _STAP_A:
            return _fragment(_aggregated(octets))
        if kind == _FU_A:
            header = octets.take()
            data = octets.rest()
            if not header & _FU_START:
                return Fragment(data=data, begins=False, key=header & _TYPE == _KEY_SLICE)
            return _fragment([bytes((payload[0] & _IMPORTANCE | header & _TYPE,)) + data])
        raise MalformedPayload("a payload of H.264 is of a kind that modes 0 and 1 do not have")

    def join(self, fragments: Sequence[Fragment]) -> bytes:
        if not fragments or not fragments[0].begins:
            raise MalformedPayload("not the fragments of one picture of H.264")
        return b"".join(fragment.data for fragment in fragments)


def _aggregated(octets: Octets) -> list[bytes]:
    data = octets.rest()
    found: list[bytes] = []
    position = 0
    while position < len(data):
        size = int.from_bytes(data[position : position + 2], "big")
        unit = data[position + 2 : position + 2 + size]
        if not size or len(unit) < size:
            raise MalformedPayload("an aggregation packet of H.264 ends within a NAL unit")
        found.append(unit)
        position += 2 + size
    return found


def _fragment(found: Sequence[bytes]) -> Fragment:
    kinds = {unit[0] & _TYPE for unit in found}
    return Fragment(
        data=b"".join(START_CODE + unit for unit in found),
        begins=_begins(found[0]),
        # Parameter sets come where a decoder can begin, be it with an IDR picture or by a gradual refresh.
        key=not kinds.isdisjoint((_KEY_SLICE, _SEQUENCE_PARAMETERS)),
    )


def _begins(unit: bytes) -> bool:
    """Whether a picture can begin with it: slices begin with the number of their first macroblock (7.3.3), which is
    written as a single bit if it is 0."""
    kind = unit[0] & _TYPE
    if kind in (_SLICE, _KEY_SLICE):
        return len(unit) > 1 and bool(unit[1] & 0x80)
    return kind in _BEFORE_SLICES
