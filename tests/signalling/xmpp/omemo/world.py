"""OMEMO devices on a network in memory, which keeps nodes, and loses, doubles and delays what the test wants."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from xml.etree.ElementTree import Element, fromstring, tostring

from openvoice.core.address import Address
from openvoice.ports import KeyStore, SecretStore
from openvoice.signalling.xmpp.omemo.device import OmemoDevice
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed
from openvoice.storage.trust import TrustBook
from openvoice.testing.fakes import MemorySecrets

ALICE = Address.parse("alice@openvoice.test")
BOB = Address.parse("bob@openvoice.test")


def over_the_wire(item: Element) -> Element:
    """As the other side reads it."""
    return fromstring(tostring(item))


class Server:
    """The nodes of everybody, and the messages on their way."""

    def __init__(self) -> None:
        self.nodes: dict[tuple[Address, str], Element] = {}
        self.sent: list[tuple[Address, Address, Element]] = []
        self.fetched: list[tuple[Address, str]] = []
        self.published: list[tuple[Address, str]] = []
        self.unavailable = False


class Line:
    """The :class:`OmemoNetwork` of one account."""

    def __init__(self, server: Server, account: Address) -> None:
        self.server = server
        self.account = account

    async def fetch(self, owner: Address, node: str) -> Element | None:
        await asyncio.sleep(0)
        self._check()
        self.server.fetched.append((owner, node))
        found = self.server.nodes.get((owner, node))
        return None if found is None else over_the_wire(found)

    async def publish(self, node: str, payload: Element) -> None:
        await asyncio.sleep(0)
        self._check()
        self.server.published.append((self.account, node))
        self.server.nodes[self.account, node] = over_the_wire(payload)

    def send(self, peer: Address, encrypted: Element) -> None:
        self.server.sent.append((self.account, peer, over_the_wire(encrypted)))

    def _check(self) -> None:
        if self.server.unavailable:
            raise OmemoFailed(Cause.UNAVAILABLE)


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class World:
    """Some devices, and what they say to each other."""

    def __init__(self) -> None:
        self.server = Server()
        self.clock = Clock()
        self.secrets: dict[str, MemorySecrets] = defaultdict(MemorySecrets)

    def device(self, account: Address, name: str = "", secrets: SecretStore | None = None) -> OmemoDevice:
        """A device of ``account``; the same ``name`` is the same device again, after a restart."""
        kept = secrets if secrets is not None else self.secrets[f"{account} {name}"]
        return OmemoDevice(account, KeyStore(kept, TrustBook(kept)), Line(self.server, account), self.clock)

    async def published(self, account: Address, name: str = "") -> OmemoDevice:
        device = self.device(account, name)
        await device.publish()
        return device

    async def deliver(
        self, to: Address, device: OmemoDevice, order: Callable[[list[Element]], list[Element]] = list
    ) -> int:
        """Let ``device`` receive all messages that wait for its account; how many there were."""
        waiting = [(sender, item) for sender, peer, item in self.server.sent if peer == to]
        self.server.sent = [entry for entry in self.server.sent if entry[1] != to]
        for sender, item in waiting:
            await device.receive(sender, item)
        return len(waiting)


async def settled(device: OmemoDevice) -> None:
    """Wait until nothing goes on beside."""
    await device._tasks.settled()
