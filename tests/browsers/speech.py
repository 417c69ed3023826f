"""Short sentences that are said over and over, and the proof that they came."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Awaitable, Callable

import numpy as np

from openvoice import SAMPLE_RATE, Frame, load_sound
from openvoice.report import Similarity, similarity
from openvoice.samples import sample

SPEECH_SECONDS = 2.0
PAUSE_SECONDS = 0.5
WITHIN = 12.0
"""Seconds until a sentence is heard whole, which may be the third: a browser's microphone begins before the call."""


def sentence(speaker: str) -> Frame:
    """What ``speaker`` says first."""
    sound = load_sound(sample(speaker))
    begin = int(np.flatnonzero(np.abs(sound) > 1000)[0])
    return sound[begin : begin + round(SPEECH_SECONDS * SAMPLE_RATE)]


def said(speaker: str, times: int = 1) -> Frame:
    """The same after a pause, so often."""
    pause = np.zeros(round(PAUSE_SECONDS * SAMPLE_RATE), np.int16)
    return np.tile(np.concatenate([pause, sentence(speaker)]), times)


def sound_file(sound: Frame) -> bytes:
    """A WAV file of it."""
    octets = io.BytesIO()
    with wave.open(octets, "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, len(sound), "NONE", ""))
        file.writeframes(sound.astype("<i2").tobytes())
    return octets.getvalue()


def found(speaker: str, sound: Frame) -> Similarity:
    """How much of what ``speaker`` says is in ``sound``."""
    return similarity(sentence(speaker), sound, SAMPLE_RATE)


async def heard(speaker: str, listen: Callable[[], Frame | Awaitable[Frame]]) -> Similarity:
    """Wait until what ``speaker`` says is in what ``listen`` gives; how well it is then, or after :data:`WITHIN`."""
    end = asyncio.get_running_loop().time() + WITHIN
    while True:
        await asyncio.sleep(0.5)
        sound = listen()
        outcome = found(speaker, sound if isinstance(sound, np.ndarray) else await sound)
        if outcome.passed or asyncio.get_running_loop().time() > end:
            return outcome
