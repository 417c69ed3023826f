"""What the guard carries once the way is safe."""

from __future__ import annotations

from typing import Protocol
from xml.etree.ElementTree import Element

from openvoice.core.address import Address


class Passenger(Protocol):
    """What travels on the stream once it is authenticated."""

    async def resume(self, features: Element) -> bool:
        """Go on with the last session (XEP-0198, 5), if there is one; whether it goes on."""
        ...

    async def begin(self, features: Element, address: Address) -> None:
        """A new session: the server bound the stream to ``address``."""
        ...

    def take(self, item: Element) -> bool:
        """A stanza, or an element of XEP-0198, in the order of the stream. ``False`` leaves it to slixmpp.

        Raises:
            InsecureServer: the server does not keep to the protocol.
        """
        ...

    def give(self, item: Element) -> None:
        """A stanza that a plugin of slixmpp wants sent."""
        ...
