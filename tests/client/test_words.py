"""Two clients whose people compare words: what is verified, what is distrusted, and what cannot be compared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from openvoice import (
    Account,
    Address,
    Call,
    CallState,
    Cancelled,
    Client,
    EndReason,
    InvalidState,
    SecurityRefused,
    Vouching,
)
from openvoice.client.decision import decide
from openvoice.client.keys import temporary_keys
from openvoice.core import effects as e
from openvoice.core import inputs as i
from openvoice.core.description import Fingerprint, SessionDescription
from openvoice.core.trust import DeviceKey, Trust, Voucher
from openvoice.core.types import CallId
from openvoice.core.words import WordsMessage
from openvoice.errors import ConfigurationError
from openvoice.ports import KeyStore
from openvoice.testing.fakes import FakeMediaEngine, FakeSignalling, facts

ALICE, BOB = Address.parse("alice@example.org/a"), Address.parse("bob@example.org/b")
KEYS = {ALICE: bytes([11] * 32), BOB: bytes([22] * 32)}
PRINTS = {ALICE: Fingerprint("sha-256", bytes([1] * 32)), BOB: Fingerprint("sha-256", bytes([2] * 32))}


def remote(own: Address, peer: Address) -> Fingerprint:
    """The fingerprint of ``peer`` under the seal of its OMEMO key, as ``own`` sees it."""
    key = DeviceKey(owner=peer.bare, device=1, key=KEYS[peer], trust=Trust.TRUSTED)
    return replace(PRINTS[peer], voucher=Voucher(peer=key, own_device=2, own_key=KEYS[own]))


class Sealed(FakeSignalling):
    """Signalling under the seal of OMEMO."""

    async def perform(self, call: CallId, effect: e.SignallingEffect) -> None:
        if isinstance(effect, e.SendOffer):
            effect = e.SendOffer(self._vouched(effect.offer), effect.least)
        elif isinstance(effect, e.SendAnswer):
            effect = e.SendAnswer(self._vouched(effect.answer))
        await super().perform(call, effect)

    def _vouched(self, plain: SessionDescription) -> SessionDescription:
        own, peer = (ALICE, BOB) if self.address == ALICE else (BOB, ALICE)
        content = plain.contents[0]
        transport = replace(content.transport, fingerprint=remote(peer, own))
        return replace(plain, contents=(replace(content, transport=transport),))


class Side:
    """One client, and what it keeps."""

    def __init__(self, own: Address, peer: Address, keys: KeyStore | None) -> None:
        self.own, self.peer, self.keys = own, peer, keys
        self.signalling, self.engine = Sealed(own), FakeMediaEngine()
        self.signalling.roster.add(peer.bare)

        def factory(account: Account, listener: object, screen: object) -> FakeSignalling:
            self.signalling.listener = listener  # type: ignore[assignment]
            return self.signalling

        account = Account(address=own.bare, password="x")
        self.client = Client(account, engine=self.engine, signalling=factory, keys=keys)

    def connect(self) -> None:
        agreed = replace(facts(), local_fingerprint=PRINTS[self.own], remote_fingerprint=remote(self.own, self.peer))
        self.engine.sessions[-1].notify(i.MediaSecured(agreed))
        self.engine.sessions[-1].notify(i.MediaFlowing())

    @property
    def trust(self) -> list[Trust]:
        assert self.keys is not None
        return [key.trust for key in self.keys.trust.keys(self.peer)]


@asynccontextmanager
async def talking(*, keys: bool = True) -> AsyncIterator[tuple[Side, Call, Side, Call]]:
    alice = Side(ALICE, BOB, temporary_keys() if keys else None)
    bob = Side(BOB, ALICE, temporary_keys())
    alice.signalling.wire(bob.signalling)
    taken: asyncio.Future[Call] = asyncio.get_running_loop().create_future()

    @bob.client.on_call
    async def accept(call: Call) -> None:
        await call.accept()
        taken.set_result(call)

    async with alice.client, bob.client:
        call = await alice.client.call(BOB.bare)
        other = await taken
        for one in (call, other):
            await one.wait_for(CallState.CONNECTING, timeout=10)
        assert call.verification_words is None
        with pytest.raises(InvalidState, match="no words"):
            await call.confirm_verified()
        for side in (alice, bob):
            side.connect()
        yield alice, call, bob, other


async def test_words_are_the_same_and_verify_for_good() -> None:
    async with talking() as (alice, call, bob, other):
        assert await call.wait_for_words(timeout=10) == await other.wait_for_words(timeout=10)
        assert call.verification_words == other.verification_words
        assert str(call.security.vouching) == "omemo_trusted"
        happenings = call.events()
        await call.confirm_verified()
        assert (await anext(happenings)).name == "verified"
        assert call.security.vouching == Vouching.OMEMO_VERIFIED
        assert call.security.words == "same"
        assert alice.trust == [Trust.VERIFIED]
        assert bob.trust == []
        assert other.security.vouching == Vouching.OMEMO_TRUSTED
        await call.hangup()
        assert call.failure is None
        with pytest.raises(InvalidState):
            await call.reject_words()
        assert alice.trust == [Trust.VERIFIED]


async def test_words_that_differ_end_the_call_and_the_trust() -> None:
    async with talking() as (alice, call, _, other):
        await call.wait_for_words(timeout=10)
        await call.reject_words()
        ended = await call.wait_closed()
        assert ended.reason is EndReason.SECURITY_ERROR
        assert isinstance(call.failure, SecurityRefused)
        assert "the words of the two sides differ" in str(call.failure)
        assert (await other.wait_closed()).reason is EndReason.SECURITY_ERROR
        assert alice.trust == [Trust.DISTRUSTED]
        assert call.security.vouching == Vouching.NONE


async def test_what_cannot_be_kept_verifies_nothing_and_still_ends_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    async with talking() as (alice, call, _, _):
        await call.wait_for_words(timeout=10)
        assert alice.keys is not None

        def refuse(*_: object) -> None:
            raise ConfigurationError("the disk is full")

        monkeypatch.setattr(alice.keys.trust, "decide", refuse)
        with pytest.raises(ConfigurationError):
            await call.confirm_verified()
        assert call.security.vouching == Vouching.OMEMO_TRUSTED
        with pytest.raises(ConfigurationError):
            await call.reject_words()
        assert (await call.wait_closed()).reason is EndReason.SECURITY_ERROR


async def test_a_client_without_keys_verifies_nothing() -> None:
    async with talking(keys=False) as (_, call, _, _):
        await call.wait_for_words(timeout=10)
        with pytest.raises(InvalidState, match="keeps no OMEMO keys"):
            await call.confirm_verified()


async def test_whoever_waits_learns_of_a_disturbance() -> None:
    async with talking() as (_, call, bob, other):
        await call.wait_for_words(timeout=10)
        await bob.signalling.perform(other.id, e.SendInformation(WordsMessage(None)))
        async with asyncio.timeout(2):
            while call.verification_words is not None:  # noqa: ASYNC110 - the input is on its way
                await asyncio.sleep(0)
        with pytest.raises(InvalidState, match="disturbed"):
            await call.wait_for_words(timeout=10)
        assert call.state is CallState.ACTIVE
        assert call.security.words == "failed"


async def test_whoever_waits_for_words_in_vain_is_told() -> None:
    unanswered = Side(ALICE, BOB, temporary_keys())
    unanswered.signalling.wire(FakeSignalling(BOB))
    async with unanswered.client:
        lonely = await unanswered.client.call(BOB.bare)
        with pytest.raises(TimeoutError):
            await lonely.wait_for_words(timeout=0.01)
        lonely.hangup_soon()
        with pytest.raises(Cancelled, match="given up"):
            await lonely.wait_for_words(timeout=10)


def test_a_key_that_was_forgotten_is_kept_again() -> None:
    keys = temporary_keys()
    key = DeviceKey(owner=BOB.bare, device=7, key=KEYS[BOB], trust=Trust.TRUSTED)
    decide(keys, key, Trust.VERIFIED)
    assert [kept.trust for kept in keys.trust.keys(BOB)] == [Trust.VERIFIED]
