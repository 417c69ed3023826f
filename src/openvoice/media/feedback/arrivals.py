"""When packets arrived, on the wire: transport-wide congestion control (draft-holmer-rmcat-transport-wide-cc-01).

Pure, and total: whatever octets come, they are read or refused with ``ValueError``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

RTCP_RTPFB_TRANSPORT_WIDE = 15
"""The format of this message among those about RTP (section 3.1)."""
REFERENCE_SECONDS = 0.064
DELTA_SECONDS = 0.000_25
MAXIMUM_STATUSES = 8192
"""Packets that one message tells of at most: twenty seconds of 3 Mbit/s, should the path have been gone so long."""
_MISSING, _SMALL, _LARGE = 0, 1, 2
_LONGEST_RUN = 0x1FFF
_VECTOR_SYMBOLS = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class ArrivalReport:
    """One feedback message: what became of the packets from the transport-wide number ``base`` on, in their order.

    ``ssrc`` tells, about what ``media_ssrc`` and others sent. ``number`` (8 bits) counts the messages. ``reference``
    (24 bits, signed) is a time in units of 64 ms, and ``deltas`` are times in units of 0.25 ms: the first after the
    reference, each other after the one before it; ``None`` for a packet that did not arrive.

    Raises ``ValueError`` for what cannot be written.
    """

    ssrc: int
    media_ssrc: int
    number: int
    base: int
    reference: int
    deltas: tuple[int | None, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.number < 256 or not 0 <= self.base < 65536 or not -(2**23) <= self.reference < 2**23:
            raise ValueError("an arrival report counts to 255, 65535 and 2 ** 23 - 1")
        if not 0 < len(self.deltas) <= MAXIMUM_STATUSES:
            raise ValueError(f"an arrival report tells of 1 to {MAXIMUM_STATUSES} packets")
        if any(delta is not None and not -32768 <= delta < 32768 for delta in self.deltas):
            raise ValueError("arrivals in one report are at most 8 s apart")

    @property
    def arrivals(self) -> Iterator[tuple[int, float | None]]:
        """Each transport-wide number, and when its packet arrived: seconds on the reporting side's clock.

        That clock begins anew every twelve days.
        """
        time = self.reference * round(REFERENCE_SECONDS / DELTA_SECONDS)
        for index, delta in enumerate(self.deltas):
            time += delta or 0
            yield (self.base + index) & 0xFFFF, None if delta is None else time * DELTA_SECONDS

    def __bytes__(self) -> bytes:
        """The whole RTCP packet."""
        last = (self.reference & 0xFFFFFF) << 8 | self.number
        body = struct.pack("!LLHHL", self.ssrc, self.media_ssrc, self.base, len(self.deltas), last)
        symbols = [_MISSING if delta is None else _SMALL if 0 <= delta < 256 else _LARGE for delta in self.deltas]
        body += b"".join(struct.pack("!H", chunk) for chunk in _chunks(symbols))
        body += b"".join(
            struct.pack("!B" if symbol == _SMALL else "!h", delta)
            for symbol, delta in zip(symbols, self.deltas, strict=True)
            if delta is not None
        )
        padding = -len(body) % 4
        # The padding of RFC 3550, 6.4.1, so that nobody takes it for one more arrival.
        body += bytes(padding - 1) + bytes([padding]) if padding else b""
        first = 0x80 | (0x20 if padding else 0) | RTCP_RTPFB_TRANSPORT_WIDE
        return struct.pack("!BBH", first, 205, len(body) // 4) + body


def parse(body: bytes) -> ArrivalReport:
    """Read a message, without the RTCP header and without padding.

    Raises:
        ValueError: it is not one, or tells of more than :data:`MAXIMUM_STATUSES` packets.
    """
    if len(body) < 16:
        raise ValueError("an arrival report is longer")
    ssrc, media_ssrc, base, count, last = struct.unpack_from("!LLHHL", body)
    if not 0 < count <= MAXIMUM_STATUSES:
        raise ValueError("an arrival report tells of no packets, or of too many")
    symbols, position = _read_symbols(body, count)
    deltas: list[int | None] = []
    for symbol in symbols:
        size = symbol if symbol in (_SMALL, _LARGE) else 0
        if len(body) < position + size:
            raise ValueError("an arrival report is cut short")
        deltas.append(int.from_bytes(body[position : position + size], "big", signed=size == _LARGE) if size else None)
        position += size
    reference = last >> 8
    return ArrivalReport(
        ssrc=ssrc,
        media_ssrc=media_ssrc,
        number=last & 0xFF,
        base=base,
        reference=reference - (1 << 24) if reference >= 1 << 23 else reference,
        deltas=tuple(deltas),
    )


def _read_symbols(body: bytes, count: int) -> tuple[list[int], int]:
    symbols: list[int] = []
    position = 16
    while len(symbols) < count:
        if len(body) < position + 2:
            raise ValueError("an arrival report is cut short")
        chunk = int.from_bytes(body[position : position + 2], "big")
        position += 2
        if not chunk & 0x8000:
            symbols += [chunk >> 13 & 3] * min(chunk & _LONGEST_RUN, count - len(symbols))
            if not chunk & _LONGEST_RUN:
                raise ValueError("an arrival report has a run of nothing")
        elif chunk & 0x4000:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    return symbols[:count], position


def _chunks(symbols: Sequence[int]) -> Iterator[int]:
    """Runs where they are longer than what a vector holds, else vectors of two bits each (sections 3.1.3, 3.1.4)."""
    position = 0
    while position < len(symbols):
        symbol = symbols[position]
        end = position
        while end < len(symbols) and symbols[end] == symbol and end - position < _LONGEST_RUN:
            end += 1
        if end - position > _VECTOR_SYMBOLS or end == len(symbols):
            yield symbol << 13 | end - position
            position = end
        else:
            vector = symbols[position : position + _VECTOR_SYMBOLS]
            yield 0xC000 | sum(each << 12 - 2 * index for index, each in enumerate(vector))
            position += _VECTOR_SYMBOLS
