from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from openvoice import Address, CameraDevice, SoundDevice
from openvoice.client.doctor import diagnose
from openvoice.client.vault import open_vault
from openvoice.config import AccountSettings, Home, StorageSettings, add_account, choose_protection, load
from openvoice.core.diagnosis import Outcome, Step
from openvoice.core.protection import Protection
from openvoice.core.security import SignallingFacts
from openvoice.errors import (
    CertificateRejected,
    ConnectionFailed,
    DeviceFailed,
    HostNotFound,
    InsecureServer,
    LoginRefused,
    MediaFailed,
    OpenVoiceError,
    ServerUnreachable,
)
from openvoice.media import reachability
from openvoice.ports import RelayServer
from openvoice.signalling.xmpp import probe
from openvoice.signalling.xmpp.endpoints import Endpoint, Security
from tests.core.certificates import certificate

ALICE = Address.parse("alice@example.org")
STUN = RelayServer("stun", "stun.example.org", 3478)
TURN = RelayServer("turn", "turn.example.org", 5349, "tls", "user", "secret")
FACTS = SignallingFacts(
    server="example.org",
    tls_version="TLSv1.3",
    cipher="AES",
    chain=(certificate(issuer="an authority"),),
    sasl_mechanism="SCRAM-SHA-256-PLUS",
    channel_binding="tls-exporter",
)
GOOD: list[probe.Step] = [
    probe.EndpointsFound((Endpoint("xmpp.example.org", 5223, (Security.DIRECT,)),)),
    probe.ChannelSecured(FACTS),
    probe.LoggedIn(FACTS, ALICE),
    probe.ServerExamined(relays=(STUN, TURN), archive=True, carbons=True),
]
BOTH = [
    SoundDevice(index=number, name="x", kind=kind, channels=1, rate=48_000, default=True, host="ALSA")
    for number, kind in enumerate(["input", "output", "output"])
]


class Patient:
    """What the doctor finds when it looks."""

    def __init__(self) -> None:
        self.steps: list[probe.Step] = list(GOOD)
        self.fails: OpenVoiceError | None = None
        self.devices: Callable[[], list[SoundDevice]] = lambda: BOTH
        self.unreachable: set[RelayServer] = set()
        self.asked: list[Any] = []
        self.processing_missing: str | None = None

    async def probe(self, *arguments: Any, **more: Any) -> AsyncIterator[probe.Step]:
        self.asked.append((arguments, more))
        for step in self.steps:
            yield step
        if self.fails is not None:
            raise self.fails

    async def reach(self, relay: RelayServer, interfaces: tuple[str, ...], ca_file: Path | None) -> str:
        assert ca_file is not None
        assert ca_file.name == "ca.pem"
        if relay in self.unreachable:
            raise MediaFailed("no answer")
        return "192.0.2.1:5000"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.locate(tmp_path)
    add_account(home, AccountSettings(address=ALICE, server=("localhost", 5223), ca_file=tmp_path / "ca.pem"))
    choose_protection(home, StorageSettings(protection=Protection.PLAIN))
    with open_vault(home, load(home).storage) as vault:
        vault.passwords.keep(ALICE, "secret")
    return home


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> Patient:
    made = Patient()
    monkeypatch.setattr(probe, "probe", made.probe)
    monkeypatch.setattr(reachability, "reach", made.reach)
    monkeypatch.setattr("openvoice.client.doctor.sound_devices", lambda: made.devices())
    monkeypatch.setattr("openvoice.client.doctor.processing_missing", lambda: made.processing_missing)
    camera = CameraDevice(index=0, name="Front")
    monkeypatch.setattr("openvoice.client.camera_check.camera_devices", lambda: [camera])
    return made


async def examined(home: Home) -> dict[str, Step]:
    steps = [step async for step in diagnose(home, None)]
    named = {step.name: step for step in steps}
    assert len(named) == len(steps), "two steps of one name"
    for step in steps:
        assert step.text
        assert bool(step.advice) == (step.outcome is not Outcome.PASSED), step
    return named


async def test_all_is_well(home: Home, patient: Patient) -> None:
    steps = await examined(home)
    assert list(steps) == [
        "configuration",
        "storage",
        "server name",
        "encryption",
        "login",
        "server features",
        "stun over udp",
        "turn over tls",
        "sound devices",
        "sound processing",
        "camera",
    ]
    assert [step.name for step in steps.values() if step.outcome is not Outcome.PASSED] == ["storage"]
    assert "the key lies in a file beside it" in steps["storage"].text
    assert steps["server name"].text == "example.org is at xmpp.example.org:5223"
    assert "certificate by an authority was checked" in steps["encryption"].text
    assert steps["login"].text == "SCRAM-SHA-256-PLUS, channel binding: tls-exporter"
    assert steps["stun over udp"].text.startswith("stun.example.org:3478 sees this device at 192.0.2.1:5000 (")
    assert steps["turn over tls"].text.startswith("turn.example.org:5349 lends 192.0.2.1:5000 (")
    assert steps["sound devices"].text == "microphones: 1, loudspeakers: 2"
    assert patient.asked == [
        ((ALICE, "secret"), {"server": ("localhost", 5223), "ca_file": home.config / "ca.pem"}),
    ]


@pytest.mark.parametrize(
    ("error", "done", "name"),
    [
        (HostNotFound("x"), 0, "server name"),
        (ServerUnreachable("x"), 1, "encryption"),
        (CertificateRejected("x"), 1, "encryption"),
        (InsecureServer("x"), 1, "encryption"),
        (LoginRefused("x"), 2, "login"),
        (ServerUnreachable("x"), 3, "server features"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_the_step_that_failed_is_named_and_the_last_of_the_server(
    home: Home, patient: Patient, error: OpenVoiceError, done: int, name: str
) -> None:
    patient.steps, patient.fails = GOOD[:done], error
    steps = await examined(home)
    assert steps[name].outcome is Outcome.FAILED
    assert list(steps)[-4:] == [name, "sound devices", "sound processing", "camera"]
    assert len(steps) == done + 6


async def test_an_error_without_advice_speaks_for_itself(home: Home, patient: Patient) -> None:
    patient.steps, patient.fails = [], ConnectionFailed("the reason and what to do")
    steps = [step async for step in diagnose(home, None)]
    assert (steps[2].text, steps[2].advice) == ("the reason and what to do", "")


async def test_unnamed_facts_are_said_in_words(home: Home, patient: Patient) -> None:
    bare = SignallingFacts(server="example.org", tls_version="TLSv1.2", cipher="AES")
    patient.steps[1:3] = [probe.ChannelSecured(bare), probe.LoggedIn(bare, ALICE)]
    steps = await examined(home)
    assert "certificate by itself" in steps["encryption"].text
    assert steps["login"].text.endswith("channel binding: none")


async def test_what_a_server_lacks_is_a_warning(home: Home, patient: Patient) -> None:
    patient.steps[3] = probe.ServerExamined(relays=(), archive=False, carbons=True)
    steps = await examined(home)
    assert steps["server features"].outcome is Outcome.WARNING
    assert "XEP-0215" in steps["server features"].text
    assert "XEP-0313" in steps["server features"].text
    assert "XEP-0280" not in steps["server features"].text
    assert "turn over tls" not in steps


async def test_a_relay_that_does_not_answer_is_a_failure(home: Home, patient: Patient) -> None:
    patient.unreachable = {TURN}
    steps = await examined(home)
    assert steps["stun over udp"].outcome is Outcome.PASSED
    assert steps["turn over tls"].outcome is Outcome.FAILED


def broken() -> list[SoundDevice]:
    raise DeviceFailed("PortAudio is not installed")


@pytest.mark.parametrize("devices", [broken, list, lambda: BOTH[:1], lambda: BOTH[1:]])
async def test_without_sound_calls_with_files_still_work(
    home: Home, patient: Patient, devices: Callable[[], list[SoundDevice]]
) -> None:
    patient.devices = devices
    steps = await examined(home)
    assert steps["sound devices"].outcome is Outcome.WARNING
    assert "calls with files work" in steps["sound devices"].advice


async def test_without_processing_others_may_hear_themselves(home: Home, patient: Patient) -> None:
    patient.processing_missing = "it is not installed"
    step = (await examined(home))["sound processing"]
    assert (step.outcome, step.text) == (Outcome.WARNING, "it is not installed")
    assert "headset" in step.advice


async def test_without_a_configuration_only_sound_is_left_to_look_at(tmp_path: Path, patient: Patient) -> None:
    steps = await examined(Home.locate(tmp_path / "empty"))
    assert steps["configuration"].outcome is Outcome.FAILED
    assert list(steps) == ["configuration", "sound devices", "sound processing", "camera"]
    assert patient.asked == []


async def test_a_password_that_is_gone_is_a_fault_of_the_configuration(home: Home, patient: Patient) -> None:
    with open_vault(home, load(home).storage) as vault:
        vault.passwords.forget(ALICE)
    assert (await examined(home))["configuration"].outcome is Outcome.FAILED
