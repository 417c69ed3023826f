from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import aioice
import psutil
import pytest

from openvoice.errors import ServerProgramError
from openvoice.server import CertificateAuthority, Turn

pytestmark = [pytest.mark.live]

needs_turn = pytest.mark.skipif(not Turn.is_installed(), reason=Turn.missing())


async def candidates_through(turn: Turn, transport: str, password: str | None = None) -> list[aioice.Candidate]:
    """What an ICE agent gathers by the server."""
    relay = turn.relay(transport)
    agent = aioice.Connection(
        ice_controlling=True,
        turn_server=(relay.host, relay.port),
        turn_transport="tcp" if transport == "tls" else transport,
        turn_ssl=transport == "tls",
        turn_username=relay.username,
        turn_password=password or relay.password,
    )
    try:
        await agent.gather_candidates()
        return [candidate for candidate in agent.local_candidates if candidate.type == "relay"]
    finally:
        await agent.close()


@needs_turn
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_it_relays_for_who_has_credentials(transport: str) -> None:
    async with Turn() as turn:
        (candidate,) = await candidates_through(turn, transport)
        assert candidate.host == "127.0.0.1"
        assert candidate.related_port not in (None, candidate.port)
        assert not await candidates_through(turn, transport, password="wrong")


@needs_turn
async def test_data_passes_through_the_relay() -> None:
    """Loopback peers are allowed, or no test could use it."""
    async with Turn() as turn:
        relay = turn.relay()
        assert relay.username is not None
        transport, _ = await aioice.turn.create_turn_endpoint(
            asyncio.DatagramProtocol,
            server_addr=(relay.host, relay.port),
            username=relay.username,
            password=relay.password,
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            peer.settimeout(10)
            transport.sendto(b"hello", peer.getsockname())
            # The permission is asked for in the background, so the datagram leaves with the answer to it.
            loop = asyncio.get_running_loop()
            data, sender = await loop.run_in_executor(None, peer.recvfrom, 100)
        assert data == b"hello"
        assert sender == transport.get_extra_info("sockname")
        transport.close()


@needs_turn
async def test_tls_shows_the_certificate() -> None:
    authority = CertificateAuthority()
    async with Turn(certificate=authority.issue("127.0.0.1")) as turn:
        assert turn.tls_port is not None
        with socket.create_connection((turn.host, turn.tls_port)) as plain:
            context = ssl.create_default_context(cadata=authority.certificate.decode())
            with context.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
                assert secured.version() in ("TLSv1.2", "TLSv1.3")
        assert turn.relay("tls").port == turn.tls_port


@needs_turn
async def test_without_a_certificate_there_is_no_tls() -> None:
    async with Turn() as turn:
        with pytest.raises(ValueError, match="does not serve tls"):
            turn.relay("tls")
        assert turn.reflector().kind == "stun"


@needs_turn
async def test_it_listens_on_loopback_only() -> None:
    async with Turn() as turn:
        connections = psutil.Process(turn.pid).net_connections()
        assert {each.laddr.ip for each in connections if each.laddr} == {"127.0.0.1"}


@needs_turn
async def test_all_its_files_are_private(tmp_path: Path) -> None:
    async with Turn(directory=tmp_path / "turn") as turn:
        modes = {path: path.stat().st_mode & 0o777 for path in [turn.directory, *turn.directory.rglob("*")]}
    assert len(modes) > 2
    for path, mode in modes.items():
        assert mode == (0o700 if path.is_dir() else 0o600), path


@needs_turn
async def test_two_run_side_by_side_and_one_restarts() -> None:
    async with Turn() as first, Turn() as second:
        port = second.port
        await second.kill()
        await second.start()
        assert second.port == port != first.port
        assert await candidates_through(first, "udp")
        assert await candidates_through(second, "udp")


@needs_turn
@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
async def test_a_port_that_is_taken_is_given_up_for_another(
    kind: socket.SocketKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_INET, kind) as occupant:
        occupant.bind(("127.0.0.1", 0))
        taken = occupant.getsockname()[1]
        choose = Turn._choose_ports
        choices = iter([(taken, choose(Turn())[0])])
        monkeypatch.setattr(Turn, "_choose_ports", lambda self: next(choices, None) or choose(self))
        async with Turn() as turn:
            assert turn.port != taken
            assert await candidates_through(turn, "udp")


async def test_a_missing_program_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ServerProgramError, match=r"turnserver is not installed: install .*coturn"):
        await Turn().start()
