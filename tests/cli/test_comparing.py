"""People who compare the words of a call by one key, at a terminal that is one."""

from __future__ import annotations

import os
import pty
import sys
import termios
import threading
import time
from collections.abc import Iterator

import pytest

from openvoice import ConfigurationError, EndReason
from openvoice.cli import printing
from openvoice.cli.screen import Screen
from openvoice.core import effects as e
from openvoice.core.address import Address
from openvoice.core.trust import Trust
from openvoice.storage.trust import TrustBook

from .conftest import Run
from .world import BOB, VOUCHER, World

LOCAL_MODES = 3
"""Where the local modes stand in what termios tells."""
QUIET = ("--input", "silence", "--output", "null")


class Person:
    """Sits at the terminal, and presses one key as soon as the words are there."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        self.terminal = os.fdopen(slave)
        self.modes = termios.tcgetattr(self.terminal)
        self.key = ""

    def sees(self, *_: object) -> None:
        if self.key:
            threading.Thread(target=self._press, daemon=True).start()

    def _press(self) -> None:
        """What is typed before the keys are read is forgotten."""
        end = time.monotonic() + 5
        while termios.tcgetattr(self.terminal)[LOCAL_MODES] & termios.ICANON and time.monotonic() < end:
            time.sleep(0.01)
        os.write(self._master, self.key.encode())

    def close(self) -> None:
        self.terminal.close()
        os.close(self._master)


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    made = Person()
    monkeypatch.setattr(sys, "stdin", made.terminal)
    show = printing.show_words

    def shown(screen: Screen, words: list[str]) -> None:
        show(screen, words)
        made.sees()

    monkeypatch.setattr(printing, "show_words", shown)
    yield made
    assert termios.tcgetattr(made.terminal) == made.modes
    made.close()


@pytest.fixture
def decided(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Address, bytes, Trust]]:
    """What was kept about keys."""
    kept: list[tuple[Address, bytes, Trust]] = []
    decide = TrustBook.decide

    def noted(self: TrustBook, owner: Address, key: bytes, trust: Trust) -> object:
        kept.append((owner, key, trust))
        return decide(self, owner, key, trust)

    monkeypatch.setattr(TrustBook, "decide", noted)
    return kept


@pytest.mark.parametrize("key", ["v", "V", "q v"])
def test_a_key_says_that_the_words_are_the_same(
    alice: Run, world: World, person: Person, decided: list[object], key: str
) -> None:
    world.words, person.key = True, key
    called = alice("call", BOB.bare, *QUIET, "--duration", "1.2")
    assert called.code == 0, called.errors
    assert "Read them to each other" in called.errors
    assert "verified: you will know this device" in called.output
    assert decided == [(BOB.bare, VOUCHER.peer.key, Trust.VERIFIED)]


def test_a_key_says_that_they_differ_and_the_call_ends(
    alice: Run, world: World, person: Person, decided: list[object]
) -> None:
    world.words, person.key = True, "x"
    called = alice("call", BOB.bare, *QUIET, "--duration", "5", "--json")
    assert called.code == 6
    assert "the words of the two sides differ" in called.errors
    assert called.names[-3:] == ["connected", "words", "ended"]
    assert called.events[-1]["security"]["words"] == "different"
    assert decided == [(BOB.bare, VOUCHER.peer.key, Trust.DISTRUSTED)]
    assert [effect.reason for effect in world.performed if isinstance(effect, e.SendEnd)] == [EndReason.SECURITY_ERROR]


def test_programs_get_the_words_and_the_verdict(alice: Run, world: World, person: Person) -> None:
    world.words, person.key = True, "v"
    called = alice("call", BOB.bare, *QUIET, "--duration", "1.2", "--json")
    assert called.code == 0, called.errors
    words = next(event for event in called.events if event["event"] == "words")
    verified = next(event for event in called.events if event["event"] == "verified")
    assert len(words["words"]) == 4
    # Letters stand apart where the terminal is wide enough for these words.
    assert "".join(words["words"]).upper() in "".join(called.errors.split())
    assert verified["security"]["vouching"] == "omemo_verified"
    assert called.events[-1]["security"]["vouching"] == "omemo_verified"


def test_who_answers_compares_too(alice: Run, world: World, person: Person, decided: list[object]) -> None:
    world.words, world.rings, person.key = True, [BOB], "x"
    answered = alice("answer", "--from", BOB.bare, "--once", *QUIET)
    assert answered.code == 6
    assert "Read them to each other" in answered.errors
    assert decided == [(BOB.bare, VOUCHER.peer.key, Trust.DISTRUSTED)]


def test_a_person_who_presses_nothing_decides_nothing(
    alice: Run, world: World, person: Person, decided: list[object]
) -> None:
    world.words = True
    called = alice("call", BOB.bare, *QUIET, "--duration", "0.3")
    assert called.code == 0
    assert decided == []


def test_off_a_terminal_nobody_is_asked(alice: Run, world: World, decided: list[object]) -> None:
    world.words = True
    called = alice("call", BOB.bare, *QUIET, "--duration", "0.3")
    assert called.code == 0
    assert "words to compare with the other side: " in called.output
    assert "press v" not in called.output + called.errors
    assert decided == []


def test_nobody_is_asked_where_standard_input_is_the_sound(alice: Run, world: World, person: Person) -> None:
    world.words, person.key = True, "v"
    called = alice("call", BOB.bare, "--input", "-", "--output", "null", "--duration", "0.3", "--json")
    assert "verified" not in called.names
    assert "press v" not in called.errors


def test_what_cannot_be_kept_is_told(alice: Run, world: World, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ConfigurationError("the disk is full")

    monkeypatch.setattr(TrustBook, "decide", refuse)
    world.words, person.key = True, "v"
    called = alice("call", BOB.bare, *QUIET, "--duration", "1.2")
    assert "the disk is full" in called.output
    assert "verified:" not in called.output
