"""DTLS fingerprints under the seal of OMEMO: what the ratchets made of them, and what they gave back.

The draft "OMEMO DTLS-SRTP verification": in a transport, an ``encrypted`` element of OMEMO stands in place of the text
of an XEP-0320 fingerprint. Every content has a seal of its own; all are of one device, and for one device. The hash
function and the DTLS role stay outside, unprotected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from openvoice.core.trust import Voucher


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """The ``encrypted`` element for each content, by name. ``voucher.peer`` is the one device that can open them."""

    voucher: Voucher
    elements: Mapping[str, Element]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unsealed:
    """The text under the seal of each content, by name. ``voucher.peer`` is the one device that sealed them all."""

    voucher: Voucher
    texts: Mapping[str, str]
