"""The conductor with fakes on all sides: what faces see, and that nothing is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from openvoice import (
    Account,
    Address,
    Audience,
    Busy,
    Call,
    CallState,
    Client,
    Declined,
    EndReason,
    InvalidState,
    MediaFailed,
    NoAnswer,
    Policy,
    SecurityRefused,
    Vouching,
)
from openvoice.core import inputs as i
from openvoice.core.bandwidth import DEFAULT_BANDWIDTH
from openvoice.core.effects import SendEnd, SendRinging
from openvoice.core.policy import Rules, Screening
from openvoice.core.types import CallId, Origin
from openvoice.ports import IncomingCall, RelayServer
from openvoice.testing.fakes import FakeMediaEngine, FakeMediaSession, FakeNetworkWatch, FakeSignalling, MemoryCallStore

ALICE = Address.parse("alice@example.org/a")
BOB = Address.parse("bob@example.org/b")


@dataclass
class Side:
    client: Client
    signalling: FakeSignalling
    engine: FakeMediaEngine
    store: MemoryCallStore
    watches: list[FakeNetworkWatch]


def side(address: Address, peer: Address, policy: Policy | None = None) -> Side:
    signalling = FakeSignalling(address)
    signalling.roster.add(peer.bare)
    engine, store = FakeMediaEngine(), MemoryCallStore()

    def factory(account: Account, listener: object, screen: object) -> FakeSignalling:
        signalling.listener = listener  # type: ignore[assignment]
        return signalling

    watches: list[FakeNetworkWatch] = []

    def network(changed: Callable[[], None]) -> FakeNetworkWatch:
        watches.append(FakeNetworkWatch(changed))
        return watches[-1]

    client = Client(
        Account(address=address.bare, password="x"),
        policy=policy,
        store=store,
        engine=engine,
        signalling=factory,
        network=network,
    )
    return Side(client, signalling, engine, store, watches)


@asynccontextmanager
async def pair(policy: Policy | None = None) -> AsyncIterator[tuple[Side, Side]]:
    alice, bob = side(ALICE, BOB, policy), side(BOB, ALICE)
    alice.signalling.wire(bob.signalling)
    before = asyncio.all_tasks()
    async with alice.client, bob.client:
        yield alice, bob
    assert asyncio.all_tasks() == before
    assert alice.engine.closed
    assert not alice.signalling.online


def accept_calls(bob: Side) -> asyncio.Future[Call]:
    taken: asyncio.Future[Call] = asyncio.get_running_loop().create_future()

    @bob.client.on_call
    async def accept(call: Call) -> None:
        await call.accept()
        taken.set_result(call)

    return taken


async def connected(alice: Side, bob: Side) -> tuple[Call, Call]:
    taken = accept_calls(bob)
    call = await alice.client.call(BOB.bare)
    await call.wait_for(CallState.CONNECTING, timeout=2)
    other = await taken
    await other.wait_for(CallState.CONNECTING, timeout=2)
    for one in (alice, bob):
        one.engine.sessions[-1].connect()
    await call.wait_for(CallState.ACTIVE, timeout=2)
    await other.wait_for(CallState.ACTIVE, timeout=2)
    return call, other


async def test_a_call_from_dial_to_history() -> None:
    async with pair() as (alice, bob):
        happenings = alice.client.events()
        call, other = await connected(alice, bob)
        assert alice.engine.sessions[0].commands[-1] == ("open_gate",)
        assert call.security.vouching is Vouching.SIGNALLED
        assert (await bob.signalling.relays()) == ()
        await call.hangup()
        assert call.failure is None
        ended = await other.wait_closed()
        assert (ended.reason, ended.origin) == (EndReason.SUCCESS, Origin.REMOTE)
        assert alice.engine.sessions[0].closed
        assert bob.engine.sessions[0].closed
        assert alice.client.calls == ()
    names = [happening.name async for happening in happenings]
    assert names == ["calling", "ringing", "accepted", "secured", "connected", "ended"]
    (record,) = alice.store.list(10)
    assert (record["outcome"], record["direction"], record["peer"]) == ("answered", "outgoing", "bob@example.org")
    assert [moment.name for moment in call.timeline][:4] == ["propose", "ringing", "proceed", "session-initiate"]


async def test_nothing_is_captured_before_the_gate() -> None:
    async with pair() as (alice, bob):
        taken = accept_calls(bob)
        call = await alice.client.call(BOB.bare)
        await call.wait_for(CallState.CONNECTING, timeout=2)
        await taken
        assert ("open_gate",) not in alice.engine.sessions[0].commands
        alice.engine.sessions[0].connect()
        await call.wait_for(CallState.ACTIVE, timeout=2)
        assert ("open_gate",) in alice.engine.sessions[0].commands


async def test_commands_reach_the_media_in_their_order() -> None:
    async with pair() as (alice, bob):
        call, other = await connected(alice, bob)
        events = other.events()
        await call.mute()
        await call.hold()
        await call.send_dtmf("1#a")
        await call.mute(False)
        await call.hangup()
        assert alice.engine.sessions[0].commands[-4:] == [
            ("set_muted", True),
            ("set_held", True),
            ("play_digits", "1#A"),
            ("set_muted", False),
        ]
        assert [event.name async for event in events] == ["mute", "hold", "mute", "ended"]


async def test_wrong_commands_raise() -> None:
    async with pair() as (alice, bob):
        call, _ = await connected(alice, bob)
        with pytest.raises(InvalidState):
            await call.accept()
        with pytest.raises(ValueError, match="keys are"):
            await call.send_dtmf("x")
        await call.hangup()
        await call.hangup()
        with pytest.raises(InvalidState):
            await call.mute()


async def test_declined_and_unanswered_calls_raise_their_errors() -> None:
    async with pair() as (alice, bob):

        @bob.client.on_call
        async def decline(call: Call) -> None:
            await call.reject()

        call = await alice.client.call(BOB.bare)
        with pytest.raises(Declined, match="declined"):
            await call.wait_for(CallState.ACTIVE, timeout=2)

        @bob.client.on_call
        async def ignore(call: Call) -> None: ...

        call = await alice.client.call(BOB.bare, policy=Policy(ring_timeout=0.05))
        with pytest.raises(NoAnswer, match="did not answer"):
            await call.wait_for(CallState.ACTIVE, timeout=2)


async def test_a_policy_that_asks_for_more_refuses() -> None:
    async with pair(Policy(require=Vouching.OMEMO_VERIFIED)) as (alice, bob):
        accept_calls(bob)
        call = await alice.client.call(BOB.bare)
        with pytest.raises(SecurityRefused, match="verified by you"):
            await call.wait_for(CallState.ACTIVE, timeout=2)
        assert ("open_gate",) not in alice.engine.sessions[0].commands


TURN = RelayServer("turn", "turn.example.org", 3478)


@pytest.mark.parametrize("services", [(), (TURN,)])
@pytest.mark.parametrize("known", [False, True])
async def test_strangers_are_called_and_answered_by_a_relay_where_there_is_one(
    services: tuple[RelayServer, ...], known: bool
) -> None:
    async with pair() as sides:
        for one in sides:
            one.signalling.services = services
            if not known:
                one.signalling.roster.clear()
        heard = [one.client.events() for one in sides]
        calls = await connected(*sides)
        for one in sides:
            assert one.engine.sessions[0].settings.relay_only == (not known and services == (TURN,))
            assert one.engine.sessions[0].settings.bandwidth == one.client._bandwidth == DEFAULT_BANDWIDTH
        await calls[0].hangup()
        await calls[1].wait_closed()
    for happenings in heard:
        names = [happening.name async for happening in happenings]
        assert ("exposed" in names) == (not known and services == ())


async def test_a_relay_that_comes_or_goes_while_it_rings_changes_no_promise() -> None:
    async with pair() as (alice, bob):
        for roster in (alice.signalling.roster, bob.signalling.roster):
            roster.clear()
        alice.signalling.services = (TURN,)
        taken: asyncio.Future[Call] = asyncio.get_running_loop().create_future()

        @bob.client.on_call
        async def ring(call: Call) -> None:
            taken.set_result(call)

        call = await alice.client.call(BOB.bare)
        other = await taken
        alice.signalling.services = ()
        await other.accept()
        await call.wait_for(CallState.CONNECTING, timeout=2)
        assert alice.engine.sessions[0].settings.relay_only


async def test_without_a_relay_a_call_that_needs_one_does_not_begin() -> None:
    async with pair(Policy(relay_only=True)) as (alice, bob):
        with pytest.raises(SecurityRefused, match="offers no relay"):
            await alice.client.call(BOB.bare)
        assert alice.signalling.performed == []
        assert alice.client.calls == ()
        # The other way round it rings, and the yes is a no with a reason.
        taken = accept_calls(alice)
        call = await bob.client.call(ALICE.bare)
        ended = await (await taken).wait_closed()
        assert (ended.reason, ended.origin) == (EndReason.SECURITY_ERROR, Origin.LOCAL)
        assert isinstance((await taken).failure, SecurityRefused)
        assert [type(effect) for _, effect in alice.signalling.performed] == [SendRinging, SendEnd]
        assert alice.engine.sessions == []
        await call.wait_closed()
        assert isinstance(call.failure, SecurityRefused)


async def test_the_rules_of_a_contact_hold_for_that_contact_alone() -> None:
    strict = Policy(contacts={BOB.bare: Rules(require=Vouching.OMEMO_VERIFIED)})
    async with pair(strict) as (alice, bob):
        assert alice.client._towards(BOB).require is Vouching.OMEMO_VERIFIED
        assert alice.client._towards(ALICE).require is Vouching.SIGNALLED
        accept_calls(bob)
        call = await alice.client.call(BOB.bare)
        with pytest.raises(SecurityRefused, match="verified by you"):
            await call.wait_for(CallState.ACTIVE, timeout=2)


async def test_media_that_cannot_open_end_the_call_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise MediaFailed("no network")

    monkeypatch.setattr(FakeMediaSession, "open", broken)
    async with pair() as (alice, bob):
        taken = accept_calls(bob)
        call = await alice.client.call(BOB.bare)
        with pytest.raises(MediaFailed, match="no network"):
            await call.wait_for(CallState.ACTIVE, timeout=2)
        assert (await (await taken).wait_closed()).reason is EndReason.FAILED_APPLICATION


async def test_one_call_at_a_time_unless_the_policy_says_more() -> None:
    async with pair() as (alice, _):
        await alice.client.call(BOB.bare)
        with pytest.raises(Busy, match="another call"):
            await alice.client.call(BOB.bare)


async def test_leaving_hangs_up_politely() -> None:
    async with pair() as (alice, bob):
        call, other = await connected(alice, bob)
        await alice.client.__aexit__(None, None, None)
        assert (await other.wait_closed()).reason is EndReason.SUCCESS
        assert call.ended is not None


async def test_a_handler_that_raises_declines_and_hurts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async with pair() as (alice, bob):

        @bob.client.on_call
        async def broken(call: Call) -> None:
            raise RuntimeError("mine")

        call = await alice.client.call(BOB.bare)
        with pytest.raises(Declined):
            await call.wait_for(CallState.ACTIVE, timeout=2)
    assert "the handler of a call failed" in caplog.text
    assert "example.org" not in caplog.text


async def test_waiting_can_time_out_and_late_inputs_are_dropped() -> None:
    async with pair() as (alice, _):
        call = await alice.client.call(BOB.bare)
        with pytest.raises(TimeoutError):
            await call.wait_for(CallState.ACTIVE, timeout=0.01)
        await call.hangup()
        alice.client.call_input(call.id, i.PeerRinging())
        assert call.state is CallState.ENDED
        sent = [effect for _, effect in alice.signalling.performed]
        assert sent[-1] == SendEnd(EndReason.CANCEL)


async def test_frames_are_heard_by_whoever_listens() -> None:
    async with pair() as (alice, bob):
        call, _ = await connected(alice, bob)
        frames = call.audio()
        output = alice.engine.sessions[0].settings.output()
        output.start(lambda: np.full(960, 7, np.int16), lambda _: None)
        frame = await asyncio.wait_for(anext(frames), 2)
        assert frame.shape == (960,)
        assert frame[0] == 7
        output.stop()
        await call.hangup()


async def test_the_policy_is_asked_about_callers() -> None:
    async with pair() as (alice, bob):
        bob.client.policy = Policy(answer=Audience.ROSTER)
        seen: list[bool] = []

        @bob.client.on_call
        async def look(call: Call) -> None:
            seen.append(bob.client.answers(call))
            await call.reject()

        call = await alice.client.call(BOB.bare)
        await call.wait_closed()
        assert seen == [True]


async def test_a_call_whose_media_still_close_keeps_nobody_from_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    close, closing = FakeMediaSession.close, asyncio.Event()

    async def slow(self: FakeMediaSession) -> None:
        await closing.wait()
        await close(self)

    monkeypatch.setattr(FakeMediaSession, "close", slow)
    async with pair() as (alice, bob):
        call, other = await connected(alice, bob)
        call.hangup_soon()
        while CallState.ENDED not in (call.state, other.state) or call.state is not other.state:  # noqa: ASYNC110 - nothing tells of it yet
            await asyncio.sleep(0)
        assert call.ended is None
        assert other.ended is None
        bob.client.on_call(lambda call: call.reject())
        again = await alice.client.call(BOB.bare)
        with pytest.raises(Declined):
            await again.wait_for(CallState.ACTIVE, timeout=2)
        closing.set()


async def test_a_call_that_was_begun_while_another_was_looked_up_is_one_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    invitation = FakeSignalling.invitation

    async def slow(self: FakeSignalling, peer: Address, *, video: bool = False) -> object:
        await asyncio.sleep(0.01)
        return await invitation(self, peer, video=video)

    monkeypatch.setattr(FakeSignalling, "invitation", slow)
    async with pair() as (alice, _):
        both = await asyncio.gather(*(alice.client.call(BOB.bare) for _ in range(2)), return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in both) == ["Busy", "Call"]
        for call in alice.client.calls:
            await call.hangup()
        late = asyncio.ensure_future(alice.client.call(BOB.bare))
        await asyncio.sleep(0)
        await alice.client.__aexit__(None, None, None)
        with pytest.raises(InvalidState, match="closing"):
            await late


async def test_a_handler_that_raises_in_the_call_hangs_up(caplog: pytest.LogCaptureFixture) -> None:
    async with pair() as (alice, bob):

        @bob.client.on_call
        async def broken(call: Call) -> None:
            await call.accept()
            raise RuntimeError("mine")

        call = await alice.client.call(BOB.bare)
        async with asyncio.timeout(2):
            ended = await call.wait_closed()
        assert ended.origin is Origin.REMOTE
        assert bob.client.calls == ()
    assert "the handler of a call failed" in caplog.text


async def test_whoever_is_cancelled_while_leaving_lets_everything_go(monkeypatch: pytest.MonkeyPatch) -> None:
    closing = asyncio.Event()

    async def stuck(self: FakeMediaSession) -> None:
        closing.set()
        await asyncio.Event().wait()

    async with pair() as (alice, bob):
        call, _ = await connected(alice, bob)
        monkeypatch.setattr(FakeMediaSession, "close", stuck)
        monkeypatch.setattr("openvoice.client.driver.CLOSE_WITHIN", 0.05)
        leaving = asyncio.ensure_future(alice.client.__aexit__(None, None, None))
        await closing.wait()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert alice.engine.closed
        assert not alice.signalling.online
        assert alice.store.list(1)[0]["outcome"] == "answered"
        assert (await call.wait_closed()).reason is EndReason.SUCCESS


async def test_a_call_that_was_taken_back_at_once_keeps_nobody_from_the_next() -> None:
    async with pair() as (_, bob):
        first, second = (
            IncomingCall(call=CallId(name), peer=ALICE, media=frozenset({"audio"})) for name in ("first", "second")
        )
        # All of it came in one piece, after the network was away for a while.
        bob.client.call_incoming(first, i.PeerProposed(announce=True))
        assert bob.client._screen(second) is Screening.BUSY
        bob.client.call_input(first.call, i.Ended(EndReason.CANCEL))
        assert bob.client._screen(second) is Screening.RING


async def test_a_call_is_accepted_once() -> None:
    async with pair() as (alice, bob):
        taken = accept_calls(bob)
        await alice.client.call(BOB.bare)
        other = await taken
        with pytest.raises(InvalidState):
            await other.accept()
        with pytest.raises(InvalidState, match="already"):
            other.use(None, None, None)


async def test_a_change_of_the_network_reaches_the_signalling_and_the_media() -> None:
    async with pair() as (alice, bob):
        await connected(alice, bob)
        (watch,) = alice.watches
        assert watch.running
        watch.changed()
        assert alice.signalling.network_changes == 1
        assert ("network_changed",) in alice.engine.sessions[0].commands
    assert not watch.running


async def test_the_network_is_watched_only_by_who_is_online() -> None:
    alone = side(ALICE, BOB)
    (watch,) = alone.watches
    assert not watch.running

    async def refused() -> None:
        raise ConnectionError

    alone.signalling.open = refused  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        await alone.client.__aenter__()
    assert not watch.running


async def test_a_watch_that_does_not_start_leaves_no_stream_behind() -> None:
    alone = side(ALICE, BOB)
    (watch,) = alone.watches

    def broken() -> None:
        raise OSError("no sockets of that kind here")

    closed: list[bool] = []

    async def close() -> None:
        closed.append(True)

    watch.start = broken  # type: ignore[method-assign]
    alone.signalling.close = close  # type: ignore[method-assign]
    with pytest.raises(OSError, match="no sockets"):
        await alone.client.__aenter__()
    assert closed
    assert alone.engine.closed
