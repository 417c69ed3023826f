"""Where the time of a 20 ms frame goes: a stopwatch around each stage of the media thread, without what is inside.

The watches themselves cost 0.3 µs for each call of a stage, which the totals contain.
"""

from __future__ import annotations

import asyncio.selector_events
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest import mock

import pylibsrtp
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtp import RtpPacket

from openvoice.media.audio import encoding, receiver
from openvoice.media.audio.clock import Pace
from openvoice.media.audio.level import LevelMeter
from openvoice.media.audio.opus import OpusDecoder, OpusEncoder
from openvoice.media.audio.playout import PlayoutBuffer
from openvoice.media.audio.receiver import AudioReceiver
from openvoice.media.audio.sender import AudioSender
from openvoice.media.dtls import SecureTransport
from openvoice.media.guard import GuardedSocket
from openvoice.media.reports import ReceptionStatistics, Reporter
from openvoice.media.session import CallMedia
from openvoice.media.transport import MediaTransport

Datagrams: Any = asyncio.selector_events._SelectorDatagramTransport  # type: ignore[attr-defined]

STAGES: tuple[tuple[str, Any, str], ...] = (
    ("pace", Pace, "_run"),
    ("level meters", LevelMeter, "add"),
    ("Opus: encode", OpusEncoder, "encode"),
    ("redundancy: choose, pack", encoding.VoiceEncoder, "encode"),
    ("RTP: pack", RtpPacket, "serialize"),
    ("sender", AudioSender, "send"),
    ("gate, transport, consent", MediaTransport, "send_rtp"),
    ("SRTP: protect", pylibsrtp.Session, "protect"),
    ("sendto", Datagrams, "sendto"),
    ("recvfrom", Datagrams, "_read_ready"),
    ("guard", GuardedSocket, "datagram_received"),
    ("DTLS or SRTP, queue", SecureTransport, "receive"),
    ("SRTP: unprotect", pylibsrtp.Session, "unprotect"),
    ("RTP: parse", RtpPacket, "parse"),
    ("receiver", AudioReceiver, "handle"),
    ("redundancy: unpack", receiver, "unpack"),
    ("reception statistics", ReceptionStatistics, "add"),
    ("transport, session", CallMedia, "rtp_received"),
    ("playout: insert", PlayoutBuffer, "insert"),
    ("playout: insert copy", PlayoutBuffer, "insert_copy"),
    ("playout: pull", AudioReceiver, "pull"),
    ("Opus: decode", OpusDecoder, "_decode"),
    ("playout: stretch", PlayoutBuffer, "_adapted"),
    ("RTCP: make", Reporter, "compound"),
    ("RTCP: read", Reporter, "handle"),
    ("snapshots", CallMedia, "statistics"),
    ("liveness and consent", MediaTransport, "_keep_watch"),
    ("DTLS loop of aiortc: RTP", RTCDtlsTransport, "_RTCDtlsTransport__handle"),
)


class Stopwatch:
    """Adds up the time of each stage on one thread, as a context manager."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        """Nanoseconds without those of the stages within."""
        self.calls: Counter[str] = Counter()
        self._inside = [0]
        self._patches = ExitStack()

    def __enter__(self) -> Stopwatch:
        for label, owner, name in STAGES:
            found = vars(owner).get(name)
            if found is not None:
                plain = found.__func__ if isinstance(found, classmethod | staticmethod) else found
                timed = self._timed(label, plain)
                wrapped = type(found)(timed) if isinstance(found, classmethod | staticmethod) else timed
                self._patches.enter_context(mock.patch.object(owner, name, wrapped))
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    def _timed(self, label: str, stage: Callable[..., Any]) -> Callable[..., Any]:
        spent, calls, inside, clock = self.spent, self.calls, self._inside, time.perf_counter_ns

        def timed(*arguments: Any, **named: Any) -> Any:
            inside.append(0)
            begin = clock()
            try:
                return stage(*arguments, **named)
            finally:
                elapsed = clock() - begin
                spent[label] += elapsed - inside.pop()
                inside[-1] += elapsed
                calls[label] += 1

        return timed

    def clear(self) -> None:
        self.spent.clear()
        self.calls.clear()

    def table(self, frames: float, cpu: float) -> str:
        """Microseconds per frame of one call; ``cpu`` is what the process spent on all ``frames``, in seconds."""
        whole = 1e6 * cpu / frames
        rows = [(label, self.spent[label] / 1000 / frames) for label, _, _ in STAGES if self.calls[label]]
        rows.append(("the rest: event loop, tasks, the kernel's waking", whole - sum(spent for _, spent in rows)))
        lines = [f"| {label} | {spent:.1f} |" for label, spent in sorted(rows, key=lambda row: -row[1])]
        return "\n".join(["| stage | µs |", "|---|---:|", *lines, f"| **whole** | **{whole:.0f}** |"])
