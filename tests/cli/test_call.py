from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from openvoice import (
    CertificateRejected,
    DeviceFailed,
    HostNotFound,
    InsecureServer,
    LoginRefused,
    OpenVoiceError,
    SecurityRefused,
    ServerUnreachable,
)
from openvoice.client.sound import Device
from openvoice.core import effects as e
from openvoice.core import inputs as i

from .conftest import Run
from .terminal import Terminal
from .world import BOB, CAROL, TURN, Behaviour, World

QUIET = ("--input", "silence", "--output", "null")


def test_a_call_that_the_peer_ends(alice: Run, world: World) -> None:
    world.behaviour = Behaviour.LEAVES
    called = alice("call", BOB.bare, *QUIET, "--json")
    assert called.code == 0, called.errors
    assert called.names == ["online", "calling", "ringing", "accepted", "secured", "connected", "ended"]
    assert called.errors == ""
    told = alice("call", BOB.bare, *QUIET)
    assert told.code == 0
    assert "  connected (Ctrl-C hangs up)\n" in told.output
    assert "ended by the other side" in told.output


@pytest.mark.parametrize(
    ("behaviour", "code", "words"),
    [
        (Behaviour.IS_BUSY, 4, "is in another call"),
        (Behaviour.DECLINES, 4, "declined the call"),
        (Behaviour.SLEEPS, 5, "did not answer"),
        (Behaviour.IS_GONE, 5, "cannot be reached"),
        (Behaviour.IS_UNSAFE, 6, "refused for security"),
        (Behaviour.IS_UNREACHABLE, 7, "the call failed"),
    ],
)
def test_what_becomes_of_a_call_is_its_exit_code(
    alice: Run, world: World, behaviour: Behaviour, code: int, words: str
) -> None:
    world.behaviour = behaviour
    called = alice("call", BOB.bare, *QUIET, "--ring-timeout", "0.05", "--json")
    assert called.code == code
    assert called.names[-1] == "ended"
    assert words in called.errors
    assert called.errors.startswith("openvoice: ")
    assert called.errors.count("\n") == 1


@pytest.mark.parametrize(
    "kind",
    [HostNotFound, ServerUnreachable, CertificateRejected, InsecureServer, LoginRefused],
    ids=lambda k: k.__name__,
)
def test_without_a_login_there_is_no_call(alice: Run, world: World, kind: type[OpenVoiceError]) -> None:
    world.login = kind("the reason")
    called = alice("call", BOB.bare, *QUIET, "--json")
    assert (called.code, called.output, called.errors) == (3, "", "openvoice: the reason\n")
    assert world.performed == []


def test_the_call_ends_when_its_source_does_and_not_before_the_last_word_arrived(alice: Run, world: World) -> None:
    world.flowing = lambda session: session.notify(i.SourceEnded())
    called = alice("call", BOB.bare, *QUIET, "--json")
    assert called.code == 0
    assert called.names[-2:] == ["source-ended", "ended"]
    assert called.events[-1]["duration"] >= 0.25


def test_with_a_duration_the_end_of_the_source_does_not_count(alice: Run, world: World) -> None:
    world.flowing = lambda session: session.notify(i.SourceEnded())
    called = alice("call", BOB.bare, *QUIET, "--json", "--duration", "0.6")
    assert called.code == 0
    assert called.events[-1]["duration"] >= 0.55


def test_options_reach_the_policy_and_the_media(alice: Run, world: World) -> None:
    world.behaviour, world.services = Behaviour.LEAVES, TURN
    assert alice("call", BOB.bare, *QUIET, "--relay-only").code == 0
    assert world.sessions[-1].settings.relay_only
    assert alice("call", BOB.bare, *QUIET).code == 0
    assert not world.sessions[-1].settings.relay_only
    refused = alice("call", BOB.bare, *QUIET, "--require", "verified")
    assert refused.code == 6
    assert "verified by you" in refused.errors


def test_without_a_relay_a_call_that_needs_one_does_not_ring(alice: Run, world: World) -> None:
    refused = alice("call", BOB.bare, *QUIET, "--relay-only", "--json")
    assert refused.code == SecurityRefused.exit_code
    assert "offers no relay" in refused.errors
    assert refused.errors.count("\n") == 1
    assert refused.names == ["online"]
    assert world.performed == []


def test_a_stranger_is_called_by_a_relay_or_it_is_told(alice: Run, world: World, home: Path) -> None:
    world.behaviour = Behaviour.LEAVES
    told = alice("call", CAROL.bare, *QUIET)
    assert told.code == 0
    lines = told.output.splitlines()
    (warning,) = [line for line in lines if "your server offers no relay:" in line]
    assert lines.index(warning) < lines.index(next(line for line in lines if "connected (" in line))
    assert "is not in your contact list" in told.output
    assert not world.sessions[-1].settings.relay_only
    world.services = TURN
    kept = alice("call", CAROL.bare, *QUIET)
    assert kept.code == 0
    assert "relay:" not in kept.output
    assert world.sessions[-1].settings.relay_only
    with (home / "openvoice.toml").open("a") as file:
        file.write(f'[contact."{CAROL.bare}"]\nrelay_only = false\n')
    assert alice("call", CAROL.bare, *QUIET).code == 0
    assert not world.sessions[-1].settings.relay_only


@pytest.mark.parametrize("rule", ["relay_only = true", 'require = "verified"'])
def test_what_the_file_says_of_an_account_holds_unless_it_says_otherwise_of_a_contact(
    alice: Run, world: World, home: Path, rule: str
) -> None:
    world.behaviour = Behaviour.LEAVES
    file, account = home / "openvoice.toml", '[account."alice@example.org"]\n'
    without = file.read_text()
    assert account in without
    assert alice("call", BOB.bare, *QUIET).code == 0
    file.write_text(without.replace(account, f"{account}{rule}\n"))
    assert alice("call", BOB.bare, *QUIET).code == SecurityRefused.exit_code
    with file.open("a") as text:
        text.write(f'[contact."{BOB.bare}"]\nrelay_only = false\nrequire = "none"\n')
    assert alice("call", BOB.bare, *QUIET).code == 0
    assert alice("call", CAROL.bare, *QUIET).code == SecurityRefused.exit_code


@pytest.mark.parametrize(("option", "code"), [((), 6), (("--require", "none"), 0)])
def test_an_option_counts_more_than_what_the_file_says_of_a_contact(
    alice: Run, world: World, home: Path, option: tuple[str, ...], code: int
) -> None:
    world.behaviour = Behaviour.LEAVES
    with (home / "openvoice.toml").open("a") as file:
        file.write(f'[contact."{BOB.bare}"]\nrequire = "verified"\n')
    assert alice("call", BOB.bare, *QUIET, *option).code == code


def test_sound_on_standard_output_moves_words_to_standard_error(
    alice: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.behaviour = Behaviour.LEAVES
    called = alice("call", BOB.bare, "--input", "silence", "--output", "-")
    assert called.code == 0
    assert set(called.output) == {"\0"}
    assert "connected" in called.errors


def test_json_and_sound_do_not_share_standard_output(alice: Run, world: World) -> None:
    called = alice("call", BOB.bare, "--input", "silence", "--output", "-", "--json")
    assert called.code == 2
    assert "both want standard output" in called.errors


def test_a_terminal_gets_a_meter(alice: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr("openvoice.client.driver.STATISTICS_INTERVAL", 0.01)
    monkeypatch.setenv("TERM", "xterm")
    world.behaviour = Behaviour.LEAVES
    assert alice("call", BOB.bare, *QUIET).code == 0
    assert "\r\x1b[K  0:00  you ████████░░░░" in terminal.getvalue()
    assert not any("you █" in line for line in terminal.lines)


def test_there_must_be_a_microphone_or_a_file(alice: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: Device, kind: str) -> None:
        raise DeviceFailed(f"no {kind} was found")

    monkeypatch.setattr(Device, "check", missing)
    no_microphone = alice("call", BOB.bare, "--output", "null")
    assert (no_microphone.code, "--input FILE" in no_microphone.errors) == (7, True)
    no_loudspeaker = alice("call", BOB.bare, "--input", "tone")
    assert (no_loudspeaker.code, "--output null" in no_loudspeaker.errors) == (7, True)
    assert not world.sent(e.SendProposal)


def test_devices_that_are_there_are_used(alice: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[tuple[str, str]] = []
    monkeypatch.setattr(Device, "check", lambda self, kind: checked.append((self.name, kind)))
    world.behaviour = Behaviour.LEAVES
    assert alice("call", BOB.bare, "--input", "headset").code == 0
    assert checked == [("headset", "input"), ("default", "output")]


def test_the_folder_of_a_recording_must_be_there(alice: Run, world: World, tmp_path: Path) -> None:
    called = alice("call", BOB.bare, "--input", "tone", "--output", tmp_path / "none" / "x.wav")
    assert called.code == 2
    assert "there is no such folder" in called.errors
    assert world.accounts[1:] == []


def test_a_recording_is_not_lost_to_a_call_that_could_not_be_placed(alice: Run, world: World, tmp_path: Path) -> None:
    recording = tmp_path / "yesterday.wav"
    recording.write_text("what was said")
    world.login = LoginRefused("no")
    assert alice("call", BOB.bare, "--input", "tone", "--output", recording).code == 3
    assert recording.read_text() == "what was said"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("a b",), "is not an XMPP address"),
        (("bob@example.org", "--duration", "0"), "--duration"),
        (("bob@example.org", "--duration", "nan"), "--duration"),
        (("bob@example.org", "--ring-timeout", "inf"), "--ring-timeout"),
        (("bob@example.org", "--duration", "-1"), "--duration"),
        (("bob@example.org", "--ring-timeout", "soon"), "--ring-timeout"),
        (("bob@example.org", "--require", "magic"), "--require"),
        (("bob@example.org", "--account", "nobody@example.org"), "there is no account nobody@example.org"),
        ((), "Missing argument"),
    ],
)
def test_wrong_usage(alice: Run, world: World, arguments: tuple[str, ...], words: str) -> None:
    called = alice("call", *arguments)
    assert called.code == 2
    assert words in called.errors
    assert called.output == ""


def test_without_an_account_that_is_said_first(run: Run, world: World) -> None:
    called = run("call", BOB.bare)
    assert called.code == 2
    assert "openvoice account add you@example.org" in called.errors


def test_the_microphones_of_the_settings_are_the_default(
    alice: Run, world: World, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home / "openvoice.toml"
    file.write_text(file.read_text() + '[sound]\ninput = "silence"\noutput = "null"\n')
    world.behaviour = Behaviour.LEAVES
    assert alice("call", BOB.bare).code == 0
    assert json.loads(alice("history", "--json").output)["outcome"] == "answered"
