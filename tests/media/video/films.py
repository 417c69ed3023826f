"""Films for tests."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from openvoice.media.video.conversion import to_frame
from openvoice.media.video.sources.pattern import Pattern
from openvoice.ports import SAMPLE_RATE, Picture, PictureFormat


def make_film(
    path: Path,
    seconds: float = 1.0,
    *,
    rate: int = 25,
    size: tuple[int, int] = (320, 240),
    sound: bool = True,
    codec: str = "",
    pictures: int | None = None,
    **options: str,
) -> Path:
    """The stamp of each picture is its number, from 1 on; the sound is a tone."""
    webm = path.suffix == ".webm"
    with av.open(str(path), "w", options=options) as container:
        video = container.add_stream(codec or ("libvpx" if webm else "libx264"), rate=rate)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt, video.bit_rate = *size, "yuv420p", 2_000_000
        audio = container.add_stream("libopus" if webm else "aac", rate=SAMPLE_RATE) if sound else None
        if isinstance(audio, av.AudioStream):
            audio.layout = "mono"
            tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)
            samples = av.AudioFrame.from_ndarray(tone.astype(np.int16)[np.newaxis], "s16", "mono")
            samples.rate = SAMPLE_RATE
            container.mux(audio.encode(samples))
            container.mux(audio.encode(None))
        pattern = Pattern(PictureFormat(width=size[0], height=size[1]))
        for number in range(round(seconds * rate) if pictures is None else pictures):
            frame = to_frame(Picture(pattern.draw(number, number + 1), 0.0))
            frame.pts, frame.time_base = number, Fraction(1, rate)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path
