"""The messages of rtnetlink (rtnetlink(7), netlink(7)) that tell of interfaces and addresses. Pure, bounded, total."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass

GET_LINKS = 18
GET_ADDRESSES = 22
GET_ROUTES = 26

_NEW_LINK, _NEW_ADDRESS, _NEW_ROUTE, _DONE, _ERROR = 16, 20, 24, 3, 2
_REQUEST_DUMP = 0x1 | 0x300
_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BxHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")
_INDEX = struct.Struct("=I")
_ATTRIBUTE = struct.Struct("=HH")
_ATTRIBUTE_TYPE = 0x3FFF

_LINK_NAME, _LINK_INFORMATION, _LINK_KIND = 3, 18, 1
_ADDRESS_OF_INTERFACE, _LOCAL_ADDRESS, _ADDRESS_FLAGS = 1, 2, 8

_ROUTE_INTERFACE = 4
_UNICAST, _IPV4 = 1, 2

_UP, _LOOPBACK, _RUNNING = 0x1, 0x8, 0x40
_ETHERNET = 1
_DUPLICATE, _TENTATIVE = 0x8, 0x40


@dataclass(frozen=True, slots=True)
class Link:
    """An interface. ``kind`` is empty for hardware."""

    index: int
    running: bool
    """Whether it is up and has a carrier."""
    loopback: bool
    kind: str = ""
    name: str = ""
    ethernet: bool = True
    """Whether frames of Ethernet go over it, as over Wi-Fi. Tunnels and some modems carry bare packets."""


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """An address of the interface ``index``. One that is ``tentative`` cannot be used yet, or never."""

    index: int
    address: str
    tentative: bool = False


@dataclass(frozen=True, slots=True)
class DefaultRoute:
    """A way to the rest of the world by the interface ``index``; ``version`` is that of IP."""

    index: int
    version: int


@dataclass(frozen=True, slots=True)
class Done:
    """No more of an answer comes."""


Message = Link | LocalAddress | DefaultRoute | Done


def request(kind: int, sequence: int) -> bytes:
    """The question for all links, all addresses or all routes."""
    return _HEADER.pack(_HEADER.size + _ROUTE.size, kind, _REQUEST_DUMP, sequence, 0) + bytes(_ROUTE.size)


def parse(datagram: bytes) -> Iterator[Message]:
    """What a datagram of the kernel says. What cannot be read is left out."""
    for kind, body in _messages(datagram):
        if kind in (_DONE, _ERROR):
            yield Done()
        elif kind == _NEW_LINK and len(body) >= _LINK.size:
            yield _link(body)
        elif kind == _NEW_ADDRESS and len(body) >= _ADDRESS.size:
            yield from _address(body)
        elif kind == _NEW_ROUTE and len(body) >= _ROUTE.size:
            yield from _route(body)


def _messages(datagram: bytes) -> Iterator[tuple[int, bytes]]:
    while len(datagram) >= _HEADER.size:
        length, kind, *_ = _HEADER.unpack_from(datagram)
        if not _HEADER.size <= length <= len(datagram):
            return
        yield kind, datagram[_HEADER.size : length]
        datagram = datagram[_aligned(length) :]


def _attributes(data: bytes) -> dict[int, bytes]:
    found = {}
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if not _ATTRIBUTE.size <= length <= len(data):
            break
        found[kind & _ATTRIBUTE_TYPE] = data[_ATTRIBUTE.size : length]
        data = data[_aligned(length) :]
    return found


def _aligned(length: int) -> int:
    return (length + 3) & ~3


def _link(body: bytes) -> Link:
    _, hardware, index, flags, _ = _LINK.unpack_from(body)
    attributes = _attributes(body[_LINK.size :])
    information = _attributes(attributes.get(_LINK_INFORMATION, b""))
    return Link(
        index=index,
        running=flags & (_UP | _RUNNING) == _UP | _RUNNING,
        loopback=bool(flags & _LOOPBACK),
        kind=_text(information.get(_LINK_KIND, b"")),
        name=_text(attributes.get(_LINK_NAME, b"")),
        ethernet=hardware == _ETHERNET,
    )


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode("utf-8", "surrogateescape")


def _address(body: bytes) -> Iterator[LocalAddress]:
    _, _, flags, _, index = _ADDRESS.unpack_from(body)
    attributes = _attributes(body[_ADDRESS.size :])
    # On a link from point to point the other attribute is the address of the far end.
    packed = attributes.get(_LOCAL_ADDRESS) or attributes.get(_ADDRESS_OF_INTERFACE, b"")
    wide = attributes.get(_ADDRESS_FLAGS, b"")
    if len(wide) == 4:
        (flags,) = struct.unpack("=I", wide)
    if len(packed) in (4, 16):
        yield LocalAddress(index, str(ipaddress.ip_address(packed)), bool(flags & (_DUPLICATE | _TENTATIVE)))


def _route(body: bytes) -> Iterator[DefaultRoute]:
    family, prefix, _, _, _, _, _, kind, _ = _ROUTE.unpack_from(body)
    out = _attributes(body[_ROUTE.size :]).get(_ROUTE_INTERFACE, b"")
    if prefix == 0 and kind == _UNICAST and len(out) == _INDEX.size:
        yield DefaultRoute(_INDEX.unpack(out)[0], 4 if family == _IPV4 else 6)
