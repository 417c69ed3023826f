from __future__ import annotations

import pytest

from openvoice.network.netlink import DefaultRoute, Link, LocalAddress, Message
from openvoice.network.ways import interface_to_keep, usable_addresses, ways_of

HARDWARE = Link(2, running=True, loopback=False)


def test_an_address_that_leads_nowhere_is_no_way() -> None:
    assert ways_of([("2", "fe80::1")], ["127.0.0.1"]) == frozenset()


def test_an_address_for_privacy_is_in_the_same_network() -> None:
    first = ways_of([("2", "2001:db8::7"), ("2", "2001:db8::1234:5678")], ["2001:db8::1234:5678"])
    later = ways_of([("2", "2001:db8::7"), ("2", "2001:db8::abcd:ef01")], ["2001:db8::abcd:ef01"])
    assert first == later


def test_another_lease_another_network_another_interface_and_another_default_are_changes() -> None:
    known = ways_of([("2", "192.0.2.7"), ("3", "192.0.2.9")], ["192.0.2.7"])
    others = [
        ways_of([("2", "192.0.2.8"), ("3", "192.0.2.9")], ["192.0.2.7"]),
        ways_of([("4", "192.0.2.7"), ("3", "192.0.2.9")], ["192.0.2.7"]),
        ways_of([("2", "192.0.2.7"), ("3", "192.0.2.9")], ["192.0.2.9"]),
        ways_of([("2", "192.0.2.7")], ["192.0.2.7"]),
        ways_of([("2", "192.0.2.7"), ("3", "192.0.2.9"), ("2", "2001:db8::1")], ["192.0.2.7"]),
    ]
    assert all(other != known for other in others)


def test_what_nothing_can_be_sent_from_is_left_out() -> None:
    address = LocalAddress(2, "192.0.2.7")
    assert usable_addresses([HARDWARE, address]) == [("2", "192.0.2.7")]
    assert usable_addresses([HARDWARE, LocalAddress(2, "2001:db8::7", tentative=True)]) == []
    assert usable_addresses([Link(2, running=False, loopback=False), address]) == []
    assert usable_addresses([Link(2, running=True, loopback=True), address]) == []
    assert usable_addresses([Link(2, running=True, loopback=False, kind="bridge"), address]) == []
    assert usable_addresses([address]) == []
    assert usable_addresses([Link(2, running=True, loopback=False, kind="wireguard"), address]) != []


WIFI = Link(2, running=True, loopback=False, name="wifi")
LTE = Link(3, running=True, loopback=False, name="lte")
HOME, MOBILE, INNER = LocalAddress(2, "192.0.2.7"), LocalAddress(3, "198.51.100.7"), LocalAddress(4, "172.17.0.1")
TWO_WAYS: list[Message] = [WIFI, LTE, HOME, MOBILE, INNER, DefaultRoute(2, 4), DefaultRoute(3, 4)]


def test_a_socket_is_kept_where_its_address_is() -> None:
    assert interface_to_keep(TWO_WAYS, "192.0.2.7", "192.0.2.7") == "wifi"
    assert interface_to_keep(TWO_WAYS, "198.51.100.7", "192.0.2.7") == "lte"
    assert interface_to_keep(TWO_WAYS, "198.51.100.7", "") == "lte"


def test_a_socket_is_not_kept_where_nothing_leads_out() -> None:
    assert interface_to_keep(TWO_WAYS, "172.17.0.1", "192.0.2.7") == ""
    assert interface_to_keep(TWO_WAYS, "127.0.0.1", "192.0.2.7") == ""
    assert interface_to_keep([*TWO_WAYS, LocalAddress(2, "2001:db8::7")], "2001:db8::7", "") == ""


@pytest.mark.parametrize(
    "tunnel",
    [
        Link(5, running=True, loopback=False, name="wg0", kind="wireguard", ethernet=False),
        Link(5, running=True, loopback=False, name="tun0", kind="tun", ethernet=False),
        Link(5, running=True, loopback=False, name="tap0", kind="tun"),
        Link(5, running=True, loopback=False, name="ppp0", ethernet=False),
    ],
)
def test_nothing_is_sent_around_a_vpn(tunnel: Link) -> None:
    """It may have a default route of its own, or two halves of one; what counts is what the system now sends by."""
    through = [*TWO_WAYS, tunnel, LocalAddress(5, "10.8.0.2")]
    for address in ("192.0.2.7", "198.51.100.7"):
        assert interface_to_keep(through, address, "10.8.0.2") == ""
    assert interface_to_keep(through, "10.8.0.2", "10.8.0.2") == ""


def test_nothing_is_kept_while_it_is_not_known_what_the_system_sends_by() -> None:
    assert interface_to_keep(TWO_WAYS, "192.0.2.7", "203.0.113.1") == ""
    assert interface_to_keep([HOME, DefaultRoute(2, 4)], "192.0.2.7", "") == ""
