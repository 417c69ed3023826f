"""The keys that others begin sessions with (X3DH): a hundred that are used once each, and one that is signed."""

from __future__ import annotations

import x3dh
import xeddsa
from oldmemo.oldmemo import BundleImpl, Oldmemo

from openvoice.ports import SecretStore
from openvoice.signalling.xmpp.omemo.storage import SecretStorage, at_once
from openvoice.signalling.xmpp.omemo.wire import Bundle

PRE_KEYS = 100
ROTATION = 7 * 24 * 3600
"""Seconds for which one signed pre key is given out. It is taken for as long again, for messages that come late."""


def fresh_bundle(secrets: SecretStore) -> Bundle:
    """What is to be published now: used keys are replaced, and the signed one when it is old."""
    with secrets.transaction():
        keys = Oldmemo(SecretStorage(secrets))
        missing = PRE_KEYS - at_once(keys.get_num_visible_pre_keys())
        if missing > 0:
            at_once(keys.generate_pre_keys(missing))
        if at_once(keys.signed_pre_key_age()) > ROTATION:
            at_once(keys.rotate_signed_pre_key())
        return _from_library(at_once(keys.get_bundle("", 0)))


def to_library(bundle: Bundle, owner: str, device: int) -> BundleImpl:
    """python-omemo knows identity keys in their Ed25519 form; the sign comes with libsignal's signatures."""
    sign = bool(bundle.signature[-1] & 0x80)
    pre_key_ids = {key: number for number, key in bundle.pre_keys.items()}
    return BundleImpl(
        owner,
        device,
        x3dh.Bundle(
            xeddsa.curve25519_pub_to_ed25519_pub(bundle.identity_key, sign),
            bundle.signed_pre_key,
            bundle.signature[:-1] + bytes([bundle.signature[-1] & 0x7F]),
            frozenset(pre_key_ids),
        ),
        bundle.signed_pre_key_id,
        pre_key_ids,
    )


def _from_library(bundle: BundleImpl) -> Bundle:
    keys = bundle.bundle
    sign = keys.identity_key[-1] & 0x80
    return Bundle(
        identity_key=bytes(xeddsa.ed25519_pub_to_curve25519_pub(keys.identity_key)),
        signed_pre_key_id=bundle.signed_pre_key_id,
        signed_pre_key=keys.signed_pre_key,
        signature=keys.signed_pre_key_sig[:-1] + bytes([keys.signed_pre_key_sig[-1] | sign]),
        pre_keys={number: key for key, number in bundle.pre_key_ids.items()},
    )
