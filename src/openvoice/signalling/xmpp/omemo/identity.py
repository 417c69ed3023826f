"""Who this device is: its id and its identity key."""

from __future__ import annotations

from openvoice.ports import SecretStore


def own_key(secrets: SecretStore) -> tuple[int, bytes] | None:
    """The id of the own device and its identity key in the Curve25519 form, 32 octets; ``None`` if none was made yet.

    Needs no connection.
    """
    raise NotImplementedError
