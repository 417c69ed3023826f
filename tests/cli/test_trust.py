from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from openvoice import Address, Profile, Trust, read_code
from openvoice.core.key_uri import parse_key_uri, serialize_key_uri
from openvoice.signalling.xmpp.omemo.identity import own_identity

from .conftest import Outcome, Run

BOB, CAROL = Address.parse("bob@example.org"), Address.parse("carol@example.net")
ONE, TWO = bytes(range(32)), b"\1" * 32


@pytest.fixture
def known(alice: Run, home: Path) -> Run:
    """Runs commands in a profile that has gone online, and has seen a device of Bob's and two of Carol's."""
    profile = Profile(home)
    with profile._vault() as vault:
        own_identity(vault.secrets(Address.parse("alice@example.org")))
    with profile.keys() as keys:
        keys._trust.meet(BOB, 7, ONE, 100.0)
        keys._trust.meet(CAROL, 8, TWO, 100.0)
        keys._trust.meet(CAROL, 9, b"\2" * 32, 100.0)
    return alice


def trusts(outcome: Outcome) -> dict[int, str]:
    return {line["device"]: line["trust"] for line in outcome.events}


def test_nothing_was_seen_yet(alice: Run) -> None:
    assert alice("trust", "list").output == "no keys were seen yet: they come with the first call\n"
    assert "no key of bob@example.org was seen yet" in alice("trust", "list", BOB).output
    assert alice("trust", "list", "--json").output == ""
    refused = alice("trust", "verify", BOB)
    assert (refused.code, "call them once" in refused.errors) == (2, True)
    early = alice("trust", "qr")
    assert (early.code, "first login" in early.errors) == (2, True)


def test_keys_are_listed_with_what_is_thought_of_them(known: Run) -> None:
    listed = known("trust", "list").output
    assert listed.index("bob@example.org") < listed.index("carol@example.net")
    assert "device 7: trusted, not compared" in listed
    assert "00010203 04050607" in listed
    assert trusts(known("trust", "list", CAROL, "--json")) == {8: "trusted", 9: "trusted"}


def test_what_is_decided_holds(known: Run) -> None:
    assert trusts(known("trust", "distrust", CAROL, "9", "--json")) == {9: "distrusted"}
    assert trusts(known("trust", "accept", CAROL, "8", "--json")) == {8: "trusted"}
    assert "distrusted: no call goes on with it" in known("trust", "list", CAROL).output
    unknown = known("trust", "accept", BOB, "1")
    assert (unknown.code, "no device 1" in unknown.errors) == (2, True)
    assert known("trust", "accept", BOB, "0").code == 2


@pytest.mark.parametrize("spoken", [ONE.hex(), "05" + ONE.hex().upper(), ONE.hex(" ", 4)])
def test_a_key_read_aloud_is_compared(known: Run, spoken: str) -> None:
    assert trusts(known("trust", "verify", BOB, "--key", spoken, "--json")) == {7: "verified"}


def test_a_later_key_of_the_same_number_is_not_taken_for_the_one_read_aloud(known: Run, home: Path) -> None:
    with Profile(home).keys() as keys:
        keys._trust.meet(BOB, 7, TWO, 200.0)
    (verified,) = known("trust", "verify", BOB, "--key", ONE.hex(), "--json").events
    assert (verified["key"], verified["trust"]) == (ONE.hex(), "verified")
    assert [line["trust"] for line in known("trust", "list", BOB, "--json").events] == ["verified", "undecided"]


def test_another_key_than_the_one_read_aloud_is_a_warning(known: Run) -> None:
    refused = known("trust", "verify", BOB, "--key", TWO.hex())
    assert (refused.code, "somebody sits in between" in refused.errors) == (6, True)
    assert trusts(known("trust", "list", BOB, "--json")) == {7: "trusted"}


def test_each_key_is_asked_about_in_a_terminal(known: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = known("trust", "verify", CAROL)
    assert (nobody.code, "no terminal" in nobody.errors) == (2, True)
    answers = iter([True, False])
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("click.confirm", lambda *_, **__: next(answers))
    asked = known("trust", "verify", CAROL)
    assert "device 8 of carol@example.net" in asked.errors
    assert trusts(known("trust", "list", CAROL, "--json")) == {8: "verified", 9: "undecided"}


def test_a_distrusted_key_is_not_asked_about(known: Run) -> None:
    known("trust", "distrust", BOB, "7")
    assert known("trust", "verify", BOB).output == ""


def test_the_own_code_is_shown_and_can_be_scanned(known: Run, tmp_path: Path) -> None:
    own = json.loads(known("trust", "qr", "--json").output)
    picture = tmp_path / "me.png"
    shown = known("trust", "qr", "--png", picture).output
    assert own["uri"] in shown.replace("\n", "")
    assert read_code(picture) == own["uri"]
    assert parse_key_uri(own["uri"]) == (
        Address.parse("alice@example.org"),
        ((own["device"], bytes.fromhex(own["key"])),),
    )
    drawn = known("trust", "qr").output
    assert "█" in drawn or "▀" in drawn
    refused = known("trust", "qr", "--png", tmp_path / "nowhere" / "me.png")
    assert (refused.code, "cannot write" in refused.errors) == (2, True)


def test_a_scanned_code_verifies_what_agrees(known: Run, tmp_path: Path) -> None:
    uri = serialize_key_uri(BOB, [(7, ONE), (12, TWO)])
    assert trusts(known("trust", "scan", uri, "--json")) == {7: "verified", 12: "verified"}
    missing = known("trust", "scan", tmp_path / "nothing.png")
    assert (missing.code, "not a picture" in missing.errors) == (2, True)


def test_a_scanned_code_that_contradicts_is_a_warning(known: Run) -> None:
    refused = known("trust", "scan", serialize_key_uri(BOB, [(7, TWO)]))
    assert (refused.code, "device 7 of bob@example.org came with another key" in refused.errors) == (6, True)
    with_new = {(key["key"], key["trust"]) for key in known("trust", "list", BOB, "--json").events}
    assert with_new == {(ONE.hex(), Trust.DISTRUSTED), (TWO.hex(), Trust.VERIFIED)}


def test_a_code_is_of_whom_it_is_to_be(known: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = serialize_key_uri(BOB, [(7, ONE)])
    refused = known("trust", "scan", uri, "--of", CAROL)
    assert (refused.code, "of bob@example.org, not of carol@example.net" in refused.errors) == (6, True)
    asked: list[str] = []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr("click.confirm", lambda question, **_: asked.append(question))
    assert trusts(known("trust", "scan", uri, "--json")) == {7: "verified"}
    assert asked == ["Is it bob@example.org who shows you this code?"]
    known("trust", "scan", uri, "--of", BOB)
    assert len(asked) == 1
