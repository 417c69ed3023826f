"""XD-01: what servers say about STUN and TURN."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.address import Address
from openvoice.jingle import namespaces as ns
from openvoice.jingle.services import (
    MAXIMUM_SERVICES,
    Services,
    apply_push,
    credentials_request,
    parse_services,
)
from openvoice.ports import RelayServer

NOW = 1_893_455_999.0
OWN = Address.parse("alice@ov.example/ov.7Qk")
SERVER = Address.parse("ov.example")


def services(*items: str, name: str = "services") -> Element:
    inner = "".join(f"<service {item}/>" for item in items)
    return ElementTree.fromstring(f"<{name} xmlns='{ns.EXTERNAL_SERVICES}'>{inner}</{name}>")


CREDENTIALS = "username='u' password='p'"


@pytest.mark.parametrize(
    ("item", "relay"),
    [
        ("type='stun' host='a' port='3479' transport='udp'", RelayServer("stun", "a", 3479)),
        ("type='stun' host='a'", RelayServer("stun", "a", 3478)),
        (f"type='turn' host='a' {CREDENTIALS}", RelayServer("turn", "a", 3478, "udp", "u", "p")),
        (f"type='turn' host='a' transport='tcp' {CREDENTIALS}", RelayServer("turn", "a", 3478, "tcp", "u", "p")),
        (f"type='turns' host='a' {CREDENTIALS}", RelayServer("turn", "a", 5349, "tls", "u", "p")),
        (
            f"type='turn' host='a' {CREDENTIALS} restricted='1' expires='2030-01-01T00:00:00Z'",
            RelayServer("turn", "a", 3478, "udp", "u", "p", 1_893_456_000.0),
        ),
        (
            f"type='turn' host='a' {CREDENTIALS} expires='2030-01-01T00:00:00'",
            RelayServer("turn", "a", 3478, "udp", "u", "p", 1_893_456_000.0),
        ),
        (f"type='turn' host='a' {CREDENTIALS} expires='soon'", RelayServer("turn", "a", 3478, "udp", "u", "p")),
    ],
)
def test_services_that_can_be_used(item: str, relay: RelayServer) -> None:
    assert parse_services(services(item), NOW) == Services(relays=(relay,))


@pytest.mark.parametrize(
    "item",
    [
        f"type='turns' host='a' transport='udp' {CREDENTIALS}",
        "type='stuns' host='a'",
        "type='stun' host='a' transport='tcp'",
        "type='stun'",
        "type='stun' host='a' port='0'",
        "type='stun' host='a' port='65536'",
        "type='stun' host='a' port='999999'",
        "type='stun' host='a' port='٣'",
        f"type='turn' host='a' username='u' password='{'p' * 600}'",
        "type='ftp' host='a'",
        "",
    ],
)
def test_services_that_cannot(item: str) -> None:
    assert parse_services(services(item), NOW) == Services()


@pytest.mark.parametrize(
    "item",
    [
        "type='turn' host='a' restricted='1'",
        "type='turn' host='a' restricted='true' username='u'",
        f"type='turn' host='a' {CREDENTIALS} expires='2029-12-31T23:59:58Z'",
    ],
)
def test_a_relay_without_valid_credentials_is_asked_for_them(item: str) -> None:
    found = parse_services(services(item), NOW)
    assert not found.relays
    (relay,) = found.without_credentials
    request = credentials_request(relay)
    assert request.tag == ns.qualified(ns.EXTERNAL_SERVICES, "credentials")
    assert request[0].attrib == {"type": "turn", "host": "a", "port": "3478"}


def test_a_relay_over_tls_is_asked_for_by_its_own_type() -> None:
    tls = credentials_request(RelayServer("turn", "a", 5349, "tls"))
    assert tls[0].get("type") == "turns"


def test_a_flood_of_services_is_bounded() -> None:
    flood = services(*(f"type='stun' host='h{number}'" for number in range(1000)))
    assert len(parse_services(flood, NOW).relays) == MAXIMUM_SERVICES


def test_pushes_of_the_own_server() -> None:
    def push(relays: tuple[RelayServer, ...], *items: str) -> tuple[RelayServer, ...] | None:
        return apply_push(relays, services(*items), sender=SERVER, own=OWN, now=NOW)

    added = push((), "type='stun' host='a' action='add'", f"type='turn' host='b' {CREDENTIALS}")
    assert added == (RelayServer("stun", "a", 3478), RelayServer("turn", "b", 3478, "udp", "u", "p"))
    assert added is not None
    modified = push(added, "type='turn' host='b' action='modify' username='u' password='q'")
    assert modified is not None
    assert [relay.password for relay in modified] == [None, "q"]
    assert push(added, "type='stun' host='a' action='remove'") == added[1:]
    assert push(added, "type='stun' host='a' action='delete'") == added[1:]
    assert push(added, "type='turn' host='b' action='modify'") == added[:1]
    assert push(added, "type='stun' host='a' action='dance'") == added[1:]


@pytest.mark.parametrize("sender", ["ov.example/x", "spam.example", "eve@ov.example", "alice@ov.example/phone"])
def test_a_push_of_anybody_else_is_ignored(sender: str) -> None:
    pushed = services("type='stun' host='evil'")
    assert apply_push((), pushed, sender=Address.parse(sender), own=OWN, now=NOW) is None


@given(
    st.dictionaries(
        st.sampled_from(["type", "host", "port", "transport", "username", "password", "expires", "action"]),
        st.text(max_size=20) | st.sampled_from(["stun", "turn", "turns", "udp", "tcp", "3478", "0001-01-01T00:00:00Z"]),
    )
)
def test_anything_is_read_or_left_out(attributes: dict[str, str]) -> None:
    element = services()
    element.append(Element(ns.qualified(ns.EXTERNAL_SERVICES, "service"), attributes))
    found = parse_services(element, NOW)
    assert len(found.relays) + len(found.without_credentials) <= 1
    assert apply_push((), element, sender=SERVER, own=OWN, now=NOW) == found.relays or attributes.get("action")
