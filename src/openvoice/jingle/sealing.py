"""DTLS fingerprints that travel encrypted from one OMEMO device to another: what comes of sealing and unsealing them.

How they are written is the draft at http://gultsch.de/xmpp/drafts/omemo/dlts-srtp-verification.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from openvoice.core.trust import Voucher


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """The ``<encrypted/>`` elements of an offer or answer, by content name, and the device that they are for."""

    voucher: Voucher
    elements: Mapping[str, Element]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unsealed:
    """The texts that stood in ``<encrypted/>`` elements, by content name, and the one device that wrote all of them."""

    voucher: Voucher
    texts: Mapping[str, str]
