"""Profiles and levels of H.264 as descriptions name them (RFC 6184, 8.1; ITU-T H.264, annex A). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

DEFAULT_PROFILE_LEVEL_ID: Final = "42e01f"
"""Constrained baseline, level 3.1. RFC 6184 means level 1 where nothing is said; whoever says nothing means this."""


class Profile(StrEnum):
    """What a stream may use. All that this side sends is of the first, which each of the others can decode."""

    CONSTRAINED_BASELINE = "constrained-baseline"
    BASELINE = "baseline"
    MAIN = "main"
    HIGH = "high"


_LIMITS: Final = {
    10: (1485, 99),
    11: (3000, 396),
    12: (6000, 396),
    13: (11880, 396),
    20: (11880, 396),
    21: (19800, 792),
    22: (20250, 1620),
    30: (40500, 1620),
    31: (108000, 3600),
    32: (216000, 5120),
    40: (245760, 8192),
    41: (245760, 8192),
    42: (522240, 8704),
    50: (589824, 22080),
    51: (983040, 36864),
    52: (2073600, 36864),
}
"""Table A-1: macroblocks a second, and in a picture, by ``level_idc``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileLevel:
    """A ``profile-level-id``. ``level`` is ``level_idc``: 31 is level 3.1. Raises ``ValueError`` for an unknown one."""

    profile: Profile
    level: int

    def __post_init__(self) -> None:
        if self.level not in _LIMITS:
            raise ValueError("an unknown level of H.264")

    @property
    def macroblocks_per_second(self) -> int:
        return _LIMITS[self.level][0]

    @property
    def macroblocks(self) -> int:
        return _LIMITS[self.level][1]


def parse_profile_level_id(text: str | None) -> ProfileLevel | None:
    """Three octets in hexadecimal digits; ``None`` for what is not that, or a profile or level that is not known."""
    text = DEFAULT_PROFILE_LEVEL_ID if text is None else text
    if len(text) != 6 or not all(digit in "0123456789abcdefABCDEF" for digit in text):
        return None
    indication, constraints, level = bytes.fromhex(text)
    profile = _profile(indication, constraints)
    # Level 1b of the baseline profiles is written as 1.1 with constraint_set3_flag; it is like level 1.
    if level == 11 and constraints & 0x10:
        level = 10
    return None if profile is None or level not in _LIMITS else ProfileLevel(profile=profile, level=level)


def _profile(indication: int, constraints: int) -> Profile | None:
    """RFC 6184, table 5, and A.2 of the standard."""
    set0, set1 = bool(constraints & 0x80), bool(constraints & 0x40)
    match indication:
        case 66:
            return Profile.CONSTRAINED_BASELINE if set1 else Profile.BASELINE
        case 77:
            return Profile.CONSTRAINED_BASELINE if set0 else Profile.MAIN
        case 88 if set0:
            return Profile.CONSTRAINED_BASELINE if set1 else Profile.BASELINE
        case 100:
            return Profile.HIGH
    return None


def level_for(width: int, height: int, rate: float) -> int:
    """The lowest ``level_idc`` for pictures of these sides, so many a second; the highest that there is, if none is."""
    macroblocks = -(-width // 16) * -(-height // 16)
    for level, (per_second, in_picture) in _LIMITS.items():
        if macroblocks <= in_picture and macroblocks * rate <= per_second:
            return level
    return max(_LIMITS)
