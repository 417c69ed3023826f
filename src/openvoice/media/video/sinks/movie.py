"""A film of what was received: pictures and sound in one file."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from openvoice.errors import AudioFileError, UsageError, VideoFailed
from openvoice.media.files import open_private, reason
from openvoice.media.video.sinks.muxer import KINDS, Muxer
from openvoice.ports import Frame, Picture

_log = logging.getLogger(__name__)

WAITING_PICTURES = 8
"""Pictures that wait to be encoded; what is more is left out."""
CLOSING_SECONDS = 5.0


class MovieFile:
    """A film that a call is written to, for its owner's eyes only. The ending says which kind: ``.mp4`` or ``.webm``.

    :attr:`sound` and :attr:`pictures` are its two faces; whoever has them closes the film, they do not. A ``silent``
    film has one face, which closes it. The time at which sound is written leads. All is encoded on a thread of its own,
    so neither face waits. A film of that name is replaced by the first sound or picture: a call that nobody answers
    costs nothing. It is written in pieces of about a second, so little is lost when the program is killed. It has the
    shape of its first picture; others are made to fit.

    Raises:
        VideoFailed: when constructed: it cannot be written there.
        UsageError: it is named like no film.
    """

    def __init__(self, path: Path, *, silent: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        kind = KINDS.get(path.suffix.lower())
        if kind is None:
            raise UsageError(f"films are MP4 or WebM: name it {str(path.with_suffix('.mp4'))!r}")
        if path.exists() and not path.is_file():
            raise VideoFailed(f"cannot record to {str(path)!r}: it is not an ordinary file")
        self._made = not path.exists()
        try:
            self._file = open(path, "r+b", buffering=0, opener=open_private)  # noqa: SIM115
        except OSError as error:
            raise VideoFailed(f"cannot record to {str(path)!r}: {reason(error)}") from error
        self.path, self.silent = path, silent
        self.sound = MovieSoundFace(self)
        self.pictures = MoviePictureFace(self)
        self._clock = clock
        self._muxer = Muxer(self._file, kind, silent=silent)
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[tuple[Frame | Picture, float] | None] = queue.SimpleQueue()
        self._pictures_waiting = 0
        self._fault: str | None = None
        self._closed = False
        self._thread: threading.Thread | None = None

    def close(self) -> None:
        """Finish it. Twice is once."""
        with self._lock:
            closed, self._closed = self._closed, True
            thread = self._thread
        if closed:
            return
        if thread is not None:
            self._waiting.put(None)
            thread.join(CLOSING_SECONDS)
            return
        self._file.close()
        if self._made:
            with contextlib.suppress(OSError):
                self.path.unlink()

    def take(self, content: Frame | Picture) -> str | None:
        """Take sound or a picture. What went wrong, once, if nothing can be taken any more."""
        with self._lock:
            if self._closed:
                return None
            if self._fault is not None:
                self._closed = True
                return self._fault
            if isinstance(content, Picture):
                if self._pictures_waiting >= WAITING_PICTURES:
                    return None
                self._pictures_waiting += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="openvoice-film", daemon=True)
                self._thread.start()
            self._waiting.put((content, self._clock()))
        return None

    def _run(self) -> None:
        try:
            self._file.truncate(0)
            while (waiting := self._waiting.get()) is not None:
                content, at = waiting
                if isinstance(content, Picture):
                    with self._lock:
                        self._pictures_waiting -= 1
                    self._muxer.picture(content)
                else:
                    self._muxer.sound(content, at)
        except Exception as error:
            self._fail(error)
        try:
            self._muxer.close()
        except Exception as error:
            self._fail(error)
        finally:
            with contextlib.suppress(OSError):
                self._file.close()

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, OSError):
            _log.error("a film failed: %s", type(error).__name__)
        why = reason(error) if isinstance(error, OSError) else "it could not be encoded"
        with self._lock:
            self._fault = self._fault or f"the film {str(self.path)!r} ends here: {why}"


class MovieSoundFace:
    """The :class:`~openvoice.ports.AudioSink` of a film."""

    def __init__(self, movie: MovieFile) -> None:
        self._movie = movie

    def write(self, frame: Frame) -> None:
        """Raises :class:`~openvoice.errors.AudioFileError`: the disk is full or gone; what was written is kept."""
        fault = self._movie.take(frame)
        if fault is not None:
            raise AudioFileError(fault)

    def close(self) -> None:
        """Whoever made the film closes it."""


class MoviePictureFace:
    """The :class:`~openvoice.ports.VideoOutput` of a film."""

    def __init__(self, movie: MovieFile) -> None:
        self._movie = movie

    def write(self, picture: Picture) -> None:
        """Raises :class:`~openvoice.errors.VideoFailed`: the disk is full or gone; what was written is kept."""
        fault = self._movie.take(picture)
        if fault is not None:
            raise VideoFailed(fault)

    def close(self) -> None:
        if self._movie.silent:
            self._movie.close()
