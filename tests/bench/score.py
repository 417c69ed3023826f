"""What became of speech: how it sounds (PESQ-WB, ViSQOL), how late it is, and how soon it is in time again.

The judges are imported where they judge: they are installed only for the bench.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import fftconvolve, resample_poly

from openvoice.media.audio.codec import Samples
from openvoice.ports import FRAME_SECONDS, SAMPLE_RATE
from tests.bench.speech import SWEEPS, Script, chirp
from tests.bench.take import Heard
from tests.media.audio.network import NEVER, Network
from tests.media.audio.sound import lag

RECOGNISED = 0.4
"""The least correlation of a chirp."""
NEAR = 0.005
"""Seconds within which the delay is normal again."""
STAYS = 1.0
"""Seconds for which it has to be."""
BEFORE = 3.0
"""Seconds before the trouble that show what is normal."""
EARLIEST, LATEST = -0.03, 0.85
"""Seconds between which a chirp is looked for."""
WORST_PESQ = 1.0
"""For what PESQ finds no speech in."""
LEAST_DELAY = 0.3
"""Seconds by which the search for a voice may miss the delay of the chirps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delay:
    """Of one chirp: when it was spoken, and how much later it was heard, in seconds."""

    spoken: float
    late: float


def delays(script: Script, heard: Heard) -> list[Delay]:
    """Of all chirps that are recognised.

    A delay is from the moment when all of a frame of 20 ms has been spoken to the moment when its first sample is
    heard: what devices, and the frame itself, add is left out alike for every system.
    """
    found = []
    for turn, number in enumerate(script.chirps):
        spoken = heard.said.at(number)
        place = _place(heard, spoken + EARLIEST)
        searched = heard.samples[place : place + round((LATEST - EARLIEST) * SAMPLE_RATE)]
        best = _find(searched, chirp(turn % len(SWEEPS)))
        if best is not None:
            late = heard.heard.at(place + best) - spoken - FRAME_SECONDS
            found.append(Delay(spoken=spoken, late=late))
    return found


def _place(heard: Heard, time: float) -> int:
    """Which of the heard samples was heard at a time."""
    begin = float(np.median(heard.heard.times - heard.heard.numbers / SAMPLE_RATE))
    return max(0, round((time - begin) * SAMPLE_RATE))


def _find(sound: Samples, wanted: Samples) -> int | None:
    if len(sound) < len(wanted):
        return None
    place, shape = sound.astype(float), wanted.astype(float)
    products = fftconvolve(place, shape[::-1], "valid")
    squares = np.concatenate([[0.0], np.cumsum(place**2)])
    energies = squares[len(shape) :] - squares[: -len(shape)]
    # Near-silence fits anything.
    floor = 1e-4 * (shape @ shape)
    correlations = products / np.sqrt(np.maximum(energies, floor) * (shape @ shape))
    best = int(np.argmax(correlations))
    return best if correlations[best] > RECOGNISED else None


def recovery(found: list[Delay], network: Network, first: float) -> float | None:
    """Seconds from the end of the network's trouble until the delay is normal, or ``None``: not at all.

    ``first`` is when the first packet met the network. A chirp is spoken before its packet leaves, so one that is
    spoken after the trouble is surely sent after it.
    """
    span = network.held if network.held != NEVER else network.cut
    before = [one.late for one in found if -BEFORE <= one.spoken - first - span[0] < -STAYS / 2]
    after = [one for one in found if one.spoken >= first + span[1]]
    if not before or not after:
        return None
    normal = float(np.median(before)) + NEAR
    for one in after:
        window = [other.late for other in after if one.spoken <= other.spoken <= one.spoken + STAYS]
        if max(window) <= normal:
            return max(0.0, one.spoken - first - span[1])
    return None


def voices(script: Script, heard: Heard, late: float) -> list[tuple[Samples, Samples]]:
    """Each voice as it was spoken, and as it was heard about ``late`` seconds later (see :func:`delays`)."""
    pairs = []
    for begin, end in script.voices:
        spoken = script.samples[begin:end]
        margin = round(LEAST_DELAY * SAMPLE_RATE)
        place = _place(heard, heard.said.at(begin) + late + FRAME_SECONDS) - margin
        around = heard.samples[max(0, place) : place + len(spoken) + 2 * margin]
        start = lag(spoken, around) if len(around) > len(spoken) else 0
        start = start if start <= 2 * margin else margin
        judged = around[start : start + len(spoken)]
        pairs.append((spoken, np.concatenate([judged, np.zeros(len(spoken) - len(judged), np.int16)])))
    return pairs


def pesq_wb(spoken: Samples, heard: Samples) -> float:
    """ITU-T P.862.2; 1.0, the least there is, where no speech is left to judge."""
    from pesq import PesqError, pesq

    if not heard.any():
        return WORST_PESQ
    narrowed = [resample_poly(sound.astype(float), 1, 3).astype(np.float32) for sound in (spoken, heard)]
    try:
        return float(pesq(16_000, *narrowed, "wb"))
    except PesqError:
        return WORST_PESQ


def visqol(spoken: Samples, heard: Samples) -> float:
    """ViSQOL 3 in the mode for speech, by a port to Python: see ``docs/voice-quality.md`` on what it is worth."""
    from visqol import VisqolApi

    judge = VisqolApi()
    judge.create(mode="speech")
    reference, judged = (resample_poly(sound.astype(float), 1, 3) / 32768 for sound in (spoken, heard))
    return float(judge.measure_from_arrays(reference, judged, 16_000).moslqo)
