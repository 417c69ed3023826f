"""One end of a call of Chromium's libwebrtc for the bench of video, in a browser of its own."""

from __future__ import annotations

import asyncio
import base64
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tests.bench.chromium_call import FLAGS, processes, processor_seconds
from tests.bench.pictures.clip import Pixels, clip
from tests.bench.pictures.take import EndTake, Orders, Seen
from tests.bench.priority import prefer
from tests.chromium import Browser, Page, chromium

SCRIPT = Path(__file__).with_suffix(".js")
VOICE_TYPES = frozenset({111, 63})
"""Payload types of Opus and of its copies (RFC 2198)."""


class ChromiumEnd:
    """Raises :class:`~tests.chromium.ChromiumError` where the browser refuses something, or a script fails."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._stack = AsyncExitStack()
        self._browser: Browser | None = None
        self._page: Page | None = None

    async def offer(self) -> Any:
        return await self._call("offer")

    async def answer(self, offer: Any) -> Any:
        return await self._call("answer", offer)

    async def accept(self, answer: Any) -> None:
        await self._call("accept", answer)

    async def connected(self) -> None:
        await self._call("connected")

    async def run(self) -> EndTake:
        assert self._browser is not None
        used = processor_seconds(self._browser)
        await self._call("start")
        await asyncio.sleep(self._orders.seconds)
        used = processor_seconds(self._browser) - used
        found = await self._call("stop")
        return EndTake(
            sent={int(number): float(time) for number, time in found["sent"]},
            seen=tuple(_seen(one) for one in found["seen"]),
            concealed=float(found["concealed"]),
            cpu_pct=100 * used / self._orders.seconds,
        )

    async def close(self) -> None:
        await self._stack.aclose()

    async def _call(self, function: str, *arguments: Any) -> Any:
        if self._page is None:
            self._page = await self._open()
        return await self._page.call(function, *arguments)

    async def _open(self) -> Page:
        self._browser = await self._stack.enter_async_context(chromium(FLAGS))
        page = await self._browser.page(f"<!doctype html><body><script>{SCRIPT.read_text()}</script>")
        if self._orders.shows:
            for data in clip(self._orders.width, self._orders.height):
                await page.call("picture", base64.b64encode(data.tobytes()).decode())
        await page.call("begin", asdict(self._orders))
        running = processes(self._browser)
        prefer(process.pid for process in running)
        if self._orders.core is not None:
            for process in running:
                _pin(process, self._orders.core)
        return page


def _pin(process: psutil.Process, core: int) -> None:
    for thread in process.threads():
        try:
            psutil.Process(thread.id).cpu_affinity([core])
        except psutil.Error:
            continue


def _seen(one: dict[str, Any]) -> Seen:
    kept: Pixels | None = None
    if one["kept"]:
        kept = np.frombuffer(base64.b64decode(one["kept"]), np.uint8).reshape(one["height"], one["width"])
    return Seen(number=one["number"], time=one["time"], width=one["width"], height=one["height"], kept=kept)


def relayed(description: dict[str, str], port: int) -> dict[str, str]:
    """The same with one candidate, on the port where the relay takes its part."""
    lines: list[str] = []
    for line in description["sdp"].split("\r\n"):
        words = line.split(" ")
        if not line.startswith("a=candidate"):
            lines.append(line)
        elif words[2].lower() == "udp" and ":" not in words[4] and not any(each.startswith("a=cand") for each in lines):
            lines.append(" ".join((*words[:5], str(port), *words[6:])))
    return {**description, "sdp": "\r\n".join(lines)}
