"""The figures of one call of the bench of video."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter, uniform_filter

from openvoice.media.video.conversion import scaled
from openvoice.media.video.stamp import BITS, write_stamp
from openvoice.ports import SAMPLE_RATE, Picture
from tests.bench.pictures.clip import Pixels, clip, place
from tests.bench.pictures.rows import NARROW, Row
from tests.bench.pictures.take import Datagram, Seen, Take
from tests.bench.relay import LATE

FROZEN = 0.2
"""Seconds without another picture from which on they count as frozen."""
STABLE_KILOBITS, STABLE_SECONDS = 1500.0, 3
RECOVERED = 0.8
"""Of the bit rate before the step: what has to come again after it."""
_AROUND = 101
"""Packets that tell what is usual in their middle: a voice may be late from some moment on."""
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def figures(row: Row, take: Take) -> dict[str, Any]:
    """What the second end saw, and what the relay counted."""
    begin = take.begin + row.settles
    end = take.begin + row.seconds
    shown = [seen for seen in take.second.seen if begin <= seen.time <= end]
    late = latencies(take.first.sent, shown)
    gaps_ = gaps([seen.time for seen in shown], begin, end)
    psnr, ssim = quality(row, shown)
    data = [each for each in take.datagrams if row.settles <= each.time <= row.seconds]
    spoken = [each for each in data if each.voice]
    found: dict[str, Any] = {
        "latency_ms": _milliseconds(late, 50),
        "latency_95_ms": _milliseconds(late, 95),
        "shown_fps": len({seen.number for seen in shown}) / (end - begin),
        "freeze_ms": 1000 * max(gaps_),
        "frozen_s": sum(gap for gap in gaps_ if gap > FROZEN),
        "psnr_db": psnr,
        "ssim": ssim,
        "width": float(np.median([seen.width for seen in shown])) if shown else None,
        "kbit_s": kilobits(data) / (row.seconds - row.settles),
        "cpu_pct": take.first.cpu_pct,
        "cpu_second_pct": take.second.cpu_pct,
        "voice_concealed": take.second.concealed,
        "voice_late": late_voice([each for each in take.datagrams if each.voice]),
        "voice_lost": sum(each.held is None for each in spoken) / max(1, len(spoken)),
        "stalls": take.stalls,
    }
    if row.name == "start":
        found["stable_s"] = stable(series(take.datagrams, row.seconds))
    if row.name == "step":
        found |= step(take.datagrams, row.seconds)
    return found


def latencies(sent: dict[int, float], shown: Sequence[Seen]) -> list[float]:
    """Seconds from when each picture was given to the system until it was shown for the first time."""
    first: dict[int, float] = {}
    for seen in shown:
        first.setdefault(seen.number, seen.time)
    return [time - sent[number] for number, time in first.items() if number in sent]


def late_voice(data: Sequence[Datagram]) -> int:
    """How many packets of the voice left more than 30 ms later than those around them, by their own timestamps."""
    offsets: list[float] = []
    newest = None
    place = 0
    for each in data:
        step = 0 if newest is None else (each.timestamp - newest) % 2**32
        # What comes again, or a stream that begins anew, tells nothing.
        if newest is None or 0 < step < 10 * SAMPLE_RATE:
            newest, place = each.timestamp, place + step
            offsets.append(each.time - place / SAMPLE_RATE)
    array = np.array(offsets)
    return int(np.count_nonzero(array - median_filter(array, _AROUND, mode="nearest") > LATE)) if offsets else 0


def gaps(times: Sequence[float], begin: float, end: float) -> list[float]:
    """Seconds between one picture and the next, the time before the first and after the last one among them."""
    return [after - before for before, after in itertools.pairwise([begin, *sorted(times), end])]


def quality(row: Row, shown: Sequence[Seen]) -> tuple[float | None, float | None]:
    """PSNR (dB) and SSIM of the luminance of those that were kept, against what was sent, means.

    A smaller picture is enlarged first. The numbers along the edge do not count.
    """
    kept = [seen for seen in shown if seen.kept is not None]
    if not kept:
        return None, None
    pictures = clip(row.width, row.height)
    edge = -(-row.width // BITS // 2) * 2
    found = []
    for seen in kept:
        assert seen.kept is not None
        sent = pictures[place(seen.number, len(pictures))].copy()
        write_stamp(sent, seen.number)
        one, other = sent[edge : row.height], enlarged(seen.kept, row.width, row.height)[edge:]
        found.append((psnr(one, other), ssim(one, other)))
    means = np.mean(found, axis=0)
    return float(means[0]), float(means[1])


def enlarged(luminance: Pixels, width: int, height: int) -> Pixels:
    own_height, own_width = luminance.shape
    if (own_width, own_height) == (width, height):
        return luminance
    even = luminance[: own_height // 2 * 2, : own_width // 2 * 2]
    grey = np.full((even.shape[0] * 3 // 2, even.shape[1]), 128, np.uint8)
    grey[: even.shape[0]] = even
    return scaled(Picture(grey, 0.0), width, height).data[:height]


def psnr(one: Pixels, other: Pixels) -> float:
    error = float(np.mean((one.astype(np.float32) - other.astype(np.float32)) ** 2))
    return float(10 * np.log10(255**2 / max(error, 0.01)))


def ssim(one: Pixels, other: Pixels) -> float:
    """Wang et al. 2004, with a window of 7 by 7 pixels that all count alike."""
    x, y = one.astype(np.float64), other.astype(np.float64)
    mean_x, mean_y = uniform_filter(x, 7), uniform_filter(y, 7)
    variance_x = uniform_filter(x * x, 7) - mean_x**2
    variance_y = uniform_filter(y * y, 7) - mean_y**2
    covariance = uniform_filter(x * y, 7) - mean_x * mean_y
    above = (2 * mean_x * mean_y + _C1) * (2 * covariance + _C2)
    below = (mean_x**2 + mean_y**2 + _C1) * (variance_x + variance_y + _C2)
    return float(np.mean(above / below))


def kilobits(data: Sequence[Datagram]) -> float:
    """Of pictures: SRTP, without the headers of IP and UDP."""
    return sum(each.octets for each in data if not each.voice) * 8 / 1000


def series(data: Sequence[Datagram], seconds: float) -> list[float]:
    """kbit/s of pictures, second by second."""
    counts = [0.0] * int(seconds)
    for each in data:
        if not each.voice and 0 <= each.time < len(counts):
            counts[int(each.time)] += each.octets * 8 / 1000
    return counts


def stable(rates: Sequence[float]) -> float | None:
    """Seconds until as many as :data:`STABLE_KILOBITS` leave in each of the next seconds."""
    for second in range(len(rates) - STABLE_SECONDS + 1):
        if min(rates[second : second + STABLE_SECONDS]) >= STABLE_KILOBITS:
            return float(second)
    return None


def step(data: Sequence[Datagram], seconds: float) -> dict[str, Any]:
    """How a narrow time of the path is met: what waits in its queue, what of the voice is lost, what comes after."""
    begin, end = NARROW
    rates = series(data, seconds)
    before = float(np.mean(rates[int(begin) - 4 : int(begin)]))
    narrow = [each for each in data if begin <= each.time < end]
    spoken = [each for each in narrow if each.voice]
    settled = [each for each in narrow if each.time >= begin + 5 and each.held is not None]
    after = next((n for n in range(int(end), len(rates)) if rates[n] >= RECOVERED * before), None)
    return {
        "before_kbit_s": before,
        "narrow_kbit_s": kilobits(settled) / (end - begin - 5),
        "queue_ms": 1000 * max((each.held for each in narrow if each.held is not None), default=0.0),
        "queue_settled_ms": 1000 * float(np.percentile([each.held or 0.0 for each in settled] or [0.0], 95)),
        "narrow_voice_lost": sum(each.held is None for each in spoken) / max(1, len(spoken)),
        "recovery_s": None if after is None else float(after - end),
        "kbit_s_series": [round(rate) for rate in rates],
        "queue_ms_series": queue(data, seconds),
    }


def queue(data: Sequence[Datagram], seconds: float) -> list[int]:
    """ms that the latest packet of each second was held."""
    most = [0.0] * int(seconds)
    for each in data:
        if 0 <= each.time < len(most) and each.held is not None:
            most[int(each.time)] = max(most[int(each.time)], each.held)
    return [round(1000 * held) for held in most]


def _milliseconds(values: Sequence[float], share: float) -> float | None:
    array: npt.NDArray[np.float64] = np.array(values)
    return 1000 * float(np.percentile(array, share)) if len(array) else None
