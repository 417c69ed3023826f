"""What the encoders of all codecs have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

import numpy as np
import numpy.typing as npt

from openvoice.media.video.codec import EncodedPicture
from openvoice.media.video.conversion import fitted, scaled
from openvoice.ports import Picture, PictureFormat

_LONGEST_STEP: Final = 0.2
"""Seconds. After a longer pause a picture gets no more octets than after this one, or after that of a missing one."""

Pixels = npt.NDArray[np.uint8]


class BaseEncoder(ABC):
    """Begins anew for other sides, makes pictures fit, and remembers that a key picture is due."""

    def __init__(self) -> None:
        self._wanted: PictureFormat | None = None
        self._bitrate = 0
        self._sides: tuple[int, int] | None = None
        self._key = True
        self._time: float | None = None

    def configure(self, wanted: PictureFormat, bitrate: int) -> None:
        self._wanted, self._bitrate = wanted, max(1, bitrate)
        if self._sides is not None:
            self._adjust(wanted, self._bitrate)

    def encode(self, picture: Picture, *, key: bool = False) -> EncodedPicture | None:
        if self._wanted is None:
            raise ValueError("configure the encoder first")
        self._key = self._key or key
        width, height = fitted(picture.width, picture.height, self._wanted)
        if (width, height) != self._sides:
            self._end()
            self._begin(width, height, self._wanted, self._bitrate)
            self._sides, self._key = (width, height), True
        if (picture.width, picture.height) != (width, height):
            picture = scaled(picture, width, height)
        coded = self._code(picture.data, self._step(picture.time, self._wanted.rate), key=self._key)
        if coded is None:
            return None
        data, is_key = coded
        self._key = self._key and not is_key
        return EncodedPicture(data=data, key=is_key, time=picture.time, width=width, height=height)

    def close(self) -> None:
        self._end()
        self._sides = None

    def _step(self, time: float, rate: float) -> float:
        """Seconds since the picture before; of the first one, what pictures have at the rate that is wanted."""
        step = 1 / rate if self._time is None else time - self._time
        self._time = time
        return min(max(step, 0.001), 2 / rate, _LONGEST_STEP)

    @abstractmethod
    def _begin(self, width: int, height: int, wanted: PictureFormat, bitrate: int) -> None:
        """Start for pictures of these sides; kbit/s."""

    @abstractmethod
    def _adjust(self, wanted: PictureFormat, bitrate: int) -> None:
        """Go on at another bit rate, or number of pictures a second."""

    @abstractmethod
    def _code(self, data: Pixels, step: float, *, key: bool) -> tuple[bytes, bool] | None:
        """Code one picture, ``step`` seconds after the one before, and say whether it became a key picture."""

    @abstractmethod
    def _end(self) -> None:
        """Let the codec go. Twice is once."""
