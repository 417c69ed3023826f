"""What is leaned on in omemo 2.1.0, oldmemo 2.1.0 and below them. Another version may not understand kept sessions."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any

import doubleratchet
import pytest
import x3dh
import xeddsa
from oldmemo import oldmemo
from oldmemo.oldmemo import KeyExchangeImpl, Oldmemo, PlainKeyMaterialImpl, SessionImpl, StateImpl
from omemo.backend import DecryptionFailed, KeyExchangeFailed
from omemo.identity_key_pair import IdentityKeyPair
from omemo.session import Initiation
from omemo.session_manager import SessionManager
from omemo.storage import Storage, StorageException
from omemo.types import OMEMOException

from openvoice.signalling.xmpp import quiet
from openvoice.signalling.xmpp.omemo import prekeys, wire
from openvoice.signalling.xmpp.omemo.storage import SecretStorage, SessionStorage, at_once
from openvoice.testing.fakes import MemorySecrets

ALICE, BOB = "alice@openvoice.test", "bob@openvoice.test"
MATERIAL = PlainKeyMaterialImpl(b"k" * 16, b"t" * 16)


class Device:
    def __init__(self) -> None:
        self.secrets = MemorySecrets()
        self.bundle = prekeys.fresh_bundle(self.secrets)

    @property
    def library(self) -> Oldmemo:
        return Oldmemo(SecretStorage(self.secrets))


def begun() -> tuple[Device, Device, SessionImpl, SessionImpl]:
    """Two devices, and the two ends of a session between them."""
    alice, bob = Device(), Device()
    active, key = at_once(alice.library.build_session_active(BOB, 2, prekeys.to_library(bob.bundle, BOB, 2), MATERIAL))
    exchange, message = KeyExchangeImpl.parse(active.key_exchange.serialize(key.serialize())[0], False)
    parsed = oldmemo.EncryptedKeyMaterialImpl.parse(message, ALICE, 1)
    passive, plain = at_once(bob.library.build_session_passive(ALICE, 1, exchange, parsed))
    assert plain.key + plain.auth_tag == b"k" * 16 + b"t" * 16
    return alice, bob, active, passive


@pytest.mark.parametrize(
    ("package", "known"),
    [("omemo", "2.1.0"), ("oldmemo", "2.1.0"), ("doubleratchet", "1.3.0"), ("x3dh", "1.3.0"), ("xeddsa", "1.2.0")],
)
def test_versions(package: str, known: str) -> None:
    assert version(package) == known


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("load_session", ["self", "bare_jid", "device_id"]),
        ("store_session", ["self", "session"]),
        ("build_session_active", ["self", "bare_jid", "device_id", "bundle", "plain_key_material"]),
        ("build_session_passive", ["self", "bare_jid", "device_id", "key_exchange", "encrypted_key_material"]),
        ("encrypt_key_material", ["self", "session", "plain_key_material"]),
        ("decrypt_key_material", ["self", "session", "encrypted_key_material"]),
        ("delete_pre_key", ["self", "session"]),
        ("generate_pre_keys", ["self", "num_pre_keys"]),
        ("get_num_visible_pre_keys", ["self"]),
        ("signed_pre_key_age", ["self"]),
        ("rotate_signed_pre_key", ["self"]),
        ("get_bundle", ["self", "bare_jid", "device_id"]),
    ],
)
def test_what_is_called_takes_what_it_is_given(name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(Oldmemo, name)).parameters) == parameters


def test_names() -> None:
    assert oldmemo.NAMESPACE == wire.NAMESPACE
    assert issubclass(DecryptionFailed, OMEMOException)
    assert issubclass(KeyExchangeFailed, OMEMOException)
    assert not issubclass(xeddsa.XEdDSAException, OMEMOException | ValueError)
    assert PlainKeyMaterialImpl.KEY_LENGTH == 16
    assert {name for name in vars(Storage) if getattr(vars(Storage)[name], "__isabstractmethod__", False)} == {
        "_load",
        "_store",
        "_delete",
    }
    assert issubclass(StorageException, OMEMOException)


def test_the_loggers_that_tell_keys() -> None:
    assert {SessionManager.LOG_TAG, IdentityKeyPair.LOG_TAG} == set(quiet.MADE_LATER)


def test_nothing_waits_but_for_the_storage() -> None:
    """Everything above was run at once: that is what lets a transaction be open around it."""
    alice, bob, active, passive = begun()
    key = at_once(bob.library.encrypt_key_material(passive, MATERIAL))
    assert at_once(alice.library.decrypt_key_material(active, key)).key == b"k" * 16
    assert active.confirmed


def test_the_fields_of_a_session_have_last_parts_of_their_own() -> None:
    *_, active, _ = begun()
    names: list[str] = []

    class Listing(SessionStorage):
        async def _store(self, key: str, value: Any) -> None:
            names.append(key)
            await super()._store(key, value)

    at_once(Oldmemo(Listing({})).store_session(active))
    assert len({name.rpartition("/")[2] for name in names}) == len(names) == 12


def test_the_identity_keys_are_authenticated_in_the_order_of_who_began() -> None:
    alice, bob, active, passive = begun()
    expected = b"\x05" + alice.bundle.identity_key + b"\x05" + bob.bundle.identity_key
    assert active.associated_data == passive.associated_data == expected
    assert (active.initiation, passive.initiation) == (Initiation.ACTIVE, Initiation.PASSIVE)
    assert StateImpl.IDENTITY_KEY_ENCODING_LENGTH == 33


def test_a_failed_decryption_changes_nothing_and_says_if_it_is_a_repetition() -> None:
    _, bob, active, passive = begun()
    key = at_once(bob.library.encrypt_key_material(active, MATERIAL))
    at_once(bob.library.decrypt_key_material(passive, key))
    before = passive.double_ratchet.json
    with pytest.raises(DecryptionFailed) as raised:
        at_once(bob.library.decrypt_key_material(passive, key))
    assert isinstance(raised.value.__cause__, doubleratchet.DuplicateMessageException)
    assert passive.double_ratchet.json == before


def test_the_sign_of_an_identity_key_comes_with_the_signature() -> None:
    for _ in range(8):
        device = Device()
        bundle = prekeys.to_library(device.bundle, BOB, 2).bundle
        assert isinstance(bundle, x3dh.Bundle)
        signed = StateImpl.serialize_public_key(bundle.signed_pre_key)
        assert xeddsa.ed25519_verify(bundle.signed_pre_key_sig, bundle.identity_key, signed)
