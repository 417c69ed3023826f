"""Sound files: any kind is read, WAV is written."""

from __future__ import annotations

import contextlib
import errno
import os
import struct
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

import av
import av.error
import numpy as np
import numpy.typing as npt

from openvoice.errors import AudioFileError
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE, Frame

FORMATS = "wav,w64,flac,ogg,mp3,aiff,au,caf,aac,mov,matroska"
"""What FFmpeg may take a file for. Playlists are left out: they name other files, and addresses on the network."""

_SAMPLE_OCTETS = 2
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_LARGEST_SIZE = 2**32 - 1
_OCTETS_BETWEEN_HEADERS = SAMPLE_RATE * _SAMPLE_OCTETS


class FileSource:
    """An :class:`~openvoice.ports.AudioSource` on a sound file of any rate and number of channels.

    It is decoded while it is read, so its length costs no memory. What cannot be decoded is left out: a file that was
    cut off is played as far as it goes. The last frame is filled up with silence.

    Raises:
        AudioFileError: when constructed, never later: the file is missing, may not be read, or holds no sound.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise AudioFileError(f"cannot read {str(path)!r}: {reason(error)}") from error
        self._frames = _decode(self._file)
        try:
            self._next = next(self._frames, None)
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self._file.close()
            raise AudioFileError(f"{str(path)!r} is not a sound file") from error
        if self._next is None:
            self._file.close()
            raise AudioFileError(f"{str(path)!r} holds no sound")

    def read(self) -> Frame | None:
        frame, self._next = self._next, None
        if frame is not None:
            with contextlib.suppress(av.error.FFmpegError, OSError, ValueError):
                self._next = next(self._frames, None)
        return frame

    def close(self) -> None:
        self._next = None
        self._frames.close()
        self._file.close()


def load(path: Path, seconds: float = 600.0) -> npt.NDArray[np.int16]:
    """The sound of a file, at most its first ``seconds``: ``int16``, mono, 48 kHz, in whole frames.

    Raises:
        AudioFileError: the file is missing, may not be read, or holds no sound.
    """
    frames: list[Frame] = []
    with contextlib.closing(FileSource(path)) as source:
        while len(frames) * FRAME_SAMPLES < seconds * SAMPLE_RATE and (frame := source.read()) is not None:
            frames.append(frame)
    return np.concatenate(frames)


def _decode(file: BinaryIO) -> Generator[Frame, None, None]:
    # FFmpeg's guess is by what looks most likely, and some sound looks like other formats than the one it is in.
    head = file.read(12)
    file.seek(0)
    name = "wav" if head[:4] == b"RIFF" and head[8:] == b"WAVE" else None
    with av.open(file, mode="r", format=name, options={"format_whitelist": FORMATS}) as container:
        if not container.streams.audio:
            return
        resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE, frame_size=FRAME_SAMPLES)
        for packet in container.demux(container.streams.audio[0]):
            try:
                decoded = packet.decode()
            except av.error.InvalidDataError:
                continue
            for piece in decoded:
                # Time stamps that jump are no reason to: the sound is played as it comes.
                piece.pts = None
                for frame in resampler.resample(piece):
                    yield frame.to_ndarray()[0]
        for frame in resampler.resample(None):
            samples = frame.to_ndarray()[0]
            yield np.pad(samples, (0, FRAME_SAMPLES - len(samples)))


class FileSink:
    """An :class:`~openvoice.ports.AudioSink` that writes a WAV file: 16 bit, mono, 48 kHz, for its owner's eyes only.

    A file of that name is replaced by the first frame: a call that nobody answers neither costs the recording before
    it nor leaves an empty one. What was received is in the file at once, and the header tells its length once a second,
    so little is lost when the program is killed. After twelve hours WAV can count no further; sound goes on.

    Raises:
        AudioFileError: when constructed: the file cannot be written there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = 0
        if path.exists() and not path.is_file():
            raise AudioFileError(f"cannot record to {str(path)!r}: it is not an ordinary file")
        self._made = not path.exists()
        self._begun = False
        try:
            self._file = open(path, "r+b", buffering=0, opener=open_private)  # noqa: SIM115
        except OSError as error:
            raise AudioFileError(f"cannot record to {str(path)!r}: {reason(error)}") from error

    def write(self, frame: Frame) -> None:
        """Take 20 ms.

        Raises:
            AudioFileError: once, when the disk is full or gone; what was written so far is kept, and all further
                frames are thrown away without a word.
        """
        if self._file.closed:
            return
        try:
            if not self._begun:
                self._begun = True
                self._file.truncate(0)
                self._write_header()
            self._append(frame.astype("<i2").tobytes())
        except OSError as error:
            self.close()
            raise AudioFileError(f"the recording {str(self._path)!r} ends here: {reason(error)}") from error

    def close(self) -> None:
        if self._file.closed:
            return
        with self._file, contextlib.suppress(OSError):
            if self._begun:
                self._write_header()
                self._file.truncate(_HEADER.size + self._size)
        if self._made and not self._size:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._file.write(rest) :]
        before, self._size = self._size, self._size + len(data)
        if before // _OCTETS_BETWEEN_HEADERS != self._size // _OCTETS_BETWEEN_HEADERS:
            self._write_header()

    def _write_header(self) -> None:
        size = min(self._size, _LARGEST_SIZE - _HEADER.size)
        octets_per_second = SAMPLE_RATE * _SAMPLE_OCTETS
        self._file.seek(0)
        self._file.write(
            _HEADER.pack(
                *(b"RIFF", size + _HEADER.size - 8, b"WAVE"),
                *(b"fmt ", 16, 1, 1, SAMPLE_RATE, octets_per_second, _SAMPLE_OCTETS, 8 * _SAMPLE_OCTETS),
                *(b"data", size),
            )
        )
        self._file.seek(0, os.SEEK_END)


def open_private(path: str, flags: int) -> int:
    """Open, or make, with the mode 0600, also a file that was there before and was open to others."""
    descriptor = os.open(path, flags | os.O_CREAT, 0o600)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o600)
    return descriptor


def reason(error: OSError) -> str:
    """What went wrong with a file, in words for a person."""
    return _REASONS.get(error.errno or 0, (error.strerror or "unknown error").lower())


_REASONS = {
    errno.ENOENT: "there is no such file or folder",
    errno.EISDIR: "it is a folder",
    errno.EACCES: "you are not allowed to",
    errno.EPERM: "you are not allowed to",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your share of the disk is full",
    errno.EFBIG: "the file may not grow further",
    errno.EROFS: "the disk cannot be written",
}
