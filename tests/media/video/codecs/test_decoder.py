"""Decoding what the network delivered: it is shown, or refused, and never harms."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from openvoice.media.video.codec import CorruptPicture
from openvoice.media.video.codecs.av1 import Av1Encoder
from openvoice.media.video.codecs.decoder import DECODERS, Decoder, _picture
from openvoice.media.video.codecs.encoder import BaseEncoder
from openvoice.media.video.codecs.h264 import H264Encoder
from openvoice.media.video.codecs.vpx import VpxEncoder
from openvoice.ports import PictureFormat
from tests.media.video import clips

ENCODERS: dict[str, Callable[[], BaseEncoder]] = {
    "VP8": lambda: VpxEncoder("vp8"),
    "VP9": lambda: VpxEncoder("vp9"),
    "H264": H264Encoder,
    "AV1": Av1Encoder,
}


def stream(codec: str, count: int = 8, width: int = 160, height: int = 120) -> list[bytes]:
    encoder = ENCODERS[codec]()
    encoder.configure(PictureFormat(width=width, height=height), 300)
    found = [encoder.encode(picture) for picture in clips.easy(count, width, height)]
    return [each.data for each in found if each is not None]


@pytest.mark.parametrize("codec", ENCODERS)
def test_damage_is_refused_or_shown_but_the_next_key_picture_is_shown(codec: str) -> None:
    pictures = stream(codec)
    dice = random.Random(5)
    decoder = Decoder(codec)
    for _ in range(300):
        damaged = bytearray(dice.choice(pictures))
        for _ in range(dice.randint(1, 20)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        with contextlib.suppress(CorruptPicture):
            decoder.decode(bytes(damaged[: dice.randint(1, len(damaged))]), 0)
    shown = [decoder.decode(picture, 1.0) for picture in pictures]
    assert shown[-1] is not None
    assert (shown[-1].width, shown[-1].height) == (160, 120)


@pytest.mark.parametrize("codec", ENCODERS)
def test_a_stream_that_does_not_begin_with_a_key_picture_shows_nothing(codec: str) -> None:
    decoder = Decoder(codec)
    for picture in stream(codec)[1:]:
        with pytest.raises(CorruptPicture):
            decoder.decode(picture, 0)


@pytest.mark.parametrize("codec", DECODERS)
@pytest.mark.parametrize("size", [0, (8 << 20) + 1])
def test_nothing_and_far_too_much_are_refused(codec: str, size: int) -> None:
    with pytest.raises(CorruptPicture):
        Decoder(codec).decode(bytes(size), 0)


@pytest.mark.parametrize("codec", DECODERS)
def test_rubbish_never_harms(codec: str) -> None:
    dice, decoder = random.Random(9), Decoder(codec)
    for _ in range(200):
        with contextlib.suppress(CorruptPicture):
            decoder.decode(dice.randbytes(dice.randint(1, 300)), 0)


def large_vp8(width: int, height: int) -> bytes:
    picture = bytearray(stream("VP8", 1)[0])
    picture[6:10] = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    return bytes(picture)


def test_pictures_of_8k_are_refused_before_memory_is_taken_for_them() -> None:
    psutil: Any = pytest.importorskip("psutil")
    decoder, process = Decoder("VP8"), psutil.Process()
    before = process.memory_info().rss
    for width, height in ((7680, 4320), (16383, 16383), (4098, 4098)):
        with pytest.raises(CorruptPicture):
            decoder.decode(large_vp8(width, height), 0)
    assert process.memory_info().rss - before < 20 << 20


@pytest.mark.parametrize("codec", ["libvpx-vp9", "libx264", "libsvtav1"])
@pytest.mark.parametrize(("width", "height"), [(8192, 64), (4352, 4160)])
def test_pictures_that_are_only_too_long_or_too_large_are_refused_too(codec: str, width: int, height: int) -> None:
    context: Any = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt, context.time_base = width, height, "yuv420p", Fraction(1, 30)
    quickest = {"libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}}
    context.options = quickest.get(codec, {"preset": "ultrafast" if codec == "libx264" else "13"})
    packets = [*context.encode(frame("yuv420p", width, height)), *context.encode(None)]
    name = {"libvpx-vp9": "VP9", "libx264": "H264", "libsvtav1": "AV1"}[codec]
    with pytest.raises(CorruptPicture):
        Decoder(name).decode(bytes(packets[0]), 0)
    with pytest.raises(CorruptPicture):
        Decoder("VP8").decode(large_vp8(width, height), 0)


def frame(format_: str, width: int, height: int) -> Any:
    found = av.VideoFrame(width, height, format_)
    for plane in found.planes:
        plane.update(np.full(plane.buffer_size, 200, np.uint8).tobytes())
    return found


@pytest.mark.parametrize(("format_", "width", "height"), [("yuv444p", 65, 49), ("yuvj420p", 64, 48), ("gray", 64, 48)])
def test_whatever_kind_of_picture_is_decoded_becomes_the_one_that_is_known(
    format_: str, width: int, height: int
) -> None:
    shown = _picture(frame(format_, width, height), 1.0)
    assert (shown.width, shown.height) == (64, 48)


def test_other_colours_become_those_of_a_picture() -> None:
    other = frame("yuv420p", 64, 48)
    other.colorspace = Colorspace.ITU709
    assert int(_picture(other, 1.0).data[-1, -1]) != 200
    full = frame("yuv420p", 64, 48)
    full.color_range = ColorRange.JPEG
    assert int(_picture(full, 1.0).data[0, 0]) == pytest.approx(16 + 200 * 219 / 255, abs=2)


def test_a_closed_decoder_says_so() -> None:
    decoder = Decoder("VP8")
    decoder.close()
    decoder.close()
    with pytest.raises(ValueError, match="closed"):
        decoder.decode(b"1", 0)
