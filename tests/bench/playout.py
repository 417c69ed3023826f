"""Speech through sender, network and playout buffer on a virtual clock: minutes of call in seconds, alike each time.

::

    python -m tests.bench.playout [--in-band] [--seeds N] [--seconds S] [--speech WAV ...] [NETWORK ...]

Encoder, protection, reports and decoder are the real ones; there is no transport and no encryption, so that figures
depend on no machine. ``--in-band`` is a call with a peer that takes no copies (RFC 2198). Each seed and each voice is a
call of its own; the table has medians of all. Networks are those of :mod:`tests.bench.rows`.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import heapq
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from aiortc.rtp import RtcpPacket, RtpPacket

from openvoice.core.description import Source
from openvoice.media.audio.codec import Samples
from openvoice.media.audio.negotiation import offered_codecs
from openvoice.media.audio.receiver import AudioReceiver
from openvoice.media.audio.sender import AudioSender
from openvoice.media.reports import Reporter
from openvoice.ports import FRAME_SECONDS, SAMPLE_RATE
from tests.bench.rows import ROWS
from tests.bench.score import pesq_wb
from tests.bench.speech import voices
from tests.media.audio.network import HEADERS, Network, Way
from tests.media.audio.sound import frames, lag

PHASE = 0.0103
"""Seconds by which the output's ticks are later than the input's: half a frame is the mean."""
REPORT_EVERY = 1.0
LEAD = 5.0
"""Seconds of speech before what is judged: the sender gets to know the network."""
TAG_OCTETS = 10
"""What SRTP adds to each packet (AES_CM_128_HMAC_SHA1_80)."""


def call(said: Samples, network: Network, *, copies: bool) -> tuple[Samples, AudioReceiver, float]:
    """What is heard, frame by frame after what is said; who heard it; and the kbit/s on the wire."""
    codecs = offered_codecs()
    opus, redundancy = codecs[0], codecs[1]
    events: list[tuple[float, int, Callable[[float], None]]] = []
    order = itertools.count()
    octets = 0

    def at(moment: float, what: Callable[[float], None]) -> None:
        heapq.heappush(events, (moment, next(order), what))

    def transmit(data: bytes) -> None:
        nonlocal octets
        octets += len(data) + TAG_OCTETS + HEADERS
        arrival = way.arrival(now, len(data) + TAG_OCTETS)
        if arrival is not None:
            packet = RtpPacket.parse(data)
            at(arrival, lambda moment: receiver.handle(packet, moment))

    way, back, now = Way(network), Way(Network(delay=network.delay)), 0.0
    receiver = AudioReceiver(codecs, lambda _: None)
    sender = AudioSender(codec=opus, redundancy=redundancy if copies else None, events=None, ssrc=1, send=transmit)
    ours, theirs = Reporter(Source(1, "a"), sender.report), Reporter(Source(2, "b"), lambda _: None)
    heard = []
    for tick, frame in enumerate(frames(said)):
        now = tick * FRAME_SECONDS
        sender.send(frame, now)
        if tick % round(REPORT_EVERY / FRAME_SECONDS) == 0:
            own = ours.compound(
                now, reception=None, packets_sent=sender.packets, octets_sent=sender.octets, timestamp=0
            )
            theirs.handle(RtcpPacket.parse(own), now)
            report = theirs.compound(now, reception=receiver.reception, packets_sent=0, octets_sent=0, timestamp=0)
            at(back.arrival(now) or now, functools.partial(ours.handle, RtcpPacket.parse(report)))
        while events and events[0][0] <= now + PHASE:
            moment, _, what = heapq.heappop(events)
            what(moment)
        heard.append(receiver.pull(now + PHASE))
    return np.concatenate(heard), receiver, octets * 8 / 1000 / (len(said) / SAMPLE_RATE)


def judge(voice: Samples, network: Network, *, copies: bool) -> tuple[float, float, float, float]:
    """PESQ-WB, delay in ms, share concealed, and kbit/s of one voice."""
    lead = round(LEAD * SAMPLE_RATE)
    said = np.concatenate([voice[:lead], voice, np.zeros(SAMPLE_RATE, np.int16)])
    heard, receiver, rate = call(said, network, copies=copies)
    late = lag(voice, heard[lead : lead + len(voice) + SAMPLE_RATE])
    judged = heard[lead + late : lead + late + len(voice)]
    judged = np.concatenate([judged, np.zeros(len(voice) - len(judged), np.int16)])
    return pesq_wb(voice, judged), 1000 * (late / SAMPLE_RATE + PHASE), receiver.concealed, rate


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description="Speech through sender, network and playout, on a virtual clock.")
    parser.add_argument("networks", nargs="*", help="of tests.bench.rows; all by default")
    parser.add_argument("--in-band", action="store_true", help="the peer takes no copies")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each voice")
    parser.add_argument("--speech", type=Path, nargs="+", help="WAV files of 48 kHz, mono, 16 bits")
    arguments = parser.parse_args()
    spoken = voices(arguments.seconds, arguments.speech)
    say(f"{'network':20}{'PESQ':>6}{'least':>7}{'ms':>7}{'made up':>9}{'kbit/s':>8}")
    for row in ROWS:
        if row.is_trouble or (arguments.networks and row.name not in arguments.networks):
            continue
        results = [
            judge(voice.samples, dataclasses.replace(row.network, seed=seed), copies=not arguments.in_band)
            for voice in spoken
            for seed in range(1, arguments.seeds + 1)
        ]
        quality, late, concealed, rate = (median(column) for column in zip(*results, strict=True))
        least = min(result[0] for result in results)
        say(f"{row.name:20}{quality:6.2f}{least:7.2f}{late:7.0f}{concealed:9.2%}{rate:8.1f}")


if __name__ == "__main__":
    main()
