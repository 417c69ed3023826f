"""Clocks that drift apart: followed where nobody hears it, and never by a gap."""

from __future__ import annotations

import numpy as np
import pytest

from openvoice.media.audio.codec import PayloadFormat, Samples
from openvoice.media.audio.playout import PlayoutBuffer
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS
from tests.media.audio.network import Network, Way
from tests.media.audio.sound import frames, noise, voice

SPEECH = frames((voice(20, seed=4) // 2 + noise(20, amplitude=20)).astype(np.int16))


class Plain:
    """A decoder of samples that nothing compressed."""

    def duration(self, payload: bytes) -> int:
        return len(payload) // 2

    def decode(self, payload: bytes) -> Samples:
        return np.frombuffer(payload, np.int16)

    def recovers(self, payload: bytes) -> bool:
        return False

    def recover(self, payload: bytes, samples: int) -> Samples | None:
        return None

    def conceal(self, samples: int) -> Samples:
        return np.zeros(samples, np.int16)

    def reset(self) -> None: ...


def drift(network: Network, seconds: float) -> tuple[PlayoutBuffer, list[float], int, int]:
    """The buffer, its delay (seconds) twice a second, and samples stretched in pauses and in speech."""
    buffer = PlayoutBuffer({0: PayloadFormat(Plain(), 48_000)})
    payloads = [frame.tobytes() for frame in SPEECH]
    way = Way(network)
    delays, stretched = [], [0, 0]
    sent = before = 0
    arrival = way.arrival(0.0) or 0.0
    for tick in range(round(seconds / FRAME_SECONDS)):
        now = 0.007 + tick * FRAME_SECONDS
        while arrival <= now:
            buffer.insert(0, sent * FRAME_SAMPLES % 2**32, payloads[sent % len(payloads)], arrival)
            sent += 1
            arrival = way.arrival(sent * FRAME_SECONDS) or 0.0
        frame = buffer.pull(now)
        after = buffer.counters.lengthened + buffer.counters.shortened
        stretched[int(np.abs(frame).max() > 1500)] += after - before
        before = after
        if tick % 25 == 0 and now > 15:
            delays.append(buffer.delay)
    quiet, loud = stretched
    return buffer, delays, quiet, loud


@pytest.mark.parametrize("seconds", [300, pytest.param(3600, marks=[pytest.mark.slow, pytest.mark.once])])
@pytest.mark.parametrize("jitter", [0.0, 0.03])
@pytest.mark.parametrize("parts", [-200, 200])
def test_a_drift_of_200_ppm_is_absorbed_unheard(parts: int, jitter: float, seconds: float) -> None:
    # Sound that comes sooner and sooner needs a delay to begin with.
    network = Network(drift=parts, jitter=jitter, delay=1.0)
    buffer, delays, quiet, loud = drift(network, seconds)
    assert buffer.counters.late == buffer.counters.overflow == 0
    assert buffer.counters.concealed <= (1e-4 * buffer.counters.decoded if jitter else 0)
    # A whole packet is the least that a pull of 20 ms can be later; what jitter asks for changes by a few milliseconds.
    assert max(delays) - min(delays) < FRAME_SECONDS + (0.015 if jitter else 0.005)
    # A correction is a whole packet, made of periods that do not fit into it: what is too much is taken out again.
    made_up = 48_000 * seconds * abs(parts) / 1e6
    assert quiet + loud < (3 if jitter else 2.2) * made_up + 4 * FRAME_SAMPLES
    assert loud <= 0.1 * quiet
