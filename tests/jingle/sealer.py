"""OMEMO without secrets: what was sealed, by whom and for whom, stands in the element for everybody to read."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement

from openvoice.core.address import Address
from openvoice.core.trust import DeviceKey, Trust, Voucher
from openvoice.jingle import namespaces as ns
from openvoice.jingle.outputs import Seal, Unseal
from openvoice.jingle.sealing import Sealed, Unsealed

OWN_DEVICE = 31415926
PEER_DEVICE = 2718281828
OTHER_DEVICE = 1618033988


def key_of(device: int) -> bytes:
    """The identity key of a device."""
    return device.to_bytes(4, "big") * 8


def encrypted(text: str, *, sender: int = PEER_DEVICE, recipient: int = OWN_DEVICE) -> Element:
    element = Element(ns.qualified(ns.OMEMO, "encrypted"))
    header = SubElement(element, ns.qualified(ns.OMEMO, "header"), sid=str(sender))
    SubElement(header, ns.qualified(ns.OMEMO, "key"), rid=str(recipient)).text = "a2V5"
    SubElement(header, ns.qualified(ns.OMEMO, "iv")).text = "aXY="
    SubElement(element, ns.qualified(ns.OMEMO, "payload")).text = text
    return element


class Sealer:
    """The device ``own`` of one account. ``trust`` says what is thought of other devices: trusted, if nothing is said.

    ``unreachable`` are devices that nothing can be sealed for.
    """

    def __init__(
        self,
        own: int = OWN_DEVICE,
        *,
        trust: Mapping[int, Trust] | None = None,
        unreachable: frozenset[int] = frozenset(),
    ) -> None:
        self.own = own
        self.trust = dict(trust or {})
        self.unreachable = unreachable

    def voucher(self, peer: Address, device: int) -> Voucher:
        trust = self.trust.get(device, Trust.TRUSTED)
        key = DeviceKey(owner=peer.bare, device=device, key=key_of(device), trust=trust)
        return Voucher(peer=key, own_device=self.own, own_key=key_of(self.own))

    def seal(self, asked: Seal) -> Sealed | None:
        if asked.device in self.unreachable:
            return None
        elements = {
            name: encrypted(text, sender=self.own, recipient=asked.device) for name, text in asked.texts.items()
        }
        return Sealed(voucher=self.voucher(asked.peer, asked.device), elements=elements)

    def unseal(self, asked: Unseal) -> Unsealed | None:
        """``None`` as well if it is for others, of two devices, or has a payload that begins with a question mark."""
        senders, texts = set(), {}
        for name, element in asked.elements.items():
            header = element.find(ns.qualified(ns.OMEMO, "header"))
            payload = element.findtext(ns.qualified(ns.OMEMO, "payload"))
            if header is None or payload is None or payload.startswith("?"):
                return None
            if str(self.own) not in {key.get("rid") for key in header}:
                return None
            senders.add(int(header.get("sid", "0")))
            texts[name] = payload
        if len(senders) != 1:
            return None
        return Unsealed(voucher=self.voucher(asked.peer, senders.pop()), texts=texts)
