"""Chromium without a window, driven over its debugging pipe: no package, no port, no WebDriver.

    async with chromium(flags=WEBRTC) as browser:
        page = await browser.page("<body>...")
        assert await page.evaluate("1 + 1") == 2

The browser speaks the Chrome DevTools Protocol: JSON texts, each ended by a NUL, which it reads from file descriptor 3
and writes to 4 (``--remote-debugging-pipe``). It ends when the pipe does, so that none outlives a test that was killed.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-extensions",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--password-store=basic",
)
WEBRTC = (
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--use-fake-ui-for-media-stream",
    "--disable-features=Translate,OptimizationHints,MediaRouter,AutofillServerCommunication,WebRtcHideLocalIpsWithMdns,"
    "LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
)
"""Sound without a click, candidates with addresses, and a way from any page to servers of this machine."""

ADDRESS = "https://page.invalid/"
"""Where every page seems to come from: a secure context, as much of WebRTC wants it. Nothing is fetched."""
ENDS_WITHIN = 5.0
"""Seconds."""

_LAUNCH = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD_CLOEXEC, 10) for end in sys.argv[1:3]]
for place, end in enumerate(ends, 3):
    os.dup2(end, place)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Puts the ends of the pipe where Chromium looks for them."""

Event = Callable[[dict[str, Any]], None]


class ChromiumError(Exception):
    """Chromium refused a command, a script threw, or the browser is gone."""


def executable() -> str | None:
    """The Chromium of this machine, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Pipe(asyncio.Protocol):
    """The two ways of a debugging pipe: commands with numbers, their answers, and events."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._listeners: dict[tuple[str, str], Event] = {}
        self._pieces: list[bytes] = []
        self._writer: asyncio.WriteTransport | None = None
        self.closed = asyncio.Event()

    async def attach(self, reading: int, writing: int) -> None:
        """Speak over two file descriptors, which are closed with the pipe."""
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: self, os.fdopen(reading, "rb", 0))
        self._writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(writing, "wb", 0))

    def data_received(self, data: bytes) -> None:
        *whole, rest = data.split(b"\0")
        for end in whole:
            text = b"".join([*self._pieces, end])
            self._pieces.clear()
            self._take(json.loads(text))
        self._pieces.append(rest)

    def connection_lost(self, error: Exception | None) -> None:
        self.closed.set()
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(ChromiumError("Chromium ended."))

    def listen(self, session: str, method: str, event: Event) -> None:
        """Call ``event`` with the parameters of each event of that name in that session (``""``: the browser's)."""
        self._listeners[session, method] = event

    async def command(self, method: str, parameters: dict[str, Any], session: str = "") -> dict[str, Any]:
        """The result of a command. Raises :class:`ChromiumError`."""
        if self._writer is None or self.closed.is_set():
            raise ChromiumError("Chromium ended.")
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        self._writer.write(json.dumps(message).encode() + b"\0")
        try:
            return await answer
        finally:
            del self._answers[number]

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def _take(self, message: dict[str, Any]) -> None:
        if "id" not in message:
            listener = self._listeners.get((message.get("sessionId", ""), message["method"]))
            if listener is not None:
                listener(message.get("params", {}))
            return
        answer = self._answers.get(message["id"])
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(ChromiumError(str(message["error"].get("message"))))
        else:
            answer.set_result(message.get("result", {}))


class Page:
    """A tab. ``console`` has what its scripts said, and what they threw without catching it."""

    def __init__(self, pipe: Pipe, session: str, target: str) -> None:
        self._pipe = pipe
        self._session = session
        self._target = target
        self._bindings: dict[str, Callable[[str], None]] = {}
        self._loaded = asyncio.Event()
        self._tasks: set[asyncio.Future[Any]] = set()
        self.console: list[str] = []

    async def open(self, html: str) -> None:
        """Show ``html`` as what stands at :data:`ADDRESS`."""

        def fulfil(event: dict[str, Any]) -> None:
            wanted = event["request"]["url"] == ADDRESS
            body = base64.b64encode(html.encode()).decode() if wanted else ""
            headers = [{"name": "content-type", "value": "text/html; charset=utf-8"}]
            answer = {"requestId": event["requestId"], "responseCode": 200 if wanted else 404}
            self._spawn("Fetch.fulfillRequest", answer | {"responseHeaders": headers, "body": body})

        events: dict[str, Event] = {
            "Fetch.requestPaused": fulfil,
            "Page.loadEventFired": lambda _: self._loaded.set(),
            "Runtime.consoleAPICalled": self._said,
            "Runtime.exceptionThrown": lambda event: self.console.append(_thrown(event["exceptionDetails"])),
            "Runtime.bindingCalled": lambda event: self._bindings[event["name"]](event["payload"]),
        }
        for method, event in events.items():
            self._pipe.listen(self._session, method, event)
        for domain in ("Runtime", "Page"):
            await self.command(f"{domain}.enable")
        await self.command("Fetch.enable", patterns=[{"urlPattern": "*"}])
        await self.command("Page.navigate", url=ADDRESS)
        await self._loaded.wait()

    async def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the protocol to this tab. Raises :class:`ChromiumError`."""
        return await self._pipe.command(method, parameters, self._session)

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression, awaited if it is a promise, as JSON carries it.

        Raises :class:`ChromiumError` with what the script threw.
        """
        result = await self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise ChromiumError(_thrown(result["exceptionDetails"]))
        return result["result"].get("value")

    async def call(self, function: str, *arguments: Any) -> Any:
        """The value of a function of the page, called with what JSON can carry."""
        return await self.evaluate(f"{function}({', '.join(map(json.dumps, arguments))})")

    async def bind(self, name: str, received: Callable[[str], None]) -> None:
        """Give the page a function ``name`` that takes one string and brings it here."""
        self._bindings[name] = received
        await self.command("Runtime.addBinding", name=name)

    async def close(self) -> None:
        await self._pipe.command("Target.closeTarget", {"targetId": self._target})

    def _said(self, event: dict[str, Any]) -> None:
        self.console.append(" ".join(str(part.get("value", part.get("description"))) for part in event["args"]))

    def _spawn(self, method: str, parameters: dict[str, Any]) -> None:
        task = asyncio.ensure_future(self.command(method, **parameters))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        # A request that its page gave up has no answer any more.
        if not task.cancelled() and task.exception():
            self.console.append(str(task.exception()))


class Browser:
    """A running Chromium."""

    def __init__(self, pipe: Pipe, process: asyncio.subprocess.Process) -> None:
        self._pipe = pipe
        self._process = process

    @property
    def process_id(self) -> int:
        return self._process.pid

    async def version(self) -> str:
        """For example ``Chrome/156.0.8078.108``."""
        return str((await self._pipe.command("Browser.getVersion", {}))["product"])

    async def page(self, html: str = "") -> Page:
        """A new tab with ``html``."""
        target = (await self._pipe.command("Target.createTarget", {"url": "about:blank"}))["targetId"]
        attached = await self._pipe.command("Target.attachToTarget", {"targetId": target, "flatten": True})
        page = Page(self._pipe, attached["sessionId"], target)
        await page.open(html)
        return page


@asynccontextmanager
async def chromium(flags: Sequence[str] = (), *, path: str | None = None) -> AsyncIterator[Browser]:
    """A browser with a profile of its own, gone with all its processes at the end.

    Raises :class:`ChromiumError` where none is installed.
    """
    path = path or executable()
    if path is None:
        raise ChromiumError("Chromium is not installed.")
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-ISc", _LAUNCH, str(theirs_in), str(theirs_out), path),
                *(*FLAGS, f"--user-data-dir={profile}", *flags, "about:blank"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs_in, theirs_out),
                start_new_session=True,
            )
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        pipe = Pipe()
        try:
            await pipe.attach(ours_in, ours_out)
            yield Browser(pipe, process)
        finally:
            await _end(pipe, process)


async def _end(pipe: Pipe, process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(TimeoutError, ChromiumError):
        await asyncio.wait_for(pipe.command("Browser.close", {}), ENDS_WITHIN)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), ENDS_WITHIN)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    pipe.close()


def _thrown(details: dict[str, Any]) -> str:
    return str(details.get("exception", {}).get("description") or details.get("text"))
