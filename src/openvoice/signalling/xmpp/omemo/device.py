"""The OMEMO device of one account."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.jingle.sealing import Sealed, Unsealed
from openvoice.ports import KeyStore
from openvoice.signalling.xmpp.omemo.failures import OmemoFailed as OmemoFailed
from openvoice.signalling.xmpp.omemo.network import OmemoNetwork


class OmemoDevice:
    """Seals texts for one device of somebody, and unseals what it sent."""

    def __init__(self, account: Address, keys: KeyStore, network: OmemoNetwork) -> None:
        self._account = account.bare
        self._keys = keys
        self._network = network

    @property
    def id(self) -> int:
        """The number of this device, 1 to 2³¹-1, made at first use."""
        raise NotImplementedError

    @property
    def key(self) -> bytes:
        """The own identity key in the Curve25519 form, 32 octets, made at first use."""
        raise NotImplementedError

    @property
    def published(self) -> bool:
        """Whether others can find this device: its id is worth telling."""
        raise NotImplementedError

    async def publish(self) -> None:
        """Let others find this device, and keep its keys fresh. To be called after each login.

        Raises:
            OmemoFailed: the server has no place for it (``unavailable``).
        """
        raise NotImplementedError

    async def seal(self, peer: Address, device: int, texts: Mapping[str, str]) -> Sealed:
        """Encrypt each text for one device of ``peer``, with a message key of its own. Durable when it returns.

        Raises:
            OmemoFailed: there is no such device, it has no keys, or the network fails.
        """
        raise NotImplementedError

    async def unseal(self, peer: Address, elements: Mapping[str, Element]) -> Unsealed:
        """Decrypt what one device of ``peer`` wrote for this one. Nothing is kept of it if one element fails.

        Raises:
            OmemoFailed: an element is junk, a replay, for others, of another device than the rest, or undecryptable.
        """
        raise NotImplementedError

    async def receive(self, sender: Address, encrypted: Element) -> None:
        """Take an ordinary OMEMO message, to keep in step with the device that wrote it; its text is dropped."""
        raise NotImplementedError

    def devices_changed(self, owner: Address, payload: Element) -> None:
        """Take a notification that ``owner`` published another device list (XEP-0163, 4)."""
        raise NotImplementedError
