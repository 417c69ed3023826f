"""Texts under a message key."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed
from openvoice.signalling.xmpp.omemo.payload import open_text, seal_text
from openvoice.signalling.xmpp.omemo.wire import Payload


def refused(payload: Payload, material: bytes) -> None:
    with pytest.raises(OmemoFailed) as raised:
        open_text(payload, material)
    assert raised.value.cause is Cause.JUNK


@given(st.text(min_size=1, max_size=191))
def test_a_text_is_read_with_its_material_alone(text: str) -> None:
    payload, material = seal_text(text)
    assert (len(payload.vector), len(material)) == (12, 32)
    assert open_text(payload, material) == text
    refused(payload, material[:16])
    refused(payload, material + b"\x00")
    refused(payload, bytes(32))
    refused(Payload(payload.vector, payload.ciphertext + b"\x00"), material)


def test_old_vectors_are_read() -> None:
    key, vector = bytes(16), bytes(16)
    sealed = AESGCM(key).encrypt(vector, b"AA:BB", None)
    assert open_text(Payload(vector, sealed[:-16]), key + sealed[-16:]) == "AA:BB"


def test_what_is_no_text_is_refused() -> None:
    key, vector = bytes(16), bytes(12)
    sealed = AESGCM(key).encrypt(vector, b"\xff\xfe", None)
    refused(Payload(vector, sealed[:-16]), key + sealed[-16:])
