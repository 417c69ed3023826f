"""Pictures from a file, and its sound with them."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import av
import av.error
import numpy as np
from av.container import InputContainer

from openvoice.errors import VideoFailed
from openvoice.media.files import FileSource, reason
from openvoice.media.video.conversion import to_picture
from openvoice.media.video.sources.thread import Run, ThreadSource
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS, Frame, PictureFormat

FORMATS = "mov,matroska,avi,mpegts,mpeg,flv,ivf,asf,ogg,gif,yuv4mpegpipe,apng"
"""What FFmpeg may take a file for. Playlists are left out: they name other files, and addresses on the network."""
MAXIMUM_FILE_SIDE = 8192
"""Pixels of the pictures in a file."""
_JUMP_SECONDS = 10.0
_SLOW_SECONDS = 0.5
_TELLS_MORE = 0.25
_USUAL_RATE = 25.0


class MovieSource(ThreadSource):
    """The pictures of any film that FFmpeg reads, at their own pace; with ``loop``, over and over.

    :meth:`sound` is what is heard with them. Both keep to one clock: that of the sound while that is read. Whatever is
    switched on later comes in where the other one is. What cannot be decoded is left out.

    Raises:
        VideoFailed: when constructed: the file is missing, may not be read, or shows nothing.
    """

    noun = "film"

    def __init__(self, path: Path, *, loop: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.path, self.loop = path, loop
        self.timeline = Timeline(clock)
        try:
            self.period, self.sound_after = _measure(path)
            with contextlib.closing(_frames(path, 0.0)) as frames:
                next(frames)
        except OSError as error:
            raise VideoFailed(f"cannot read {str(path)!r}: {reason(error)}") from error
        except (av.error.FFmpegError, StopIteration, ValueError, IndexError) as error:
            raise VideoFailed(f"{str(path)!r} is not a film that can be read") from error

    def sound(self) -> MovieSound:
        """Raises :class:`~openvoice.errors.AudioFileError` where there is none."""
        return MovieSound(self)

    def _run(self, run: Run, wanted: PictureFormat) -> None:
        shown, allowed = time.monotonic(), 0.0
        for position, frame in self._positions():
            if run.stopping.is_set():
                return
            timely = run.wait_until(self.timeline.due(position))
            # Where the machine is too slow for all of them, some are shown all the same.
            slow = time.monotonic() > shown + _SLOW_SECONDS
            if run.stopping.is_set() or position < allowed or not (timely or slow):
                continue
            allowed = max(allowed, position - 1 / wanted.rate) + (1 - _TELLS_MORE) / wanted.rate
            shown = time.monotonic()
            run.deliver(to_picture(frame, shown, wanted))

    def _positions(self) -> Iterator[tuple[float, av.VideoFrame]]:
        """All that is to come, with where on the timeline it belongs."""
        played = self.timeline.position()
        before = played // self.period * self.period if self.loop and self.period else 0.0
        start = played - before
        while True:
            end = start
            with contextlib.closing(_frames(self.path, start)) as frames:
                for position, frame in frames:
                    end = position
                    yield before + position, frame
            if not self.loop or not (end or self.period):
                return
            before, start = before + max(self.period, end), 0.0


class MovieSound:
    """An :class:`~openvoice.ports.AudioSource` of what is heard in a film.

    Raises:
        AudioFileError: when constructed: nothing is.
    """

    def __init__(self, movie: MovieSource) -> None:
        self._movie = movie
        self._source: FileSource | None = FileSource(movie.path)
        self._read = 0
        self._silence = round(movie.sound_after / FRAME_SECONDS)
        self._end = round(movie.period / FRAME_SECONDS)

    def read(self) -> Frame | None:
        self._movie.timeline.hear(self._read * FRAME_SECONDS)
        if self._movie.loop and self._source is not None and self._end and self._read and not self._read % self._end:
            self._source.close()
            self._source = FileSource(self._movie.path)
            self._silence = round(self._movie.sound_after / FRAME_SECONDS)
        self._read += 1
        if self._silence > 0:
            self._silence -= 1
            return np.zeros(FRAME_SAMPLES, np.int16)
        frame = self._source.read() if self._source is not None else None
        if frame is None and self._movie.loop and self._source is not None:
            return np.zeros(FRAME_SAMPLES, np.int16)
        return frame

    def close(self) -> None:
        if self._source is not None:
            self._source.close()
            self._source = None


class Timeline:
    """When each position in a film is due, by a clock in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._begun: float | None = None

    def hear(self, position: float) -> None:
        """The sound of a position is sent now: it leads."""
        with self._lock:
            begun = self._clock() - position
            if self._begun is None or abs(begun - self._begun) > 0.2:
                self._begun = begun
            else:
                # Sound is read in a grid that shakes a little.
                self._begun += (begun - self._begun) / 16

    def position(self) -> float:
        """Where the film is. Begins it, if nothing did."""
        with self._lock:
            now = self._clock()
            if self._begun is None:
                self._begun = now
            return max(0.0, now - self._begun)

    def due(self, position: float) -> float:
        with self._lock:
            return (self._clock() if self._begun is None else self._begun) + position


@contextlib.contextmanager
def _film(path: Path) -> Generator[InputContainer, None, None]:
    # As a stream, and of films alone: FFmpeg knows formats that lead to other files, and to the network.
    with path.open("rb") as file, av.open(file, mode="r", options={"format_whitelist": FORMATS}) as container:
        yield container


def _measure(path: Path) -> tuple[float, float]:
    """Seconds that a film lasts (0: unknown), and how long after it begins its sound does."""
    with _film(path) as container:
        shown = container.streams.video[0]
        if shown.codec_context is None:
            raise VideoFailed(f"{str(path)!r} is in a format that cannot be read")
        if max(shown.width, shown.height) > MAXIMUM_FILE_SIDE:
            raise VideoFailed(f"{str(path)!r} is larger than {MAXIMUM_FILE_SIDE} pixels")
        begin = (container.start_time or 0) / av.time_base
        after = 0.0
        for stream in container.streams.audio[:1]:
            if stream.start_time is not None and stream.time_base is not None:
                after = max(0.0, float(stream.start_time * stream.time_base) - begin)
        return (container.duration or 0) / av.time_base, min(after, _JUMP_SECONDS)


def _frames(path: Path, start: float) -> Generator[tuple[float, av.VideoFrame], None, None]:
    """Each picture from ``start`` on, with the seconds since the film began."""
    with _film(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        begin = (container.start_time or 0) / av.time_base
        usual = 1 / float(stream.average_rate or _USUAL_RATE)
        if start > 0:
            with contextlib.suppress(av.error.FFmpegError):
                container.seek(round((begin + start) * av.time_base))
        last: float | None = None
        shift = begin
        for packet in container.demux(stream):
            try:
                decoded = packet.decode()
            except av.error.InvalidDataError:
                continue
            for frame in decoded:
                if not isinstance(frame, av.VideoFrame) or max(frame.width, frame.height) > MAXIMUM_FILE_SIDE:
                    continue
                position = (last or 0.0) + usual if frame.time is None else frame.time - shift
                if last is not None and not last < position < last + _JUMP_SECONDS:
                    shift, position = shift + position - last - usual, last + usual
                last = position
                if position + usual > start:
                    yield max(0.0, position), frame
