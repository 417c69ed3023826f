from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from openvoice.errors import InvalidState, ServerProgramError
from openvoice.server import CertificateAuthority, Prosody, Turn
from tests.server.streams import Stream

pytestmark = [pytest.mark.live]

needs_prosody = pytest.mark.skipif(not Prosody.is_installed(), reason=Prosody.missing())
needs_turn = pytest.mark.skipif(not Turn.is_installed(), reason=Turn.missing())


@needs_prosody
@pytest.mark.parametrize("start_tls", [False, True])
async def test_accounts_log_in_over_verified_tls(start_tls: bool) -> None:
    async with Prosody(accounts={"alice": "wonder land", "bob": "pässwort"}) as prosody:
        for name, password in prosody.accounts.items():
            async with Stream(prosody, name, password, start_tls=start_tls) as stream:
                assert stream.full_address.startswith(f"{name}@openvoice.test/")
                assert stream.mechanisms == {"SCRAM-SHA-256"}


@needs_prosody
async def test_a_wrong_password_is_refused() -> None:
    async with Prosody(accounts={"alice": "right"}) as prosody:
        with pytest.raises(PermissionError):
            await Stream(prosody, "alice", "wrong").open()


@needs_prosody
async def test_the_starttls_port_offers_nothing_but_tls() -> None:
    async with Prosody(accounts={"alice": "secret"}) as prosody:
        stream = Stream(prosody, "alice", "secret", start_tls=True)
        features = await stream.greet()
        assert "<required/>" in features
        assert "mechanisms" not in features
        await stream.close()


@needs_prosody
async def test_accounts_know_each_other_unless_told_otherwise() -> None:
    accounts = {"alice": "a", "bob": "b", "eve": "e"}
    async with Prosody(accounts=accounts) as prosody, Stream(prosody, "alice", "a") as stream:
        roster = await stream.ask("<query xmlns='jabber:iq:roster'/>")
    assert set(re.findall(r"jid='([^']+)'", roster)) == {"bob@openvoice.test", "eve@openvoice.test"}
    assert roster.count("subscription='both'") == 2
    async with Prosody(accounts=accounts, acquainted=False) as prosody, Stream(prosody, "alice", "a") as stream:
        assert "<item" not in await stream.ask("<query xmlns='jabber:iq:roster'/>")


@needs_prosody
async def test_accounts_can_be_added_while_it_runs() -> None:
    async with Prosody(accounts={"alice": "a"}) as prosody:
        address = prosody.add_account("zoë.o-hara", "z", contacts=["alice"])
        assert str(address) == "zoë.o-hara@openvoice.test"
        async with Stream(prosody, "alice", "a") as stream:
            assert "zoë.o-hara@openvoice.test" in await stream.ask("<query xmlns='jabber:iq:roster'/>")


@needs_prosody
async def test_friends_see_each_other_come_online() -> None:
    async with (
        Prosody(accounts={"alice": "a", "bob": "b"}) as prosody,
        Stream(prosody, "alice", "a") as alice,
        Stream(prosody, "bob", "b") as bob,
    ):
        await alice.send("<presence/>")
        await bob.send("<presence/>")
        await alice.read_until(f"from='{bob.full_address}'")


@needs_prosody
@pytest.mark.parametrize("allowed", [True, False])
async def test_registration_is_only_where_it_is_wanted(allowed: bool) -> None:
    async with Prosody(registration=allowed) as prosody:
        stream = Stream(prosody, "new", "secret")
        features = await stream.greet()
        assert ("http://jabber.org/features/iq-register" in features) is allowed
        if allowed:
            reply = await stream.ask(
                "<query xmlns='jabber:iq:register'><username>new</username><password>secret</password></query>",
                kind="set",
            )
            assert "type='result'" in reply
            await stream.close()
            async with Stream(prosody, "new", "secret") as registered:
                assert registered.full_address.startswith("new@")
        await stream.close()


@needs_prosody
async def test_what_a_calling_client_needs_is_on() -> None:
    async with Prosody(accounts={"alice": "a"}) as prosody, Stream(prosody, "alice", "a") as stream:
        server = await stream.ask("<query xmlns='http://jabber.org/protocol/disco#info'/>", to="openvoice.test")
        own = await stream.ask("<query xmlns='http://jabber.org/protocol/disco#info'/>", to="alice@openvoice.test")
        assert "urn:xmpp:sm:3" in stream.features
    for feature in ("urn:xmpp:carbons:2", "urn:xmpp:blocking", "urn:xmpp:extdisco:2", "urn:xmpp:ping"):
        assert f"var='{feature}'" in server
    for feature in ("urn:xmpp:mam:2", "http://jabber.org/protocol/pubsub#publish"):
        assert f"var='{feature}'" in own


@needs_prosody
@needs_turn
async def test_it_names_the_turn_server_with_credentials_that_hold() -> None:
    authority = CertificateAuthority()
    async with (
        Turn(certificate=authority.issue("127.0.0.1")) as turn,
        Prosody(accounts={"alice": "a"}, turn=turn) as prosody,
        Stream(prosody, "alice", "a") as stream,
    ):
        services = await stream.ask("<services xmlns='urn:xmpp:extdisco:2'/>", to="openvoice.test")
    found = [dict(re.findall(r"(\w+)='([^']*)'", each)) for each in re.findall(r"<service [^>]*>", services)]
    assert {(each["type"], each["transport"], int(each["port"])) for each in found} == {
        ("stun", "udp", turn.port),
        ("turn", "udp", turn.port),
        ("turn", "tcp", turn.port),
        ("turns", "tcp", turn.tls_port),
    }
    for each in found:
        if each["type"] != "stun":
            expected = hmac.digest(turn.secret.encode(), each["username"].encode(), hashlib.sha1)
            assert base64.b64decode(each["password"]) == expected


@needs_prosody
async def test_all_its_files_are_private(tmp_path: Path) -> None:
    async with Prosody(accounts={"alice": "a", "bob": "b"}, directory=tmp_path / "server") as prosody:
        async with Stream(prosody, "alice", "a") as stream:
            await stream.send("<message to='bob@openvoice.test' type='chat'><body>kept</body></message>")
            await stream.ask("<ping xmlns='urn:xmpp:ping'/>")
        modes = {path: path.stat().st_mode & 0o777 for path in [prosody.directory, *prosody.directory.rglob("*")]}
    assert modes
    for path, mode in modes.items():
        assert mode == (0o700 if path.is_dir() else 0o600), path


@needs_prosody
async def test_it_listens_on_two_ports_of_loopback_only() -> None:
    async with Prosody() as prosody:
        connections = psutil.Process(prosody.pid).net_connections()
        listening = {each.laddr for each in connections if each.status == psutil.CONN_LISTEN}
        bound_datagrams = [each for each in connections if each.type == socket.SOCK_DGRAM]
        assert listening == {("127.0.0.1", prosody.port), ("127.0.0.1", prosody.starttls_port)}
        assert not bound_datagrams


@needs_prosody
async def test_pages_log_in_over_verified_tls_where_that_is_wanted() -> None:
    async with Prosody(websocket=True) as prosody:
        context = ssl.create_default_context(cafile=prosody.ca_file)
        port = urlsplit(prosody.websocket).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(
            b"GET /xmpp-websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert b" 101 " in await asyncio.wait_for(reader.readline(), 10)
        writer.close()
        addresses = {connection.laddr for connection in psutil.Process(prosody.pid).net_connections("inet")}
        assert {address.ip for address in addresses} == {"127.0.0.1"}
    async with Prosody() as plain:
        with pytest.raises(InvalidState, match="websocket=True"):
            _ = plain.websocket


@needs_prosody
async def test_two_run_side_by_side() -> None:
    async with Prosody(accounts={"alice": "one"}) as first, Prosody(accounts={"alice": "two"}) as second:
        assert len({first.port, first.starttls_port, second.port, second.starttls_port}) == 4
        async with Stream(first, "alice", "one"), Stream(second, "alice", "two"):
            pass
        with pytest.raises(ssl.SSLCertVerificationError):
            await Stream(second, "alice", "two", ca_file=first.ca_file).open()


@needs_prosody
@pytest.mark.parametrize("violently", [True, False])
async def test_it_starts_again_on_the_same_data_and_ports(violently: bool) -> None:
    async with Prosody(accounts={"alice": "a"}) as prosody:
        ports = prosody.port, prosody.starttls_port
        async with Stream(prosody, "alice", "a") as stream:
            await stream.ask("<query xmlns='jabber:iq:private'><mark xmlns='test'>kept</mark></query>", kind="set")
            if violently:
                await prosody.kill()
                await prosody.start()
            else:
                await prosody.restart()
        assert (prosody.port, prosody.starttls_port) == ports
        async with Stream(prosody, "alice", "a") as stream:
            assert "kept" in await stream.ask("<query xmlns='jabber:iq:private'><mark xmlns='test'/></query>")


@needs_prosody
async def test_a_paused_one_is_silent_until_it_goes_on() -> None:
    async with Prosody(accounts={"alice": "a"}) as prosody, Stream(prosody, "alice", "a") as stream:
        prosody.pause()
        answer = asyncio.ensure_future(stream.ask("<ping xmlns='urn:xmpp:ping'/>"))
        done, _ = await asyncio.wait([answer], timeout=0.3)
        assert not done
        prosody.resume()
        assert "type='result'" in await answer


@needs_prosody
async def test_nothing_is_left_of_a_throw_away_one() -> None:
    async with Prosody() as prosody:
        pid, directory = prosody.pid, prosody.directory
    assert not psutil.pid_exists(pid)
    assert not directory.exists()
    with pytest.raises(InvalidState):
        prosody.pid  # noqa: B018 - it raises


@needs_prosody
async def test_a_directory_that_was_given_stays(tmp_path: Path) -> None:
    async with Prosody(directory=tmp_path / "kept") as prosody:
        ca_file = prosody.ca_file
    assert ca_file.exists()


@needs_prosody
async def test_a_port_that_is_taken_is_given_up_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        taken = occupant.getsockname()[1]
        choose = Prosody._choose_ports
        choices = iter([(taken, choose(Prosody())[0])])
        monkeypatch.setattr(Prosody, "_choose_ports", lambda self: next(choices, None) or choose(self))
        async with Prosody(accounts={"alice": "a"}) as prosody:
            assert prosody.port != taken
            async with Stream(prosody, "alice", "a"):
                pass


@needs_prosody
async def test_it_can_show_a_certificate_that_is_wrong() -> None:
    authority = CertificateAuthority()
    expired = authority.issue("openvoice.test", starts=timedelta(days=-9), lasts=timedelta(days=1))
    async with Prosody(accounts={"alice": "a"}, authority=authority, certificate=expired) as prosody:
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            await Stream(prosody, "alice", "a").open()


@needs_prosody
async def test_options_override_its_configuration() -> None:
    options = {"modules_disabled": ["s2s", "carbons"]}
    async with Prosody(accounts={"alice": "a"}, options=options) as prosody, Stream(prosody, "alice", "a") as stream:
        server = await stream.ask("<query xmlns='http://jabber.org/protocol/disco#info'/>", to="openvoice.test")
    assert "urn:xmpp:carbons:2" not in server


@needs_prosody
async def test_one_that_cannot_start_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ServerProgramError, match=r"^prosody ended with code \d+ instead of starting; the last it said"):
        await Prosody(options={"} not lua": "x"}).start()
    assert not os.listdir(tmp_path)


@needs_prosody
async def test_no_free_port_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvoice.server.private.ATTEMPTS", 2)
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", 0))
        occupant.listen()
        taken = occupant.getsockname()[1]
        monkeypatch.setattr(Prosody, "_choose_ports", lambda self: (taken, taken))
        with pytest.raises(ServerProgramError, match="found no free ports"):
            await Prosody().start()


@needs_prosody
async def test_one_that_does_not_answer_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvoice.server.private.START_SECONDS", 0.5)
    monkeypatch.setattr(Prosody, "_answers", lambda self: asyncio.sleep(0, False))
    before = {process.pid for process in psutil.Process().children()}
    with pytest.raises(ServerProgramError, match="did not answer within"):
        await Prosody().start()
    assert {process.pid for process in psutil.Process().children()} == before


async def test_a_missing_program_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ServerProgramError, match="prosody is not installed: install"):
        await Prosody().start()


@needs_prosody
async def test_it_cannot_be_started_twice() -> None:
    async with Prosody() as prosody:
        with pytest.raises(InvalidState):
            await prosody.start()


@needs_prosody
@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can become somebody else")
def test_it_runs_as_a_user_without_any_privilege() -> None:
    program = (
        "import asyncio, os\n"
        "from openvoice.server import Prosody\n"
        "async def main():\n"
        "    async with Prosody(accounts={'alice': 'a'}) as prosody:\n"
        "        print(os.geteuid(), prosody.directory.stat().st_uid, prosody.port)\n"
        "asyncio.run(main())\n"
    )
    if as_nobody("import openvoice.server").returncode != 0:
        pytest.skip("another user cannot read this Python or this folder")
    ended = as_nobody(program)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("65534 65534 ")


def as_nobody(program: str) -> subprocess.CompletedProcess[str]:
    """Run ``program`` without privileges, by the system's Python where this one is in somebody's home."""
    major, minor, *_ = sys.version_info
    is_readable = all(os.stat(part).st_mode & 0o001 for part in Path(sys.executable).resolve().parents)
    return subprocess.run(
        [
            *["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
            *[sys.executable if is_readable else f"/usr/bin/python{major}.{minor}", "-c", program],
        ],
        env={"PATH": os.environ["PATH"], "TMPDIR": "/tmp", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )


@needs_prosody
async def test_a_renewed_certificate_is_shown_to_whoever_comes_next() -> None:
    authority = CertificateAuthority()
    async with Prosody(accounts={"alice": "secret"}, authority=authority) as prosody:
        async with Stream(prosody, "alice", "secret", start_tls=True) as before:
            await prosody.renew(authority.issue(prosody.domain, "127.0.0.1"))
            async with Stream(prosody, "alice", "secret", start_tls=True):
                pass
            assert before.full_address
        assert await prosody._is_ours(prosody.starttls_port, start_tls=True)
        # Direct TLS goes on with the old one.
        assert not await prosody._is_ours(prosody.port, start_tls=False)
        await prosody.restart()
        assert await prosody._is_ours(prosody.port, start_tls=False)
