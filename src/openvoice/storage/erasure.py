"""What kinds of things are kept, and how they go away for good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from openvoice.core.address import Address
from openvoice.core.privacy import Kind
from openvoice.errors import ConfigurationError
from openvoice.ports import OMEMO_SECRETS
from openvoice.storage.cipher import Entry
from openvoice.storage.history import CALLS, PRESENCE
from openvoice.storage.passwords import PASSWORDS
from openvoice.storage.recordings import RECORDINGS
from openvoice.storage.secrets import SHELVES
from openvoice.storage.trust import TRUST
from openvoice.storage.vault import Vault

_PIECE = 64
"""Octets at each end of a sealed value that are looked for: a long one does not lie in one piece in the file."""


def kind_of(entry: Entry) -> Kind:
    """What an entry of the vault is."""
    if entry.shelf.startswith(SHELVES):
        for prefix, kind in ((OMEMO_SECRETS, Kind.KEYS), (TRUST, Kind.TRUST)):
            if entry.name.startswith(prefix):
                return kind
        return Kind.SERVERS
    return _SHELVES.get(entry.shelf, Kind.OTHER)


_SHELVES = {CALLS: Kind.CALLS, PRESENCE: Kind.PRESENCE, PASSWORDS: Kind.PASSWORDS, RECORDINGS: Kind.RECORDINGS}


def census(vault: Vault) -> Counter[Kind]:
    """How many things of each kind there are."""
    return Counter(map(kind_of, vault))


def erase(vault: Vault, kinds: Collection[Kind], account: Address | None = None) -> int:
    """Remove all things of these kinds, or, of those that belong to accounts, what belongs to ``account``; how many.

    Afterwards the file of the vault is read whole, and nothing of them is in it any more.

    Raises:
        ConfigurationError: another openvoice is using the vault, or something of them is left.
    """

    def chosen(entry: Entry) -> bool:
        of_account = account is None or not entry.shelf.startswith(SHELVES) or entry.shelf == SHELVES + str(account)
        return kind_of(entry) in kinds and of_account

    sealed = vault.take(chosen)
    if Kind.RECORDINGS in kinds:
        vault.remove_sound()
    if _remains(sealed, vault.compact()) or any(chosen(entry) for entry in vault):
        raise ConfigurationError("what was removed is still there: end every other openvoice, and try again")
    return len(sealed)


def _remains(sealed: Collection[bytes], octets: bytes) -> bool:
    return any(piece in octets for value in sealed for piece in (value[:_PIECE], value[-_PIECE:]))
