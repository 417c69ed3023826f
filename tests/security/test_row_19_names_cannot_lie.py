"""Row 19: names that look like others, turn the words around them, or are more than words (Linphone 6.1.1)."""

from __future__ import annotations

import io
import json
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from openvoice import Address, Audience, Happening, InvalidAddress, Policy
from openvoice.cli import command
from openvoice.cli.printing import printer
from openvoice.core.policy import Screening
from openvoice.core.types import CallId
from openvoice.report.text import name
from openvoice.storage.vault import Vault

FRIEND = Address.parse("alice@example.org")

LOOK_ALIKES = [
    "\u0430lice@example.org",  # Cyrillic a
    "al\u0456ce@example.org",
    "alice@ex\u0430mple.org",
    "al\u200dice@example.org",
    "alice\u200b@example.org",
    "\u202ealice@example.org",
    "alic\u0435@example.org",
    "a1ice@example.org",
    "alice@example.org.evil.test",
    "alice@example.orq",
    "\uff41lice@example.org",
    "example.org",
    "alice@sub.example.org",
    "evil@example.test/alice@example.org",
]
NAMES = [
    "<script>alert(1)</script>@evil.test",
    "evil@evil.test/<img src=x onerror=alert(1)>",
    "evil@evil.test/\u202egro.elpmaxe@ecila",
    "evil@evil.test/\u2066\u2067\u2068\u2069",
    "evil@evil.test/[alice](https://example.org)",
    "evil@evil.test/\u001b[2J\u001b[Halice is calling",
    "evil@evil.test/line\nalice is calling",
    "evil@evil.test/line\r\u2028alice is calling",
    "z\u0335\u0321" + "\u0335\u0321\u0322" * 40 + "@evil.test",
    "e" * 500 + "@evil.test",
    "\u200f\u200e\ufeff@evil.test",
    "evil@evil.test/\U000e0041\U000e0042",
    *LOOK_ALIKES,
]


@pytest.mark.parametrize("text", LOOK_ALIKES, ids=ascii)
def test_who_looks_like_a_friend_is_a_stranger(text: str) -> None:
    """What protects is not that a person sees the difference: it does not ring, and is not answered."""
    try:
        caller = Address.parse(text)
    except InvalidAddress:
        return
    policy = Policy(answer=Audience.NAMED, callers=frozenset({FRIEND}))
    roster = {FRIEND}
    in_roster = caller.bare in roster
    assert not in_roster
    assert policy.screen(caller, in_roster=in_roster, live_calls=0) is Screening.SILENT
    assert not policy.answers(caller, in_roster=in_roster)


def shown(peer: str, *, as_json: bool) -> str:
    """What ``openvoice answer`` says of a call."""
    stream = io.StringIO()
    printer(as_json=as_json, stream=stream).show(
        Happening(0.0, "incoming", CallId("id"), None, {"peer": peer, "video": False})
    )
    return stream.getvalue()


def assert_one_plain_line(text: str) -> None:
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert text[:-1].isprintable()
    assert not [c for c in text if unicodedata.bidirectional(c) in ("RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "PDI")]


def ascii_name(text: str) -> str:
    """The names of all its characters."""
    return " ".join(unicodedata.name(character, "") for character in text)


@pytest.mark.parametrize("peer", NAMES, ids=ascii)
def test_in_the_terminal_it_is_one_line_of_plain_characters(peer: str) -> None:
    text = shown(peer, as_json=False)
    assert_one_plain_line(text)
    foreign = any(script in ascii_name(peer) for script in ("CYRILLIC", "FULLWIDTH")) and "/" not in peer
    assert text.endswith(" letters)\n" if foreign else " is calling\n")


@pytest.mark.parametrize("peer", NAMES, ids=ascii)
def test_for_programs_it_is_one_line_that_says_exactly_what_came(peer: str) -> None:
    text = shown(peer, as_json=True)
    assert_one_plain_line(text)
    assert json.loads(text)["peer"] == peer


@pytest.mark.parametrize("peer", NAMES, ids=ascii)
def test_in_the_history_it_is_one_line_too(peer: str, tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    call = {"call": "12345678", "account": "me@example.org", "direction": "incoming", "outcome": "missed"}
    with vault:
        vault.history.add({**call, "time": 0.0, "peer": peer})
    arguments = ["--home", str(tmp_path), "history"]
    text = CliRunner().invoke(command, arguments).output
    assert_one_plain_line(text)
    assert text.endswith("missed\n")
    assert json.loads(CliRunner().invoke(command, [*arguments, "--json"]).output)["peer"] == peer


class Tags(HTMLParser):
    """The tags of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)


@pytest.mark.parametrize("peer", NAMES, ids=ascii)
def test_in_the_report_it_is_text_and_turns_nothing_round(peer: str) -> None:
    tags = Tags()
    written = name(peer)
    tags.feed(written)
    assert tags.found == ["bdi"]
    assert all(c.isprintable() for c in written)
    assert len(written) < 400
