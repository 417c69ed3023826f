"""Encodes sound and pictures, and puts them into one file so that they stay together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, BinaryIO

import av
import numpy as np

from openvoice.media.video.conversion import black, letterboxed, to_frame
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS, SAMPLE_RATE, Frame, Picture

SOUND_BEFORE_PICTURES = 2.0
"""Seconds of sound that wait for the first picture, which gives the film its size."""
USUAL_SIZE = (960, 720)
"""Of a film that begins without pictures."""
LONGER_SIDE = 960
"""Pixels of the longer side of a film, at least: the first pictures of a call are small."""
PIECE_SECONDS = 1.0
"""What is lost at most when the program is killed."""
LONGEST_GAP = 60.0
"""Seconds without sound that are filled with silence."""
_SHAKE = 0.5
_RATE = 30
_MILLISECONDS = Fraction(1, 1000)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A kind of film: FFmpeg's names."""

    format: str
    video: str
    audio: str
    file_options: Mapping[str, str]
    video_options: Mapping[str, str]
    bit_rate: int | None = None


_TOGETHER = {"max_interleave_delta": "500000", "flush_packets": "1"}
KINDS = {
    ".mp4": Kind(
        format="mp4",
        video="libx264",
        audio="aac",
        file_options={
            **_TOGETHER,
            "movflags": "frag_keyframe+empty_moov+default_base_moof",
            "frag_duration": str(round(PIECE_SECONDS * 1e6)),
        },
        video_options={"preset": "superfast", "tune": "zerolatency", "crf": "23"},
    ),
    ".webm": Kind(
        format="webm",
        video="libvpx",
        audio="libopus",
        file_options={**_TOGETHER, "cluster_time_limit": str(round(PIECE_SECONDS * 1e3))},
        video_options={"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
        bit_rate=2_000_000,
    ),
}


def film_size(width: int, height: int) -> tuple[int, int]:
    """The size of a film whose first picture has this one: the same shape, both sides even."""
    scale = max(1.0, LONGER_SIDE / max(width, height))
    return round(width * scale / 2) * 2, round(height * scale / 2) * 2


@dataclass(slots=True)
class Timing:
    """Where on the film's time line what comes at a moment belongs, in seconds of any clock. Sound leads."""

    begun: float | None = None
    frames: int = 0
    """Of sound, so far."""

    def sound(self, at: float) -> int:
        """One frame more; how many frames of silence are missing before it."""
        if self.begun is None:
            self.begun = at
        late = at - self.begun - self.frames * FRAME_SECONDS
        missing = 0
        if late > LONGEST_GAP:
            self.begun += late
        elif late > _SHAKE:
            missing = round(late / FRAME_SECONDS)
        else:
            # Sound is written in a grid that shakes a little.
            self.begun += late / 16
        self.frames += missing + 1
        return missing

    def picture(self, at: float) -> float:
        if self.begun is None:
            self.begun = at
        return max(0.0, at - self.begun)


@dataclass(slots=True)
class Muxer:
    """Writes a film into ``file``. Its methods raise ``OSError`` when that takes no more.

    It begins with its first picture, or without one after a while: what a film holds has to be said at its beginning.
    """

    file: BinaryIO
    kind: Kind
    silent: bool = False
    _timing: Timing = field(default_factory=Timing)
    _early: list[Frame] = field(default_factory=list)
    _container: av.container.OutputContainer | None = None
    _audio: av.AudioStream | None = None
    _video: av.VideoStream | None = None
    _samples: int = 0
    _last: int = -1

    def sound(self, frame: Frame, at: float) -> None:
        """20 ms of sound that are written at a moment."""
        silence = [np.zeros(FRAME_SAMPLES, np.int16)] * self._timing.sound(at)
        for each in (*silence, frame):
            if self._container is not None:
                self._encode_sound(each)
            else:
                self._early.append(each)
        if self._container is None and len(self._early) * FRAME_SECONDS > SOUND_BEFORE_PICTURES:
            assert self._timing.begun is not None
            self.picture(black(*USUAL_SIZE, self._timing.begun))

    def picture(self, picture: Picture) -> None:
        """A picture, by its time."""
        position = round(self._timing.picture(picture.time) * 1000)
        if self._container is None:
            self._begin(*film_size(picture.width, picture.height))
        assert self._video is not None
        if position <= self._last:
            return
        self._last = position
        frame = to_frame(letterboxed(picture, self._video.width, self._video.height))
        frame.pts, frame.time_base = position, _MILLISECONDS
        self._mux(self._video.encode(frame))

    def close(self) -> None:
        """Finish what was begun."""
        if self._container is None and self._early:
            assert self._timing.begun is not None
            self.picture(black(*USUAL_SIZE, self._timing.begun))
        if self._container is None:
            return
        try:
            for stream in (self._video, self._audio):
                if stream is not None:
                    self._mux(stream.encode(None))
        finally:
            self._container.close()

    def _begin(self, width: int, height: int) -> None:
        kind = self.kind
        self._container = av.open(self.file, mode="w", format=kind.format, options=dict(kind.file_options))
        video = self._container.add_stream(kind.video, rate=_RATE, options=dict(kind.video_options))
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.time_base = _MILLISECONDS
        video.codec_context.gop_size = 2 * _RATE
        # The call itself needs the other cores.
        video.codec_context.thread_count = 1
        if kind.bit_rate is not None:
            video.bit_rate = kind.bit_rate
        self._video = video
        if not self.silent:
            audio = self._container.add_stream(kind.audio, rate=SAMPLE_RATE)
            assert isinstance(audio, av.AudioStream)
            audio.layout, audio.bit_rate = "mono", 96_000
            self._audio = audio
        early, self._early = self._early, []
        for frame in early:
            self._encode_sound(frame)

    def _encode_sound(self, frame: Frame) -> None:
        assert self._audio is not None
        samples = av.AudioFrame.from_ndarray(np.ascontiguousarray(frame)[np.newaxis], "s16", "mono")
        samples.rate, samples.pts, samples.time_base = SAMPLE_RATE, self._samples, Fraction(1, SAMPLE_RATE)
        self._samples += FRAME_SAMPLES
        self._mux(self._audio.encode(samples))

    def _mux(self, packets: list[av.Packet[Any]]) -> None:
        assert self._container is not None
        for packet in packets:
            self._container.mux(packet)
