"""Row 5: whoever sits in the middle with keys of its own cannot make both sides read the same words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from openvoice import Call, EndReason, Vouching
from openvoice.client.keys import temporary_keys
from openvoice.core.trust import Trust
from openvoice.core.types import Role
from openvoice.errors import InvalidState
from openvoice.signalling.xmpp.omemo.identity import own_key

from . import omemo_attacks, words_attacks
from .attacker import SOON
from .attacks import Attack
from .scene import HostileScene
from .theatre import Theatre, judge, judge_honest, theatre

pytestmark = pytest.mark.live

Words = dict[Role, tuple[str, ...] | None]


@pytest.fixture
async def stage(hostile: Callable[..., HostileScene]) -> AsyncIterator[Theatre]:
    keys = {name: temporary_keys() for name in ("alice", "bob")}
    async with theatre(hostile(friends=("alice", "bob")), keys=keys) as stage:
        yield stage


async def words_of(stage: Theatre, attack: Attack | None, patience: float = SOON) -> Words:
    """What both read in a call; ``None`` for who has nothing to read."""
    words: Words = {}

    async def read(role: Role, call: Call) -> None:
        try:
            words[role] = await call.wait_for_words(patience)
        except (InvalidState, TimeoutError):
            words[role] = None

    async def meanwhile(calls: Mapping[Role, Call]) -> None:
        await asyncio.gather(*(read(role, call) for role, call in calls.items()))

    played = await stage.play(attack, meanwhile=meanwhile)
    judge(played, Vouching.SIGNALLED, forged=attack is not None)
    assert played.active == set(Role)
    assert played.heard == (set() if attack is None else set(Role))
    return words


async def test_without_anybody_in_between_they_are_the_same(stage: Theatre) -> None:
    words = await words_of(stage, None)
    assert words[Role.INITIATOR] == words[Role.RESPONDER]
    assert words[Role.INITIATOR] is not None


async def test_with_somebody_in_between_they_differ(stage: Theatre) -> None:
    words = await words_of(stage, words_attacks.makes_words_of_its_own)
    assert None not in words.values(), "both have something to compare"
    assert words[Role.INITIATOR] != words[Role.RESPONDER]


@pytest.mark.parametrize(
    "attack",
    [words_attacks.passes_words_on, words_attacks.takes_words_away, words_attacks.changes_what_was_committed],
    ids=["passes them on", "takes them away", "changes them"],
)
async def test_whoever_does_anything_else_leaves_one_without_words(stage: Theatre, attack: Attack) -> None:
    """What was committed speaks of the attacker's keys, or of none: it does not open."""
    assert None in (await words_of(stage, attack, patience=1.0)).values()


async def test_who_hears_other_words_ends_the_call_and_is_not_fooled_again(stage: Theatre) -> None:
    async def meanwhile(calls: Mapping[Role, Call]) -> None:
        await asyncio.gather(*(call.wait_for_words(SOON) for call in calls.values()))
        await calls[Role.INITIATOR].reject_words()
        await asyncio.wait_for(calls[Role.RESPONDER].wait_closed(), SOON)

    fooled = await stage.play(words_attacks.makes_words_of_its_own, meanwhile=meanwhile)
    for call in fooled.calls.values():
        assert call.ended is not None
        assert call.ended.reason is EndReason.SECURITY_ERROR
        assert call.failure is not None
        assert call.failure.exit_code == 6
    callee = stage.clients[Role.RESPONDER].address.bare
    assert Trust.DISTRUSTED in {key.trust for key in stage.keys[Role.INITIATOR].trust.keys(callee)}
    again = await stage.play(omemo_attacks.adds_a_device)
    judge(again, Vouching.SIGNALLED, forged=True)
    assert again.active == set()
    # Blind trust is over: whichever key comes now waits to be accepted, the right one too.
    own, trust = own_key(stage.keys[Role.RESPONDER].secrets), stage.keys[Role.INITIATOR].trust
    assert own is not None
    assert trust.meet(callee, *own, now=0.0).trust is Trust.UNDECIDED
    trust.decide(callee, own[1], Trust.TRUSTED)
    judge_honest(stage, await stage.play())
