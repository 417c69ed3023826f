"""VP8 in RTP (RFC 7741)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from openvoice.media.video.codec import EncodedPicture, Fragment
from openvoice.media.video.payload.splitting import Octets, check_maximum, put_together, split

_EXTENDED, _START, _PARTITION = 0x80, 0x10, 0x07
_PICTURE_ID, _TL0_INDEX, _LAYER, _KEY_INDEX = 0x80, 0x40, 0x20, 0x10
_LONG: Final = 0x80
_DESCRIPTOR: Final = 4
_PICTURE_IDS: Final = 1 << 15


class Vp8Payloader:
    """Each packet carries the descriptor of 4.2 with a picture ID of 15 bits."""

    def __init__(self) -> None:
        self._picture_id = 0

    def packets(self, encoded: EncodedPicture, maximum: int) -> list[bytes]:
        check_maximum(maximum)
        rest = bytes((_PICTURE_ID, _LONG | self._picture_id >> 8, self._picture_id & 0xFF))
        self._picture_id = (self._picture_id + 1) % _PICTURE_IDS
        return [
            bytes((_EXTENDED | (0 if index else _START),)) + rest + piece
            for index, piece in enumerate(split(encoded.data, maximum - _DESCRIPTOR))
        ]


class Vp8Depayloader:
    tells_beginning = True

    def fragment(self, payload: bytes) -> Fragment:
        octets = Octets(payload)
        first = octets.take()
        if first & _EXTENDED:
            extensions = octets.take()
            if extensions & _PICTURE_ID and octets.take() & _LONG:
                octets.take()
            if extensions & _TL0_INDEX:
                octets.take()
            if extensions & (_LAYER | _KEY_INDEX):
                octets.take()
        data = octets.rest()
        begins = bool(first & _START) and not first & _PARTITION
        # RFC 6386, 9.1: the first bit of a frame is clear in key frames.
        return Fragment(data=data, begins=begins, key=begins and not data[0] & 1)

    def join(self, fragments: Sequence[Fragment]) -> bytes:
        return put_together(fragments)
