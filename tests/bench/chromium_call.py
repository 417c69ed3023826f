"""Calls of Chromium's libwebrtc for the bench, all in one page."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from openvoice.media.audio.codec import Samples
from openvoice.ports import SAMPLE_RATE
from tests.bench.openvoice_call import Ports
from tests.bench.priority import prefer
from tests.bench.take import Clock, Heard
from tests.chromium import WEBRTC, Browser, ChromiumError, chromium
from tests.media.audio.sound import lag

SCRIPT = Path(__file__).with_suffix(".js")
SETTLES = 1.5
"""Seconds from the first packets until the begin: buffers that filled while all connected are at rest."""
TRAILS = 1.0
"""Seconds from the end of the sound until all of it is heard."""
FLAGS = (*WEBRTC, "--disable-audio-output")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mode:
    """How Opus is sent: ``bitrate`` in bit/s by ``maxaveragebitrate`` (RFC 7587, 6.1), or what the browser takes.

    ``red`` sends every frame twice (RFC 2198); with ``nack`` a lost packet is asked for again (RFC 4585, 6.2.1).
    """

    bitrate: int | None = None
    red: bool = False
    nack: bool = False


async def together(calls: Sequence[tuple[Mode, Ports]], said: Samples, begin: Callable[[], None]) -> list[Heard]:
    """Calls in these modes at once: ``begin`` is called when all are connected.

    Raises :class:`~tests.chromium.ChromiumError` where one of them fails.
    """
    async with chromium(FLAGS) as browser:
        page = await browser.page(f"<!doctype html><body><script>{SCRIPT.read_text()}</script>")
        await page.call("begin")
        names = [f"call {number}" for number in range(len(calls))]
        for name, (mode, ports) in zip(names, calls, strict=True):
            await page.call("connect", {"name": name, "ports": ports, **asdict(mode)})
        prefer(process.pid for process in processes(browser))
        await asyncio.sleep(SETTLES)
        begin()
        before = [await page.call("counters", name) for name in names]
        used = processor_seconds(browser)
        await page.call("speak", base64.b64encode(said.astype("<i2").tobytes()).decode())
        await asyncio.sleep(TRAILS)
        used = processor_seconds(browser) - used
        after = [await page.call("counters", name) for name in names]
        spoken = await page.call("taken", "said")
        # The track spoke silence before the script.
        said_clock = _clock(spoken, since=lag(said, _samples(spoken)))
        heard: list[Heard] = []
        for name, then, now in zip(names, before, after, strict=True):
            sound = await page.call("taken", name)
            heard.append(
                Heard(
                    samples=_samples(sound),
                    said=said_clock,
                    heard=_clock(sound),
                    concealed=(now["concealed"] - then["concealed"]) / max(1, now["total"] - then["total"]),
                    cpu_pct=100 * used / len(calls) / (len(said) / SAMPLE_RATE + TRAILS),
                )
            )
        if page.console:
            raise ChromiumError(page.console[0])
        return heard


def processor_seconds(browser: Browser) -> float:
    """Of the browser and all its children so far."""
    total = 0.0
    for process in processes(browser):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def processes(browser: Browser) -> list[psutil.Process]:
    parent = psutil.Process(browser.process_id)
    return [parent, *parent.children(recursive=True)]


def _samples(sound: dict[str, Any]) -> Samples:
    return np.frombuffer(base64.b64decode(sound["samples"]), "<i2")


def _clock(sound: dict[str, Any], since: int = 0) -> Clock:
    return Clock(np.array(sound["numbers"], np.int64) - since, np.array(sound["times"], float))
