"""A text under a message key: AES-128-GCM, its tag beside the key (XEP-0384 0.3, 4.5)."""

from __future__ import annotations

import secrets as dice

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed
from openvoice.signalling.xmpp.omemo.sessions import KEY
from openvoice.signalling.xmpp.omemo.wire import Payload

_TAG = 16
_VECTOR = 12


def seal_text(text: str) -> tuple[Payload, bytes]:
    """``text`` under a new key; gives with it the 32 octets that the device it is for needs: the key and the tag."""
    key, vector = dice.token_bytes(KEY), dice.token_bytes(_VECTOR)
    sealed = AESGCM(key).encrypt(vector, text.encode(), None)
    return Payload(vector, sealed[:-_TAG]), key + sealed[-_TAG:]


def open_text(payload: Payload, material: bytes) -> str:
    """The text in ``payload``.

    Raises:
        OmemoFailed: there is no tag beside the key, the text was changed on the way, or it is none (``junk``).
    """
    if len(material) != KEY + _TAG:
        raise OmemoFailed(Cause.JUNK)
    try:
        return AESGCM(material[:KEY]).decrypt(payload.vector, payload.ciphertext + material[KEY:], None).decode()
    except (InvalidTag, UnicodeDecodeError):
        raise OmemoFailed(Cause.JUNK) from None
