"""The watch, over a network that the test changes: a made-up one on a made-up clock, and a real one."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Iterator

import pytest

from openvoice.network import system
from openvoice.network.watch import SETTLING_LIMIT, SLEPT, TICK, SystemNetworkWatch
from openvoice.network.ways import Ways
from tests.media.audio import virtual_time
from tests.namespaces import Inside, Namespace, cable, reason_against
from tests.waiting import until

HOME: Ways = frozenset({("2", "192.0.2.7")})
ABROAD: Ways = frozenset({("3", "198.51.100.7")})


async def tell(kernel: socket.socket) -> None:
    """Something changed; the loop gets to hear it before time passes."""
    kernel.send(b"changed")
    for _ in range(3):
        await asyncio.sleep(0)


class MadeUp:
    """A network, and the watch over it. ``asleep`` is how far the clock is ahead of the event loop's."""

    def __init__(self, *, telling: bool = True) -> None:
        self.ways = HOME
        self.changes: list[float] = []
        self.asleep = 0.0
        self._telling = telling
        self.here, self.kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.here.setblocking(False)
        self.loop = asyncio.get_running_loop()
        self.watch = SystemNetworkWatch(
            lambda: self.changes.append(self.loop.time()),
            look=lambda: self.ways,
            listen=self._listen,
            clock=lambda: self.loop.time() + self.asleep,
        )
        self.watch.start()

    def _listen(self) -> socket.socket:
        if not self._telling:
            self.here.close()
            raise OSError(errno.EPROTONOSUPPORT, "none here")
        return self.here

    async def tell(self) -> None:
        await tell(self.kernel)

    def close(self) -> None:
        self.watch.close()
        self.kernel.close()
        assert self.here.fileno() == -1


def test_a_change_is_told_at_once() -> None:
    async def main() -> None:
        network = MadeUp()
        network.ways = ABROAD
        await network.tell()
        await asyncio.sleep(SETTLING_LIMIT)
        assert len(network.changes) == 1
        await asyncio.sleep(10)
        assert len(network.changes) == 1
        network.close()

    virtual_time.run(main())


def test_several_changes_in_a_row_are_one_and_endless_ones_are_told_all_the_same() -> None:
    async def main() -> None:
        network = MadeUp()
        began = network.loop.time()
        for step in range(8):
            network.ways = frozenset({("2", f"192.0.2.{step}")})
            await network.tell()
            await asyncio.sleep(0.03)
        await asyncio.sleep(1)
        assert len(network.changes) == 2
        assert network.changes[0] - began <= SETTLING_LIMIT + 0.001
        network.close()

    virtual_time.run(main())


def test_noise_is_not_told() -> None:
    async def main() -> None:
        network = MadeUp()
        for _ in range(20):
            await network.tell()
            await asyncio.sleep(0.3)
        assert network.changes == []
        network.close()

    virtual_time.run(main())


def test_it_looks_by_itself_where_the_system_does_not_tell() -> None:
    async def main() -> None:
        network = MadeUp(telling=False)
        await asyncio.sleep(5 * TICK)
        assert network.changes == []
        network.ways = ABROAD
        await asyncio.sleep(TICK + 0.01)
        assert len(network.changes) == 1
        network.close()

    virtual_time.run(main())


def test_sleep_is_a_change_and_lateness_is_none() -> None:
    async def main() -> None:
        network = MadeUp()
        await asyncio.sleep(3.5)
        network.asleep += SLEPT - 0.1
        await asyncio.sleep(2)
        assert network.changes == []
        network.asleep += 20
        await asyncio.sleep(TICK + 0.01)
        assert len(network.changes) == 1
        await asyncio.sleep(5)
        assert len(network.changes) == 1
        network.close()

    virtual_time.run(main())


class Failing(socket.socket):
    """A socket that fails once when it is read."""

    failure: int | None = None

    def recv(self, size: int, flags: int = 0) -> bytes:
        if self.failure is not None:
            number, self.failure = self.failure, None
            raise OSError(number, "made up")
        return super().recv(size, flags)


@pytest.mark.parametrize(("failure", "listens"), [(errno.ENOBUFS, True), (errno.EBADF, False)])
def test_a_socket_that_fails_does_not_end_the_watch(failure: int, listens: bool) -> None:
    async def main() -> None:
        here, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        failing = Failing(fileno=here.detach())
        failing.setblocking(False)
        changes: list[int] = []
        network = [HOME]
        watch = SystemNetworkWatch(lambda: changes.append(1), look=lambda: network[0], listen=lambda: failing)
        watch.start()
        failing.failure = failure
        network[0] = ABROAD
        await tell(kernel)
        await asyncio.sleep(0.5)
        assert len(changes) == 1
        assert (failing.fileno() != -1) is listens
        network[0] = HOME
        if listens:
            await tell(kernel)
        await asyncio.sleep(2 * TICK)
        assert len(changes) == 2
        watch.close()
        kernel.close()

    virtual_time.run(main())


async def test_the_real_one_leaves_nothing_behind() -> None:
    watch = SystemNetworkWatch(lambda: None)
    watch.close()
    watch.start()
    listening = watch._socket
    watch.close()
    watch.close()
    assert listening is None or listening.fileno() == -1
    assert watch._tick is None


def test_without_netlink_the_system_library_knows_the_same_default(monkeypatch: pytest.MonkeyPatch) -> None:
    known = system.current_ways()

    def refuse() -> socket.socket:
        raise OSError(errno.EPROTONOSUPPORT, "none here")

    monkeypatch.setattr(system, "_netlink_socket", refuse)
    fallback = system.current_ways()
    assert {way for way in fallback if way[0] == "default"} == {way for way in known if way[0] == "default"}
    assert {network for _, network in known} <= {network for _, network in fallback}
    with pytest.raises(OSError, match="none here"):
        system.change_socket()


class Real:
    """A watch inside a namespace with one cable to a router."""

    def __init__(self) -> None:
        self.router, self.host = Namespace(), Namespace()
        cable(self.host, "wifi", "10.1.0.2/24", self.router, "10.1.0.1/24")
        self.host.ip("route", "add", "default", "via", "10.1.0.1")
        self.inside = Inside(self.host)
        self.changes = 0
        self.watch = self.inside.call(SystemNetworkWatch, self._count)
        # IPv6 finds out whether its link-local addresses are free, for two seconds; that is noise as well.
        self.inside.call(self.watch.start)

    def _count(self) -> None:
        self.changes += 1

    async def changed(self, do: Callable[[], None]) -> None:
        """Expect exactly one change, soon."""
        before = self.changes
        do()
        await until(lambda: self.changes > before, within=2)
        await asyncio.sleep(0.3)
        assert self.changes == before + 1

    async def unchanged(self, do: Callable[[], None]) -> None:
        before = self.changes
        do()
        await asyncio.sleep(0.4)
        assert self.changes == before

    def close(self) -> None:
        self.inside.call(self.watch.close)
        self.inside.close()
        self.host.delete()
        self.router.delete()


@pytest.fixture
def real() -> Iterator[Real]:
    if reason := reason_against():
        pytest.skip(reason)
    made = Real()
    yield made
    made.close()


@pytest.mark.network
async def test_interfaces_that_come_and_go_are_noticed(real: Real) -> None:
    await real.changed(lambda: cable(real.host, "lte", "10.2.0.2/24", real.router, "10.2.0.1/24"))
    await real.changed(lambda: real.host.ip("link", "set", "wifi", "down"))
    await real.changed(lambda: real.host.ip("link", "set", "wifi", "up"))
    await real.changed(lambda: real.host.ip("route", "add", "default", "via", "10.2.0.1"))
    await real.changed(lambda: real.host.ip("address", "add", "10.2.0.3/24", "dev", "lte"))
    await real.changed(lambda: real.host.ip("link", "delete", "lte"))


@pytest.mark.network
async def test_a_cable_that_is_pulled_at_its_far_end_is_noticed(real: Real) -> None:
    await real.changed(lambda: real.router.ip("link", "set", f"wifi-{real.host.name[-8:]}"[:15], "down"))


@pytest.mark.network
async def test_containers_and_link_local_addresses_are_noise(real: Real) -> None:
    await real.unchanged(lambda: real.host.ip("link", "add", "docker0", "type", "bridge"))
    await real.unchanged(lambda: real.host.ip("address", "add", "172.17.0.1/16", "dev", "docker0"))
    await real.unchanged(lambda: real.host.ip("link", "set", "docker0", "up"))
    await real.unchanged(lambda: real.host.ip("link", "add", "veth0", "type", "veth", "peer", "name", "veth1"))
    await real.unchanged(lambda: real.host.ip("link", "set", "veth1", "netns", real.router.name))
    await real.unchanged(lambda: real.host.ip("link", "set", "veth0", "master", "docker0"))
    await real.unchanged(lambda: real.host.ip("link", "set", "veth0", "up"))
    await real.unchanged(lambda: real.host.ip("address", "add", "fe80::1/64", "dev", "veth0"))
    await real.unchanged(lambda: real.host.ip("address", "add", "169.254.1.1/16", "dev", "wifi"))
    await real.unchanged(lambda: real.host.ip("route", "add", "192.0.2.0/24", "via", "10.1.0.1"))
    await real.unchanged(lambda: real.host.ip("link", "delete", "veth0"))


@pytest.mark.network
async def test_addresses_for_privacy_are_noise(real: Real) -> None:
    host = real.host
    await real.changed(lambda: host.ip("address", "add", "2001:db8::7/64", "dev", "wifi", "nodad"))
    await real.unchanged(lambda: host.ip("address", "add", "2001:db8::a1/64", "dev", "wifi", "nodad"))
    await real.unchanged(lambda: host.ip("address", "delete", "2001:db8::a1/64", "dev", "wifi"))
