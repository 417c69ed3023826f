"""VP9 in RTP (RFC 9628)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openvoice.media.video.codec import EncodedPicture, Fragment, MalformedPayload
from openvoice.media.video.payload.splitting import Octets, check_maximum, put_together, split

_PICTURE_ID, _PREDICTED, _LAYERS, _FLEXIBLE = 0x80, 0x40, 0x20, 0x10
_BEGINS, _ENDS, _STRUCTURE = 0x08, 0x04, 0x02
_LONG: Final = 0x80
_MORE_REFERENCES: Final = 0x01
_MOST_REFERENCES: Final = 3
_ONE_BEFORE: Final = 1 << 1
"""P_DIFF of 1, and no other reference follows."""
_SIDES: Final = 0x10
"""A scalability structure of one layer, with its sides."""
_DESCRIPTOR: Final = 8
_PICTURE_IDS: Final = 1 << 15


class Vp9Payloader:
    """Flexible mode (4.2) with a picture ID of 15 bits: each picture but key ones refers to the one before.

    libwebrtc drops pictures in the other mode that do not number temporal layers.
    """

    def __init__(self) -> None:
        self._picture_id = 0

    def packets(self, encoded: EncodedPicture, maximum: int) -> list[bytes]:
        check_maximum(maximum)
        number = bytes((_LONG | self._picture_id >> 8, self._picture_id & 0xFF))
        self._picture_id = (self._picture_id + 1) % _PICTURE_IDS
        pieces = split(encoded.data, maximum - _DESCRIPTOR)
        payloads = []
        for index, piece in enumerate(pieces):
            first = _PICTURE_ID | _FLEXIBLE | (0 if encoded.key else _PREDICTED)
            rest = number if encoded.key else number + bytes((_ONE_BEFORE,))
            if index == 0:
                first |= _BEGINS
                if encoded.key:
                    first |= _STRUCTURE
                    rest += bytes((_SIDES,)) + encoded.width.to_bytes(2, "big") + encoded.height.to_bytes(2, "big")
            if index == len(pieces) - 1:
                first |= _ENDS
            payloads.append(bytes((first,)) + rest + piece)
        return payloads


class Vp9Depayloader:
    """Of a picture in several spatial layers all are taken; the lowest one begins it."""

    tells_beginning = True

    def fragment(self, payload: bytes) -> Fragment:
        octets = Octets(payload)
        first = octets.take()
        if first & _PICTURE_ID and octets.take() & _LONG:
            octets.take()
        layer = 0
        if first & _LAYERS:
            layer = octets.take() >> 1 & 0x07
            if not first & _FLEXIBLE:
                octets.take()
        if first & _FLEXIBLE and first & _PREDICTED:
            _skip_references(octets)
        if first & _STRUCTURE:
            _skip_structure(octets)
        begins = bool(first & _BEGINS) and layer == 0
        return Fragment(data=octets.rest(), begins=begins, key=begins and not first & _PREDICTED)

    def join(self, fragments: Sequence[Fragment]) -> bytes:
        return put_together(fragments)


def _skip_references(octets: Octets) -> None:
    for _ in range(_MOST_REFERENCES):
        if not octets.take() & _MORE_REFERENCES:
            return
    raise MalformedPayload("a picture of VP9 refers to more than three others")


def _skip_structure(octets: Octets) -> None:
    """The scalability structure (4.2.1)."""
    header = octets.take()
    if header & 0x10:
        octets.take(4 * ((header >> 5) + 1))
    if header & 0x08:
        for _ in range(octets.take()):
            octets.take(octets.take() >> 2 & 0x03)
