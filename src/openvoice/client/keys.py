"""Where a client keeps what OMEMO needs."""

from __future__ import annotations

from openvoice.ports import KeyStore, SecretStore
from openvoice.storage.memory import MemorySecrets as MemorySecrets
from openvoice.storage.trust import TrustBook


def key_store(secrets: SecretStore) -> KeyStore:
    """OMEMO keys, and what is thought of those of others, among the secrets of an account."""
    return KeyStore(secrets, TrustBook(secrets))


def temporary_keys() -> KeyStore:
    """Keys that are forgotten with the process, for tests and demonstrations.

    Each time, the account gets another OMEMO device, and nobody is known yet.
    """
    return key_store(MemorySecrets())
