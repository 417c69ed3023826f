from __future__ import annotations

import contextlib
import errno
import itertools

import av
import av.error
import pytest

from openvoice.errors import VideoFailed
from openvoice.media.video.sources.capture import Feed, capture, nearest_sizes
from openvoice.ports import Picture, PictureFormat

VGA = PictureFormat()
LIVE = Feed(format="lavfi", file="testsrc2=size=640x480:rate=30,realtime")


def first(feed: Feed, wanted: PictureFormat = VGA, count: int = 3) -> list[Picture]:
    with contextlib.closing(capture(feed, wanted, lambda: False)) as pictures:
        return list(itertools.islice(pictures, count))


def test_what_ffmpeg_opens_gives_pictures_of_the_wanted_size() -> None:
    pictures = first(LIVE, PictureFormat(width=320, height=320))
    assert {(picture.width, picture.height) for picture in pictures} == {(320, 240)}
    assert pictures[0].time < pictures[2].time


def test_a_camera_of_motion_jpeg_is_decoded(tmp_path: object) -> None:
    path = f"{tmp_path}/camera.mjpeg"
    with av.open(path, "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=30)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(640, 480, "yuvj420p")))
        container.mux(stream.encode(None))
    with open(path, "r+b") as file:
        # Half a picture, as many cameras begin.
        content = file.read()
        file.seek(0)
        file.write(content[: len(content) // 6] + content)
    assert len(first(Feed(format="mjpeg", file=path))) >= 2


def test_it_ends_when_it_is_unwanted() -> None:
    assert not list(capture(LIVE, VGA, lambda: True))


def test_a_size_that_does_not_exist_gives_way_to_the_next() -> None:
    feed = Feed(format="rawvideo", file="/dev/zero", attempts=({"video_size": "nonsense"}, {"video_size": "320x240"}))
    assert first(feed)[0].width == 320


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EBUSY, "another program uses it"),
        (errno.ENODEV, "it is not there"),
        (errno.EACCES, "not allowed"),
        (errno.EIO, "does not answer"),
        (errno.EINVAL, "does not answer"),
    ],
)
def test_why_it_does_not_open_is_said_in_words(monkeypatch: pytest.MonkeyPatch, number: int, words: str) -> None:
    tried = []

    def refuse(*_: object, **options: object) -> None:
        tried.append(options)
        av.error.err_check(-number)

    monkeypatch.setattr(av, "open", refuse)
    with pytest.raises(VideoFailed, match=words):
        first(Feed(format="video4linux2", file="/dev/video0", attempts=({"a": "b"}, {})))
    assert len(tried) == (2 if number in (errno.EIO, errno.EINVAL) else 1)


def test_a_system_whose_devices_ffmpeg_does_not_know_is_told_so() -> None:
    with pytest.raises(VideoFailed, match="built without"):
        first(Feed(format="no such thing", file="x"))


def test_what_has_no_pictures_is_refused() -> None:
    with pytest.raises(VideoFailed, match="does not answer"):
        first(Feed(format="lavfi", file="sine"))


def test_the_nearest_sizes_come_first() -> None:
    assert nearest_sizes(PictureFormat(width=640, height=480))[:1] == [(640, 480)]
    assert nearest_sizes(PictureFormat(width=1280, height=720))[1] == (1920, 1080)
    assert nearest_sizes(PictureFormat(width=630, height=470))[1] == (640, 480)
    sizes = nearest_sizes(PictureFormat(width=100, height=3000))
    assert len(sizes) == len(set(sizes)) == 8
