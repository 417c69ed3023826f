"""A call to report on."""

from __future__ import annotations

from typing import Any

from openvoice.core.description import CandidateType, Fingerprint
from openvoice.core.security import MediaFacts, SignallingFacts, assess
from openvoice.core.statistics import CallStatistics
from openvoice.core.types import Vouching
from openvoice.report import CallReport, Moment, Party, Side, Similarity

ALICE, BOB, MALLORY = (Fingerprint("sha-256", bytes([number]) * 32) for number in (0xAA, 0xBB, 0xCC))
SAME = Similarity(correlation=0.97, found=1.0, delay_seconds=0.041)
OTHER = Similarity(correlation=0.12, found=0.03, delay_seconds=0.7)
MOMENTS = (
    Moment(name="propose", at=0.0, by=Party.CALLER),
    Moment(name="ringing", at=0.012, by=Party.CALLEE),
    Moment(name="proceed", at=0.031, by=Party.CALLEE),
    Moment(name="session-initiate", at=0.05, by=Party.CALLER),
    Moment(name="session-accept", at=0.08, by=Party.CALLEE),
    Moment(name="secured", at=0.13, by=Party.BOTH),
    Moment(name="first-sound", at=0.16, by=Party.BOTH),
    Moment(name="end", at=6.2, by=Party.CALLER),
)


def security(local: Fingerprint, remote: Fingerprint) -> dict[str, Any]:
    media = MediaFacts(
        dtls_version="DTLS 1.2",
        dtls_cipher="ECDHE-ECDSA-AES128-GCM-SHA256",
        srtp_profile="SRTP_AEAD_AES_128_GCM",
        local_fingerprint=local,
        remote_fingerprint=remote,
        local_candidate=CandidateType.HOST,
        remote_candidate=CandidateType.HOST,
        relayed=False,
    )
    signalling = SignallingFacts(
        server="example.org", tls_version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", certificate_sha256="ab" * 32
    )
    return assess(Vouching.SIGNALLED, media, signalling).as_dict()


def side(address: str, local: Fingerprint, remote: Fingerprint, **changed: Any) -> Side:
    values: dict[str, Any] = {
        "address": address,
        "statistics": CallStatistics(loss=0.015, jitter=2.5, round_trip=1.25, bitrate_sent=48.0, codec="opus"),
        "security": security(local, remote),
        "sent": f"{address[0]}.flac",
        "received": f"{address[0]}-heard.wav",
        "similarity": SAME,
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
