"""The debugging pipe, on a fake that speaks like Chromium, and once on Chromium itself."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.chromium import ChromiumError, Pipe, chromium, executable

FAKE = """#!{python} -IS
import json, os, signal, time
{before}
rest = b""
while True:
    data = os.read(3, 65536)
    if not data:
        break
    *messages, rest = (rest + data).split(b"\\0")
    for message in map(json.loads, messages):
        method, params, session = message["method"], message["params"], message.get("sessionId")
        result, event, error = {{}}, None, None
        if method == "Browser.getVersion":
            result = {{"product": "Fake/1"}}
        elif method == "Target.createTarget":
            result = {{"targetId": "t"}}
        elif method == "Target.attachToTarget":
            result = {{"sessionId": "s"}}
        elif method == "Page.navigate":
            event = {{"method": "Page.loadEventFired", "params": {{}}}}
        elif method == "Runtime.evaluate":
            text = params["expression"]
            if text == "throw":
                result = {{"exceptionDetails": {{"text": "Uncaught", "exception": {{"description": "Error: thrown"}}}}}}
            elif text == "die":
                os._exit(1)
            elif text == "tell":
                event = {{"method": "Runtime.bindingCalled", "params": {{"name": "heard", "payload": "x" * 300000}}}}
                result = {{"result": {{"type": "undefined"}}}}
            else:
                result = {{"result": {{"value": text}}}}
        elif method == "Browser.close":
            {close}
        elif not method.endswith((".enable", ".addBinding")):
            error = {{"message": method + " wasn't found"}}
        for answer in (event, {{"id": message["id"], **({{"error": error}} if error else {{"result": result}})}}):
            if answer:
                if session:
                    answer["sessionId"] = session
                text = json.dumps(answer).encode() + b"\\0"
                while text:
                    text = text[os.write(4, text):]
"""


@pytest.fixture
def fake(tmp_path: Path) -> str:
    return made(tmp_path)


def made(folder: Path, before: str = "", close: str = "os._exit(0)") -> str:
    path = folder / "chromium"
    path.write_text(FAKE.format(python=sys.executable, before=before, close=close))
    path.chmod(0o755)
    return str(path)


async def test_commands_and_their_answers(fake: str) -> None:
    async with chromium(path=fake) as browser:
        assert await browser.version() == "Fake/1"
        page = await browser.page()
        assert await page.evaluate("12") == "12"
        assert await page.call("sum", 1, 'a"b', [None]) == 'sum(1, "a\\"b", [null])'
        answers = await asyncio.gather(*(page.evaluate(str(n)) for n in range(50)))
        assert answers == [str(n) for n in range(50)]


async def test_what_throws_and_what_is_refused(fake: str) -> None:
    async with chromium(path=fake) as browser:
        page = await browser.page()
        with pytest.raises(ChromiumError, match="Error: thrown"):
            await page.evaluate("throw")
        with pytest.raises(ChromiumError, match=r"Nothing\.known wasn.t found"):
            await page.command("Nothing.known")
        assert await page.evaluate("still there") == "still there"


async def test_long_strings_come_through_a_binding(fake: str) -> None:
    heard: list[str] = []
    async with chromium(path=fake) as browser:
        page = await browser.page()
        await page.bind("heard", heard.append)
        await page.evaluate("tell")
    assert heard == ["x" * 300_000]


async def test_a_browser_that_dies_ends_every_wait(fake: str) -> None:
    async with chromium(path=fake) as browser:
        page = await browser.page()
        with pytest.raises(ChromiumError, match="ended"):
            await page.evaluate("die")
        with pytest.raises(ChromiumError, match="ended"):
            await browser.version()


async def test_one_that_does_not_want_to_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.chromium.ENDS_WITHIN", 0.1)
    stubborn = made(tmp_path, "signal.signal(signal.SIGTERM, signal.SIG_IGN)", "time.sleep(60)")
    async with chromium(path=stubborn) as browser:
        await browser.version()
        process = browser.process_id
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


async def test_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ChromiumError, match="not installed"):
        async with chromium():
            pass


async def test_messages_may_come_in_any_pieces() -> None:
    pipe = Pipe()
    heard: list[object] = []
    pipe.listen("", "Some.event", heard.append)
    for octet in b'{"method": "Some.event", "params": {"n": 1}}\0{"method": "Other.event"}\0{"id": 7}\0':
        pipe.data_received(bytes([octet]))
    pipe.data_received(b'{"method": "Some.event", "params": {"n": 2}}\0{"method": "Some.event", "params": {"n": 3}}\0')
    assert heard == [{"n": 1}, {"n": 2}, {"n": 3}]


@pytest.mark.live
@pytest.mark.skipif(executable() is None, reason="Chromium is not installed")
async def test_chromium_itself() -> None:
    heard: list[str] = []
    async with chromium() as browser:
        page = await browser.page("<title>told</title><script>console.log('hello', 1)</script>")
        await page.bind("heard", heard.append)
        assert await page.evaluate("[document.title, isSecureContext]") == ["told", True]
        assert await page.evaluate("new Promise(done => setTimeout(() => done(5), 10))") == 5
        await page.evaluate("heard('sound')")
        with pytest.raises(ChromiumError, match="Error: broken"):
            await page.evaluate("(() => { throw new Error('broken') })()")
        assert page.console == ["hello 1"]
        await page.close()
    assert heard == ["sound"]
