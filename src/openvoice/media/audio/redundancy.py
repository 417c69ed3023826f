"""Payloads that carry earlier ones along (RFC 2198, RTP payload for redundant audio data). Pure.

::

    1 | payload type, 7 bits | timestamp offset, 14 bits | length, 10 bits     for each earlier payload, oldest first
    0 | payload type, 7 bits                                                   for the packet's own
    the payloads, in that order
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

MOST_COPIES = 3
"""Earlier payloads in one packet: more than three would come too late to be played."""
LONGEST_OFFSET = 2**14 - 1
LONGEST_COPY = 2**10 - 1
_MORE = 0x80
_HEADER_OCTETS = 4


@dataclass(frozen=True, slots=True)
class Block:
    """One payload. Its RTP timestamp is ``offset`` ticks before that of the packet: 0 for the packet's own.

    Raises ``ValueError`` for what the header of RFC 2198, 3 cannot say.
    """

    payload_type: int
    payload: bytes
    offset: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.payload_type < 128 or not 0 <= self.offset <= LONGEST_OFFSET:
            raise ValueError("block out of range")


def pack(own: Block, copies: Sequence[Block]) -> bytes:
    """The payload of a packet; ``copies`` are oldest first. Raises ``ValueError`` for too many, or one too long."""
    if own.offset or len(copies) > MOST_COPIES or any(len(copy.payload) > LONGEST_COPY for copy in copies):
        raise ValueError("not what fits into one packet")
    headers = [
        (_MORE << 24 | copy.payload_type << 24 | copy.offset << 10 | len(copy.payload)).to_bytes(_HEADER_OCTETS, "big")
        for copy in copies
    ]
    return b"".join([*headers, bytes([own.payload_type]), *(copy.payload for copy in copies), own.payload])


def unpack(payload: bytes) -> tuple[Block, ...]:
    """The blocks of a packet: copies first, its own last. Nothing if it is malformed.

    Of more copies than :data:`MOST_COPIES` the last ones are kept; copies without content or of no earlier time are
    left out, since they say nothing.
    """
    headers: list[tuple[int, int, int]] = []
    place = 0
    while place < len(payload) and payload[place] & _MORE:
        header = int.from_bytes(payload[place : place + _HEADER_OCTETS], "big")
        headers.append((header >> 24 & 0x7F, header >> 10 & LONGEST_OFFSET, header & LONGEST_COPY))
        place += _HEADER_OCTETS
    if place >= len(payload):
        return ()
    own_type = payload[place]
    place += 1
    if place + sum(length for _, _, length in headers) > len(payload):
        return ()
    copies = []
    for payload_type, offset, length in headers:
        if offset and length:
            copies.append(Block(payload_type, payload[place : place + length], offset))
        place += length
    return (*copies[-MOST_COPIES:], Block(own_type, payload[place:]))
