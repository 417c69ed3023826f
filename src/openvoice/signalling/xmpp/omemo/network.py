"""What an OMEMO device needs of the network."""

from __future__ import annotations

from typing import Protocol
from xml.etree.ElementTree import Element

from openvoice.core.address import Address


class OmemoNetwork(Protocol):
    """Nodes of the personal eventing service (XEP-0163), and messages."""

    async def fetch(self, owner: Address, node: str) -> Element | None:
        """The payload of the newest item of a node; ``None`` if there is no such node, or nothing in it.

        Raises:
            OmemoFailed: nothing answers, or with a refusal (``unavailable``).
        """
        ...

    async def publish(self, node: str, payload: Element) -> None:
        """Make ``payload`` the one item of an own node that everybody may read.

        Raises:
            OmemoFailed: the server does not do that (``unavailable``).
        """
        ...

    def send(self, peer: Address, encrypted: Element) -> None:
        """Send an ``<encrypted/>`` without a text in it to all devices of ``peer``."""
        ...
