"""An encoder that codes nothing, but as many octets as it is told."""

from __future__ import annotations

import threading

import numpy as np

from openvoice.media.video.codec import EncodedPicture
from openvoice.ports import Picture, PictureFormat


class FakeEncoder:
    """``factor`` times the octets of a picture at the rate; a key picture has three times as many."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor
        self.wanted = PictureFormat()
        self.bitrate = 0
        self.configured: list[tuple[PictureFormat, int]] = []
        self.pictures: list[tuple[Picture, bool]] = []
        self.failing: Exception | None = None
        self.leaving_out = False
        self.closed = 0
        self.threads: set[str] = set()

    def configure(self, wanted: PictureFormat, bitrate: int) -> None:
        self.wanted, self.bitrate = wanted, bitrate
        self.configured.append((wanted, bitrate))

    def encode(self, picture: Picture, *, key: bool = False) -> EncodedPicture | None:
        self.threads.add(threading.current_thread().name)
        if self.failing is not None:
            raise self.failing
        if self.leaving_out and not key:
            return None
        self.pictures.append((picture, key))
        octets = max(1, round(self.factor * self.bitrate * 1000 / 8 / self.wanted.rate * (3 if key else 1)))
        return EncodedPicture(
            data=bytes(octets),
            key=key,
            time=picture.time,
            width=min(picture.width, self.wanted.width),
            height=min(picture.height, self.wanted.height),
        )

    def close(self) -> None:
        self.closed += 1


class FakePayloader:
    def packets(self, encoded: EncodedPicture, maximum: int) -> list[bytes]:
        return [encoded.data[at : at + maximum] for at in range(0, len(encoded.data), maximum)]


def grey(time: float, width: int = 64, height: int = 48) -> Picture:
    return Picture(np.full((height * 3 // 2, width), 128, np.uint8), time)
