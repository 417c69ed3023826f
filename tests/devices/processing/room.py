"""A room on a virtual clock: a loudspeaker and a microphone with clocks of their own, and the echo between them."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, fields
from itertools import count

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve, resample_poly

from openvoice.devices.processing.voice import VoiceProcessor
from openvoice.devices.resampler import FrameResampler
from openvoice.ports import SAMPLE_RATE

Sound = npt.NDArray[np.float64]
BLOCK = SAMPLE_RATE // 100
FINE = 8
"""Sound is read between its samples from a copy with so many times as many."""


def impulse_response(gain: float = 0.5, reverberation: float = 0.3, direct: float = 5.0, seed: int = 3) -> Sound:
    """From loudspeaker to microphone: the direct sound after 1 ms, ``direct`` dB above the tail, which takes
    ``reverberation`` seconds to fall by 60 dB. ``gain`` is of all together.
    """
    random = np.random.default_rng(seed)
    length = round(reverberation * SAMPLE_RATE)
    response = random.standard_normal(length) * 10 ** (-3 * np.arange(length) / length)
    response[:49] = 0
    response /= np.sqrt((response**2).sum())
    response[48] = 10 ** (direct / 20)
    return np.asarray(gain * response / np.sqrt((response**2).sum()))


@dataclass(frozen=True, kw_only=True)
class Room:
    """``drift`` is by how much the loudspeaker's clock is faster than the microphone's; ``way`` is what the devices do
    not tell of the echo's delay, in seconds, and ``later`` what is added to it at half time.
    """

    drift: float = 0.0
    way: float = 0.0
    later: float = 0.0
    output_latency: float = 0.03
    input_latency: float = 0.02
    lost: tuple[float, ...] = ()
    """Seconds at which 60 ms of the microphone's sound are lost."""
    loudspeaker_rate: int = SAMPLE_RATE
    microphone_rate: int = SAMPLE_RATE
    error: float = 0.0003
    """Seconds by which the devices tell times wrong (standard deviation); now and then ten times that, late."""
    gain: float = 0.5
    reverberation: float = 0.3
    direct: float = 5.0
    background: float = 3.0
    seed: int = 1

    @property
    def name(self) -> str:
        """What is special about it."""
        return ",".join(
            f"{field.name}={getattr(self, field.name)}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        )


@dataclass(frozen=True, kw_only=True)
class Heard:
    """All at 48 kHz by the microphone's clock."""

    echo: Sound
    near: Sound
    microphone: Sound
    sent: Sound

    def erle(self, begin: float, end: float, delay: int = 0) -> float:
        """Echo return loss enhancement in dB, in seconds from ``begin`` to ``end``: how much of the echo is gone."""
        span = slice(round(begin * SAMPLE_RATE), round(end * SAMPLE_RATE))
        return float(10 * np.log10((self.microphone[span] ** 2).mean() / ((self.sent[span] ** 2).mean() + 1e-3)))


def _between(fine: Sound, places: Sound) -> Sound:
    return np.asarray(np.interp(places * FINE, np.arange(len(fine)), fine, left=0.0, right=0.0))


def converse(room: Room, far: Sound, near: Sound, processor: VoiceProcessor) -> Heard:
    """Play ``far`` on the loudspeaker while ``near`` is said, both at 48 kHz, by the clock of each device."""
    random = np.random.default_rng(room.seed)
    seconds = len(near) / SAMPLE_RATE
    played = np.clip(np.rint(far), -32768, 32767)
    if room.loudspeaker_rate != SAMPLE_RATE:
        given = np.clip(np.rint(resample_poly(played, room.loudspeaker_rate // 100, 480)), -32768, 32767)
    else:
        given = played
    in_the_room = fftconvolve(played, impulse_response(room.gain, room.reverberation, room.direct))[: len(played)]
    fine = np.asarray(resample_poly(in_the_room, FINE, 1))
    times = np.arange(len(near)) / SAMPLE_RATE
    way = room.way + room.later * (times > seconds / 2)
    echo = _between(fine, (times - way) * SAMPLE_RATE * (1 + room.drift))
    microphone = np.clip(np.rint(echo + near + room.background * random.standard_normal(len(near))), -32768, 32767)

    if room.microphone_rate != SAMPLE_RATE:
        taken = np.clip(np.rint(resample_poly(microphone, room.microphone_rate // 100, 480)), -32768, 32767)
        size, resample = room.microphone_rate // 50, FrameResampler(room.microphone_rate // 50, 960)
        frames = taken[: len(taken) // size * size].astype(np.int16).reshape(-1, size)
        microphone = np.resize(np.concatenate([resample(frame) for frame in frames]), len(near)).astype(np.float64)

    def told(time: float) -> float:
        late = random.exponential(10 * room.error) if random.random() < 0.03 else 0.0
        return time + room.error * random.standard_normal() + late

    out_block = room.loudspeaker_rate // 100
    order = count()
    events: list[tuple[float, int, str, int]] = []
    for number in range(int(seconds * 100) - 1):
        heard = number * 0.01 / (1 + room.drift)
        heapq.heappush(events, (heard - room.output_latency, next(order), "play", number))
        if number % 2:
            heapq.heappush(events, ((number + 1) * 0.01 + room.input_latency, next(order), "capture", number - 1))
    sent = np.zeros(len(near))
    while events:
        _, _, what, number = heapq.heappop(events)
        if what == "play":
            block = given[number * out_block : (number + 1) * out_block].astype(np.int16)
            processor.played(block, told(number * 0.01 / (1 + room.drift)))
        elif not any(time <= number * 0.01 < time + 0.06 for time in room.lost):
            span = slice(number * BLOCK, (number + 2) * BLOCK)
            sent[span] = processor.captured(microphone[span].astype(np.int16), told(number * 0.01))
    return Heard(echo=echo, near=near, microphone=microphone, sent=sent)


def decibels(sound: npt.NDArray[np.generic]) -> float:
    """The level in dB of one step of ``int16``."""
    return float(10 * np.log10((sound.astype(np.float64) ** 2).mean() + 1e-3))


def delay(near: Sound, sent: Sound) -> int:
    """By how many samples ``sent`` is behind ``near``, between 0 and 50 ms."""
    likeness = fftconvolve(sent, near[::-1])[len(near) - 1 : len(near) + 2399]
    return int(np.argmax(np.abs(likeness)))


def intelligibility(near: Sound, sent: Sound) -> float:
    """How alike the envelopes of two sounds that lie on each other are, from 0 to 1.

    The short-time objective intelligibility of Taal and others (2011), but for the edges of its bands.
    Above 0.75 nearly every word is understood.
    """
    low, high = (resample_poly(sound, 5, 24) for sound in (near, sent))
    size, hop = 256, 128
    window = np.hanning(size + 2)[1:-1]
    frames = [
        np.abs(np.fft.rfft(np.lib.stride_tricks.sliding_window_view(sound, size)[::hop] * window, 512)) ** 2
        for sound in (low, high)
    ]
    energy = frames[0].sum(axis=1)
    frames = [each[energy > energy.max() * 1e-4] for each in frames]
    edges = np.round(150 * 2 ** ((np.arange(16) - 0.5) / 3) * 512 / 10_000).astype(int)
    bands = [np.sqrt(np.stack([each[:, a:b].sum(axis=1) for a, b in itertools.pairwise(edges)])) for each in frames]
    clean, other = (np.lib.stride_tricks.sliding_window_view(each, 30, axis=1) for each in bands)
    scale = np.linalg.norm(clean, axis=2) / (np.linalg.norm(other, axis=2) + 1e-9)
    other = np.minimum(other * scale[..., None], clean * (1 + 10 ** (15 / 20)))
    clean = clean - clean.mean(axis=2, keepdims=True)
    other = other - other.mean(axis=2, keepdims=True)
    norms = np.linalg.norm(clean, axis=2) * np.linalg.norm(other, axis=2) + 1e-9
    return float(((clean * other).sum(axis=2) / norms).mean())


def attenuation(near: Sound, sent: Sound) -> float:
    """By how many dB ``sent`` is quieter than ``near`` in the middle one of the frames in which somebody speaks."""
    levels = [(sound[: len(sound) // 960 * 960].reshape(-1, 960) ** 2).mean(axis=1) + 1e-3 for sound in (near, sent)]
    spoken = levels[0] > levels[0].max() * 1e-3
    return float(np.median(10 * np.log10(levels[0][spoken] / levels[1][spoken])))
