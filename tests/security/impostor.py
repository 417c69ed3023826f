"""An OMEMO device of the attacker's that passes for one of somebody else's. Its keys are real, and its own."""

from __future__ import annotations

import copy
from xml.etree.ElementTree import Element

from openvoice import Address
from openvoice.jingle import namespaces as ns
from openvoice.ports import KeyStore
from openvoice.signalling.xmpp.omemo import wire
from openvoice.signalling.xmpp.omemo.device import OmemoDevice
from openvoice.storage.trust import TrustBook
from openvoice.testing.fakes import MemorySecrets

from .pep_watch import PepWatch


class Impostor:
    """A device of ``account``, for whoever believes it."""

    def __init__(self, account: Address, watch: PepWatch) -> None:
        self._account = account.bare
        self._watch = watch
        self._nodes: dict[str, Element] = {}
        secrets = MemorySecrets()
        self._device = OmemoDevice(account.bare, KeyStore(secrets, TrustBook(secrets)), self)

    @property
    def id(self) -> int:
        """Its own number. It may go by any other: what it is called is in no signature."""
        return self._device.id

    @property
    def key(self) -> bytes:
        """Its identity key."""
        return self._device.key

    @property
    def bundle(self) -> Element:
        return copy.deepcopy(self._nodes[wire.bundle_node(self._device.id)])

    async def appear(self) -> None:
        """Make its keys."""
        if not self._nodes:
            await self._device.publish()

    async def seal(self, jingle: Element, peer: Address, device: int, number: int) -> Element:
        """The stanza with all its plain fingerprints sealed for one device of ``peer``, as if by device ``number``."""
        changed = copy.deepcopy(jingle)
        plain = [
            (transport, fingerprint)
            for transport in changed.iter(ns.qualified(ns.ICE_UDP, "transport"))
            for fingerprint in transport.findall(ns.qualified(ns.DTLS, "fingerprint"))
        ]
        texts = {str(index): fingerprint.text or "" for index, (_, fingerprint) in enumerate(plain)}
        sealed = await self._device.seal(peer, device, texts)
        for index, (transport, fingerprint) in enumerate(plain):
            element = copy.deepcopy(sealed.elements[str(index)])
            for header in element.iter(f"{{{wire.NAMESPACE}}}header"):
                header.set("sid", str(number))
            made = Element(ns.qualified(ns.OMEMO_DTLS, "fingerprint"), dict(fingerprint.attrib))
            made.append(element)
            transport.remove(fingerprint)
            transport.append(made)
        return changed

    # --- OmemoNetwork -------------------------------------------------------------------------------------------------

    async def fetch(self, owner: Address, node: str) -> Element | None:
        return self._nodes.get(node) if owner.bare == self._account else self._watch.published.get((owner.bare, node))

    async def publish(self, node: str, payload: Element) -> None:
        self._nodes[node] = payload

    def send(self, peer: Address, encrypted: Element) -> None: ...
