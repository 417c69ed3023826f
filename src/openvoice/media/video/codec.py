"""What the pipeline of pictures asks of a codec, and of the RTP payload format that carries it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from openvoice.ports import Picture, PictureFormat

CLOCK_RATE = 90_000
"""Hz of the timestamps of all payload formats of pictures (RFC 3551, 5)."""


class CorruptPicture(ValueError):
    """A coded picture cannot be decoded, or is larger than any that is shown: nothing is shown of it.

    What follows may depend on it: a key picture is needed.
    """


class MalformedPayload(ValueError):
    """The payload of a packet is not what its format (RFC 7741, 9628, 6184, AV1) allows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EncodedPicture:
    """One coded picture: a frame of VP8 or VP9, an access unit of H.264 (Annex B), a temporal unit of AV1.

    ``key``: it depends on no other. ``time`` is that of the :class:`~openvoice.ports.Picture`. Sides in pixels.
    """

    data: bytes
    key: bool
    time: float
    width: int
    height: int

    def __post_init__(self) -> None:
        if not self.data or self.width <= 0 or self.height <= 0:
            raise ValueError("a coded picture has octets and sides")


class PictureEncoder(Protocol):
    """Turns pictures into coded ones, at a constant bit rate. To be used by one thread at a time."""

    def configure(self, wanted: PictureFormat, bitrate: int) -> None:
        """What the pictures from now on have at most: sides, pictures a second, kbit/s. Has to be called once at least.

        A change of bit rate or pictures a second goes on with the next picture, without a key picture. A change of
        sides may cost one. Sides are rounded down to even ones.
        """
        ...

    def encode(self, picture: Picture, *, key: bool = False) -> EncodedPicture | None:
        """Code a picture, scaled down if it is larger than wanted; ``None`` if it is left out to hold the bit rate.

        Pictures keep their proportions and are never enlarged. ``key`` asks for a key picture, which is never left out.

        Raises:
            MediaFailed: the codec gave up; another encoder has to be made.
        """
        ...

    def close(self) -> None:
        """Let the codec go. Twice is once."""
        ...


class PictureDecoder(Protocol):
    """Turns coded pictures of one stream into pictures, in order. To be used by one thread at a time."""

    def decode(self, data: bytes, time: float) -> Picture | None:
        """The picture, with ``time`` (seconds) as its time; ``None`` for data that shows nothing.

        Sides are looked for in ``data`` before memory is taken for them.

        Raises:
            CorruptPicture: it cannot be decoded, or has sides beyond ``MAXIMUM_SIDE``. The decoder goes on with the
                next key picture.
        """
        ...

    def close(self) -> None:
        """Let the codec go. Twice is once."""
        ...


class Payloader(Protocol):
    """Cuts coded pictures of one stream into the payloads of RTP packets. The last one gets the marker bit."""

    def packets(self, encoded: EncodedPicture, maximum: int) -> list[bytes]:
        """At least one payload, none with more than ``maximum`` octets (100 or more)."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Fragment:
    """What one packet holds of a coded picture.

    ``begins``: a picture can begin with it; see :attr:`Depayloader.tells_beginning`. ``key``: it is known to be of a
    key picture; at least the first fragment of one, or the one with its first slice, is.
    """

    data: bytes
    begins: bool
    key: bool


class Depayloader(Protocol):
    """Puts coded pictures together again. It has no memory: fragments may come in any order, and again."""

    tells_beginning: bool
    """Whether ``Fragment.begins`` is exact (VP8, VP9). Where it is not (H.264, AV1), some fragments within a picture
    say so, too: a picture is whole only if the packet before its first one is known to be of another timestamp."""

    def fragment(self, payload: bytes) -> Fragment:
        """Read the payload of one packet.

        Raises:
            MalformedPayload: it is none of this format, or has nothing in it.
        """
        ...

    def join(self, fragments: Sequence[Fragment]) -> bytes:
        """All fragments of one picture, in the order of their sequence numbers, as a decoder takes them.

        Raises:
            MalformedPayload: they do not fit together.
        """
        ...
