"""Calls whose keys OMEMO vouches for: two whole clients, a real server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from openvoice import Audience, Call, CallState, Client, EndReason, Policy, SecurityRefused, Vouching, temporary_keys
from openvoice.core.trust import Trust
from openvoice.ports import KeyStore
from openvoice.server.prosody import Prosody
from tests.security.scene import Scene

from .answering import answered_by

pytestmark = pytest.mark.live

SOON = 10.0


@asynccontextmanager
async def two(prosody: Prosody, **keys: KeyStore | None) -> AsyncIterator[tuple[Client, Client]]:
    """Alice and Bob, who keep these keys."""
    async with AsyncExitStack() as stack:
        scene = Scene(prosody, tuple(keys))
        alice, bob = [await stack.enter_async_context(scene.client(name, keys=kept)) for name, kept in keys.items()]
        yield alice, bob


async def connected(alice: Client, bob: Client, policy: Policy | None = None) -> tuple[Call, Call]:
    taken = answered_by(bob)
    call = await alice.call(bob.address.bare, policy=policy)
    other = await asyncio.wait_for(taken, SOON)
    await asyncio.gather(call.wait_for(CallState.ACTIVE, SOON), other.wait_for(CallState.ACTIVE, SOON))
    return call, other


async def hang_up(call: Call, other: Call) -> None:
    await call.hangup()
    await asyncio.wait_for(other.wait_closed(), SOON)


@pytest.mark.parametrize("require", [Vouching.SIGNALLED, Vouching.OMEMO_TRUSTED])
async def test_both_sides_know_who_vouches_from_the_first_call_on(prosody: Prosody, require: Vouching) -> None:
    async with two(prosody, alice=temporary_keys(), bob=temporary_keys()) as (alice, bob):
        for _ in range(2):
            call, other = await connected(alice, bob, Policy(require=require))
            assert call.security.vouching is other.security.vouching is Vouching.OMEMO_TRUSTED
            ours, theirs = call.security.voucher, other.security.voucher
            assert ours is not None
            assert theirs is not None
            assert (ours.peer.device, ours.peer.key) == (theirs.own_device, theirs.own_key)
            assert (theirs.peer.device, theirs.peer.key) == (ours.own_device, ours.own_key)
            await hang_up(call, other)
        call, other = await connected(bob, alice, Policy(require=require))
        assert call.security.vouching is other.security.vouching is Vouching.OMEMO_TRUSTED
        await hang_up(call, other)


async def test_verified_keys_are_wanted_until_they_are_there(prosody: Prosody) -> None:
    keys = temporary_keys()
    async with two(prosody, alice=keys, bob=temporary_keys()) as (alice, bob):
        taken = answered_by(bob)
        strict = Policy(require=Vouching.OMEMO_VERIFIED)
        call = await alice.call(bob.address.bare, policy=strict)
        with pytest.raises(SecurityRefused, match="not verified"):
            await call.wait_for(CallState.ACTIVE, SOON)
        other = await asyncio.wait_for(taken, SOON)
        await asyncio.wait_for(other.wait_closed(), SOON)
        for side in (call, other):
            assert side.failure is not None
            assert side.failure.exit_code == 6
        assert "session-initiate" not in [moment.name for moment in other.timeline], "no address left"
        (key,) = keys.trust.keys(bob.address.bare)
        keys.trust.decide(bob.address.bare, key.key, Trust.VERIFIED)
        call, other = await connected(alice, bob, strict)
        assert call.security.vouching is Vouching.OMEMO_VERIFIED
        assert other.security.vouching is Vouching.OMEMO_TRUSTED
        await hang_up(call, other)


async def test_a_callee_that_wants_verified_keys(prosody: Prosody) -> None:
    keys = temporary_keys()
    async with two(prosody, alice=temporary_keys(), bob=keys) as (alice, bob):
        bob.policy = Policy(require=Vouching.OMEMO_VERIFIED, answer=Audience.ROSTER)
        taken = answered_by(bob)
        call = await alice.call(bob.address.bare)
        ended = await asyncio.wait_for(call.wait_closed(), SOON)
        other = await asyncio.wait_for(taken, SOON)
        assert ended.reason is (await asyncio.wait_for(other.wait_closed(), SOON)).reason is EndReason.SECURITY_ERROR
        (key,) = keys.trust.keys(alice.address.bare)
        keys.trust.decide(alice.address.bare, key.key, Trust.VERIFIED)
        call, other = await connected(alice, bob)
        assert other.security.vouching is Vouching.OMEMO_VERIFIED
        await hang_up(call, other)


async def test_a_key_that_was_refused_is_neither_called_nor_answered(prosody: Prosody) -> None:
    keys = temporary_keys()
    async with two(prosody, alice=temporary_keys(), bob=keys) as (alice, bob):
        await hang_up(*await connected(alice, bob))
        (key,) = keys.trust.keys(alice.address.bare)
        keys.trust.decide(alice.address.bare, key.key, Trust.DISTRUSTED)
        for caller, callee in ((alice, bob), (bob, alice)):
            taken = answered_by(callee)
            call = await caller.call(callee.address.bare)
            ended = await asyncio.wait_for(call.wait_closed(), SOON)
            other = await asyncio.wait_for(taken, SOON)
            assert ended.reason is (await asyncio.wait_for(other.wait_closed(), SOON)).reason
            assert ended.reason is EndReason.SECURITY_ERROR


@pytest.mark.parametrize("without", ["alice", "bob"])
async def test_with_somebody_who_has_no_omemo(prosody: Prosody, without: str) -> None:
    keys = {name: None if name == without else temporary_keys() for name in ("alice", "bob")}
    async with two(prosody, **keys) as (alice, bob):
        call, other = await connected(alice, bob)
        assert call.security.vouching is other.security.vouching is Vouching.SIGNALLED
        assert call.security.voucher is other.security.voucher is None
        await hang_up(call, other)
        taken = answered_by(bob)
        call = await alice.call(bob.address.bare, policy=Policy(require=Vouching.OMEMO_TRUSTED))
        ended = await asyncio.wait_for(call.wait_closed(), SOON)
        other = await asyncio.wait_for(taken, SOON)
        assert ended.reason is (await asyncio.wait_for(other.wait_closed(), SOON)).reason is EndReason.SECURITY_ERROR
        assert "only the servers vouch" in ended.text


async def test_both_call_at_once_under_seal(prosody: Prosody) -> None:
    async with two(prosody, alice=temporary_keys(), bob=temporary_keys()) as (alice, bob):
        one, other = await asyncio.gather(alice.call(bob.address.bare), bob.call(alice.address.bare))
        await asyncio.gather(one.wait_for(CallState.ACTIVE, SOON), other.wait_for(CallState.ACTIVE, SOON))
        assert one.security.vouching is other.security.vouching is Vouching.OMEMO_TRUSTED
        await hang_up(one, other)
