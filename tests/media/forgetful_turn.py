"""A small TURN server that forgets permissions as RFC 8656 says, but after as many seconds as a test likes.

It asks nobody for a password, and knows what the client of aioice uses: allocations over UDP, and channels.
"""

from __future__ import annotations

import asyncio
import struct
from types import TracebackType
from typing import Any, Self

from aioice import stun

from openvoice.ports import RelayServer

LOOPBACK = "127.0.0.1"
Address = tuple[str, int]


class ForgetfulTurn(asyncio.DatagramProtocol):
    """``permission`` and ``channel`` are lifetimes in seconds: 300 and 600 by RFC 8656, 9 and 12."""

    def __init__(self, *, permission: float, channel: float) -> None:
        self.permission, self.channel = permission, channel
        self.dropped = 0
        """Datagrams of peers that had no permission (any more)."""
        self._allocations: dict[Address, _Allocation] = {}

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(LOOPBACK, 0))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._transport.close()
        for allocation in self._allocations.values():
            allocation.transport.close()

    def relay(self) -> RelayServer:
        host, port = self._transport.get_extra_info("sockname")
        return RelayServer("turn", host, port, "udp", "anybody", "anything")

    def datagram_received(self, data: bytes, addr: Any) -> None:
        allocation = self._allocations.get(addr)
        if data[0] & 0xC0 == 0x40:
            if allocation is not None:
                number, length = struct.unpack("!HH", data[:4])
                allocation.send(number, data[4 : 4 + length])
            return
        message = stun.parse_message(data)
        match message.message_method:
            case stun.Method.ALLOCATE:
                self._task = asyncio.ensure_future(self._allocate(message, addr))
            case stun.Method.CHANNEL_BIND if allocation is not None:
                number, peer = message.attributes["CHANNEL-NUMBER"], message.attributes["XOR-PEER-ADDRESS"]
                allocation.bind(number, peer)
                self._answer(message, addr)
            case stun.Method.REFRESH:
                self._answer(message, addr, {"LIFETIME": 600})

    async def _allocate(self, request: stun.Message, client: Address) -> None:
        loop = asyncio.get_running_loop()
        transport, allocation = await loop.create_datagram_endpoint(
            lambda: _Allocation(self, client), local_addr=(LOOPBACK, 0)
        )
        self._allocations[client] = allocation
        attributes = {
            "XOR-RELAYED-ADDRESS": transport.get_extra_info("sockname"),
            "XOR-MAPPED-ADDRESS": client,
            "LIFETIME": 600,
        }
        self._answer(request, client, attributes)

    def _answer(self, request: stun.Message, client: Address, attributes: dict[str, Any] | None = None) -> None:
        answer = stun.Message(
            message_method=request.message_method,
            message_class=stun.Class.RESPONSE,
            transaction_id=request.transaction_id,
        )
        answer.attributes.update(attributes or {})
        self.send(bytes(answer), client)

    def send(self, data: bytes, client: Address) -> None:
        self._transport.sendto(data, client)


class _Allocation(asyncio.DatagramProtocol):
    """One relayed address."""

    def __init__(self, server: ForgetfulTurn, client: Address) -> None:
        self._server = server
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._channels: dict[int, tuple[Address, float]] = {}
        self._permissions: dict[str, float] = {}

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def bind(self, number: int, peer: Address) -> None:
        """A channel, and with it a permission, begin to live anew (RFC 8656, 12)."""
        now = self._loop.time()
        self._channels[number] = (peer, now + self._server.channel)
        self._permissions[peer[0]] = now + self._server.permission

    def send(self, number: int, data: bytes) -> None:
        peer, until = self._channels.get(number, (("", 0), 0.0))
        if self._loop.time() < until:
            self.transport.sendto(data, peer)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        now = self._loop.time()
        if now >= self._permissions.get(addr[0], 0.0):
            self._server.dropped += 1
            return
        for number, (peer, until) in self._channels.items():
            if peer == addr and now < until:
                self._server.send(struct.pack("!HH", number, len(data)) + data, self._client)
