"""Servers that are asked from several addresses of this device. With real servers: ``test_relay.py``."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import Any

import pytest

from openvoice.errors import MediaFailed
from openvoice.media import relay
from openvoice.media.reachability import _mapped_address
from openvoice.ports import RelayServer

SERVER = RelayServer(kind="stun", host="192.0.2.1", port=3478, transport="udp")


def at(host: str) -> Any:
    return SimpleNamespace(local_candidate=SimpleNamespace(host=host))


@pytest.fixture
def cancelled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A server that answers 192.0.2.2, is out of the reach of IPv6, and never answers anybody else."""
    cancelled: list[str] = []

    async def mapped_address(address: tuple[str, int], local: Any) -> tuple[str, int]:
        host: str = local.local_candidate.host
        if host == "192.0.2.2":
            return host, 9
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(host)
            raise
        raise TimeoutError

    monkeypatch.setattr(relay, "mapped_address", mapped_address)
    return cancelled


async def test_an_address_of_the_wrong_family_does_not_speak_for_the_others(cancelled: list[str]) -> None:
    assert await _mapped_address(SERVER, [at("2001:db8::1"), at("10.0.0.1"), at("192.0.2.2")]) == ("192.0.2.2", 9)
    assert cancelled == ["10.0.0.1"]


async def test_without_any_way_the_last_failure_is_told(cancelled: list[str]) -> None:
    with pytest.raises(socket.gaierror):
        await _mapped_address(SERVER, [at("2001:db8::1")])
    with pytest.raises(MediaFailed, match="no network address"):
        await _mapped_address(SERVER, [])
