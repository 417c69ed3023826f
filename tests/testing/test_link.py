from __future__ import annotations

import asyncio
import socket

import pytest

from openvoice.testing.impairment import Conditions
from openvoice.testing.link import ImpairedLink
from openvoice.testing.nat import Endpoint, Nat

pytestmark = [pytest.mark.network]

PATIENCE = 20.0


class Station:
    """A UDP socket of a test."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((host, 0))
        self.endpoint: Endpoint = self._socket.getsockname()

    def __enter__(self) -> Station:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes, target: Endpoint) -> None:
        self._socket.sendto(data, target)

    async def receive(self) -> tuple[bytes, Endpoint]:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.get_running_loop().sock_recvfrom(self._socket, 2000)

    def has_nothing(self) -> bool:
        try:
            self._socket.recv(2000)
        except BlockingIOError:
            return True
        return False


async def handled(link: ImpairedLink, count: int) -> None:
    """Wait until the link decided about so many datagrams."""
    async with asyncio.timeout(PATIENCE):
        while count > link.up.statistics.datagrams + link.down.statistics.datagrams + link.refused:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_both_directions_pass_and_each_side_sees_the_link() -> None:
    async with ImpairedLink() as link:
        with Station() as device, Station() as peer:
            gate = link.gate(peer.endpoint)
            device.send(b"there", gate)
            data, outside = await peer.receive()
            assert data == b"there"
            assert outside not in (device.endpoint, gate)
            peer.send(b"back", outside)
            assert await device.receive() == (b"back", gate)


async def test_without_a_nat_a_device_can_be_called_first() -> None:
    async with ImpairedLink() as link:
        with Station() as device, Station() as peer:
            peer.send(b"first", link.outside(device.endpoint))
            data, gate = await device.receive()
            assert data == b"first"
            device.send(b"answer", gate)
            assert await peer.receive() == (b"answer", link.outside(device.endpoint))


async def test_behind_a_nat_there_is_no_outside_before_something_was_sent() -> None:
    async with ImpairedLink(nat=Nat.FULL_CONE) as link:
        with Station() as device, pytest.raises(ValueError, match="not reachable"):
            link.outside(device.endpoint)


@pytest.mark.parametrize(
    ("nat", "same_port", "other_port_comes_in", "other_host_comes_in"),
    [
        (Nat.FULL_CONE, True, True, True),
        (Nat.RESTRICTED_CONE, True, True, False),
        (Nat.PORT_RESTRICTED_CONE, True, False, False),
        (Nat.SYMMETRIC, False, False, False),
    ],
)
async def test_kinds_of_nat(nat: Nat, same_port: bool, other_port_comes_in: bool, other_host_comes_in: bool) -> None:
    async with ImpairedLink(nat=nat) as link:
        with Station() as device, Station() as first, Station() as second, Station() as other_port:
            device.send(b"x", link.gate(first.endpoint))
            _, seen_by_first = await first.receive()
            device.send(b"x", link.gate(second.endpoint))
            _, seen_by_second = await second.receive()
            assert (seen_by_first == seen_by_second) is same_port

            other_port.send(b"other port", seen_by_first)
            await handled(link, 3)
            assert link.refused == (0 if other_port_comes_in else 1)
            if other_port_comes_in:
                assert await device.receive() == (b"other port", link.gate(other_port.endpoint))

            try:
                elsewhere = Station("127.0.0.2")
            except OSError:
                pytest.skip("this system has one loopback address only")
            with elsewhere:
                elsewhere.send(b"other host", seen_by_first)
                await handled(link, 4)
                if other_host_comes_in:
                    assert (await device.receive())[0] == b"other host"
                else:
                    assert device.has_nothing()


async def test_two_homes_reach_each_other_through_both_their_links() -> None:
    """Both send to where the other was seen, as ICE does (RFC 8445): the holes meet."""
    async with ImpairedLink(nat=Nat.PORT_RESTRICTED_CONE) as home, ImpairedLink(nat=Nat.PORT_RESTRICTED_CONE) as away:
        with Station() as alice, Station() as bob, Station() as reflector:
            alice.send(b"?", home.gate(reflector.endpoint))
            _, alice_outside = await reflector.receive()
            bob.send(b"?", away.gate(reflector.endpoint))
            _, bob_outside = await reflector.receive()

            alice.send(b"refused", home.gate(bob_outside))
            await handled(away, 2)
            assert away.refused == 1
            bob.send(b"hello", away.gate(alice_outside))
            assert await alice.receive() == (b"hello", home.gate(bob_outside))
            alice.send(b"hello back", home.gate(bob_outside))
            assert await bob.receive() == (b"hello back", away.gate(alice_outside))


async def test_delay_is_kept_and_order_too() -> None:
    loop = asyncio.get_running_loop()
    async with ImpairedLink(up=Conditions(delay=0.1, jitter=0.05)) as link:
        with Station() as device, Station() as peer:
            sent = loop.time()
            for number in range(50):
                device.send(bytes([number]), link.gate(peer.endpoint))
            first, _ = await peer.receive()
            assert loop.time() - sent >= 0.05
            assert [first] + [(await peer.receive())[0] for _ in range(49)] == [bytes([n]) for n in range(50)]


async def test_conditions_change_and_the_cable_comes_out_while_it_runs() -> None:
    async with ImpairedLink() as link:
        with Station() as device, Station() as peer:
            gate = link.gate(peer.endpoint)
            link.cut()
            device.send(b"lost", gate)
            await handled(link, 1)
            link.cut(False)
            device.send(b"passed", gate)
            assert (await peer.receive())[0] == b"passed"
            link.change(Conditions(duplicate=1.0))
            device.send(b"twice", gate)
            assert [(await peer.receive())[0] for _ in range(2)] == [b"twice", b"twice"]
            assert link.up.statistics.lost == 1
            assert link.up.statistics.duplicated == 1
            assert link.down.conditions == Conditions(duplicate=1.0)


async def test_directions_are_impaired_apart() -> None:
    async with ImpairedLink(up=Conditions(cut=True)) as link:
        with Station() as device, Station() as peer:
            peer.send(b"down", link.outside(device.endpoint))
            _, gate = await device.receive()
            device.send(b"up", gate)
            await handled(link, 2)
            assert link.up.statistics.lost == 1
            assert link.down.statistics.lost == 0
            assert peer.has_nothing()


async def test_nobody_there_is_no_trouble() -> None:
    async with ImpairedLink() as link:
        with Station() as device, Station() as peer:
            gone = Station()
            gone.__exit__()
            for _ in range(3):
                device.send(b"x", link.gate(gone.endpoint))
            await handled(link, 3)
            device.send(b"y", link.gate(peer.endpoint))
            assert (await peer.receive())[0] == b"y"


async def test_a_link_closes_all_its_sockets() -> None:
    async with ImpairedLink(down=Conditions(delay=60)) as link:
        with Station() as device, Station() as peer:
            gate = link.gate(peer.endpoint)
            outside = link.outside(device.endpoint)
            peer.send(b"still under way", outside)
            await handled(link, 1)
    for endpoint in (gate, outside):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
            again.bind(endpoint)


async def test_a_link_that_is_not_open_says_so() -> None:
    link = ImpairedLink()
    with pytest.raises(ValueError, match="async with"):
        _ = link._open_lines
