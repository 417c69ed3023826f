"""The own server shows another certificate, on the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from openvoice import InvalidState, Profile, SecurityRefused
from openvoice.core import effects as e
from tests.client.test_certificates import FIRST, SECOND, THIRD, facts
from tests.core.certificates import certificate

from .conftest import Run
from .world import BOB, Behaviour, World

CALL = ("call", BOB.bare, "--input", "silence", "--output", "null", "--duration", "0.1")
ANSWER = ("answer", "--from-roster", "--once", "--input", "silence", "--output", "null")
TRUST = ("account", "trust-certificate", "alice@example.org")


@pytest.fixture
def renewed(alice: Run, world: World) -> World:
    """The server of alice shows another certificate than in the call before."""
    world.behaviour = Behaviour.LEAVES
    world.facts = facts(FIRST)
    assert alice(*CALL).code == 0
    world.facts = facts(SECOND)
    world.performed.clear()
    return world


def refuse(home: Path) -> None:
    with (home / "openvoice.toml").open("a") as file:
        file.write('[policy]\nalarm = "refuse"\n')


def test_another_certificate_is_told_before_the_call_and_only_once(alice: Run, renewed: World) -> None:
    told = alice(*CALL)
    assert told.code == 0
    lines = told.output.splitlines()
    (line,) = [line for line in lines[:3] if "certificate of example.org" in line]
    assert "renewed, by Root as the one before, for a new key" in line
    assert lines.index(line) < lines.index("  calling bob@example.org ...")
    assert sum("renewed" in line for line in lines) == 2, "in the report of the call, too"
    assert "renewed" not in alice(*CALL).output


def test_programs_are_told_too(alice: Run, renewed: World) -> None:
    renewed.facts = facts(THIRD)
    told = alice(*CALL, "--json")
    (event,) = [event for event in told.events if event["event"] == "certificate-changed"]
    assert told.names.index("certificate-changed") < told.names.index("calling")
    assert (event["account"], event["severity"], event["same_authority"]) == ("alice@example.org", "warning", False)
    assert (event["old"]["sha256"], event["new"]["sha256"]) == (FIRST.sha256, THIRD.sha256)
    assert told.events[-1]["security"]["tls"]["certificate_change"]["new"]["issuer"] == "Other"


def test_an_alarm_that_refuses_lets_no_call_pass_until_it_is_accepted(alice: Run, renewed: World, home: Path) -> None:
    refuse(home)
    for _ in range(2):
        refused = alice(*CALL)
        assert refused.code == SecurityRefused.exit_code
        assert "'openvoice account trust-certificate alice@example.org'" in refused.errors
        assert refused.errors.count("\n") == 1
    renewed.rings = [BOB]
    refused = alice(*ANSWER)
    assert refused.code == SecurityRefused.exit_code
    assert "trust-certificate" in refused.errors
    assert not any(renewed.sent(kind) for kind in (e.SendProposal, e.SendProceed, e.SendOffer, e.SendAnswer))
    accepted = alice(*TRUST, "--yes")
    assert accepted.code == 0
    for shown in (FIRST, SECOND):
        assert shown.sha256 in accepted.output
    assert accepted.output.endswith("the certificate of example.org is accepted\n")
    renewed.rings = []
    assert alice(*CALL).code == 0


def test_whoever_sits_at_a_terminal_is_asked(
    alice: Run, renewed: World, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(home)
    alice(*CALL)
    unasked = alice(*TRUST)
    assert unasked.code == 2
    assert "--yes" in unasked.errors
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    answers = ["n", "y"]
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: answers.pop(0))
    assert alice(*TRUST).code == 6
    assert alice(*CALL).code == 6
    assert alice(*TRUST).code == 0
    assert alice(*CALL).code == 0


def test_a_certificate_writes_no_commands_to_the_terminal(alice: Run, renewed: World, home: Path) -> None:
    refuse(home)
    renewed.facts = facts(certificate(issuer="Good\x1b[2J", organization="Ltd\u202e"))
    alice(*CALL)
    shown = alice(*TRUST, "--yes").output
    assert "Good\N{REPLACEMENT CHARACTER}[2J" in shown
    assert not {"\x1b", "\u202e"} & set(shown)


def test_without_another_certificate_there_is_nothing_to_accept(alice: Run, world: World) -> None:
    assert alice(*TRUST).output == "no other certificate of example.org waits to be accepted\n"
    unknown = alice("account", "trust-certificate", "nobody@example.org")
    assert unknown.code == 2
    assert "no account nobody@example.org" in unknown.errors


def test_what_is_accepted_is_what_was_shown(alice: Run, renewed: World, home: Path) -> None:
    refuse(home)
    alice(*CALL)
    profile = Profile(home)
    address = profile.settings.accounts[0].address
    shown = profile.certificate_waiting(address)
    assert shown is not None
    renewed.facts = facts(THIRD)
    alice(*CALL)
    with pytest.raises(InvalidState, match="yet another"):
        profile.accept_certificate(address, shown)
    assert alice(*CALL).code == 6
