"""The networks of one device in a test: each way is a cable to a router, which can be pulled."""

from __future__ import annotations

from tests.namespaces import Namespace, cable

METRICS = {"wifi": "600", "lte": "700"}


class Networks:
    """A namespace with up to two ways into the network: ``wifi`` is the better one, ``lte`` the other.

    Their addresses are 10.``number``.0.2 and 10.``number + 1``.0.2. The router lets a packet in only from where its
    sender lives, as the networks of two providers do.
    """

    def __init__(self, router: Namespace, number: int, ways: tuple[str, ...] = ("wifi", "lte")) -> None:
        self.namespace = Namespace()
        self._router = router
        self._number = number
        for way in ways:
            self.plug(way)

    def address(self, way: str) -> str:
        return f"10.{self._number + (way == 'lte')}.0.2"

    def plug(self, way: str) -> None:
        """A new interface, with an address and a default route."""
        subnet = self.address(way)[:-2]
        cable(self.namespace, way, f"{subnet}.2/24", self._router, f"{subnet}.1/24")
        self._router.set(f"net/ipv4/conf/{self._far(way)}/rp_filter", "1")
        self._route(way)

    def unplug(self, way: str) -> None:
        """The interface is gone."""
        self.namespace.ip("link", "delete", way)

    def down(self, way: str) -> None:
        """The interface is still there, but switched off."""
        self.namespace.ip("link", "set", way, "down")

    def up(self, way: str) -> None:
        self.namespace.ip("link", "set", way, "up")
        self._route(way)

    def far_end(self, way: str, state: str) -> None:
        """The other end of the cable goes ``down`` or ``up``: this one has no carrier."""
        self._router.ip("link", "set", self._far(way), state)

    def swallow(self, way: str) -> None:
        """What is sent to this way gets lost on its way, and nobody tells."""
        self._router.ip("route", "add", "blackhole", f"{self.address(way)}/32")

    def _route(self, way: str) -> None:
        gateway = self.address(way)[:-1] + "1"
        self.namespace.ip("route", "add", "default", "via", gateway, "dev", way, "metric", METRICS[way])

    def _far(self, way: str) -> str:
        return f"{way}-{self.namespace.name[-8:]}"[:15]
