"""Tries everything that a call needs, step by step, and says of each failure what to do."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from openvoice.client.account import unlock
from openvoice.client.camera_check import camera_step
from openvoice.client.sound import processing_missing, sound_devices
from openvoice.client.vault import open_vault, protection_in_words
from openvoice.config import Home, load
from openvoice.core.address import Address
from openvoice.core.diagnosis import Outcome, Step
from openvoice.core.protection import Protection
from openvoice.core.security import SignallingFacts
from openvoice.errors import (
    CertificateRejected,
    ConfigurationError,
    DeviceFailed,
    HostNotFound,
    InsecureServer,
    LoginRefused,
    MediaFailed,
    OpenVoiceError,
    ServerUnreachable,
)
from openvoice.ports import RelayServer

if TYPE_CHECKING:
    from openvoice.signalling.xmpp.probe import ServerExamined


_ADVICE: dict[type[OpenVoiceError], str] = {
    ConfigurationError: "Do so, then run 'openvoice doctor' again.",
    HostNotFound: "Check the spelling of the address and your network; --server HOST:PORT goes around DNS.",
    ServerUnreachable: "Check your network and firewall (ports 5222 and 5223), or ask the server's operator.",
    CertificateRejected: "Do not go on: ask the server's operator. A private authority is named with --ca FILE.",
    InsecureServer: "Do not go on: somebody may sit in between. Try another network, ask the server's operator.",
    LoginRefused: "Check name and password, then 'openvoice account add' again.",
    DeviceFailed: "To talk, connect a microphone and a loudspeaker; calls with files work without.",
    MediaFailed: "Calls to people behind strict firewalls may fail; tell the server's operator.",
}

_STORAGE_ADVICE = "Protect it with 'openvoice storage protect --keyring', or with --passphrase-file FILE on a server."


_PROCESSING_ADVICE = "Calls work without; use a headset then, so that others do not hear themselves."


async def diagnose(home: Home, address: Address | None) -> AsyncIterator[Step]:
    """All steps in their order. A step that others build on ends the account's part when it fails."""
    try:
        settings = load(home)
        chosen = settings.account(address)
        with open_vault(home, settings.storage) as vault:
            protection = vault.protection
            account = await unlock(chosen, vault.passwords)
    except ConfigurationError as error:
        yield _failed("configuration", error)
    else:
        yield Step("configuration", Outcome.PASSED, f"{home.file} is in order; account {account.address}")
        yield _storage_step(protection)
        relays: tuple[RelayServer, ...] = ()
        async for step, found in _server_steps(
            account.address, account.password, server=account.server, ca_file=account.ca_file
        ):
            relays += found
            yield step
        for relay in relays:
            yield await _relay_step(relay, settings.interfaces, account.ca_file)
    yield _sound_step()
    yield _processing_step()
    yield camera_step()


async def _server_steps(
    account: Address, password: str, *, server: tuple[str, int] | None, ca_file: Path | None
) -> AsyncIterator[tuple[Step, tuple[RelayServer, ...]]]:
    from openvoice.signalling.xmpp import probe

    name = "server name"
    try:
        async for found in probe.probe(account, password, server=server, ca_file=ca_file):
            match found:
                case probe.EndpointsFound(endpoints):
                    places = ", ".join(f"{place.host}:{place.port}" for place in endpoints)
                    yield Step(name, Outcome.PASSED, f"{account.domain} is at {places}"), ()
                    name = "encryption"
                case probe.ChannelSecured(facts):
                    yield Step(name, Outcome.PASSED, _channel(facts)), ()
                    name = "login"
                case probe.LoggedIn(facts):
                    binding = facts.channel_binding or "none"
                    text = f"{facts.sasl_mechanism}, channel binding: {binding}"
                    yield Step(name, Outcome.PASSED, text), ()
                    name = "server features"
                case probe.ServerExamined():
                    yield _features(found), found.relays
    except OpenVoiceError as error:
        yield _failed(name, error), ()


def _channel(facts: SignallingFacts) -> str:
    return f"{facts.tls_version}, {facts.cipher}; certificate by {facts.certificate_issuer or 'itself'} was checked"


def _features(found: ServerExamined) -> Step:
    wanted = {
        "STUN and TURN servers (XEP-0215)": bool(found.relays),
        "archive of missed calls (XEP-0313)": found.archive,
        "other devices stop ringing (XEP-0280)": found.carbons,
    }
    missing = [name for name, there in wanted.items() if not there]
    if not missing:
        return Step("server features", Outcome.PASSED, ", ".join(wanted))
    return Step(
        "server features",
        Outcome.WARNING,
        f"missing: {', '.join(missing)}",
        "Calls work, but through fewer firewalls or on fewer devices at once: ask the server's operator.",
    )


async def _relay_step(relay: RelayServer, interfaces: tuple[str, ...], ca_file: Path | None) -> Step:
    from openvoice.media.reachability import reach

    name = f"{relay.kind} over {relay.transport}"
    begun = time.perf_counter()
    try:
        address = await reach(relay, interfaces, ca_file)
    except MediaFailed as error:
        return _failed(name, error)
    took = (time.perf_counter() - begun) * 1000
    verb = "lends" if relay.kind == "turn" else "sees this device at"
    return Step(name, Outcome.PASSED, f"{relay.host}:{relay.port} {verb} {address} ({took:.0f} ms)")


def _storage_step(protection: Protection) -> Step:
    text = f"what is kept is {protection_in_words(protection)}"
    if protection is not Protection.PLAIN:
        return Step("storage", Outcome.PASSED, text)
    return Step("storage", Outcome.WARNING, text, _STORAGE_ADVICE)


def _sound_step() -> Step:
    try:
        devices = sound_devices()
    except DeviceFailed as error:
        return _failed("sound devices", error, Outcome.WARNING)
    microphones = sum(device.kind == "input" for device in devices)
    text = f"microphones: {microphones}, loudspeakers: {len(devices) - microphones}"
    if 0 < microphones < len(devices):
        return Step("sound devices", Outcome.PASSED, text)
    return Step("sound devices", Outcome.WARNING, text, _ADVICE[DeviceFailed])


def _processing_step() -> Step:
    missing = processing_missing()
    if missing is None:
        return Step("sound processing", Outcome.PASSED, "what takes care of echo, noise and level is there")
    return Step("sound processing", Outcome.WARNING, missing, _PROCESSING_ADVICE)


def _failed(name: str, error: OpenVoiceError, outcome: Outcome = Outcome.FAILED) -> Step:
    advice = next((words for kind, words in _ADVICE.items() if isinstance(error, kind)), "")
    return Step(name, outcome, str(error), advice)
