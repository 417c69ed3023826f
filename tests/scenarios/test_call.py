"""Two whole clients, a real server, real sockets: what a person sees and hears."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from openvoice import (
    SAMPLE_RATE,
    Audience,
    Call,
    CallState,
    Cancelled,
    Declined,
    EndReason,
    Frame,
    NoAnswer,
    PeerUnavailable,
    Policy,
    SecurityRefused,
    TalkMode,
    Vouching,
)
from openvoice.core.description import CandidateType
from openvoice.samples import sample
from openvoice.server.certificates import CertificateAuthority
from openvoice.server.lua import LuaValue
from openvoice.server.prosody import Prosody
from openvoice.server.turn import Turn
from openvoice.testing.clients import ClientFactory
from openvoice.testing.fakes import RecordingSink
from tests.waiting import until

from .answering import answered_by
from .speech import arrived

pytestmark = pytest.mark.live

SOON = 10.0
"""Seconds that any step may take on a busy machine."""


async def source_ended(call: Call) -> None:
    async for event in call.events():
        if event.name == "source-ended":
            return


@pytest.mark.slow
async def test_speech_arrives_in_both_directions(clients: ClientFactory, tmp_path: Path) -> None:
    async with clients("alice", "bob") as (alice, bob):
        taken = answered_by(bob, source=sample("bob"), sink=tmp_path / "bob-heard.wav")
        call = await alice.call(bob.address.bare, source=sample("alice"), sink=tmp_path / "alice-heard.wav")
        await call.wait_for(CallState.ACTIVE, SOON)
        other = await taken
        await asyncio.gather(source_ended(call), source_ended(other))
        await asyncio.sleep(0.3)
        await call.hangup()
        await other.wait_closed()
        assert call.failure is None
        assert other.failure is None
        assert arrived("alice", tmp_path / "bob-heard.wav").passed
        assert arrived("bob", tmp_path / "alice-heard.wav").passed
        assert call.security.vouching is Vouching.OMEMO_TRUSTED
        ours, theirs = call.security.media, other.security.media
        assert ours is not None
        assert theirs is not None
        assert ours.remote_fingerprint.matches(theirs.local_fingerprint)
        assert theirs.remote_fingerprint.matches(ours.local_fingerprint)
        assert (ours.candidates_before_consent, ours.packets_before_gate) == (0, 0)
        assert call.stats.loss == 0.0
        assert call.stats.packets_received > 200
        assert call.stats.concealed < 0.02
        names = [moment.name for moment in call.timeline]
        assert names[:5] == ["propose", "ringing", "proceed", "session-initiate", "session-accept"]


async def test_the_callee_hangs_up(clients: ClientFactory) -> None:
    async with clients("alice", "bob") as (alice, bob):
        taken = answered_by(bob)
        call = await alice.call(bob.address.bare)
        await call.wait_for(CallState.ACTIVE, SOON)
        await (await taken).hangup()
        ended = await asyncio.wait_for(call.wait_closed(), SOON)
        assert (ended.reason, ended.origin.value) == (EndReason.SUCCESS, "remote")


async def test_declined(clients: ClientFactory) -> None:
    async with clients("alice", "bob") as (alice, bob):

        @bob.on_call
        async def decline(call: Call) -> None:
            await call.reject()

        call = await alice.call(bob.address.bare)
        with pytest.raises(Declined):
            await call.wait_for(CallState.ACTIVE, SOON)


async def test_nobody_answers_and_both_sides_name_one_cause(clients: ClientFactory) -> None:
    policies = {"alice": Policy(ring_timeout=0.5)}
    async with clients("alice", "bob", policies=policies) as (alice, bob):
        rang: asyncio.Future[Call] = asyncio.get_running_loop().create_future()

        @bob.on_call
        async def ignore(call: Call) -> None:
            rang.set_result(call)

        call = await alice.call(bob.address.bare)
        with pytest.raises(NoAnswer):
            await call.wait_for(CallState.ACTIVE, SOON)
        ended = await asyncio.wait_for((await rang).wait_closed(), SOON)
        assert call.ended is not None
        assert ended.reason is call.ended.reason is EndReason.TIMEOUT


async def test_given_up_before_it_was_answered(clients: ClientFactory) -> None:
    async with clients("alice", "bob") as (alice, bob):
        rang: asyncio.Future[Call] = asyncio.get_running_loop().create_future()

        @bob.on_call
        async def ignore(call: Call) -> None:
            rang.set_result(call)

        call = await alice.call(bob.address.bare)
        other = await asyncio.wait_for(rang, SOON)
        await call.hangup()
        assert isinstance(call.failure, Cancelled)
        assert (await asyncio.wait_for(other.wait_closed(), SOON)).reason is EndReason.CANCEL


async def test_nobody_of_that_name(clients: ClientFactory, prosody: Prosody) -> None:
    async with clients("alice") as (alice,):
        call = await alice.call(prosody.address("nobody-at-all"))
        with pytest.raises(PeerUnavailable):
            await call.wait_for(CallState.ACTIVE, SOON)


async def test_a_second_caller_hears_that_the_line_is_busy(clients: ClientFactory) -> None:
    async with clients("alice", "bob", "carol") as (alice, bob, carol):
        answered_by(bob)
        call = await alice.call(bob.address.bare)
        await call.wait_for(CallState.ACTIVE, SOON)
        second = await carol.call(bob.address.bare)
        ended = await asyncio.wait_for(second.wait_closed(), SOON)
        assert ended.reason is EndReason.BUSY
        assert call.state is CallState.ACTIVE


async def test_both_call_each_other_at_once_and_talk(clients: ClientFactory) -> None:
    async with clients("alice", "bob") as (alice, bob):
        one, other = await asyncio.gather(alice.call(bob.address.bare), bob.call(alice.address.bare))
        await asyncio.gather(one.wait_for(CallState.ACTIVE, SOON), other.wait_for(CallState.ACTIVE, SOON))
        await one.hangup()
        assert (await asyncio.wait_for(other.wait_closed(), SOON)).reason is EndReason.SUCCESS


async def test_a_policy_that_wants_verified_keys_refuses_before_any_sound(clients: ClientFactory) -> None:
    async with clients("alice", "bob") as (alice, bob):
        answered_by(bob)
        call = await alice.call(bob.address.bare, policy=Policy(require=Vouching.OMEMO_VERIFIED))
        with pytest.raises(SecurityRefused):
            await call.wait_for(CallState.ACTIVE, SOON)
        assert call.ended is not None
        assert call.ended.statistics.packets_sent == 0


async def test_keys_are_heard_on_the_other_side(clients: ClientFactory) -> None:
    async with clients("alice", "bob") as (alice, bob):
        taken = answered_by(bob)
        call = await alice.call(bob.address.bare)
        await call.wait_for(CallState.ACTIVE, SOON)
        other = await taken
        await other.wait_for(CallState.ACTIVE, SOON)
        events = other.events()
        await call.send_dtmf("15#")
        digits = ""
        async with asyncio.timeout(SOON):
            async for event in events:
                if event.name == "digit":
                    digits += event.as_dict()["digit"]
                    if len(digits) == 3:
                        break
        assert digits == "15#"


async def test_mute_silences_and_hold_stops(clients: ClientFactory) -> None:
    async with clients("alice", "bob") as (alice, bob):
        taken = answered_by(bob)
        tone = (8000 * np.sin(np.arange(48_000 * 20) * 0.05)).astype(np.int16)
        call = await alice.call(bob.address.bare, source=tone)
        await call.wait_for(CallState.ACTIVE, SOON)
        frames = (await taken).audio()

        async def becomes(loud: bool) -> None:
            async with asyncio.timeout(SOON):
                async for frame in frames:
                    if (np.abs(frame.astype(int)).max() > 2000) == loud:
                        return

        await becomes(loud=True)
        await call.mute()
        await becomes(loud=False)
        await call.mute(False)
        await becomes(loud=True)
        await call.hold()
        await becomes(loud=False)
        await call.hold(False)
        await becomes(loud=True)


def hum(hertz: float, seconds: float = 60.0) -> Frame:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.asarray(np.rint(8000 * np.sin(2 * np.pi * hertz * times)), np.int16)


def hums(frames: list[Frame]) -> float:
    """Hz of the last tenth of a second, 0 for silence."""
    sound = np.concatenate(frames[-5:]).astype(float) if len(frames) >= 5 else np.zeros(1)
    if np.abs(sound).max() < 300:
        return 0.0
    return float(np.argmax(np.abs(np.fft.rfft(sound))) * SAMPLE_RATE / len(sound))


async def test_sound_and_its_place_are_exchanged_and_a_key_decides_what_is_heard(clients: ClientFactory) -> None:
    async with clients("alice", "bob") as (alice, bob):
        first, second = RecordingSink(), RecordingSink()
        taken = answered_by(bob, sink=first)
        call = await alice.call(bob.address.bare, source=hum(400))
        other = await taken
        await call.wait_for(CallState.ACTIVE, SOON)
        happenings, theirs = call.events(), other.events()
        await until(lambda: hums(first.frames) == pytest.approx(400, abs=20), SOON)
        await call.set_input(hum(1000))
        await until(lambda: hums(first.frames) == pytest.approx(1000, abs=20), SOON)
        await other.set_output(second)
        assert first.closed
        await until(lambda: hums(second.frames) == pytest.approx(1000, abs=20), SOON)
        call.talk.mode = TalkMode.PUSH_TO_TALK
        await until(lambda: hums(second.frames) == 0, SOON)
        packets = other.stats.packets_received
        with call.talk.held_down():
            await until(lambda: hums(second.frames) == pytest.approx(1000, abs=20), SOON)
        await until(lambda: hums(second.frames) == 0 and other.stats.packets_received > packets + 20, SOON)
        await call.hangup()
        await other.wait_closed()
        assert second.closed
        told = [event async for event in happenings if event.name in ("device", "source-ended")]
        assert [(event.name, event.as_dict()["what"]) for event in told] == [("device", "chosen")]
        # Of the key nobody is told.
        assert "mute" not in [event.name async for event in theirs]


async def test_through_a_relay_only(clients: ClientFactory) -> None:
    relayed = Policy(relay_only=True)
    async with clients("alice", "bob", policies={"alice": relayed, "bob": relayed}) as (alice, bob):
        answered_by(bob)
        call = await alice.call(bob.address.bare)
        await call.wait_for(CallState.ACTIVE, SOON)
        assert call.security.media is not None
        assert call.security.media.relayed


async def test_a_relay_over_tls_may_have_its_certificate_from_the_authority_of_the_account() -> None:
    for program in (Prosody, Turn):
        if not program.is_installed():
            pytest.skip(program.missing())
    authority = CertificateAuthority()
    async with Turn(certificate=authority.issue("127.0.0.1")) as turn:
        service: dict[str | bool, LuaValue] = {"type": "turns", "transport": "tcp", "host": turn.host}
        service |= {"port": turn.tls_port or 0, "algorithm": "turn", "secret": turn.secret, "ttl": 3600}
        async with Prosody(authority=authority, options={"external_services": [service]}) as server:
            relayed = Policy(relay_only=True)
            async with ClientFactory(server)("alice", "bob", policies={"alice": relayed}) as (alice, bob):
                answered_by(bob)
                call = await alice.call(bob.address.bare)
                await call.wait_for(CallState.ACTIVE, SOON)
                assert call.security.media is not None
                assert call.security.media.relayed


async def test_relay_only_without_a_relay_is_told(tmp_path: Path) -> None:
    if not Prosody.is_installed():
        pytest.skip(Prosody.missing())
    async with Prosody() as lonely:
        factory = ClientFactory(lonely)
        async with factory("alice", "bob", policies={"alice": Policy(relay_only=True)}) as (alice, bob):
            rang = answered_by(bob)
            with pytest.raises(SecurityRefused, match="relay"):
                await alice.call(bob.address.bare)
            assert not rang.done()
            call = await bob.call(alice.address.bare)
            answered_by(alice)
            with pytest.raises(SecurityRefused):
                await call.wait_for(CallState.ACTIVE, SOON)


async def test_people_in_nobodys_contact_list_can_call_each_other_without_a_relay(tmp_path: Path) -> None:
    if not Prosody.is_installed():
        pytest.skip(Prosody.missing())
    async with Prosody() as lonely:
        factory = ClientFactory(lonely)
        async with factory("alice") as (alice,):
            named = Policy(ring=Audience.NAMED, callers=frozenset({alice.address.bare}))
            async with factory("bob", policies={"bob": named}) as (bob,):
                happenings = alice.events(), bob.events()
                taken = answered_by(bob)
                call = await alice.call(bob.address.bare)
                await call.wait_for(CallState.ACTIVE, SOON)
                await call.hangup()
                for side in (call, await taken):
                    await side.wait_closed()
                    assert any("not in your contact list" in finding.text for finding in side.security.findings)
    for heard in happenings:
        names = [happening.name async for happening in heard]
        assert names.index("exposed") < names.index("connected")


async def test_strangers_never_ring(clients: ClientFactory, prosody: Prosody) -> None:
    async with clients("alice") as (alice,), clients("stranger") as (stranger,):
        rang = answered_by(alice)
        call = await stranger.call(alice.address.bare, policy=Policy(ring_timeout=1.0))
        with pytest.raises(NoAnswer):
            await call.wait_for(CallState.ACTIVE, SOON)
        assert not rang.done()
        assert "ringing" not in [moment.name for moment in call.timeline]


async def test_people_named_ring_even_when_they_are_strangers(clients: ClientFactory, turn: Turn) -> None:
    """And where the server offers a relay, neither tells the other where it is."""
    async with clients("stranger") as (stranger,):
        named = Policy(ring=Audience.NAMED, callers=frozenset({stranger.address.bare}))
        async with clients("alice", policies={"alice": named}) as (alice,):
            taken = answered_by(alice)
            call = await stranger.call(alice.address.bare)
            await call.wait_for(CallState.ACTIVE, SOON)
            for side in (call, await taken):
                await side.wait_for(CallState.ACTIVE, SOON)
                assert side.security.media is not None
                assert side.security.media.local_candidate is CandidateType.RELAY


@pytest.mark.slow
async def test_a_call_survives_the_death_of_the_server(tmp_path: Path) -> None:
    if not Prosody.is_installed():
        pytest.skip(Prosody.missing())
    async with Prosody() as server:
        async with ClientFactory(server)("alice", "bob") as (alice, bob):
            taken = answered_by(bob, sink=tmp_path / "bob-heard.wav")
            call = await alice.call(bob.address.bare, source=sample("alice"))
            await call.wait_for(CallState.ACTIVE, SOON)
            other = await taken
            await server.kill()
            await source_ended(call)
            await asyncio.sleep(0.3)
            assert call.state is other.state is CallState.ACTIVE
            await other.hangup()
        assert arrived("alice", tmp_path / "bob-heard.wav").passed
