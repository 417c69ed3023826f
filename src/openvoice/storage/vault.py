"""All that openvoice keeps, in one SQLite file that tells nothing to whoever has no key."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from openvoice.core.address import Address
from openvoice.core.protection import Protection
from openvoice.errors import ConfigurationError, KeyUnavailable
from openvoice.ports import OMEMO_SECRETS
from openvoice.storage.cipher import KEY_OCTETS, Cipher, Entry
from openvoice.storage.database import Database
from openvoice.storage.header import Header
from openvoice.storage.history import History
from openvoice.storage.instance import Place, Witness
from openvoice.storage.key import holder
from openvoice.storage.passwords import PasswordKeeper
from openvoice.storage.recordings import FOLDER, Recordings, remove_sound
from openvoice.storage.secrets import SHELVES, VaultSecrets

_log = logging.getLogger(__name__)

FILE_NAME = "openvoice.vault"
_SHELF = "vault"
_INSTANCE = "instance"
_CHANGES = "changes"


class Vault:
    """Opens the vault in ``folder``, or makes it.

    Names, places and values are sealed with a random key (:mod:`openvoice.storage.cipher`), which is held as
    ``protection`` says. An existing vault is opened as it was made. Threads and processes may share it.

    Opening may take a second (a passphrase) or wait for the user (a keyring): do it before an event loop has work.

    Args:
        folder: where ``openvoice.vault`` is.
        protection: who is to hold the key.
        passphrase_file: the file whose first line is the passphrase.
        state: a folder outside of the profile, to notice by it that an older copy came back; ``None`` for none.

    Raises:
        KeyUnavailable: the key cannot be had.
        ConfigurationError: the file is damaged, from a newer openvoice, or protected otherwise than was demanded.
            From any other method too: the disk is full, or another process holds the file for too long.
    """

    def __init__(
        self,
        folder: Path,
        *,
        protection: Protection = Protection.AUTO,
        passphrase_file: Path | None = None,
        state: Path | None = None,
    ) -> None:
        self._folder = folder
        self._passphrase_file = passphrase_file
        self._state = state
        self._written = False
        self.was_copied = False
        """Whether it was noticed at opening that this is a copy: its OMEMO keys were removed."""
        self._database = Database(folder / FILE_NAME)
        try:
            if Header.read(self._database) is None:
                with self._database.transaction():
                    if Header.read(self._database) is None:
                        self._make(protection)
            self._unlock(protection)
            self._recognise()
        except BaseException:
            self.close()
            raise

    # --- opening ------------------------------------------------------------------------------------------------------

    def _make(self, wanted: Protection) -> None:
        key = secrets.token_bytes(KEY_OCTETS)
        self._cipher = Cipher(key)
        self._instance = secrets.token_hex(16)
        self._keep(key, wanted).write(self._database)
        self._settle()
        self._put(Entry(_SHELF, _CHANGES, b"0"))

    def _keep(self, key: bytes, wanted: Protection) -> Header:
        """Put a new key away."""
        if wanted is not Protection.AUTO:
            details = holder(wanted, self._folder, self._passphrase_file).keep(key)
            return Header(protection=wanted, details=details)
        try:
            return self._keep(key, Protection.KEYRING)
        except KeyUnavailable:
            _log.warning(
                "there is no system keyring here, so the key of all that openvoice keeps lies in a file beside it, and "
                "whoever can read your files can read it: 'openvoice storage protect --help' says what is better"
            )
        return self._keep(key, Protection.PLAIN)

    def _unlock(self, wanted: Protection) -> None:
        header = Header.read(self._database)
        assert header is not None
        made = header.protection
        if wanted in _DEMANDS and wanted is not made:
            raise ConfigurationError(
                f"{self._database.path} is protected by {_WORDS[made]}, not by {_WORDS[wanted]} as "
                f"openvoice.toml demands: run 'openvoice storage protect {_DEMANDS[wanted]}'"
            )
        self._header = header
        self._cipher = Cipher(holder(made, self._folder, self._passphrase_file).find(header.details))
        instance = self.read(_SHELF, _INSTANCE)
        if instance is None:
            raise KeyUnavailable(f"the key in {_WORDS[made]} does not open {self._database.path}")
        self._instance = json.loads(instance)["id"]

    # --- copies -------------------------------------------------------------------------------------------------------

    def _recognise(self) -> None:
        if self._is_copy():
            with self.transaction():
                if self._is_copy():
                    self._begin_anew()

    def _is_copy(self) -> bool:
        kept = json.loads(self.read(_SHELF, _INSTANCE) or b"{}")
        self._instance = kept.pop("id")
        # The witness first: another process may count further in between.
        seen = self._witness.seen()
        return Place(**kept).is_elsewhere(Place.of(self._database.path)) or seen > self._changes

    def _begin_anew(self) -> None:
        for entry in self._all():
            if entry.shelf.startswith(SHELVES) and entry.name.startswith(OMEMO_SECRETS):
                self.remove(entry.shelf, entry.name)
        self._instance = secrets.token_hex(16)
        self._settle()
        self.was_copied = True
        _log.warning(
            "this profile was copied or restored: its OMEMO keys were removed, since a second use of them would harm "
            "both; the next login makes a new device, which your contacts may have to accept"
        )

    def _settle(self) -> None:
        """Remember that the vault belongs here."""
        place = {"id": self._instance, **asdict(Place.of(self._database.path))}
        self._put(Entry(_SHELF, _INSTANCE, json.dumps(place).encode()))

    @property
    def _witness(self) -> Witness:
        return Witness(self._state, self._instance)

    @property
    def _changes(self) -> int:
        return int(self.read(_SHELF, _CHANGES) or b"0")

    # --- what is kept -------------------------------------------------------------------------------------------------

    @property
    def protection(self) -> Protection:
        """Who holds the key."""
        return self._header.protection

    def secrets(self, account: Address) -> VaultSecrets:
        """The secrets of an account."""
        return VaultSecrets(self, account)

    @property
    def history(self) -> History:
        """The calls. What closes them closes the vault."""
        return History(self)

    @property
    def recordings(self) -> Recordings:
        return Recordings(self, self._folder / FOLDER)

    @property
    def passwords(self) -> PasswordKeeper:
        return PasswordKeeper(self)

    def read(self, shelf: str, name: str) -> bytes | None:
        """The value of an entry, or ``None`` if there is none."""
        found = self._select("entry.shelf = ? AND entry.name = ?", self._marks(shelf, name))
        return found[0].value if found else None

    def entries(self, shelf: str) -> list[Entry]:
        """All entries of a shelf, in no order."""
        return self._select("entry.shelf = ?", (self._cipher.shelf_mark(shelf),))

    def write(self, entry: Entry) -> None:
        """Keep an entry, in place of the one of that name."""
        with self.transaction():
            self._put(entry)
            self._written = True

    def remove(self, shelf: str, name: str) -> None:
        """Forget an entry. Nothing happens if there is none."""
        with self.transaction():
            self._database.run("DELETE FROM entry WHERE shelf = ? AND name = ?", self._marks(shelf, name))
            self._written = True

    def take(self, chosen: Callable[[Entry], bool]) -> list[bytes]:
        """Remove the entries chosen; what stood for them in the file."""
        with self.transaction():
            taken = [entry for entry in self._all() if chosen(entry)]
            statement = "SELECT value FROM entry WHERE shelf = ? AND name = ?"
            sealed = [self._database.run(statement, self._marks(entry.shelf, entry.name))[0][0] for entry in taken]
            for entry in taken:
                self.remove(entry.shelf, entry.name)
        return sealed

    def remove_sound(self) -> None:
        """Remove the sound of all recordings."""
        remove_sound(self._folder)

    def compact(self) -> bytes:
        """Leave nothing in the file but what is kept; all of it. What was in its log is in no file any more.

        Raises:
            ConfigurationError: another openvoice is using it.
        """
        self._database.compact()
        return self._database.octets()

    def __iter__(self) -> Iterator[Entry]:
        """Everything that is kept, in no order."""
        return iter(self._all())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside becomes durable at the end, or nothing of it if it raises. Others wait."""
        with self._database.turn:
            outermost = not self._database.in_transaction
            changes = 0
            with self._database.transaction():
                if outermost:
                    self._written = False
                    self._check_epoch(self._database.run("SELECT epoch FROM header"))
                yield
                if outermost and self._written:
                    changes = self._changes + 1
                    self._put(Entry(_SHELF, _CHANGES, str(changes).encode()))
            if changes:
                self._witness.note(changes)

    def _all(self) -> list[Entry]:
        return self._select("TRUE", ())

    def _select(self, condition: str, values: tuple[bytes, ...]) -> list[Entry]:
        # One statement sees one state of the file: that of the key that is known here, or a later one.
        rows = self._database.run(
            "SELECT header.epoch, entry.shelf, entry.name, entry.value"  # noqa: S608 - the conditions are those above
            f" FROM header LEFT JOIN entry ON {condition}",
            values,
        )
        self._check_epoch(rows)
        try:
            return [self._cipher.open(*row[1:]) for row in rows if row[1] is not None]
        except ConfigurationError as error:
            raise ConfigurationError(f"{self._database.path}: {error}") from error

    def _put(self, entry: Entry) -> None:
        self._database.run(
            "INSERT OR REPLACE INTO entry (shelf, name, value) VALUES (?, ?, ?)",
            (*self._marks(entry.shelf, entry.name), self._cipher.seal(entry)),
        )

    def _marks(self, shelf: str, name: str) -> tuple[bytes, bytes]:
        """What stands in the file for an entry."""
        return self._cipher.shelf_mark(shelf), self._cipher.name_mark(shelf, name)

    def _check_epoch(self, rows: list[tuple[Any, ...]]) -> None:
        if not rows or rows[0][0] != self._header.epoch:
            raise ConfigurationError(
                f"the key of {self._database.path} was changed by another openvoice: start this one again"
            )

    # --- another key --------------------------------------------------------------------------------------------------

    def protect(self, protection: Protection, passphrase_file: Path | None = None) -> None:
        """Seal everything with a new key, held as said. A crash leaves the old key in force, or the new one.

        Raises:
            KeyUnavailable: the new key cannot be held so. Nothing was changed.
        """
        old_cipher, old = self._cipher, self._header
        key = secrets.token_bytes(KEY_OCTETS)
        new = Header(protection=protection, details=holder(protection, self._folder, passphrase_file).keep(key))
        with self._database.turn:
            try:
                with self.transaction():
                    entries = self._all()
                    self._database.run("DELETE FROM entry")
                    self._cipher, self._header = Cipher(key), new
                    new.write(self._database)
                    for entry in entries:
                        self._put(entry)
            except BaseException:
                # The new key is left where it is: a disk that failed may still turn out to have taken all this.
                self._cipher, self._header = old_cipher, old
                raise
            # What the old key sealed is still in the log of the database.
            self._database.run("PRAGMA wal_checkpoint(TRUNCATE)")
        holder(old.protection, self._folder, self._passphrase_file).forget(old.details)
        self._passphrase_file = passphrase_file

    def close(self) -> None:
        """Let go of the file. Twice is once."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_DEMANDS = {Protection.KEYRING: "--keyring", Protection.PASSPHRASE: "--passphrase-file FILE"}
_WORDS = {
    Protection.KEYRING: "the system keyring",
    Protection.PASSPHRASE: "a passphrase",
    Protection.PLAIN: "a key file beside it",
}


def protection_of(folder: Path) -> Protection | None:
    """Who holds the key of the vault in ``folder``; ``None`` if there is none yet. Needs no key."""
    if not (folder / FILE_NAME).exists():
        return None
    with closing(Database(folder / FILE_NAME)) as database:
        header = Header.read(database)
    return header.protection if header is not None else None


def destroy(folder: Path) -> list[Path]:
    """Remove the vault in ``folder``, its key and its recordings, and give the files that are gone. Needs no key.

    Raises:
        ConfigurationError: another openvoice is using it.
    """
    if not (folder / FILE_NAME).exists():
        return []
    with closing(Database(folder / FILE_NAME)) as database:
        header = Header.read(database)
        database.run("DELETE FROM entry")
        # Not while somebody else still has it open: what that one writes would be lost, or stay.
        database.compact()
    # Its log goes with the last one that closes it.
    (folder / FILE_NAME).unlink(missing_ok=True)
    files = [folder / FILE_NAME, *remove_sound(folder)]
    if header is not None and header.protection is not Protection.PASSPHRASE:
        holder(header.protection, folder, None).forget(header.details)
    return files
