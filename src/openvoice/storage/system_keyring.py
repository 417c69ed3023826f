"""The key in the system keyring: Secret Service, KWallet, the keychain of macOS, the credentials of Windows."""

from __future__ import annotations

import queue
import secrets
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from openvoice.errors import KeyUnavailable

SERVICE = "openvoice"
WITHIN = 60.0
"""Seconds that a keyring may take; it may have to ask its user."""
ACCEPTED = (
    "keyring.backends.SecretService",
    "keyring.backends.kwallet",
    "keyring.backends.libsecret",
    "keyring.backends.macOS",
    "keyring.backends.Windows",
)
"""The keyrings that are known to keep nothing in the clear. Others that call themselves one may well do."""

_WAY_OUT = 'unlock it, or choose [storage] protection = "passphrase" or "plain"'
_Result = TypeVar("_Result")


class KeyringHolder:
    """Keeps keys in the first keyring that is accepted, under the service ``openvoice`` and a random name."""

    def keep(self, key: bytes) -> dict[str, str]:
        name = secrets.token_hex(8)

        def keep() -> bool:
            backend = _backends()[0]
            backend.set_password(SERVICE, name, key.hex())
            return bool(backend.get_password(SERVICE, name) == key.hex())

        if not _asking(keep):
            raise KeyUnavailable(f"the system keyring does not keep what it is given: {_WAY_OUT}")
        return {"name": name}

    def find(self, details: Mapping[str, str]) -> bytes:
        name = details.get("name", "")

        def find() -> str | None:
            found = (backend.get_password(SERVICE, name) for backend in _backends())
            return next((value for value in found if value is not None), None)

        kept = _asking(find)
        if kept is None:
            raise KeyUnavailable(
                f"the system keyring has no key of the vault (service {SERVICE}, name {name}): it was removed, or the "
                "vault comes from another machine"
            )
        try:
            return bytes.fromhex(kept)
        except ValueError as error:
            raise KeyUnavailable(
                f"the key in the system keyring (service {SERVICE}, name {name}) is damaged"
            ) from error

    def forget(self, details: Mapping[str, str]) -> None:
        def forget() -> None:
            for backend in _backends():
                if backend.get_password(SERVICE, details.get("name", "")) is not None:
                    backend.delete_password(SERVICE, details["name"])

        try:
            _asking(forget)
        except KeyUnavailable:
            return


def _backends() -> list[Any]:
    import keyring
    from keyring.backends.chainer import ChainerBackend

    chosen = keyring.get_keyring()
    members = chosen.backends if isinstance(chosen, ChainerBackend) else [chosen]
    accepted = [member for member in members if type(member).__module__.startswith(ACCEPTED)]
    if not accepted:
        raise KeyUnavailable(
            "there is no system keyring that is known to keep secrets encrypted: "
            'choose [storage] protection = "passphrase" or "plain"'
        )
    return accepted


def _asking(question: Callable[[], _Result]) -> _Result:
    """Ask the keyring in a thread of its own: one that waits for its user must not hold the program for ever."""
    answers: queue.SimpleQueue[tuple[_Result | None, Exception | None]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put((question(), None))
        except Exception as error:
            answers.put((None, error))

    threading.Thread(target=ask, name="openvoice keyring", daemon=True).start()
    try:
        answer, error = answers.get(timeout=WITHIN)
    except queue.Empty:
        raise KeyUnavailable(f"the system keyring did not answer within a minute: {_WAY_OUT}") from None
    if isinstance(error, KeyUnavailable):
        raise error
    if error is not None:
        # What backends raise is of many kinds, and some name what they were asked for.
        raise KeyUnavailable(f"the system keyring does not work ({type(error).__name__}): {_WAY_OUT}") from error
    return answer  # type: ignore[return-value]
