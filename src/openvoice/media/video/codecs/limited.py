"""An encoder that keeps the limits of who receives."""

from __future__ import annotations

from openvoice.media.video.codec import EncodedPicture, PictureEncoder
from openvoice.media.video.parameters import PictureLimits
from openvoice.ports import Picture, PictureFormat


class LimitedEncoder:
    """Asks ``encoder`` for no more than ``limits`` allow."""

    def __init__(self, encoder: PictureEncoder, limits: PictureLimits) -> None:
        self._encoder, self._limits = encoder, limits

    def configure(self, wanted: PictureFormat, bitrate: int) -> None:
        self._encoder.configure(self._limits.within(wanted), bitrate)

    def encode(self, picture: Picture, *, key: bool = False) -> EncodedPicture | None:
        return self._encoder.encode(picture, key=key)

    def close(self) -> None:
        self._encoder.close()
