"""Two whole clients whose people read four words to each other."""

from __future__ import annotations

import asyncio

import pytest

from openvoice import CallState, EndReason, Policy, Vouching, temporary_keys
from openvoice.core.trust import Trust
from openvoice.server.prosody import Prosody

from .answering import answered_by
from .test_sealed_calls import SOON, connected, hang_up, two

pytestmark = pytest.mark.live


async def test_words_verify_a_device_for_good(prosody: Prosody) -> None:
    keys = temporary_keys()
    async with two(prosody, alice=keys, bob=temporary_keys()) as (alice, bob):
        call, other = await connected(alice, bob)
        words = await call.wait_for_words(SOON)
        assert words == await other.wait_for_words(SOON)
        await call.confirm_verified()
        assert call.security.as_dict()["vouching"] == "omemo_verified"
        assert other.security.as_dict()["vouching"] == "omemo_trusted"
        await hang_up(call, other)
        assert [key.trust for key in keys.trust.keys(bob.address)] == [Trust.VERIFIED]
        call, other = await connected(bob, alice)
        again = await call.wait_for_words(SOON)
        assert again == await other.wait_for_words(SOON)
        assert again != words
        await call.confirm_verified()
        await hang_up(call, other)
        call, other = await connected(alice, bob, Policy(require=Vouching.OMEMO_VERIFIED))
        assert call.security.vouching is other.security.vouching is Vouching.OMEMO_VERIFIED
        await hang_up(call, other)


async def test_words_that_differ_are_the_last_of_a_device(prosody: Prosody) -> None:
    keys = temporary_keys()
    async with two(prosody, alice=keys, bob=temporary_keys()) as (alice, bob):
        call, other = await connected(alice, bob)
        await call.wait_for_words(SOON)
        await call.reject_words()
        for side in (call, other):
            assert (await asyncio.wait_for(side.wait_closed(), SOON)).reason is EndReason.SECURITY_ERROR
        taken = answered_by(bob)
        refused = await alice.call(bob.address.bare)
        assert (await asyncio.wait_for(refused.wait_closed(), SOON)).reason is EndReason.SECURITY_ERROR
        await asyncio.wait_for((await taken).wait_closed(), SOON)


async def test_without_omemo_there_are_no_words(prosody: Prosody) -> None:
    async with two(prosody, alice=temporary_keys(), bob=None) as (alice, bob):
        call, other = await connected(alice, bob)
        with pytest.raises(TimeoutError):
            await call.wait_for_words(0.5)
        assert call.state is other.state is CallState.ACTIVE
        assert call.security.words == other.security.words == "none"
        await hang_up(call, other)
