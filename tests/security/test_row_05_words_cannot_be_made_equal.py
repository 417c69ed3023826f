"""Row 5: a server that tampers with the words of two people.

It carries the exchange and can change all of it. It may keep people from having words, and make them differ; it never
makes words that it has a hand in equal, and what it disturbs is told.
"""

from __future__ import annotations

import asyncio
import base64
import copy
from collections.abc import Callable
from xml.etree.ElementTree import Element

import pytest

from openvoice import Address, Call, Vouching, temporary_keys
from openvoice.core.types import WordsOutcome
from openvoice.jingle import namespaces as ns

from .attacker import SOON
from .hostile_server import Toward
from .scene import HostileScene, talk

pytestmark = pytest.mark.live

Trick = Callable[[str, Element], list[Element]]
"""What becomes of a stanza with a step of the exchange: (the step, the stanza) -> what the victim gets."""


@pytest.fixture
def cast(hostile: Callable[..., HostileScene]) -> HostileScene:
    return hostile(friends=("alice", "bob"))


def step_of(stanza: Element) -> Element | None:
    return next((child for child in stanza.iter() if ns.split(child.tag)[0] == ns.VERIFICATION_WORDS), None)


def with_value(stanza: Element, octets: bytes) -> Element:
    changed = copy.deepcopy(stanza)
    step = step_of(changed)
    assert step is not None
    step.text = base64.b64encode(octets).decode()
    return changed


async def tricked(cast: HostileScene, trick: Trick, look: Callable[[Call, Call], object], *, both: bool = True) -> None:
    """One call of two people whose server plays a trick on every step of the exchange."""

    async def hook(toward: Toward, account: Address, stanza: Element) -> list[Element]:
        step = step_of(stanza) if toward is Toward.CLIENT else None
        return trick(ns.split(step.tag)[1], stanza) if step is not None else [stanza]

    async with cast.client("alice", keys=temporary_keys()) as alice, cast.client("bob", keys=temporary_keys()) as bob:
        with cast.server.attacking(hook):
            call, other = await talk(alice, bob)
            await asyncio.wait_for(_settled(call, *([other] if both else [])), SOON)
            assert call.security.vouching is other.security.vouching is Vouching.OMEMO_TRUSTED
            look(call, other)
            await call.hangup()


async def _settled(*calls: Call) -> None:
    for call in calls:
        while call.security.words is WordsOutcome.NONE:  # noqa: ASYNC110 - either outcome ends it
            await asyncio.sleep(0.01)


async def test_an_honest_server_carries_the_words(cast: HostileScene) -> None:
    def look(call: Call, other: Call) -> None:
        assert call.verification_words is not None
        assert call.verification_words == other.verification_words

    await tricked(cast, lambda _, stanza: [stanza], look)


async def test_a_nonce_that_was_changed_makes_the_words_differ(cast: HostileScene) -> None:
    def look(call: Call, other: Call) -> None:
        assert call.verification_words is not None
        assert other.verification_words is not None
        assert call.verification_words != other.verification_words

    await tricked(cast, lambda step, stanza: [with_value(stanza, bytes(32)) if step == "nonce" else stanza], look)


@pytest.mark.parametrize("step", ["commit", "reveal"])
async def test_what_opens_no_commitment_shows_no_words(cast: HostileScene, step: str) -> None:
    def look(call: Call, other: Call) -> None:
        assert other.verification_words is None
        assert other.security.words is WordsOutcome.FAILED
        assert any("could not be agreed on" in finding.text for finding in other.security.findings)

    await tricked(cast, lambda name, stanza: [with_value(stanza, bytes(32)) if name == step else stanza], look)


async def test_a_step_that_comes_twice_shows_no_words(cast: HostileScene) -> None:
    def twice(step: str, stanza: Element) -> list[Element]:
        return [stanza, with_value(stanza, bytes(32))] if step == "commit" else [stanza]

    def look(call: Call, other: Call) -> None:
        assert other.verification_words is None
        assert other.security.words is WordsOutcome.FAILED

    await tricked(cast, twice, look)


async def test_a_step_that_says_nothing_shows_no_words(cast: HostileScene) -> None:
    def look(call: Call, other: Call) -> None:
        assert call.verification_words is None
        assert call.security.words is WordsOutcome.FAILED
        assert other.verification_words is None

    await tricked(
        cast, lambda step, stanza: [with_value(stanza, b"x") if step == "nonce" else stanza], look, both=False
    )
