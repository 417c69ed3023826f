"""What the parameters of video codecs mean: what has to be the same on both sides, what limits what is sent. Pure.

RFC 6184, 8; RFC 7741, 6; RFC 9628, 7; the AV1 RTP specification, 7.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import Final

from openvoice.core.description import Codec
from openvoice.media.video.codec import CLOCK_RATE
from openvoice.media.video.h264_profile import Profile, ProfileLevel, parse_profile_level_id
from openvoice.ports import PictureFormat

H264_LEVEL: Final = 31
"""What this side takes for sure: 1280 by 720 at 30 pictures a second."""
_MOST_MACROBLOCKS: Final = 1 << 20
_MOST_RATE: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureLimits:
    """What a receiver takes at most, in macroblocks of 16 by 16 pixels; ``rate`` in pictures a second."""

    macroblocks: int = _MOST_MACROBLOCKS
    macroblocks_per_second: int = _MOST_MACROBLOCKS * _MOST_RATE
    rate: float = float(_MOST_RATE)

    def within(self, wanted: PictureFormat) -> PictureFormat:
        """The format, with smaller sides and a lower rate as far as needed. Rather fewer pictures than small ones."""
        width, height = wanted.width, wanted.height
        while _macroblocks(width, height) > self.macroblocks:
            # Partly filled macroblocks count whole: a little is taken off until it fits.
            scale = min(0.98, sqrt(self.macroblocks / _macroblocks(width, height)))
            width, height = max(16, int(width * scale)), max(16, int(height * scale))
        rate = min(wanted.rate, self.rate, self.macroblocks_per_second / _macroblocks(width, height))
        return replace(wanted, width=width, height=height, rate=rate)


def variant(codec: Codec) -> tuple[str, str] | None:
    """What must be the same on both sides: the name in capitals, and the packetization mode of H.264.

    ``None`` for a codec of another kind, and for parameters that are not understood or out of range.
    """
    name = codec.name.upper()
    if codec.clock_rate != CLOCK_RATE or name not in _RANGES:
        return None
    ranges = _RANGES[name].items()
    if any(codec.parameter(each) is not None and number(codec, each, *range_) is None for each, range_ in ranges):
        return None
    if name != "H264":
        return name, ""
    return None if profile(codec) is None else (name, codec.parameter("packetization-mode") or "0")


_RANGES: Final[dict[str, dict[str, tuple[int, int]]]] = {
    "VP8": {"max-fs": (1, _MOST_MACROBLOCKS), "max-fr": (1, _MOST_RATE)},
    "VP9": {"max-fs": (1, _MOST_MACROBLOCKS), "max-fr": (1, _MOST_RATE), "profile-id": (0, 0)},
    "H264": {"packetization-mode": (0, 1)},
    "AV1": {"profile": (0, 0), "level-idx": (0, 31), "tier": (0, 1)},
}
"""The parameters that count, and their lowest and highest values."""


def profile(codec: Codec) -> Profile | None:
    """Of H.264; ``None`` if it is not known."""
    level = _profile_level(codec)
    return None if level is None else level.profile


def number(codec: Codec, parameter: str, lowest: int, highest: int) -> int | None:
    """The parameter as a number; ``None`` if it is missing, none, or out of range."""
    text = codec.parameter(parameter) or ""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return int(text) if lowest <= int(text) <= highest else None


def picture_limits(codec: Codec) -> PictureLimits:
    """What the side that describes ``codec`` so takes at most."""
    level = _profile_level(codec) if codec.name.upper() == "H264" else None
    if level is not None:
        return PictureLimits(macroblocks=level.macroblocks, macroblocks_per_second=level.macroblocks_per_second)
    return PictureLimits(
        macroblocks=number(codec, "max-fs", 1, _MOST_MACROBLOCKS) or _MOST_MACROBLOCKS,
        rate=float(number(codec, "max-fr", 1, _MOST_RATE) or _MOST_RATE),
    )


def answered_parameters(theirs: Codec) -> tuple[tuple[str, str], ...]:
    """What this side takes of a codec that the peer offers."""
    match theirs.name.upper():
        case "VP9" if theirs.parameter("profile-id") is not None:
            return (("profile-id", "0"),)
        case "H264":
            return _answered_h264(theirs)
    return ()


def _answered_h264(theirs: Codec) -> tuple[tuple[str, str], ...]:
    """RFC 6184, 8.2.2: mode and profile of the offer; the level is ours if each side may have one of its own, else it
    is not above that of the offer."""
    level, text = _profile_level(theirs), theirs.parameter("profile-level-id")
    asymmetry = theirs.parameter("level-asymmetry-allowed") == "1"
    if level is not None and text is not None and (asymmetry or level.level > H264_LEVEL):
        text = f"{text[:4]}{H264_LEVEL:02x}"
    parameters = {
        "level-asymmetry-allowed": "1" if asymmetry else None,
        "packetization-mode": theirs.parameter("packetization-mode"),
        "profile-level-id": text,
    }
    return tuple((name, value) for name, value in parameters.items() if value is not None)


def _profile_level(codec: Codec) -> ProfileLevel | None:
    return parse_profile_level_id(codec.parameter("profile-level-id"))


def _macroblocks(width: int, height: int) -> int:
    return -(-width // 16) * -(-height // 16)
