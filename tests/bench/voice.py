"""How voice sounds, how late it is and what it costs, beside stock aiortc, in one run on one machine.

::

    python -m tests.bench OUT.json [--quick] [--speech WAV]

Both systems get the same speech at the same pace, the same loss and jitter from the same seed (on RTP only), and the
same output that takes a frame every 20 ms. ``delay_ms`` is frame in to frame out, ``pesq_wb`` of the whole speech,
``cpu_pct`` of one core for both ends of the duplex call. Both run whole on loopback: ICE, DTLS, SRTP, voice.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pesq import pesq
from scipy.signal import resample_poly

from openvoice.media.audio.clock import PacedInput, PacedOutput
from openvoice.media.audio.codec import Samples
from openvoice.ports import SAMPLE_RATE, Frame
from tests.bench import aiortc_call, openvoice_call
from tests.media.audio.network import Network
from tests.media.audio.sound import frames

LEAD = 2.0
"""Seconds of silence before the speech: the first reports come back in them."""
SENTENCES = {
    "en-us": "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. "
    "It is easy to tell the depth of a well. These days a chicken leg is a rare dish.",
    "en-gb+f3": "Rice is often served in round bowls. The juice of lemons makes fine punch. "
    "The box was thrown beside the parked truck. The hogs were fed chopped corn and garbage.",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A network, and the least PESQ and greatest delay (ms) that the architecture promises on it."""

    name: str
    network: Network
    floor: tuple[float, int] | None = None


ROWS = (
    Row("clean", Network(), (4.0, 40)),
    Row("random-1", Network(loss=0.01), (3.9, 70)),
    Row("random-5", Network(loss=0.05), (3.6, 70)),
    Row("random-10", Network(loss=0.10), (3.2, 70)),
    Row("random-20", Network(loss=0.20), (2.8, 70)),
    Row("burst3-5", Network(loss=0.05, burst=3), (2.9, 70)),
    Row("burst3-10", Network(loss=0.10, burst=3), (2.5, 70)),
    Row("jitter-60", Network(jitter=0.06), (3.7, 90)),
    Row("random-5+jitter-60", Network(loss=0.05, jitter=0.06)),
)
QUICK = ("clean", "random-5", "burst3-5", "jitter-60")
CALLS = {"openvoice": openvoice_call.call, "aiortc": aiortc_call.call}


class Speech:
    """A source that notes when it was read first."""

    def __init__(self, sound: Samples) -> None:
        self._frames = iter(frames(sound))
        self.begin = 0.0

    def read(self) -> Frame | None:
        self.begin = self.begin or time.monotonic()
        return next(self._frames, None)

    def close(self) -> None:
        pass


class Ear:
    """A sink that notes when it was written first."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.begin = 0.0

    def write(self, frame: Frame) -> None:
        self.begin = self.begin or time.monotonic()
        self.frames.append(frame)

    def close(self) -> None:
        pass


def say(line: str) -> None:
    sys.stdout.write(f"{line.rstrip()}\n")
    sys.stdout.flush()


def synthesized() -> Samples:
    """22 seconds of two synthetic voices, by espeak-ng and sox."""
    with tempfile.TemporaryDirectory() as folder:
        parts = []
        for voice, text in SENTENCES.items():
            parts.append(f"{folder}/{voice}.wav")
            subprocess.run(["espeak-ng", "-v", voice, "-s", "150", "-w", parts[-1], text], check=True)
        whole = f"{folder}/speech.wav"
        subprocess.run(["sox", *parts, "-r", "48000", "-c", "1", "-b", "16", whole, "gain", "-n", "-3"], check=True)
        return read(Path(whole))


def read(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (SAMPLE_RATE, 1, 2):
            raise SystemExit("The speech has to be a WAV file of 48 kHz, mono, 16 bits.")
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def delays(sent: Samples, heard: Samples) -> list[float]:
    """In seconds, of each second of speech that is recognised."""
    found = []
    step = 4
    for begin in range(0, len(sent) - SAMPLE_RATE, SAMPLE_RATE // 2):
        wanted = sent[begin : begin + SAMPLE_RATE : step].astype(float)
        place = heard[begin : begin + 2 * SAMPLE_RATE : step].astype(float)
        if np.abs(wanted).max() < 500 or len(place) < len(wanted):
            continue
        products = np.correlate(place, wanted, "valid")
        squares = np.concatenate([[0.0], np.cumsum(place**2)])
        scale = np.sqrt((squares[len(wanted) :] - squares[: -len(wanted)]) * (wanted @ wanted)) + 1
        best = int(np.argmax(products / scale))
        if products[best] / scale[best] > 0.5:
            found.append(best * step / SAMPLE_RATE)
    return found


def quality(sent: Samples, heard: Samples) -> float:
    """PESQ-WB; 1.0, the least there is, where no speech is left to judge."""
    narrowed = [resample_poly(sound.astype(float), 1, 3).astype(np.float32) for sound in (sent, heard)]
    try:
        return float(pesq(16_000, *narrowed, "wb"))
    except Exception as error:
        say(f"no PESQ: {type(error).__name__}")
        return 1.0


async def measure(
    call: Callable[..., Awaitable[dict[str, float]]], network: Network, speech: Samples
) -> dict[str, float | None]:
    lead = np.zeros(int(LEAD * SAMPLE_RATE), np.int16)
    said = np.concatenate([lead, speech, lead])
    source, ear = Speech(said), Ear()
    processor = time.process_time()
    numbers = await call(PacedInput(source), PacedOutput(ear), network, len(said) / SAMPLE_RATE)
    used = time.process_time() - processor
    heard = np.concatenate(ear.frames)
    # The sample that was said at ``source.begin`` would without any delay be heard at this place.
    ahead = round((ear.begin - source.begin) * SAMPLE_RATE)
    heard = np.concatenate([np.zeros(max(0, ahead), np.int16), heard[max(0, -ahead) :]])
    found = delays(said, heard)
    late = round(float(np.median(found)) * SAMPLE_RATE) if found else 0
    begin = len(lead)
    judged = np.concatenate([heard[begin + late :], lead])[: len(speech)]
    return {
        "pesq_wb": round(quality(speech, judged), 2),
        "delay_ms": round(1000 * float(np.median(found)), 1) if found else None,
        "delay_p95_ms": round(1000 * float(np.quantile(found, 0.95)), 1) if found else None,
        "concealed": round(numbers["concealed"], 4),
        "kbit_s": round(numbers["kbit_s"], 1),
        "cpu_pct": round(100 * used / (len(said) / SAMPLE_RATE), 1),
    }


async def bench(rows: tuple[Row, ...], speech: Samples) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    say(f"{'network':20}{'system':11}{'PESQ':>6}{'ms':>7}{'p95':>7}{'made up':>9}{'kbit/s':>8}{'CPU %':>7}  floor")
    for row in rows:
        for system, call in CALLS.items():
            result = await measure(call, row.network, speech)
            results.append({"system": system, "network": row.name, **result})
            floor = f"{row.floor[0]} at {row.floor[1]} ms" if row.floor and system == "openvoice" else ""
            cells = (result["delay_ms"], result["delay_p95_ms"])
            times = "".join(f"{'-' if cell is None else cell:>7}" for cell in cells)
            say(
                f"{row.name:20}{system:11}{result['pesq_wb']:6}{times}{result['concealed']:9.2%}"
                f"{result['kbit_s']:8}{result['cpu_pct']:7}  {floor}"
            )
    return results
