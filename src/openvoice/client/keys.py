"""OMEMO keys for clients that have no profile."""

from __future__ import annotations

from openvoice.ports import KeyStore
from openvoice.storage.memory import MemorySecrets as MemorySecrets
from openvoice.storage.trust import TrustBook


def temporary_keys() -> KeyStore:
    """Keys that are forgotten with the process, for tests and demonstrations.

    Each time, the account gets another OMEMO device, and nobody is known yet.
    """
    secrets = MemorySecrets()
    return KeyStore(secrets, TrustBook(secrets))
