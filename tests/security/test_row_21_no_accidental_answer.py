"""Row 21: auto-answer as a bug in the room. It takes a written grant, and for a microphone a name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openvoice import Address, Audience, Call, CallState, Device, Policy, UsageError
from openvoice.cli import command
from openvoice.jingle.model import MessageKind
from openvoice.ports import AudioInput
from tests.waiting import until

from .attacker import SOON
from .scene import Scene, rings

FRIEND, OTHER = Address.parse("friend@example.org"), Address.parse("other@example.org")


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    (tmp_path / "openvoice.toml").write_text('[account."me@example.org"]\npassword_file = "/nonexistent"\n')
    runner = CliRunner()
    return lambda *words: runner.invoke(command, ["--home", str(tmp_path), *words], standalone_mode=False)


def test_nobody_is_answered_by_default() -> None:
    for in_roster in (True, False):
        assert not Policy().answers(FRIEND, in_roster=in_roster)


def test_a_grant_is_for_those_it_names() -> None:
    policy = Policy(answer=Audience.NAMED, callers=frozenset({FRIEND}))
    assert policy.answers(FRIEND, in_roster=False)
    assert not policy.answers(OTHER, in_roster=True)
    assert not Policy(answer=Audience.ROSTER).answers(OTHER, in_roster=False)


@pytest.mark.parametrize("answer", list(Audience))
def test_whoever_is_blocked_is_never_answered(answer: Audience) -> None:
    policy = Policy(answer=answer, callers=frozenset({FRIEND}), blocked=frozenset({FRIEND}))
    assert not policy.answers(FRIEND, in_roster=True)


@pytest.mark.parametrize("microphone", [(), ("--input", "default"), ("--input", "USB")])
def test_a_microphone_is_not_opened_to_everybody_in_the_roster(
    run: Callable[..., Result], microphone: tuple[str, ...]
) -> None:
    error = run("answer", "--from-roster", *microphone).exception
    assert isinstance(error, UsageError)
    assert "would let every contact listen to this room" in str(error)
    assert "--from" in str(error)


def test_without_a_terminal_nobody_is_asked_and_nobody_is_answered(run: Callable[..., Result]) -> None:
    error = run("answer", "--input", "tone", "--output", "null").exception
    assert isinstance(error, UsageError)
    assert "there is no terminal to ask in" in str(error)


@pytest.mark.live
async def test_a_client_without_a_handler_lets_it_ring(
    scene: Callable[..., Scene], microphones: list[AudioInput]
) -> None:
    """Even under a policy that would answer: an answer needs a program that says what to send."""
    cast = scene(friends=("alice", "mallory"))
    async with (
        cast.client("alice", policy=Policy(answer=Audience.ROSTER)) as alice,
        cast.attacker("mallory") as mallory,
    ):
        mallory.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        await mallory.hears(MessageKind.RINGING)
        await mallory.ping(alice.address)
        (call,) = alice.calls
        assert call.state is CallState.RINGING
        assert microphones == []


@pytest.mark.live
async def test_an_answering_machine_hears_nothing_of_the_room(
    scene: Callable[..., Scene], microphones: list[AudioInput]
) -> None:
    cast = scene(friends=("alice", "bob"))
    async with cast.client("alice") as alice, cast.client("bob", policy=Policy(answer=Audience.ROSTER)) as bob:

        @bob.on_call
        async def answer(call: Call) -> None:
            if bob.answers(call):
                await call.accept()

        call = await alice.call(bob.address.bare)
        await call.wait_for(CallState.ACTIVE, SOON)
        await asyncio.sleep(0.3)
        assert microphones == []
        (other,) = bob.calls
        await call.hangup()
        await asyncio.wait_for(other.wait_closed(), SOON)
        # The same with a device, so that the list above could have held one.
        ringing = rings(bob)
        again = await alice.call(bob.address.bare)
        await (await asyncio.wait_for(ringing, SOON)).accept(source=Device())
        await again.wait_for(CallState.ACTIVE, SOON)
        await until(lambda: microphones, SOON)
