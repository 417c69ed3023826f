"""Files of pictures (W3C PNG), without a library."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt

PALETTE, RGB = 3, 2
"""Colour types (W3C PNG, 11.2.1)."""


def png_file(rows: npt.NDArray[np.uint8], colour: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A file of 8 bit a sample. ``rows`` has the shape (height, width), or (height, width, 3) for ``RGB``; ``chunks``
    stand between the header and the data."""
    height, width = rows.shape[:2]
    # Each row begins with the number of its filter; 0 is none.
    filtered = np.pad(rows.reshape(height, -1), ((0, 0), (1, 0))).tobytes()
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)),
            *chunks,
            (b"IDAT", zlib.compress(filtered, 9)),
            (b"IEND", b""),
        )
    )


def image(file: bytes, label: str, style: str) -> str:
    """An HTML image that holds its own data. ``label`` must be escaped; ``style`` is a class of the style sheet."""
    data = base64.b64encode(file).decode()
    return f'<img class="{style}" alt="{label}" src="data:image/png;base64,{data}">'
