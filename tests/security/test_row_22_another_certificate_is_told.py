"""Row 22: somebody sits in between with a certificate that is valid, but not the operator's (jabber.ru, 2023)."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openvoice import Account, Alarm, CallState, Client, EndReason, Happening, Policy, SecurityRefused
from openvoice.core.security import Severity
from openvoice.ports import KeyStore
from openvoice.server.certificates import CertificateAuthority
from openvoice.server.private import LOOPBACK
from openvoice.server.prosody import Prosody
from openvoice.storage.trust import TrustBook
from openvoice.testing.fakes import MemorySecrets

from .attacker import SOON
from .scene import Scene, rings, talk

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not Prosody.is_installed(), reason=Prosody.missing()),
]

OURS, OTHERS = CertificateAuthority("The Good Authority"), CertificateAuthority("Another Authority")
"""Both are trusted, as a system trusts a hundred."""


class Stage(Scene):
    """A server whose certificate changes, and clients that remember it."""

    def __init__(self, server: Prosody, trusted: Path) -> None:
        super().__init__(server, ("alice", "bob"))
        self._trusted = trusted
        self._secrets = {"alice": MemorySecrets(), "bob": MemorySecrets()}
        self.server = server

    def account(self, name: str) -> Account:
        place = (self.server.host, self.server.starttls_port)
        return dataclasses.replace(super().account(name), server=place, ca_file=self._trusted)

    def remembering(self, name: str, alarm: Alarm = Alarm.TELL) -> Client:
        secrets = self._secrets[name]
        return self.client(name, policy=Policy(alarm=alarm), keys=KeyStore(secrets, TrustBook(secrets)))

    async def renew(self, authority: CertificateAuthority) -> None:
        await self.server.renew(authority.issue(self.server.domain, LOOPBACK))

    def accept(self, name: str) -> None:
        from openvoice.client.certificates import accept, waiting

        change = waiting(self._secrets[name], self.server.domain)
        assert change is not None
        assert accept(self._secrets[name], change)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    trusted = tmp_path / "authorities.pem"
    trusted.write_bytes(OURS.certificate + OTHERS.certificate)
    async with Prosody(authority=OURS) as server:
        yield Stage(server, trusted)


async def alarms(client: Client) -> tuple[asyncio.Queue[Happening], asyncio.Task[None]]:
    """The alarms of a client that is not online yet."""
    heard: asyncio.Queue[Happening] = asyncio.Queue()

    async def listen() -> None:
        async for happening in happenings:
            if happening.name == "certificate-changed":
                heard.put_nowait(happening)

    happenings = client.events()
    return heard, asyncio.create_task(listen())


async def comes_back(client: Client) -> None:
    """Cut its connection, and wait for the next one."""
    happenings = client.events()
    client._signalling._connection._session.client.abort()  # type: ignore[attr-defined]
    async with asyncio.timeout(SOON):
        async for happening in happenings:
            if happening.name == "online":
                break


@pytest.mark.parametrize(
    ("authority", "severity"), [(OURS, Severity.NOTICE), (OTHERS, Severity.WARNING)], ids=["renewal", "other authority"]
)
async def test_it_is_told_before_the_call_and_in_its_report(
    stage: Stage, authority: CertificateAuthority, severity: Severity
) -> None:
    for _ in range(2):
        calm = stage.remembering("alice")
        heard, listening = await alarms(calm)
        async with calm:
            pass
        await listening
        assert heard.empty()
    await stage.renew(authority)
    alice = stage.remembering("alice")
    heard, listening = await alarms(alice)
    async with alice, stage.remembering("bob") as bob:
        alarm = heard.get_nowait().details
        assert (alarm["severity"], alarm["same_key"]) == (severity.value, False)
        assert alarm["same_authority"] == (authority is OURS)
        call, other = await talk(alice, bob)
        await call.hangup()
        await other.wait_closed()
        assert [finding.severity for finding in call.security.findings if finding.text == alarm["text"]] == [severity]
        # Nothing changed for the other side, which is here for the first time.
        assert other.security.signalling is not None
        assert other.security.signalling.certificate_change is None
    await listening
    assert heard.empty()


async def test_an_alarm_that_refuses_lets_no_call_pass_either_way(stage: Stage) -> None:
    async with stage.remembering("alice", Alarm.REFUSE):
        pass
    await stage.renew(OTHERS)
    async with stage.remembering("alice", Alarm.REFUSE) as alice, stage.remembering("bob") as bob:
        rang = rings(bob)
        with pytest.raises(SecurityRefused, match="trust-certificate"):
            await alice.call(bob.address.bare)
        await asyncio.sleep(0.3)
        assert not rang.done()
        rang = rings(alice)
        call = await bob.call(alice.address.bare)
        incoming = await asyncio.wait_for(rang, SOON)
        await incoming.accept()
        ends = await asyncio.wait_for(asyncio.gather(incoming.wait_closed(), call.wait_closed()), SOON)
        assert [end.reason for end in ends] == [EndReason.SECURITY_ERROR] * 2
        assert "trust-certificate" in ends[0].text
        # Why is for the own user alone.
        assert ends[1].text == ""
        stage.accept("alice")
        for one, two in ((alice, bob), (bob, alice)):
            call, other = await talk(one, two)
            await call.hangup()
            await other.wait_closed()


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("alarm", [Alarm.TELL, Alarm.REFUSE])
async def test_no_call_slips_through_when_the_connection_is_cut_while_it_is_set_up(
    stage: Stage, alarm: Alarm, answered: bool
) -> None:
    alice = stage.remembering("alice", alarm)
    async with alice, stage.remembering("bob", Alarm.OFF) as bob:
        rang = rings(bob)
        call = await alice.call(bob.address.bare)
        incoming = await asyncio.wait_for(rang, SOON)
        if answered:
            await incoming.accept()
            await call.wait_for(CallState.ACTIVE, SOON)
        await stage.renew(OTHERS)
        await comes_back(alice)
        if alarm is Alarm.REFUSE:
            end = await asyncio.wait_for(call.wait_closed(), SOON)
            assert end.reason is EndReason.SECURITY_ERROR
            assert "trust-certificate" in end.text
        elif not answered:
            await incoming.accept()
            await call.wait_for(CallState.ACTIVE, SOON)
        await call.hangup()
        assert call.security.signalling is not None
        assert call.security.signalling.certificate_change is not None
        if answered or alarm is Alarm.REFUSE:
            await asyncio.wait_for(incoming.wait_closed(), SOON)


@pytest.mark.parametrize("alarm", [Alarm.TELL, Alarm.REFUSE, Alarm.OFF])
async def test_a_connection_that_comes_back_to_another_certificate_is_noticed(stage: Stage, alarm: Alarm) -> None:
    alice = stage.remembering("alice", alarm)
    heard, listening = await alarms(alice)
    async with alice, stage.remembering("bob", Alarm.OFF) as bob:
        await stage.renew(OTHERS)
        await comes_back(alice)
        assert heard.qsize() == (alarm is not Alarm.OFF)
        if alarm is Alarm.REFUSE:
            with pytest.raises(SecurityRefused, match="trust-certificate"):
                await alice.call(bob.address.bare)
        else:
            call, other = await talk(alice, bob)
            await call.hangup()
            await other.wait_closed()
            assert call.security.signalling is not None
            assert (call.security.signalling.certificate_change is not None) == (alarm is Alarm.TELL)
    await listening
