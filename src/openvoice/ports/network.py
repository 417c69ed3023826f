"""The ways of this device into the network."""

from __future__ import annotations

from typing import Protocol


class NetworkWatch(Protocol):
    """Tells when the ways of this device into the network changed, by the callback that it was made with."""

    def start(self) -> None:
        """Begin, on the event loop that runs now, which is where the callback is called."""
        ...

    def interface_of(self, address: str) -> str:
        """The interface that a socket with a local address is kept on, so that its packets go on leaving there when
        the system finds a better way. Empty where they must go the way of the system: a VPN, say."""
        ...

    def close(self) -> None:
        """Let everything go. Never raises; twice is once."""
        ...
