"""Whether a vault is still where it was, and as new as it was: a copy must not go on with the ratchets of OMEMO."""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_MACHINE_ID = Path("/etc/machine-id")
_CURRENT_FOLDER = -100
_HANDLE_OCTETS = 128
_NUMBER_WIDTH = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a file is. What the platform does not tell is ``None``, and then says nothing.

    The number of the device is left out: it may be another one after each start of the machine.
    """

    machine: str | None
    inode: int | None
    generation: str | None
    filesystem: int | None

    @classmethod
    def of(cls, file: Path) -> Place:
        """Where ``file`` is now."""
        status = file.stat()
        return cls(
            machine=_machine(),
            inode=status.st_ino or None,
            generation=_generation(file),
            filesystem=os.statvfs(file).f_fsid or None if hasattr(os, "statvfs") else None,
        )

    def is_elsewhere(self, now: Place) -> bool:
        """Whether the file was at this place, and is a copy at the place ``now``."""
        # The number of the file system is the weakest: some systems make it from the device's.
        by_generation = None not in (self.generation, now.generation)
        pairs = [
            (self.machine, now.machine),
            (self.inode, now.inode),
            (self.generation, now.generation) if by_generation else (self.filesystem, now.filesystem),
        ]
        return any(before != after for before, after in pairs if None not in (before, after))


class Witness:
    """Remembers outside of the profile how many changes a vault has seen, so that an older copy of it is noticed.

    What it cannot keep it forgets: then copies are known by their place alone.
    """

    def __init__(self, folder: Path | None, instance: str) -> None:
        self._file = folder / instance if folder is not None else None

    def seen(self) -> int:
        """How many changes there were, at least."""
        if self._file is not None:
            with suppress(OSError, ValueError):
                return int(self._file.read_bytes())
        return 0

    def note(self, changes: int) -> None:
        """There were so many. Needs no sync: after a power cut it may be too low, which is harmless."""
        if self._file is None:
            return
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(f"{changes:0{_NUMBER_WIDTH}}\n".encode())


def _machine() -> str | None:
    """The machine's number, hashed: it is nobody else's business, not even in a sealed file."""
    try:
        number = _MACHINE_ID.read_bytes().strip()
    except OSError:
        return None
    return hashlib.sha256(b"openvoice" + number).hexdigest() if number else None


def _generation(file: Path) -> str | None:
    """What tells a file from an earlier one that had the same inode.

    The file is not opened for it: closing it again would let go of the locks that SQLite holds on it (fcntl(2)).
    """
    status = file.stat()
    birth: float | None = getattr(status, "st_birthtime", None)
    if birth is not None:
        return str(int(birth * 1e6))
    handle = _Handle(octets=_HANDLE_OCTETS)
    try:
        failed = ctypes.CDLL(None).name_to_handle_at(
            _CURRENT_FOLDER, os.fsencode(file), ctypes.byref(handle), ctypes.byref(ctypes.c_int()), 0
        )
    except (OSError, AttributeError, TypeError):  # not Linux
        return None
    octets = bytes(handle.handle[: handle.octets])
    # Some file systems (FUSE) count files anew each time they are mounted: such a handle would make each start a copy.
    lasting = (status.st_ino & 0xFFFFFFFF).to_bytes(4, sys.byteorder) in octets
    return None if failed or not lasting else octets.hex()


class _Handle(ctypes.Structure):
    """``struct file_handle`` of name_to_handle_at(2): inode and generation, as the file system writes them."""

    _fields_ = (
        ("octets", ctypes.c_uint),
        ("kind", ctypes.c_int),
        ("handle", ctypes.c_ubyte * _HANDLE_OCTETS),
    )
