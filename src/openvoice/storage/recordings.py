"""Recordings of calls: each sealed with a key of its own, half a second at a time."""

from __future__ import annotations

import json
import os
import queue
import secrets
import struct
import threading
import wave
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from openvoice.errors import AudioFileError, ConfigurationError
from openvoice.ports import SAMPLE_RATE, Frame
from openvoice.storage.cipher import KEY_OCTETS, Entry

if TYPE_CHECKING:
    from openvoice.storage.vault import Vault

RECORDINGS = "recordings"
FOLDER = "recordings"
"""Where the sound is, beside the vault."""
_ENDING = ".sealed"
_SAMPLE_OCTETS = 4
"""One of the left and one of the right, 16 bit each."""
CHUNK_OCTETS = SAMPLE_RATE // 2 * _SAMPLE_OCTETS
"""Of sound in each chunk. All chunks have one size: the file tells how long a call was, and nothing else."""
_LENGTH = struct.Struct(">I")
_SEALED_OCTETS = _LENGTH.size + CHUNK_OCTETS + 16
WAITING_FRAMES = 500
"""Frames (10 s) that wait for a slow disk."""
_CLOSING_SECONDS = 1.0


def remove_sound(folder: Path) -> list[Path]:
    """Remove the sound of all recordings of the vault in ``folder``; the files that are gone. Needs no key."""
    files = sorted((folder / FOLDER).glob("*" + _ENDING))
    for file in files:
        file.unlink(missing_ok=True)
    with suppress(OSError):
        (folder / FOLDER).rmdir()
    return files


class Recordings:
    """The recordings of a vault: their keys and whom they are of in the vault, the sound in ``folder``."""

    def __init__(self, vault: Vault, folder: Path) -> None:
        self._vault = vault
        self._folder = folder

    def begin(self, about: Mapping[str, Any]) -> Recording:
        """Begin a recording. ``about`` is what :meth:`list` tells of it: ``time`` (Unix seconds), ``peer`` ...

        Raises:
            ConfigurationError: it cannot be kept.
        """
        name = secrets.token_hex(8)
        key = secrets.token_bytes(KEY_OCTETS)
        record = {**about, "recording": name, "seconds": None}
        path = self._folder / (name + _ENDING)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise ConfigurationError(f"a recording cannot be kept in {self._folder}: {error.strerror}") from error
        try:
            self._keep(record, key)
        except ConfigurationError:
            os.close(descriptor)
            path.unlink()
            raise
        return Recording(name, descriptor, key, lambda seconds: self._keep({**record, "seconds": seconds}, key))

    def list(self) -> list[dict[str, Any]]:
        """All recordings, newest first: what they are about, ``recording`` and ``seconds``.

        ``whole`` says whether it was ended in order, and not cut off by a crash.
        """
        records = [json.loads(entry.value) for entry in self._vault.entries(RECORDINGS)]
        return sorted((self._public(record) for record in records), key=lambda record: record["time"], reverse=True)

    def export(self, recording: str, path: Path) -> None:
        """Write a recording as a WAV file in the clear: 48 kHz, 16 bit, this side left, the peer right.

        Raises:
            AudioFileError: there is a file of that name, or it cannot be written.
            ConfigurationError: there is no such recording, or it is damaged.
        """
        with self._open(recording) as pieces:
            try:
                file = open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")  # noqa: SIM115
            except OSError as error:
                raise AudioFileError(f"cannot write {str(path)!r}: {error.strerror}") from error
            try:
                with file, wave.open(file, "wb") as sound:
                    sound.setparams((2, 2, SAMPLE_RATE, 0, "NONE", ""))
                    for piece in pieces:
                        sound.writeframesraw(piece)
            except OSError as error:
                raise AudioFileError(f"{str(path)!r} ends too early: {error.strerror}") from error

    def remove(self, recording: str) -> None:
        """Forget a recording: its key first, without which nobody reads the rest."""
        self._vault.remove(RECORDINGS, recording)
        with suppress(FileNotFoundError):
            self._path(recording).unlink()

    def _keep(self, record: dict[str, Any], key: bytes) -> None:
        value = json.dumps({**record, "key": key.hex()}).encode()
        self._vault.write(Entry(RECORDINGS, record["recording"], value))

    def _public(self, record: dict[str, Any]) -> dict[str, Any]:
        del record["key"]
        whole = record["seconds"] is not None
        if not whole:
            path = self._path(record["recording"])
            chunks = path.stat().st_size // _SEALED_OCTETS if path.exists() else 0
            record["seconds"] = chunks * CHUNK_OCTETS / _SAMPLE_OCTETS / SAMPLE_RATE
        return {**record, "whole": whole}

    @contextmanager
    def _open(self, recording: str) -> Iterator[Iterator[bytes]]:
        """The sound, in interleaved 16 bit samples."""
        entry = self._vault.read(RECORDINGS, recording)
        if entry is None:
            raise ConfigurationError(f"there is no recording {recording}: see 'openvoice recordings list'")
        try:
            file = self._path(recording).open("rb")
        except OSError as error:
            raise ConfigurationError(f"{self._path(recording)} cannot be read: {error.strerror}") from error
        with file:
            yield _chunks(file, AESGCM(bytes.fromhex(json.loads(entry)["key"])))

    def _path(self, recording: str) -> Path:
        return self._folder / (Path(recording).name + _ENDING)


class Recording:
    """A recording that is being made. Sound goes to the disk twice a second, sealed, in a thread of its own."""

    def __init__(self, name: str, descriptor: int, key: bytes, finish: Callable[[float], None]) -> None:
        self.id = name
        self._file = open(descriptor, "wb", buffering=0)  # noqa: SIM115
        self._cipher = AESGCM(key)
        self._finish = finish
        self._frames: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._fault: OSError | None = None
        self._over = False
        self._samples = 0
        self._thread = threading.Thread(target=self._run, name="openvoice-recording", daemon=True)
        self._thread.start()

    def write(self, sent: Frame, received: Frame) -> None:
        """Take 20 ms of both sides. Never waits.

        Raises:
            AudioFileError: once, when the disk is full, gone or too slow; what was taken so far is kept, and all
                further frames are thrown away without a word.
        """
        if self._over:
            return
        if self._fault is not None or self._frames.qsize() >= WAITING_FRAMES:
            self._over = True
            reason = (self._fault.strerror or "").lower() if self._fault is not None else "the disk is too slow"
            raise AudioFileError(f"the recording ends here: {reason}")
        self._frames.put(np.column_stack((sent, received)).astype("<i2").tobytes())

    def close(self) -> None:
        """Keep what waits, for a second at most. Twice is once.

        Raises:
            ConfigurationError: the vault cannot take that it is whole.
        """
        if not self._thread.is_alive() and self._file.closed:
            return
        self._over = True
        self._frames.put(None)
        self._thread.join(_CLOSING_SECONDS)
        if not self._thread.is_alive():
            self._file.close()
            self._finish(self._samples / SAMPLE_RATE)

    def _run(self) -> None:
        waiting = bytearray()
        number = 0
        try:
            going = True
            while going:
                frame = self._frames.get()
                going = frame is not None
                waiting += frame or b""
                while len(waiting) >= CHUNK_OCTETS or (waiting and not going):
                    piece = bytes(waiting[:CHUNK_OCTETS])
                    del waiting[:CHUNK_OCTETS]
                    self._append(number, piece)
                    number += 1
        except OSError as error:
            self._fault = error

    def _append(self, number: int, piece: bytes) -> None:
        text = (_LENGTH.pack(len(piece)) + piece).ljust(_LENGTH.size + CHUNK_OCTETS, b"\0")
        rest = memoryview(self._cipher.encrypt(_nonce(number), text, None))
        while rest:
            rest = rest[self._file.write(rest) :]
        os.fsync(self._file.fileno())
        self._samples += len(piece) // _SAMPLE_OCTETS


def _chunks(file: BinaryIO, cipher: AESGCM) -> Iterator[bytes]:
    # What a crash cut off in the middle of a chunk is left out.
    number = 0
    while len(sealed := file.read(_SEALED_OCTETS)) == _SEALED_OCTETS:
        try:
            text = cipher.decrypt(_nonce(number), sealed, None)
        except InvalidTag:
            seconds = number * CHUNK_OCTETS / _SAMPLE_OCTETS / SAMPLE_RATE
            raise ConfigurationError(f"the recording is damaged from {seconds:.1f} s on") from None
        (length,) = _LENGTH.unpack_from(text)
        yield text[_LENGTH.size : _LENGTH.size + length]
        number += 1


def _nonce(number: int) -> bytes:
    # Each recording has a key of its own, and each chunk of it is written once.
    return number.to_bytes(12, "big")
