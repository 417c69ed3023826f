"""How a client goes online and away, and what it does where something is missing or broken."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from openvoice import (
    Account,
    Address,
    CallFailed,
    CallState,
    Client,
    ConfigurationError,
    Declined,
    EndReason,
    InvalidState,
    LoginRefused,
    PeerUnavailable,
)
from openvoice.core.effects import SendProceed
from openvoice.core.policy import Screening
from openvoice.core.types import CallId
from openvoice.ports import CallStore, IncomingCall
from openvoice.testing.fakes import FakeMediaEngine, FakeSignalling, MemoryCallStore, RecordingSink, ScriptedSource

from .test_client import BOB, pair

ALICE = Address.parse("alice@example.org")
INCOMING = IncomingCall(call=CallId("x"), peer=BOB, media=frozenset({"audio"}), age=10.0)


class Rig:
    """A client whose signalling may refuse to open."""

    def __init__(self, account: Any = None, *, store: CallStore | None = None, error: Exception | None = None) -> None:
        self.engine = FakeMediaEngine()
        self.signalling = FakeSignalling(ALICE)
        self.error = error

        def line(*_: Any) -> FakeSignalling:
            if self.error is not None:
                raise self.error
            return self.signalling

        account = account or Account(address=ALICE, password="x")
        self.client = Client(account, store=store, engine=self.engine, signalling=line)


async def test_before_it_is_online_it_says_so() -> None:
    client = Rig().client
    with pytest.raises(InvalidState, match="async with"):
        await client.call(BOB.bare)
    with pytest.raises(InvalidState, match="async with"):
        _ = client.address


async def test_a_client_is_used_once() -> None:
    rig = Rig()
    async with rig.client:
        with pytest.raises(InvalidState, match="once"):
            await rig.client.__aenter__()
    with pytest.raises(InvalidState, match="once"):
        await rig.client.__aenter__()
    with pytest.raises(InvalidState, match="closing"):
        await rig.client.call(BOB.bare)
    assert rig.client._screen(INCOMING) is Screening.SILENT


async def test_a_login_that_fails_leaves_nothing_open() -> None:
    rig = Rig(error=LoginRefused("no"))
    listening = rig.client.events()
    with pytest.raises(LoginRefused):
        await rig.client.__aenter__()
    assert rig.engine.closed
    assert [happening async for happening in listening] == []


async def test_a_password_that_is_not_found_is_told_before_anything_opens() -> None:
    async def locked() -> Account:
        raise ConfigurationError("no password")

    rig = Rig(locked)
    with pytest.raises(ConfigurationError, match="no password"):
        await rig.client.__aenter__()
    assert not rig.signalling.online


async def test_peers_that_cannot_be_called_are_told_at_once() -> None:
    rig = Rig()
    async with rig.client:
        with pytest.raises(PeerUnavailable):
            await rig.client.call("nobody@example.org")
        assert rig.client.calls == ()


async def test_missed_calls_are_told_and_kept_with_the_time_they_came() -> None:
    store = MemoryCallStore()
    rig = Rig(store=store)
    listening = rig.client.events()
    async with rig.client:
        rig.client.call_missed(INCOMING, "answered-elsewhere")
    (happening,) = [happening async for happening in listening]
    assert (happening.name, happening.details["outcome"]) == ("missed", "answered-elsewhere")
    (record,) = store.list(1)
    assert record["time"] == pytest.approx(happening.time - 10.0)
    assert (record["peer"], record["account"]) == ("bob@example.org", "alice@example.org")


async def test_a_history_that_cannot_be_written_hurts_no_call(caplog: pytest.LogCaptureFixture) -> None:
    class Full(MemoryCallStore):
        def add(self, record: dict[str, Any]) -> None:
            raise ConfigurationError("the disk is full")

    rig = Rig(store=Full())
    async with rig.client:
        rig.client.call_missed(INCOMING, "missed")
    assert "the disk is full" in caplog.text


async def test_without_a_history_nothing_is_kept() -> None:
    rig = Rig()
    async with rig.client:
        rig.client.call_missed(INCOMING, "missed")


async def test_a_handler_that_is_no_coroutine_is_called_too() -> None:
    async with pair() as (alice, bob):
        taken: list[Any] = []
        bob.client.on_call(taken.append)  # type: ignore[arg-type]
        call = await alice.client.call(BOB.bare)
        await call.wait_for(CallState.RINGING, timeout=2)
        assert taken[0].peer.bare == ALICE
        await call.hangup()


async def test_without_a_handler_it_rings_for_those_who_listen_to_events() -> None:
    async with pair() as (alice, bob):
        happenings = bob.client.events()
        call = await alice.client.call(BOB.bare)
        assert (await anext(happenings)).name == "incoming"
        await bob.client.calls[0].accept()
        await call.wait_for(CallState.CONNECTING, timeout=2)
        assert not call.muted
        assert not call.held
        assert call.failure is None
        await call.hangup()
        with pytest.raises(CallFailed, match="ended before"):
            await call.wait_for(CallState.ACTIVE, timeout=2)
        await call.wait_for(CallState.ENDED, timeout=2)


async def test_a_handler_that_cannot_accept_declines(caplog: pytest.LogCaptureFixture) -> None:
    async with pair() as (alice, bob):

        @bob.client.on_call
        async def accept(call: Any) -> None:
            raise ConfigurationError("the greeting is gone")

        call = await alice.client.call(BOB.bare)
        with pytest.raises(Declined):
            await call.wait_for(CallState.ACTIVE, timeout=2)
    assert "ConfigurationError" in caplog.text


async def test_a_handler_may_fail_after_the_call(caplog: pytest.LogCaptureFixture) -> None:
    async with pair() as (alice, bob):

        @bob.client.on_call
        async def fail(call: Any) -> None:
            await call.wait_closed()
            raise ConfigurationError("too late to matter")

        call = await alice.client.call(BOB.bare)
        await call.wait_for(CallState.RINGING, timeout=2)
        await call.hangup()
        await asyncio.sleep(0.01)
    assert [effect for _, effect in bob.signalling.performed if isinstance(effect, SendProceed)] == []


async def test_sound_is_closed_with_a_call_that_never_opened_its_gate() -> None:
    source, sink = ScriptedSource(), RecordingSink()
    async with pair() as (alice, _):
        call = await alice.client.call(BOB.bare, source=source, sink=sink)
        await call.hangup()
        assert call.ended is not None
        assert call.ended.reason is EndReason.CANCEL
    assert source.closed
    assert sink.closed


async def test_a_sink_that_cannot_be_opened_closes_the_source(tmp_path: Any) -> None:
    source = ScriptedSource()
    async with pair() as (alice, _):
        with pytest.raises(Exception, match="cannot record"):
            await alice.client.call(BOB.bare, source=source, sink=tmp_path / "none" / "x.wav")
        assert alice.client.calls == ()
    assert source.closed


async def test_a_call_without_a_choice_sends_silence_and_plays_nowhere() -> None:
    async with pair() as (alice, bob):
        call = await alice.client.call(BOB.bare)
        await call.wait_for(CallState.RINGING, timeout=2)
        other = bob.client.calls[0]
        for maker in (other.make_input, other.make_output, call.make_input, call.make_output):
            maker()
        await call.hangup()


async def test_calls_are_looked_up_since_the_account_was_online_last(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float | None] = []
    line = FakeSignalling(ALICE)

    def xmpp(*_: Any, last_online: float | None, **__: Any) -> FakeSignalling:
        asked.append(last_online)
        return line

    monkeypatch.setattr("openvoice.client.client._xmpp", xmpp)
    clock = itertools.count(100)
    monkeypatch.setattr("openvoice.client.client.time.time", lambda: next(clock))
    store = MemoryCallStore()
    account = Account(address=ALICE, password="x")
    noted: list[float | None] = []

    async def once() -> None:
        client = Client(account, store=store, engine=FakeMediaEngine())
        client.connection_changed(False, "not yet")
        noted.append(store.last_online("alice@example.org"))
        async with client:
            for online in (True, False, False, True):
                client.connection_changed(online, "")
                noted.append(store.last_online("alice@example.org"))

    await once()
    before, online, offline, still_offline, again = noted
    assert before is None
    last = store.last_online("alice@example.org")
    assert offline == still_offline
    times = [time for time in (online, offline, again, last) if time is not None]
    assert len(set(times)) == 4
    assert times == sorted(times)
    async with Client(account, store=store, engine=FakeMediaEngine()):
        assert asked == [None, last]


async def test_without_a_history_the_archive_is_read_as_at_the_first_login(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float | None] = []

    def xmpp(*_: Any, last_online: float | None, **__: Any) -> FakeSignalling:
        asked.append(last_online)
        return FakeSignalling(ALICE)

    monkeypatch.setattr("openvoice.client.client._xmpp", xmpp)
    async with Client(Account(address=ALICE, password="x"), engine=FakeMediaEngine()):
        assert asked == [None]
