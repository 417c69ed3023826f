from __future__ import annotations

import socket
from pathlib import Path

import av
import numpy as np
import pytest

from openvoice.errors import UsageError
from openvoice.media import pictures
from openvoice.media.pictures import load_grey


def save(path: Path, picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("png")
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def test_a_picture_comes_in_shades_of_grey(tmp_path: Path) -> None:
    picture = np.zeros((30, 50, 3), np.uint8)
    picture[10:20] = 255
    save(tmp_path / "stripe.png", picture)
    grey = load_grey(tmp_path / "stripe.png")
    assert grey.shape == (30, 50)
    assert grey.dtype == np.uint8
    assert grey[15].min() > 250 > 5 > grey[5].max()


@pytest.mark.parametrize("content", [None, b"", b"\x89PNG\r\n\x1a\n half of one", b"text"])
def test_what_is_no_picture_is_told_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "picture.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match="picture"):
        load_grey(path)


def test_a_gigantic_picture_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MAXIMUM_SIDE", 40)
    save(tmp_path / "wide.png", np.zeros((30, 50, 3), np.uint8))
    with pytest.raises(UsageError, match="crop"):
        load_grey(tmp_path / "wide.png")


def test_a_list_of_addresses_that_is_called_a_picture_is_not_followed(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        listed = tmp_path / "code.png"
        listed.write_text(
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n"
            f"http://127.0.0.1:{server.getsockname()[1]}/a.ts\n#EXT-X-ENDLIST\n"
        )
        with pytest.raises(UsageError, match="picture"):
            load_grey(listed)
        with pytest.raises(TimeoutError):
            server.accept()


def test_another_format_than_those_of_pictures_is_not_read(tmp_path: Path) -> None:
    film = tmp_path / "code.png"
    with av.open(str(film), "w", format="matroska") as container:
        stream = container.add_stream("mjpeg")
        stream.height, stream.width, stream.pix_fmt = 32, 32, "yuvj420p"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24")))
        container.mux(stream.encode())
    with pytest.raises(UsageError, match="picture"):
        load_grey(film)
