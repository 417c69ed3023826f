"""What the kernel says, as it says it, and whatever else."""

from __future__ import annotations

import ipaddress
import struct

from hypothesis import given
from hypothesis import strategies as st

from openvoice.network.netlink import DefaultRoute, Done, Link, LocalAddress, Message, parse, request

NEW_LINK, NEW_ADDRESS, NEW_ROUTE, DONE, ERROR = 16, 20, 24, 3, 2
UP, LOOPBACK, RUNNING = 0x1, 0x8, 0x40


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def message(kind: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, 2, 1, 0) + body + bytes(-len(body) % 4)


def link(index: int, flags: int, kind: str = "", *, hardware: int = 1, name: bytes = b"name") -> bytes:
    information = attribute(18 | 0x8000, attribute(1, kind.encode() + b"\0")) if kind else b""
    head = struct.pack("=BxHiII", 0, hardware, index, flags, 0)
    return message(NEW_LINK, head + attribute(3, name + b"\0") + information)


def route(index: int, *, family: int = 2, prefix: int = 0, kind: int = 1) -> bytes:
    body = struct.pack("=BBBBBBBBI", family, prefix, 0, 0, 254, 3, 0, kind, 0)
    return message(NEW_ROUTE, body + attribute(5, bytes(4)) + attribute(4, struct.pack("=I", index)))


def address(index: int, text: str, flags: int = 0, *, far: str = "", wide: int | None = None) -> bytes:
    packed = ipaddress.ip_address(text).packed
    body = struct.pack("=BBBBI", 2 if len(packed) == 4 else 10, 24, flags, 0, index)
    body += attribute(1, ipaddress.ip_address(far).packed) + attribute(2, packed) if far else attribute(1, packed)
    if wide is not None:
        body += attribute(8, struct.pack("=I", wide))
    return message(NEW_ADDRESS, body)


def heard(datagram: bytes) -> list[Message]:
    return list(parse(datagram))


def test_links() -> None:
    assert heard(link(1, UP | LOOPBACK | RUNNING)) == [Link(1, running=True, loopback=True, name="name")]
    assert heard(link(2, UP)) == [Link(2, running=False, loopback=False, name="name")]
    assert heard(link(3, RUNNING)) == [Link(3, running=False, loopback=False, name="name")]
    assert heard(link(4, UP | RUNNING, "bridge")) == [Link(4, running=True, loopback=False, kind="bridge", name="name")]


def test_addresses() -> None:
    assert heard(address(2, "192.0.2.7")) == [LocalAddress(2, "192.0.2.7")]
    assert heard(address(2, "2001:db8::7")) == [LocalAddress(2, "2001:db8::7")]
    assert heard(address(5, "192.0.2.7", far="192.0.2.8")) == [LocalAddress(5, "192.0.2.7")]
    assert heard(address(2, "2001:db8::7", 0x40)) == [LocalAddress(2, "2001:db8::7", tentative=True)]
    assert heard(address(2, "2001:db8::7", 0, wide=0x8)) == [LocalAddress(2, "2001:db8::7", tentative=True)]
    assert heard(address(2, "2001:db8::7", 0x80, wide=0x180)) == [LocalAddress(2, "2001:db8::7")]


def test_what_a_link_carries_and_how_it_is_called() -> None:
    (tunnel,) = heard(link(4, UP | RUNNING, "wireguard", hardware=65534, name=b"\xff"))
    assert isinstance(tunnel, Link)
    assert not tunnel.ethernet
    assert tunnel.name.encode("utf-8", "surrogateescape") == b"\xff"


def test_default_routes() -> None:
    assert heard(route(2)) == [DefaultRoute(2, 4)]
    assert heard(route(3, family=10)) == [DefaultRoute(3, 6)]
    assert heard(route(2, prefix=24)) == []
    assert heard(route(2, kind=7)) == []


def test_an_answer_of_several_messages_ends() -> None:
    datagram = link(1, UP) + link(2, UP, "veth") + address(2, "192.0.2.7") + message(DONE, bytes(4))
    assert [type(part) for part in heard(datagram)] == [Link, Link, LocalAddress, Done]
    assert heard(message(ERROR, bytes(20))) == [Done()]


def test_other_messages_are_left_out() -> None:
    assert heard(message(28, bytes(12)) + link(1, UP)) == [Link(1, running=False, loopback=False, name="name")]


def test_what_is_cut_off_says_nothing() -> None:
    whole = address(2, "192.0.2.7")
    for length in range(len(whole)):
        assert heard(whole[:length]) == []


def test_a_question_names_its_length_and_asks_for_all() -> None:
    length, kind, flags, sequence, _ = struct.unpack_from("=IHHII", request(18, 7))
    assert (length, kind, flags, sequence) == (len(request(18, 7)), 18, 0x301, 7)


@given(st.binary(max_size=200))
def test_nothing_that_comes_breaks_it(datagram: bytes) -> None:
    heard(datagram)


@given(
    st.lists(
        st.sampled_from(
            [link(2, UP | RUNNING, "bridge"), address(2, "192.0.2.7", far="192.0.2.8"), route(2), message(3, b"")]
        ),
        min_size=1,
        max_size=4,
    ),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=6),
)
def test_nothing_that_is_nearly_right_breaks_it(messages: list[bytes], damage: list[tuple[int, int]]) -> None:
    datagram = bytearray(b"".join(messages))
    for position, value in damage:
        datagram[position % len(datagram)] = value
    heard(bytes(datagram))
