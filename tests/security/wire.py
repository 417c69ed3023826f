"""Every datagram that leaves or reaches this process, whoever sends it."""

from __future__ import annotations

import _socket
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

Endpoint = tuple[str, int]


class Kind(StrEnum):
    """What a datagram is, by its first octets (RFC 7983, 7; RFC 5761, 4)."""

    STUN = "stun"
    DTLS = "dtls"
    TURN_CHANNEL = "turn-channel"
    RTP = "rtp"
    RTCP = "rtcp"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Datagram:
    source: Endpoint
    destination: Endpoint
    data: bytes

    @property
    def kind(self) -> Kind:
        first = self.data[0] if self.data else 255
        if first < 4:
            return Kind.STUN
        if 20 <= first < 64:
            return Kind.DTLS
        if 64 <= first < 80:
            return Kind.TURN_CHANNEL
        if 128 <= first < 192 and len(self.data) > 1:
            return Kind.RTCP if 192 <= self.data[1] < 224 else Kind.RTP
        return Kind.OTHER


class Wire:
    """Watches the sockets of the process from when it is made. ``bound`` are the UDP ports that were opened."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.sent: list[Datagram] = []
        self.received: list[Datagram] = []
        self.bound: list[Endpoint] = []
        wire = self

        def sendto(self: socket.socket, data: bytes, *rest: Any) -> int:
            wire._note(self, data, rest[-1])
            return _socket.socket.sendto(self, data, *rest)

        def send(self: socket.socket, data: bytes, *flags: int) -> int:
            if self.type == socket.SOCK_DGRAM:
                wire._note(self, data, self.getpeername())
            return _socket.socket.send(self, data, *flags)

        def recvfrom(self: socket.socket, *sizes: int) -> tuple[bytes, Any]:
            data, source = _socket.socket.recvfrom(self, *sizes)
            if self.type == socket.SOCK_DGRAM and self.family != socket.AF_UNIX and source:
                wire.received.append(Datagram(tuple(source[:2]), self.getsockname()[:2], bytes(data)))
            return data, source

        def bind(self: socket.socket, address: Any) -> None:
            _socket.socket.bind(self, address)
            if self.type == socket.SOCK_DGRAM and self.family != socket.AF_UNIX:
                wire.bound.append(self.getsockname()[:2])

        for function in (sendto, send, recvfrom, bind):
            patch.setattr(socket.socket, function.__name__, function, raising=False)

    def of(self, kind: Kind, sources: Sequence[Endpoint] | None = None) -> list[Datagram]:
        """What was sent of one kind, from all sockets or from those named."""
        return [d for d in list(self.sent) if d.kind is kind and (sources is None or d.source in sources)]

    def _note(self, sender: socket.socket, data: bytes, destination: Any) -> None:
        if sender.family != socket.AF_UNIX:
            self.sent.append(Datagram(sender.getsockname()[:2], tuple(destination[:2]), bytes(data)))
