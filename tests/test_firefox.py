"""Marionette, on a fake that speaks like Firefox, and once on Firefox itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.firefox import FirefoxError, Marionette, Page, executable, firefox

Answer = Callable[[str, dict[str, Any]], tuple[Any, Any] | None]
"""Error and result for a command with its parameters; ``None`` to hang up."""


async def speaking(answer: Answer, use: Callable[[Marionette], Awaitable[None]]) -> None:
    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(message: Any) -> None:
            text = json.dumps(message).encode()
            writer.write(b"%d:%s" % (len(text), text))

        say({"applicationType": "gecko", "marionetteProtocol": 3})
        while True:
            try:
                length = int((await reader.readuntil(b":"))[:-1])
            except asyncio.IncompleteReadError:
                break
            _, number, name, parameters = json.loads(await reader.readexactly(length))
            answered = answer(name, parameters)
            if answered is None:
                break
            say([1, number - 1, None, {"value": "of one that nobody waits for"}])
            say([1, number, *answered])
        writer.close()
        await writer.wait_closed()
        served.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        marionette = Marionette(*await asyncio.open_connection(*server.sockets[0].getsockname()))
        assert (await marionette.greeting())["marionetteProtocol"] == 3
        await use(marionette)
        marionette.close()
        await served.wait()


async def test_commands_and_their_answers() -> None:
    asked: list[str] = []

    def answer(name: str, parameters: dict[str, Any]) -> tuple[Any, Any]:
        asked.append(name)
        return None, {"value": parameters.get("script", "x" * 100_000)}

    async def use(marionette: Marionette) -> None:
        assert await marionette.command("WebDriver:GetTitle") == {"value": "x" * 100_000}
        page = Page(marionette, "tab")
        assert await page.call("sum", 1, 'a"b', [None]) == 'return sum(1, "a\\"b", [null])'
        answers = await asyncio.gather(*(page.evaluate(str(n)) for n in range(5)))
        assert answers == [f"return {n}" for n in range(5)]

    await speaking(answer, use)
    assert asked[1:] == ["WebDriver:SwitchToWindow", "WebDriver:ExecuteScript"] * 6


async def test_what_is_refused_and_what_ends() -> None:
    def answer(name: str, parameters: dict[str, Any]) -> tuple[Any, Any] | None:
        return ({"error": "javascript error", "message": "Error: broken"}, None) if name == "throw" else None

    async def use(marionette: Marionette) -> None:
        with pytest.raises(FirefoxError, match="Error: broken"):
            await marionette.command("throw")
        with pytest.raises(FirefoxError, match="ended"):
            await marionette.command("die")

    await speaking(answer, use)


async def test_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FirefoxError, match="not installed"):
        async with firefox():
            pass


@pytest.mark.live
@pytest.mark.once
@pytest.mark.skipif(executable() is None, reason="Firefox is not installed")
async def test_firefox_itself() -> None:
    async with firefox() as browser:
        first = await browser.page("<!doctype html><title>told</title>")
        await first.close()
        page = await browser.page(
            "<!doctype html><title>told</title><script>function add(a, b) { return a + b; }</script>"
        )
        assert await page.evaluate("[document.title, isSecureContext]") == ["told", True]
        assert await page.evaluate("new Promise(done => setTimeout(() => done(5), 10))") == 5
        assert await page.call("add", 2, 3) == 5
        with pytest.raises(FirefoxError, match="Error: broken"):
            await page.evaluate("(async () => { throw new Error('broken') })()")
