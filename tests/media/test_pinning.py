"""Packets stay on the interface of their socket, whatever the system prefers."""

from __future__ import annotations

import socket

import pytest

from openvoice.media import pinning
from openvoice.media.pinning import pin


def test_without_an_interface_or_a_system_that_can_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        assert not pin(made, "")
        assert not pin(made, "no-such-device")
        monkeypatch.setattr(pinning, "_BIND_TO_DEVICE", None)
        assert not pin(made, "lo")


@pytest.mark.skipif(pinning._BIND_TO_DEVICE is None, reason="only Linux keeps sockets on interfaces")
def test_a_socket_is_kept_on_its_interface() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        assert pin(made, "lo")
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"
