"""Browsers, of which each runs once, and those who meet in a call: a client of openvoice, and a page in a browser."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from openvoice import Account, Client, Policy, temporary_keys
from openvoice.ports import MediaEngine
from openvoice.server.certificates import Certificate, CertificateAuthority
from openvoice.server.private import LOOPBACK
from openvoice.server.prosody import DOMAIN, Prosody
from openvoice.server.turn import Turn
from openvoice.testing.plugin import running
from tests.browsers.peer import SCRIPT, Tab, WebPeer
from tests.browsers.speech import said, sound_file
from tests.chromium import WEBRTC, chromium
from tests.chromium import Browser as Chromium
from tests.chromium import executable as chromium_executable
from tests.devices.pulse import PulseAudio
from tests.firefox import WEBRTC as FIREFOX_WEBRTC
from tests.firefox import Browser as Firefox
from tests.firefox import executable as firefox_executable
from tests.firefox import firefox

NEEDED = {"chromium": (chromium_executable,), "firefox": (firefox_executable, lambda: shutil.which("pulseaudio"))}

Meeting = Callable[..., AbstractAsyncContextManager[tuple[Client, WebPeer]]]
"""``async with meeting(policy=..., **settings) as (client, web): ...``: see :func:`meeting`."""


@pytest.fixture(scope="session")
def certificate(authority: CertificateAuthority) -> Certificate:
    return authority.issue(DOMAIN, LOOPBACK)


@pytest.fixture(scope="session")
def authority() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture(scope="session")
def prosody(
    request: pytest.FixtureRequest, authority: CertificateAuthority, certificate: Certificate
) -> Iterator[Prosody]:
    """One that pages can log in at."""
    if not Prosody.is_installed():
        pytest.skip(Prosody.missing())
    relay: Turn | None = request.getfixturevalue("turn") if Turn.is_installed() else None
    with running(Prosody(turn=relay, websocket=True, authority=authority, certificate=certificate)) as server:
        yield server


class Browsers:
    """Starts each browser when its first tab is asked for."""

    def __init__(self, authority: CertificateAuthority, certificate: Certificate, folder: Path) -> None:
        self._authority, self._certificate, self._folder = authority, certificate, folder
        self._stack = AsyncExitStack()
        self._running: dict[str, Chromium | Firefox] = {}

    async def tab(self, name: str) -> Tab:
        """A new tab with the page in ``chromium`` or ``firefox``."""
        if not SCRIPT.exists():
            pytest.skip("the page is not built: run 'scripts/setup --tests'")
        if name not in self._running:
            for program in NEEDED[name]:
                if not program():
                    pytest.skip(f"{name} is not installed, or no sound server")
            starting = self._chromium() if name == "chromium" else self._firefox()
            self._running[name] = await self._stack.enter_async_context(starting)
        return await self._running[name].page(f"<!doctype html><body><script>{SCRIPT.read_text()}</script>")

    async def close(self) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def _firefox(self) -> AsyncIterator[Firefox]:
        sound = PulseAudio(self._folder)
        await asyncio.to_thread(sound.start)
        try:
            trusted, environment = self._authority.certificate, sound.environment
            async with firefox(FIREFOX_WEBRTC, authority=trusted, environment=environment) as browser:
                yield browser
        finally:
            sound.kill()

    def _chromium(self) -> AbstractAsyncContextManager[Chromium]:
        microphone = self._folder / "microphone.wav"
        microphone.write_bytes(sound_file(said("bob")))
        return chromium(
            (
                *WEBRTC,
                "--disable-audio-output",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}",
                f"--ignore-certificate-errors-spki-list={public_key(self._certificate)}",
            )
        )


def public_key(certificate: Certificate) -> str:
    """The base64 of its SHA-256: what Chromium trusts."""
    key = x509.load_pem_x509_certificate(certificate.certificate).public_key()
    return base64.b64encode(
        hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()
    ).decode()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browsers(
    authority: CertificateAuthority, certificate: Certificate, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Browsers]:
    all_of_them = Browsers(authority, certificate, tmp_path_factory.mktemp("browsers"))
    yield all_of_them
    await all_of_them.close()


@pytest.fixture
def meeting(prosody: Prosody, browsers: Browsers) -> Meeting:
    """Makes two who are online and in each other's contacts, with accounts of their own."""

    @asynccontextmanager
    async def meet(
        *, browser: str = "chromium", policy: Policy | None = None, engine: MediaEngine | None = None, **settings: Any
    ) -> AsyncIterator[tuple[Client, WebPeer]]:
        names = [f"{name}-{secrets.token_hex(4)}" for name in ("alice", "bob")]
        for name in names:
            prosody.add_account(name, secrets.token_urlsafe())
        prosody.acquaint(*names)
        ours, theirs = (prosody.address(name) for name in names)
        account = Account(
            address=ours,
            password=prosody.accounts[names[0]],
            server=(prosody.host, prosody.port),
            ca_file=prosody.ca_file,
        )
        web = WebPeer(await browsers.tab(browser))
        if browser == "firefox":
            settings["sentence"] = base64.b64encode(sound_file(said("bob"))).decode()
        try:
            await web.begin(
                address=str(theirs), password=prosody.accounts[names[1]], server=prosody.websocket, **settings
            )
            async with Client(
                account, policy=policy, interfaces=(prosody.host,), engine=engine, keys=temporary_keys()
            ) as client:
                yield client, web
                assert not await web.faults()
        finally:
            await web.leave()

    return meet
