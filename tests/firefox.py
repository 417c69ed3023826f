"""Firefox without a window, driven by Marionette, the protocol below its WebDriver: no package, no geckodriver.

    async with firefox(PREFERENCES) as browser:
        page = await browser.page("<body>...")
        assert await page.evaluate("1 + 1") == 2

Marionette is a TCP port of loopback that Firefox chooses and writes into its profile. Messages are JSON arrays behind
their length: ``27:[0,1,"WebDriver:GetTitle",{}]`` asks, ``[1,1,error,result]`` answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

Preferences = Mapping[str, bool | int | str]

NAMES = ("firefox-esr", "firefox")
WEBRTC: Preferences = {
    "media.autoplay.blocking_policy": 0,
    "media.autoplay.default": 0,
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
}
"""Sound without a click, a microphone that hums, candidates with addresses, those of loopback too."""
_QUIET: Preferences = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.startup.page": 0,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.update.enabled": False,
    "marionette.port": 0,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "data:,",
}
"""It asks nobody for anything."""
STARTS_WITHIN = 60.0
ENDS_WITHIN = 5.0
SCRIPT_WITHIN = 120.0
"""Seconds."""


class FirefoxError(Exception):
    """Firefox refused a command, a script threw, or the browser is gone."""


def executable() -> str | None:
    """The Firefox of this machine, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Marionette:
    """A connection: one command after the other."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._numbers = itertools.count(1)
        self._turn = asyncio.Lock()

    async def command(self, name: str, **parameters: Any) -> Any:
        """The result of a command. Raises :class:`FirefoxError`."""
        async with self._turn:
            return await self._command(name, parameters)

    async def commands(self, *commands: tuple[str, dict[str, Any]]) -> Any:
        """The result of the last of some commands with none between them. Raises :class:`FirefoxError`."""
        result = None
        async with self._turn:
            for name, parameters in commands:
                result = await self._command(name, parameters)
        return result

    async def greeting(self) -> dict[str, Any]:
        return dict(await self._read())

    def close(self) -> None:
        self._writer.close()

    async def _command(self, name: str, parameters: dict[str, Any]) -> Any:
        number = next(self._numbers)
        message = json.dumps([0, number, name, parameters]).encode()
        self._writer.write(b"%d:%s" % (len(message), message))
        while True:
            _, answered, error, result = await self._read()
            if answered != number:
                # The answer to a command whose test was given up.
                continue
            if error:
                raise FirefoxError(error.get("message") or str(error))
            return result

    async def _read(self) -> Any:
        try:
            length = await self._reader.readuntil(b":")
            return json.loads(await self._reader.readexactly(int(length[:-1])))
        except (OSError, asyncio.IncompleteReadError) as error:
            raise FirefoxError("Firefox ended.") from error


class Page:
    """A tab."""

    def __init__(self, marionette: Marionette, handle: str) -> None:
        self._marionette = marionette
        self._here = ("WebDriver:SwitchToWindow", {"handle": handle})

    async def open(self, address: str) -> None:
        """Load a page, wholly."""
        await self._marionette.commands(self._here, ("WebDriver:Navigate", {"url": address}))

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression, awaited if it is a promise, as JSON carries it.

        Raises :class:`FirefoxError` with what the script threw.
        """
        script: dict[str, Any] = {"script": f"return {expression}", "args": [], "sandbox": None}
        return (await self._marionette.commands(self._here, ("WebDriver:ExecuteScript", script)))["value"]

    async def call(self, function: str, *arguments: Any) -> Any:
        """The value of a function of the page, called with what JSON can carry."""
        return await self.evaluate(f"{function}({', '.join(map(json.dumps, arguments))})")

    async def close(self) -> None:
        await self._marionette.commands(self._here, ("WebDriver:CloseWindow", {}))


class Browser:
    """A running Firefox."""

    def __init__(self, marionette: Marionette, folder: Path, version: str, handle: str) -> None:
        self._marionette, self._folder = marionette, folder
        # New tabs are asked for from one that stays.
        self._home = ("WebDriver:SwitchToWindow", {"handle": handle})
        self._numbers = itertools.count()
        self.version = version

    async def page(self, html: str = "") -> Page:
        """A new tab with ``html``, which stands in a file: a secure context, as much of WebRTC wants it."""
        path = self._folder / f"{next(self._numbers)}.html"
        path.write_text(html)
        opened = await self._marionette.commands(self._home, ("WebDriver:NewWindow", {"type": "tab"}))
        page = Page(self._marionette, opened["handle"])
        await page.open(path.as_uri())
        return page


@asynccontextmanager
async def firefox(
    preferences: Preferences = MappingProxyType({}),
    *,
    authority: bytes | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
    path: str | None = None,
) -> AsyncIterator[Browser]:
    """A browser with a profile of its own, gone with all its processes at the end. It trusts ``authority`` (PEM), too.

    Without a sound server in its ``environment`` its Web Audio stands still.

    Raises :class:`FirefoxError` where none is installed.
    """
    path = path or executable()
    if path is None:
        raise FirefoxError("Firefox is not installed.")
    with tempfile.TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True) as folder:
        profile = Path(folder) / "profile"
        profile.mkdir()
        chosen = {**_QUIET, **preferences}
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in chosen.items())
        (profile / "user.js").write_text("\n".join(lines))
        process = await asyncio.create_subprocess_exec(
            *(
                path,
                "--headless",
                "--no-remote",
                "--profile",
                str(profile),
                "--marionette",
                "--remote-allow-system-access",
            ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **environment, "HOME": folder, "MOZ_CRASHREPORTER_DISABLE": "1"},
            start_new_session=True,
        )
        try:
            marionette = await asyncio.wait_for(_connect(process, profile / "MarionetteActivePort"), STARTS_WITHIN)
            try:
                capabilities = {"timeouts": {"script": int(1000 * SCRIPT_WITHIN)}}
                session = await marionette.command("WebDriver:NewSession", capabilities={"alwaysMatch": capabilities})
                if authority is not None:
                    await _trust(marionette, authority)
                (first,) = await marionette.command("WebDriver:GetWindowHandles")
                yield Browser(marionette, Path(folder), session["capabilities"]["browserVersion"], first)
                with contextlib.suppress(TimeoutError, FirefoxError):
                    await asyncio.wait_for(marionette.command("Marionette:Quit", flags=["eForceQuit"]), ENDS_WITHIN)
            finally:
                marionette.close()
        finally:
            await _end(process)


_TRUST = """
Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).addCertFromBase64(arguments[0], "C,,")
"""


async def _trust(marionette: Marionette, authority: bytes) -> None:
    """Believe what it says of servers, until the profile is gone."""
    base64 = "".join(line for line in authority.decode().splitlines() if not line.startswith("-"))
    await marionette.commands(
        ("Marionette:SetContext", {"value": "chrome"}),
        ("WebDriver:ExecuteScript", {"script": _TRUST, "args": [base64]}),
        ("Marionette:SetContext", {"value": "content"}),
    )


async def _connect(process: asyncio.subprocess.Process, port_file: Path) -> Marionette:
    """Wait until it listens."""
    while process.returncode is None:
        with contextlib.suppress(OSError, ValueError):
            port = int(await asyncio.to_thread(port_file.read_text))
            marionette = Marionette(*await asyncio.open_connection("127.0.0.1", port))
            await marionette.greeting()
            return marionette
        await asyncio.sleep(0.02)
    raise FirefoxError("Firefox ended.")


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), ENDS_WITHIN)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
