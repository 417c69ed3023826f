from __future__ import annotations

import os
import pty
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from openvoice import Address, Call, Client, EndReason, MediaFailed, SecurityRefused, Tones
from openvoice.cli import answer
from openvoice.cli.printing import JsonPrinter, PeoplePrinter
from openvoice.client.sound import Device
from openvoice.core import effects as e

from .conftest import Run
from .terminal import Terminal
from .world import BOB, CAROL, TURN, Behaviour, World

QUIET = ("--input", "silence", "--output", "null")

Types = Callable[[str], None]


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Iterator[Types]:
    """Sits at the terminal, and answers each question with the same keys."""
    master, slave = pty.openpty()
    terminal = os.fdopen(slave)
    monkeypatch.setattr(sys, "stdin", terminal)

    def types(keys: str) -> None:
        for kind in (PeoplePrinter, JsonPrinter):
            ask = kind.ask

            def asked(self: PeoplePrinter, question: str, ask: Callable[..., None] = ask) -> None:
                ask(self, question)
                os.write(master, keys.encode())

            monkeypatch.setattr(kind, "ask", asked)

    yield types
    terminal.close()
    os.close(master)


def ends(world: World) -> list[EndReason]:
    return [effect.reason for effect in world.performed if isinstance(effect, e.SendEnd)]


def test_a_caller_named_is_answered(alice: Run, world: World) -> None:
    world.rings, world.behaviour = [CAROL], Behaviour.LEAVES
    answered = alice("answer", "--from", CAROL.bare, "--once", *QUIET, "--json")
    assert answered.code == 0, answered.errors
    assert answered.names == ["online", "incoming", "accepted", "exposed", "secured", "connected", "ended"]


def test_with_callers_named_nobody_else_rings_not_even_contacts(alice: Run, world: World) -> None:
    world.rings, world.behaviour = [BOB, CAROL], Behaviour.LEAVES
    answered = alice("answer", "--from", CAROL.bare, "--once", *QUIET, "--json")
    assert answered.names[:3] == ["online", "missed", "incoming"]
    assert ends(world) == []


def test_contacts_are_answered_and_strangers_are_not(alice: Run, world: World) -> None:
    world.rings, world.behaviour = [CAROL, BOB], Behaviour.LEAVES
    answered = alice("answer", "--from-roster", "--once", *QUIET, "--json")
    assert answered.code == 0
    assert [event["peer"] for event in answered.events if "peer" in event] == [str(CAROL.bare), str(BOB.bare)]
    assert answered.names[:3] == ["online", "missed", "incoming"]


def test_a_stranger_named_rings_beside_the_contacts(alice: Run, world: World) -> None:
    world.rings, world.behaviour = [CAROL], Behaviour.LEAVES
    assert alice("answer", "--from-roster", "--from", CAROL.bare, "--once", *QUIET).code == 0


def test_the_policy_of_the_settings_answers_without_a_terminal(alice: Run, world: World, home: Path) -> None:
    file = home / "openvoice.toml"
    file.write_text(file.read_text() + f'[policy]\nanswer = "named"\ncallers = ["{CAROL.bare}"]\n')
    world.rings, world.behaviour = [BOB, CAROL], Behaviour.LEAVES
    answered = alice("answer", "--once", *QUIET, "--json")
    assert answered.code == 0
    assert answered.names[:3] == ["online", "missed", "incoming"]


@pytest.mark.parametrize("keys", ["y\n", "YES\n", " y \n"])
def test_a_person_who_says_yes_talks(alice: Run, world: World, person: Types, keys: str) -> None:
    world.rings, world.behaviour = [BOB], Behaviour.LEAVES
    person(keys)
    answered = alice("answer", "--once", *QUIET)
    assert answered.code == 0, answered.errors
    assert "waiting for calls" in answered.output
    assert "\a  answer bob@example.org? [y/N] " in answered.errors
    assert "accepted" in answered.output


@pytest.mark.parametrize("keys", ["n\n", "\n", "yep\n", "\x04"])
def test_a_person_who_says_anything_else_declines(alice: Run, world: World, person: Types, keys: str) -> None:
    world.rings = [BOB]
    person(keys)
    answered = alice("answer", "--once", *QUIET, "--json")
    assert answered.code == 4
    assert "you declined" in answered.errors
    assert ends(world) == [EndReason.DECLINE]
    assert answered.names == ["online", "incoming", "ended"]


def test_a_caller_who_gives_up_ends_the_question(alice: Run, world: World, person: Types) -> None:
    world.rings, world.gives_up = [BOB], True
    person("")
    answered = alice("answer", "--once", *QUIET)
    assert answered.code == 130
    assert "ended: cancel" in answered.output
    assert answered.errors.endswith("given up before it was answered\n")
    assert ends(world) == []


def test_what_was_typed_before_the_question_is_no_answer(
    alice: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        os.write(master, b"y\ny\n")
        world.rings, world.gives_up = [BOB], True
        assert alice("answer", "--once", *QUIET).code == 130
        assert not world.sent(e.SendProceed)
    os.close(master)


def test_those_whom_the_policy_answers_are_not_asked_about(alice: Run, world: World, home: Path, person: Types) -> None:
    file = home / "openvoice.toml"
    file.write_text(file.read_text() + '[policy]\nanswer = "roster"\n')
    world.rings, world.behaviour = [BOB], Behaviour.LEAVES
    answered = alice("answer", "--once", *QUIET)
    assert answered.code == 0
    assert "[y/N]" not in answered.errors


def test_two_who_call_at_once_are_asked_about_one_after_the_other(
    alice: Run, world: World, home: Path, person: Types
) -> None:
    file = home / "openvoice.toml"
    file.write_text(file.read_text() + f'[policy]\nmaximum_calls = 2\ncallers = ["{CAROL.bare}"]\n')
    world.rings, world.at_once, world.interrupted = [BOB, CAROL], True, True
    person("n\n")
    answered = alice("answer", *QUIET)
    assert answered.code == 130
    questions = [line for line in answered.errors.split("\a") if line]
    assert questions == ["  answer bob@example.org? [y/N] ", "  answer carol@example.net? [y/N] "]
    assert ends(world) == [EndReason.DECLINE, EndReason.DECLINE]


async def test_a_caller_who_has_gone_is_not_asked_about() -> None:
    gone = SimpleNamespace(ended=object())
    assert not await answer._ask(cast("Call", gone), PeoplePrinter(Terminal()), shows=False)


@pytest.mark.parametrize(
    ("offers", "options", "question"),
    [
        (True, (), "answer bob@example.org with sound alone? [y/N]"),
        (True, ("--camera", "pattern"), "answer bob@example.org and show your pictures? [y/N]"),
        (False, ("--camera", "pattern"), "answer bob@example.org and show your pictures? [y/N]"),
    ],
)
def test_a_person_is_told_whether_pictures_will_be_shown(
    alice: Run, world: World, person: Types, offers: bool, options: tuple[str, ...], question: str
) -> None:
    world.rings, world.behaviour, world.video = [BOB], Behaviour.LEAVES, offers
    person("y\n")
    answered = alice("answer", "--once", *QUIET, *options)
    assert question in answered.errors
    assert ("is calling with video" in answered.output) is offers


def test_where_typed_keys_cannot_be_dropped_the_question_is_asked_all_the_same(
    alice: Run, world: World, person: Types, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "termios", None)
    world.rings, world.behaviour = [BOB], Behaviour.LEAVES
    person("y\n")
    assert alice("answer", "--once", *QUIET).code == 0


def speech(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(np.full(4800, 1000, "<i2").tobytes())
    return path


def test_no_recording_is_lost_to_a_later_one(alice: Run, world: World, tmp_path: Path) -> None:
    message = tmp_path / "message.wav"
    message.write_text("of yesterday")
    world.rings, world.behaviour = [BOB, BOB, CAROL], Behaviour.LEAVES
    greeting = speech(tmp_path / "greeting.wav")
    # The third caller is refused: that ends the command.
    world.flowing = lambda session: greeting.unlink() if len(world.sessions) == 2 else None
    answered = alice(
        "answer", "--from-roster", "--from", CAROL.bare, "--input", greeting, "--output", message, "--json"
    )
    assert answered.code == 2
    assert "greeting.wav" in answered.errors
    assert ends(world)[-1] is EndReason.DECLINE
    assert message.read_text() == "of yesterday"
    for number in (2, 3):
        with wave.open(str(tmp_path / f"message-{number}.wav")) as recording:
            assert recording.getframerate() == 48_000
    assert not (tmp_path / "message-4.wav").exists()


def test_waiting_makes_no_recording(alice: Run, world: World, tmp_path: Path) -> None:
    world.login = MediaFailed("stop here")
    assert alice("answer", "--from-roster", "--input", "tone", "--output", tmp_path / "x.wav").code == 7
    assert not (tmp_path / "x.wav").exists()


def test_a_call_that_the_policy_refuses_has_its_code(alice: Run, world: World) -> None:
    world.rings = [BOB]
    refused = alice("answer", "--from-roster", "--once", *QUIET, "--require", "omemo")
    assert refused.code == SecurityRefused.exit_code
    assert world.sessions == []


@pytest.mark.parametrize(("caller", "code"), [(BOB, SecurityRefused.exit_code), (CAROL, 0)])
def test_what_the_file_says_of_a_contact_holds_for_the_calls_of_that_contact(
    alice: Run, world: World, home: Path, caller: Address, code: int
) -> None:
    world.rings, world.behaviour = [caller], Behaviour.LEAVES
    with (home / "openvoice.toml").open("a") as file:
        file.write(f'[contact."{BOB.bare}"]\nrequire = "verified"\n')
    assert alice("answer", "--from", caller.bare, "--once", *QUIET).code == code


def test_a_relay_that_is_asked_for_is_used(alice: Run, world: World) -> None:
    world.rings, world.services, world.behaviour = [BOB], TURN, Behaviour.LEAVES
    assert alice("answer", "--from-roster", "--once", *QUIET, "--relay-only").code == 0
    assert world.sessions[0].settings.relay_only


def test_without_a_relay_a_call_that_needs_one_is_not_taken(alice: Run, world: World) -> None:
    world.rings = [BOB]
    refused = alice("answer", "--from-roster", "--once", *QUIET, "--relay-only")
    assert refused.code == SecurityRefused.exit_code
    assert "offers no relay" in refused.errors
    assert not world.sent(e.SendProceed)
    assert world.sessions == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (QUIET, "there is no terminal to ask in"),
        (("--from-roster", "--output", "null"), "every contact listen to this room"),
        (("--from-roster", "--input", "-", "--output", "null"), "--once"),
        (("--from-roster", "--input", "tone", "--output", "-", "--json"), "both want standard output"),
        (("--from-roster", "--input", "missing.wav", "--output", "null"), "there is no such file"),
        (("--from", "a b", *QUIET), "is not an XMPP address"),
        (("--from-roster", "--account", "x@example.org", *QUIET), "there is no account"),
    ],
)
def test_wrong_usage(alice: Run, world: World, arguments: tuple[str, ...], words: str) -> None:
    answered = alice("answer", *arguments)
    assert answered.code == 2
    assert words in answered.errors
    assert len(world.accounts) == 1


def test_sound_may_come_from_standard_input_for_one_call(
    alice: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Device, "check", lambda self, kind: None)
    world.rings, world.behaviour = [BOB], Behaviour.LEAVES
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert alice("answer", "--from", BOB.bare, "--once", "--input", "-").code == 0


# --- tones ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Device | None]]:
    """Where each command lets tones be heard."""
    made: list[dict[str, Device | None]] = []

    class Noted(Tones):
        def __init__(self, client: Client, **devices: Device | None) -> None:
            made.append(devices)
            super().__init__(client)

    for module in ("answer", "call"):
        monkeypatch.setattr(f"openvoice.cli.{module}.Tones", Noted)
    monkeypatch.setattr(Device, "check", lambda self, kind: None)
    return made


@pytest.mark.parametrize(
    ("options", "output", "ring"),
    [
        ((), Device(), Device()),
        (("--output", "headset"), Device("headset"), Device()),
        (("--output", "null"), None, None),
        (("--output", "null", "--ring-device", "speakers"), None, Device("speakers")),
        (("--ring-device", "speakers"), Device(), Device("speakers")),
        (("--quiet",), None, None),
    ],
)
def test_it_rings_where_somebody_listens(
    alice: Run,
    world: World,
    heard: list[dict[str, Device | None]],
    options: tuple[str, ...],
    output: Device | None,
    ring: Device | None,
) -> None:
    world.rings, world.behaviour = [BOB], Behaviour.LEAVES
    alice("answer", "--from", BOB.bare, "--once", "--input", "silence", *options)
    assert heard == [{"output": output, "ring": ring}]


def test_the_settings_say_where_it_rings_and_whether(
    alice: Run, world: World, heard: list[dict[str, Device | None]], home: Path
) -> None:
    settings = home / "openvoice.toml"
    kept = settings.read_text()
    world.rings, world.behaviour = [BOB], Behaviour.LEAVES
    for sound in ('[sound]\nring = "speakers"\n', "[sound]\ntones = false\n"):
        settings.write_text(sound + kept)
        alice("answer", "--from", BOB.bare, "--once", "--input", "silence")
        alice("call", BOB.bare, "--input", "silence", "--duration", "0.1")
    assert heard == [
        {"output": Device(), "ring": Device("speakers")},
        {"output": Device()},
        {"output": None, "ring": None},
        {"output": None},
    ]


def test_to_be_quiet_and_to_ring_is_a_mistake(alice: Run, world: World) -> None:
    refused = alice("answer", "--from", BOB.bare, *QUIET, "--quiet", "--ring-device", "speakers")
    assert refused.code == 2
    assert "contradict each other" in refused.errors
