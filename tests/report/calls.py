"""A call to report on."""

from __future__ import annotations

from typing import Any

from openvoice.core.contacts import Contact, ContactKind, SeenAddress
from openvoice.core.description import CandidateType, Fingerprint
from openvoice.core.security import MediaFacts, SignallingFacts, assess
from openvoice.core.statistics import CallStatistics, ReceivedVideo, SentVideo, VideoStatistics
from openvoice.core.trace import Trace
from openvoice.core.trust import Trust
from openvoice.core.types import VideoLabel, Vouching
from openvoice.report import Actor, CallReport, Moment, Seen, Side, Similarity
from tests.core.descriptions import CERTIFICATE, voucher

ALICE, BOB, MALLORY = (Fingerprint("sha-256", bytes([number]) * 32) for number in (0xAA, 0xBB, 0xCC))
SAME = Similarity(correlation=0.97, found=1.0, delay_seconds=0.041)
OTHER = Similarity(correlation=0.12, found=0.03, delay_seconds=0.7)
TRACE = Trace(
    signalled=True,
    spoken=True,
    over=True,
    told=(
        SeenAddress("192.0.2.1", CandidateType.HOST),
        SeenAddress("203.0.113.9", CandidateType.SERVER_REFLEXIVE),
        SeenAddress("198.51.100.5", CandidateType.RELAY),
    ),
    contacts=(Contact(kind=ContactKind.TURN, host="turn.example.org", address="192.0.2.1", mapped="203.0.113.9"),),
)
MOMENTS = (
    Moment(name="propose", at=0.0, by=Actor.CALLER),
    Moment(name="ringing", at=0.012, by=Actor.CALLEE),
    Moment(name="proceed", at=0.031, by=Actor.CALLEE),
    Moment(name="session-initiate", at=0.05, by=Actor.CALLER),
    Moment(name="session-accept", at=0.08, by=Actor.CALLEE),
    Moment(name="secured", at=0.13, by=Actor.BOTH),
    Moment(name="first-sound", at=0.16, by=Actor.BOTH),
    Moment(name="end", at=6.2, by=Actor.CALLER),
)


def security(local: Fingerprint, remote: Fingerprint, trust: Trust | None = None) -> dict[str, Any]:
    media = MediaFacts(
        dtls_version="DTLS 1.2",
        dtls_cipher="ECDHE-ECDSA-AES128-GCM-SHA256",
        srtp_profile="SRTP_AEAD_AES_128_GCM",
        local_fingerprint=local,
        remote_fingerprint=remote,
        local_candidate=CandidateType.HOST,
        remote_candidate=CandidateType.HOST,
        relayed=False,
        local_address="192.0.2.1",
        remote_address="198.51.100.2",
    )
    signalling = SignallingFacts(
        server="example.org",
        tls_version="TLSv1.3",
        cipher="TLS_AES_256_GCM_SHA384",
        chain=(CERTIFICATE,),
        local_address="192.0.2.1",
    )
    key = voucher(trust) if trust else None
    vouching = key.vouching if key else Vouching.SIGNALLED
    return assess(vouching, media, signalling, trace=TRACE, voucher=key, peer="bob@example.org").as_dict()


def record(trust: Trust | None = None, **changed: Any) -> dict[str, Any]:
    """A call as the history keeps it."""
    values: dict[str, Any] = {
        "call": "call-1",
        "time": 1_790_000_000.0,
        "direction": "outgoing",
        "peer": "bob@example.org",
        "outcome": "answered",
        "duration": 6.04,
        "security": security(ALICE, BOB, trust),
        "stats": CallStatistics(loss=0.015, jitter=2.5, codec="opus").as_dict(),
    }
    return values | changed


PICTURES = VideoStatistics(
    content="1",
    label=VideoLabel.CAMERA,
    sent=SentVideo(codec="VP8", frames=180, bitrate=812.5),
    received=ReceivedVideo(codec="VP8", frames=179, freezes=1, freeze_seconds=0.25),
)


def side(address: str, local: Fingerprint, remote: Fingerprint, **changed: Any) -> Side:
    values: dict[str, Any] = {
        "address": address,
        "statistics": CallStatistics(
            loss=0.015, jitter=2.5, round_trip=1.25, bitrate_sent=48.0, codec="opus", video=(PICTURES,)
        ),
        "security": security(local, remote),
        "sent": f"{address[0]}.flac",
        "received": f"{address[0]}-heard.wav",
        "similarity": SAME,
        "seen": Seen(pictures=170, width=640, height=480, age=0.021, file=f"{address[0]}-saw.png"),
    }
    return Side(**values | changed)


def report(**changed: Any) -> CallReport:
    values: dict[str, Any] = {
        "id": "call-1",
        "started": 1_790_000_000.0,
        "duration": 6.04,
        "reason": "success",
        "moments": MOMENTS,
        "caller": side("alice@example.org", ALICE, BOB),
        "callee": side("bob@example.org", BOB, ALICE),
    }
    return CallReport(**values | changed)
