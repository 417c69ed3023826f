"""What the packets of a stream are like: how large, how often, and how their bits are shared out. Pure.

One shape for each rate and each step of protection. What is said decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from openvoice.media.audio.protection import Protection
from openvoice.media.audio.rate import RATES
from openvoice.ports import FRAME_SECONDS

OVERHEAD = 56
"""Octets of a packet beside its payload: IPv4 20, UDP 8, RTP 12, and 16 of SRTP's AES-GCM (RFC 7714)."""
COPY_DISTANCE = 2
"""How many packets before the present one the copied one is. With Opus's own copy of the one before, bursts of two are
survived for two packets of delay; a copy of the packet just before would add nothing to Opus's own."""
_BLOCK_HEADERS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """``frames`` of 20 ms in a packet, ``octets`` of its own sound, and ``copy_octets`` of the copy in it, 0 for none.

    ``protected`` packets repeat the one before roughly, in their own octets. ``wideband`` ones have no sound above
    8 kHz, and all their bits for what is below: under loss, speech gains far more by that than it loses.
    """

    octets: int
    frames: int = 1
    protected: bool = False
    wideband: bool = True
    copy_octets: int = 0

    @property
    def bitrate(self) -> int:
        """bit/s of a packet's own sound."""
        return round(8 * self.octets / (self.frames * FRAME_SECONDS))

    @property
    def copy_bitrate(self) -> int:
        return round(8 * self.copy_octets / (self.frames * FRAME_SECONDS))

    @property
    def wire_octets(self) -> int:
        """Of a packet, with all headers."""
        return OVERHEAD + self.octets + (_BLOCK_HEADERS + self.copy_octets if self.copy_octets else 0)

    @property
    def wire_rate(self) -> float:
        """kbit/s, with all headers."""
        return 8 * self.wire_octets / (self.frames * FRAME_SECONDS) / 1000


_FULLBAND = Shape(octets=120, wideband=False)
"""48 kbit/s: what PESQ gains above this is less than what redundancy gains."""
_SIZES = ((3, 64), (3, 100), (2, 84), (2, 134), (1, 84), (1, 120), (1, 168))
"""Frames in a packet and octets of payload for each rate. Where bits are few, headers are spared by longer packets."""
_COPIES = {71: (84, 31), 90: (115, 48)}
"""How much of the payload is own sound and copy, in octets. With less there would be too little for either."""


def shape(level: int, protection: Protection) -> Shape:
    """The shape for a level of :data:`~openvoice.media.audio.rate.RATES`. It never takes more than that rate."""
    frames, octets = _SIZES[level]
    if protection is Protection.NONE:
        return _FULLBAND if octets >= _FULLBAND.octets and frames == 1 else Shape(octets=octets, frames=frames)
    if protection is Protection.COPIES and RATES[level] in _COPIES:
        own, copied = _COPIES[RATES[level]]
        return Shape(octets=own, protected=True, copy_octets=copied)
    return Shape(octets=octets, frames=frames, protected=True)


def useful(protection: Protection) -> int:
    """The level above which nothing more is sent: what is not lost needs no more than it has."""
    least = RATES[-1] if protection else _FULLBAND.wire_rate
    return next(level for level, rate in enumerate(RATES) if rate >= least)
