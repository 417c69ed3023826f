from __future__ import annotations

import threading
from collections.abc import Callable

import keyring.backends.chainer
import keyring.backends.fail
import keyring.backends.null
import keyring.errors
import pytest

from openvoice.errors import KeyUnavailable
from openvoice.storage import system_keyring as module
from openvoice.storage.system_keyring import KeyringHolder

from .conftest import FakeKeyring

KEY = bytes(range(32))


def test_the_key_is_found_again_under_a_random_name(system_keyring: FakeKeyring) -> None:
    one, other = KeyringHolder().keep(KEY), KeyringHolder().keep(bytes(32))
    assert {service for service, _ in system_keyring.kept} == {"openvoice"}
    assert len(system_keyring.kept) == 2
    assert (KeyringHolder().find(one), KeyringHolder().find(other)) == (KEY, bytes(32))
    KeyringHolder().forget(one)
    KeyringHolder().forget(one)
    assert list(system_keyring.kept) == [("openvoice", other["name"])]
    with pytest.raises(KeyUnavailable, match="has no key"):
        KeyringHolder().find(one)


class Plaintext(FakeKeyring):
    """Like those of keyrings.alt, which keep passwords in an open file."""

    __module__ = "keyrings.alt.file"


@pytest.mark.parametrize("backend", [Plaintext, keyring.backends.fail.Keyring, keyring.backends.null.Keyring])
def test_what_only_calls_itself_a_keyring_gets_no_key(
    system_keyring: FakeKeyring, backend: Callable[[], keyring.backend.KeyringBackend]
) -> None:
    keyring.set_keyring(backend())
    with pytest.raises(KeyUnavailable, match="no system keyring that is known to keep secrets encrypted"):
        KeyringHolder().keep(KEY)


def test_of_several_keyrings_only_those_accepted_are_used(
    system_keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Plaintext()
    monkeypatch.setattr(keyring.backends.chainer.ChainerBackend, "backends", [plain, system_keyring])
    keyring.set_keyring(keyring.backends.chainer.ChainerBackend())  # type: ignore[no-untyped-call]
    details = KeyringHolder().keep(KEY)
    assert plain.kept == {}
    assert KeyringHolder().find(details) == KEY


def test_one_that_is_locked_or_fails_is_told_without_what_it_says(system_keyring: FakeKeyring) -> None:
    details = KeyringHolder().keep(KEY)
    for fault in (keyring.errors.KeyringLocked("private"), RuntimeError("private"), OSError("private")):
        system_keyring.fault = fault
        for ask in (lambda: KeyringHolder().keep(KEY), lambda: KeyringHolder().find(details)):
            with pytest.raises(KeyUnavailable, match=rf"does not work \({type(fault).__name__}\): unlock it") as caught:
                ask()
            assert "private" not in str(caught.value)
        KeyringHolder().forget(details)


def test_one_that_forgets_at_once_is_not_believed(system_keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_keyring, "get_password", lambda *_: None)
    with pytest.raises(KeyUnavailable, match="does not keep"):
        KeyringHolder().keep(KEY)


def test_one_that_never_answers_holds_nobody_up(system_keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    never = threading.Event()
    monkeypatch.setattr(module, "WITHIN", 0.05)
    monkeypatch.setattr(system_keyring, "get_password", lambda *_: never.wait(10))
    with pytest.raises(KeyUnavailable, match="did not answer within a minute"):
        KeyringHolder().find({"name": "x"})
    never.set()


def test_a_damaged_key_is_told(system_keyring: FakeKeyring) -> None:
    system_keyring.kept["openvoice", "x"] = "not hexadecimal"
    with pytest.raises(KeyUnavailable, match="is damaged"):
        KeyringHolder().find({"name": "x"})
