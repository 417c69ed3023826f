"""Measures of recorded sound: how loud, how clean, and whether it is the echo of another."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from openvoice.core.soundcheck import Echo
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE

Samples = npt.NDArray[np.int16]

SILENCE = -96.0
"""dBFS: less than one step of ``int16``."""
LIMIT = 32_600
"""Samples from here on are at the limit: some devices never give the very last steps."""
LONGEST_WAY = 1.0
"""Seconds within which an echo is looked for."""
DISTINCT = 12.0
"""How many times the likeness at one delay must stand out from that at all others."""
SHARE = 3
WINDOW = SAMPLE_RATE
SAME = 0.03 * SAMPLE_RATE


def level(samples: Samples) -> float:
    """The root mean square in dBFS."""
    return _decibels(_power(samples))


def noise_level(samples: Samples) -> float:
    """The level in dBFS of what is always there: of the quieter half of the frames."""
    return _decibels(float(np.median(_powers(samples))))


def voice_level(samples: Samples) -> float:
    """The level in dBFS of the louder frames: of a voice, not of the pauses in it."""
    return _decibels(float(np.percentile(_powers(samples), 85)))


def clipped_share(samples: Samples) -> float:
    """The share of the samples that are at the limit, two or more in a row."""
    at = np.abs(samples.astype(np.int32)) >= LIMIT
    runs = at[1:] & at[:-1]
    return float(runs.mean()) if runs.size else 0.0


def find_echo(
    played: Samples, captured: Samples, processed: Samples | None, noise: float, behind: float = 0.0
) -> Echo | None:
    """What of ``played`` is in ``captured``, both at 48 kHz, ``captured`` longer by what an echo may be late.

    It is looked for in each second by itself, so that sound which is lost between two of them does not hide it.
    ``noise`` is the level in dBFS of what is captured when nothing is played; ``behind`` is how many seconds after the
    first of ``played`` was given away the first of ``captured`` came.
    """
    found: list[tuple[int, float, float]] = []
    for begin in range(0, len(played) - WINDOW + 1, WINDOW):
        given = played[begin : begin + WINDOW]
        place = _find(given, captured[begin : begin + WINDOW + round(LONGEST_WAY * SAMPLE_RATE)])
        if place is not None:
            heard = captured[begin + place : begin + place + WINDOW]
            power = max(_power(heard) - 10 ** (noise / 10), 1e-10)
            loud = _decibels(power) - level(given[: len(heard)])
            found.append((place, loud, _likeness(given, captured, begin + place)))
    # Chance shows once, and elsewhere the next time.
    agreed = max(([one for one in found if abs(one[0] - here) < SAME] for here, _, _ in found), key=len, default=[])
    if len(agreed) < 2:
        return None
    places, levels, likenesses = (np.array(each) for each in zip(*agreed, strict=True))
    begin = int(np.median(places))
    removed = None
    if processed is not None:
        # The canceller learns in the first half.
        later = slice(begin + len(played) // 2, begin + len(played))
        removed = level(captured[later]) - level(processed[later])
    return Echo(
        delay=begin / SAMPLE_RATE + behind,
        level=float(np.median(levels)),
        likeness=float(likenesses.max()),
        removed=removed,
    )


def _find(given: Samples, captured: Samples) -> int | None:
    """Where in ``captured`` its echo begins; ``None`` if there is none that stands out."""
    # At a third of the rate: what matters is below 8 kHz.
    one, two = _slower(given), _slower(captured)
    size = 1 << (len(one) + len(two)).bit_length()
    cross = np.fft.rfft(two, size) * np.conj(np.fft.rfft(one, size))
    # Where neither has any power there is nothing to compare.
    floor = 1e-3 * np.abs(cross).max() + 1e-9
    likeness = np.abs(np.fft.irfft(cross / (np.abs(cross) + floor), size)[: round(LONGEST_WAY * SAMPLE_RATE / SHARE)])
    place = int(np.argmax(likeness))
    return place * SHARE if likeness[place] > DISTINCT * np.sqrt(np.mean(likeness**2)) else None


def _likeness(given: Samples, captured: Samples, begin: int) -> float:
    """How much ``captured`` from about ``begin`` on is ``given`` and nothing else, from 0 to 1."""
    one, best = given.astype(np.float64), 0.0
    for shift in range(max(0, begin - SHARE), begin + SHARE + 1):
        two = captured[shift : shift + len(one)].astype(np.float64)
        if len(two) == len(one):
            best = max(best, float(abs(one @ two) / (np.linalg.norm(one) * np.linalg.norm(two) + 1e-9)))
    return best


def _slower(samples: Samples) -> npt.NDArray[np.float64]:
    whole = samples[: len(samples) // SHARE * SHARE].astype(np.float64)
    return np.asarray(whole.reshape(-1, SHARE).mean(axis=1))


def _powers(samples: Samples) -> npt.NDArray[np.float64]:
    """Of each frame."""
    frames = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES).astype(np.float64)
    return np.asarray((frames**2).mean(axis=1)) / 32768**2 if len(frames) else np.zeros(1)


def _power(samples: Samples) -> float:
    return float((samples.astype(np.float64) ** 2).mean()) / 32768**2 if len(samples) else 0.0


def _decibels(power: float) -> float:
    return max(SILENCE, 10 * float(np.log10(power))) if power > 0 else SILENCE
