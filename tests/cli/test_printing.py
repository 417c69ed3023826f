from __future__ import annotations

import asyncio
import json
from pathlib import Path

import jsonschema
import pytest

from openvoice import Account, Address, CallStatistics, Client, EndReason, Happening, InvalidState, Vouching
from openvoice.cli.printing import JsonPrinter, PeoplePrinter, Printer, printer, told
from openvoice.client.certificates import told_of
from openvoice.core import events
from openvoice.core.certificates import CertificateChange
from openvoice.core.policy import Alarm
from openvoice.core.security import assess
from openvoice.core.types import DeviceChange, Origin, SoundDirection, VideoLabel
from openvoice.testing.fakes import FakeMediaEngine, FakeSignalling, facts
from tests.core.certificates import DAY, JULY, certificate, change

from .happenings import CHANGE, EVERYTHING, NUMBERS, ended, of, of_connection
from .terminal import Terminal

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "events.schema.json").read_text())


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")


def told_to_people(happening: Happening, *, terminal: bool = False) -> list[str]:
    stream = Terminal(terminal=terminal)
    shown = PeoplePrinter(stream)
    shown.show(happening)
    shown.close()
    return stream.lines if stream.getvalue() else []


def test_every_event_there_is_is_tried_here() -> None:
    assert {happening.name for happening in EVERYTHING} == {
        *(kind.name for kind in events.CallEvent.__subclasses__()),
        "online",
        "offline",
        "certificate-changed",
        "missed",
    }


def test_another_certificate_is_told_in_one_line_as_loud_as_it_is() -> None:
    def line(told: CertificateChange, alarm: Alarm = Alarm.TELL) -> str:
        (line,) = told_to_people(of_connection("certificate-changed", **told_of(told, "alice@example.org", alarm)))
        return line

    renewal = change(certificate(), certificate(begins=JULY + 60 * DAY))
    assert line(CHANGE).startswith("  ! The certificate of example.org is not the one known since 2026-07-02")
    assert line(renewal).startswith("  · The certificate of example.org was renewed")
    assert "'openvoice account trust-certificate alice@example.org'" in line(renewal, Alarm.REFUSE)


@pytest.mark.parametrize("happening", EVERYTHING, ids=lambda happening: happening.name)
def test_programs_get_one_line_of_the_schema(happening: Happening) -> None:
    stream = Terminal(terminal=False)
    JsonPrinter(stream).show(happening)
    (line,) = stream.lines
    assert json.loads(line) == happening.as_dict()
    jsonschema.validate(json.loads(line), SCHEMA)


@pytest.mark.parametrize(
    ("happening", "words"),
    [
        (EVERYTHING[0], "online as alice@example.org"),
        (EVERYTHING[1], "not online: the server does not answer"),
        (EVERYTHING[2], "missed call of bob@example.org, who heard that you are in another call"),
        (of_connection("missed", peer="bob@example.org", outcome="missed"), "missed call of bob@example.org"),
        (
            of_connection("missed", peer="{peer}", outcome="answered-elsewhere"),
            "{peer} called; another of your devices answered",
        ),
        (of(events.CallPlaced("bob@example.org")), "calling bob@example.org ..."),
        (of(events.CallRinging()), "it rings"),
        (of(events.CallUnheard()), "no device has answered so far; still trying"),
        (of(events.CallIncoming("bob@example.org")), "bob@example.org is calling"),
        (of(events.CallIncoming("bob@example.org", video=True)), "bob@example.org is calling with video"),
        (of(events.CallAccepted()), "accepted; looking for a path"),
        (
            of(events.CallExposed()),
            "not in your contacts, and your server offers no relay: they will learn this device's address",
        ),
        (of(events.CallConnected()), "connected (Ctrl-C hangs up)"),
        (of(events.CallInterrupted()), "nothing is heard from the other device; trying to find another way ..."),
        (of(events.CallRestored()), "connected again"),
        (
            of(events.CallMoved(Origin.REMOTE)),
            "the call moves to a new connection; nothing is sent until that is secured ...",
        ),
        (of(events.MuteChanged(True, Origin.LOCAL)), "muted"),
        (of(events.MuteChanged(False, Origin.LOCAL)), "not muted any more"),
        (of(events.HoldChanged(True, Origin.LOCAL)), "on hold"),
        (of(events.HoldChanged(False, Origin.REMOTE)), "not on hold any more, by the other side"),
        (of(events.DigitDialled("#")), "key #"),
        (
            of(
                events.DeviceReported(
                    direction=SoundDirection.INPUT,
                    what=DeviceChange.LOST,
                    device="Headset",
                    text="the microphone is gone",
                )
            ),
            "the microphone is gone",
        ),
        (of(events.VideoChanged(VideoLabel.CAMERA, True, Origin.REMOTE)), "their camera is shown"),
        (of(events.VideoChanged(VideoLabel.SCREEN, False, Origin.LOCAL)), "your screen is not shown any more"),
        (of(events.VideoRefused(VideoLabel.SCREEN, "the peer does not want it")), "the peer does not want it"),
        (of(ended()), "ended"),
        (of(ended(origin=Origin.REMOTE)), "ended by the other side"),
        (of(ended(origin=Origin.ELSEWHERE)), "ended: taken on another of your devices"),
        (of(ended(EndReason.DECLINE, Origin.ELSEWHERE)), "ended: declined on another of your devices"),
        (of(ended(EndReason.BUSY)), "ended: busy"),
        (of(ended(EndReason.CONNECTIVITY_ERROR, text="no path")), "ended: connectivity error (no path)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_people_get_a_sentence(happening: Happening, words: str) -> None:
    assert told_to_people(happening) == [f"  {words}"]


@pytest.mark.parametrize(
    "happening",
    [of(events.SourceFinished()), of(events.MuteChanged(True, Origin.REMOTE)), of(events.StatisticsMeasured(NUMBERS))],
    ids=lambda happening: happening.name,
)
def test_what_is_of_no_use_to_people_is_left_out_of_pipes(happening: Happening) -> None:
    assert told_to_people(happening) == []


@pytest.mark.parametrize("vouching", list(Vouching))
def test_who_vouches_is_told_when_the_keys_are_agreed(vouching: Vouching) -> None:
    (line,) = told_to_people(of(events.CallSecured(assess(vouching, facts(), None))))
    assert "SRTP_AEAD_AES_128_GCM, DTLS 1.2" in line
    assert ("servers" in line) == (vouching is Vouching.SIGNALLED)
    assert ("OMEMO" in line) == (vouching >= Vouching.OMEMO_TRUSTED)


def test_the_end_of_a_call_that_took_place_says_who_could_have_listened() -> None:
    lines = told_to_people(of(ended(duration=6.04)))
    assert lines[:2] == ["  ended", "  6.0 s, lost 1.2%, made up 0.0%, codec opus"]
    assert any(line.startswith("  ! Only the servers vouch") for line in lines)
    assert any(line.startswith("  ✓ Sound was encrypted") for line in lines)
    assert any(line.startswith("  · ") for line in lines)
    assert "codec none" in told_to_people(of(ended(duration=1.0, statistics=CallStatistics())))[1]


def test_the_meter_is_redrawn_in_place_and_gone_in_the_end() -> None:
    stream = Terminal()
    shown = PeoplePrinter(stream)
    shown.show(of(events.CallConnected()))
    shown.show(of(events.StatisticsMeasured(NUMBERS), at=65.5))
    meter = stream.lines[-1]
    assert meter == "  1:05  you ██████░░░░░░  them ░░░░░░░░░░░░  lost 1.2%  delay 40 ms  round trip 31 ms"
    shown.show(of(events.StatisticsMeasured(CallStatistics()), at=66))
    assert stream.lines[-1].endswith("delay 0 ms")
    shown.show(of(ended()))
    shown.close()
    assert stream.lines == ["  connected (Ctrl-C hangs up)", "  ended"]


def test_a_meter_before_the_first_sound_counts_from_nothing() -> None:
    assert told_to_people(of(events.StatisticsMeasured(NUMBERS)), terminal=True) == [""]
    stream = Terminal()
    PeoplePrinter(stream).show(of(events.StatisticsMeasured(NUMBERS)))
    assert stream.lines[-1].startswith("  0:00  you")


HOSTILE = "\x1b[2J\u202eevil\r\n@example.org"


@pytest.mark.parametrize(
    "happening",
    [
        of(events.CallIncoming(HOSTILE)),
        of(events.CallPlaced(HOSTILE)),
        of(events.DigitDialled(HOSTILE)),
        of(
            events.DeviceReported(
                direction=SoundDirection.INPUT, what=DeviceChange.LOST, device="Headset", text=HOSTILE
            )
        ),
        of(ended(EndReason.BUSY, Origin.REMOTE, HOSTILE)),
        of_connection("missed", peer=HOSTILE, outcome="missed"),
    ],
    ids=lambda happening: happening.name,
)
def test_hostile_words_stay_on_their_line(happening: Happening) -> None:
    (line,) = told_to_people(happening)
    assert line.isprintable()
    assert "evil" in line
    stream = Terminal(terminal=False)
    JsonPrinter(stream).show(happening)
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().isascii()
    assert HOSTILE in json.loads(stream.getvalue()).values()


def test_questions_go_where_a_person_sees_them(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    for shown in (PeoplePrinter(terminal), PeoplePrinter(Terminal(terminal=False)), JsonPrinter(Terminal())):
        shown.ask("answer?")
        shown.answered()
        shown.close()
    assert terminal.getvalue() == "\a  answer? "
    assert capsys.readouterr().err == "\a  answer? " * 2


def test_what_is_said_to_people_is_no_event(capsys: pytest.CaptureFixture[str]) -> None:
    printer(as_json=True).say("waiting")
    printer(as_json=False).say("waiting")
    assert capsys.readouterr().out == "  waiting\n"


def client() -> Client:
    def signalling(*_: object) -> FakeSignalling:
        return FakeSignalling(Address.parse("alice@example.org/a"))

    account = Account(address=Address.parse("alice@example.org"), password="x")
    return Client(account, engine=FakeMediaEngine(), signalling=signalling)


async def test_telling_goes_on_until_nothing_happens_any_more() -> None:
    stream = Terminal(terminal=False)
    async with told(client(), PeoplePrinter(stream)) as online:
        online.connection_changed(False, "the cable was pulled")
    assert stream.lines == ["  not online: the cable was pulled"]


class Gone(Terminal):
    """A pipe whose reader has left."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("kind", [JsonPrinter, PeoplePrinter])
async def test_where_nobody_reads_any_more_nothing_goes_on(kind: type[JsonPrinter | PeoplePrinter]) -> None:
    shown: Printer = kind(Gone(terminal=False))
    waiting = client()

    async def wait() -> None:
        async with told(waiting, shown) as online:
            online.connection_changed(True, "")
            await asyncio.sleep(60)

    with pytest.raises(BrokenPipeError):
        await wait()
    with pytest.raises(InvalidState, match="once"):
        await waiting.__aenter__()


def test_an_address_in_other_letters_is_not_shown_as_if_it_were_plain() -> None:
    """Threat 19."""
    (line,) = told_to_people(of(events.CallIncoming("\u0430lice@example.org")))
    assert "written in Cyrillic letters" in line
    (line,) = told_to_people(of(events.CallIncoming("alice@example.org")))
    assert "careful" not in line
