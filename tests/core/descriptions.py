"""Descriptions and facts for tests of the pure logic."""

from __future__ import annotations

from openvoice.core.address import Address
from openvoice.core.certificates import CertificateFacts
from openvoice.core.description import (
    Candidate,
    CandidateType,
    Codec,
    Content,
    Fingerprint,
    Media,
    SessionDescription,
    Setup,
    TransportDescription,
)
from openvoice.core.security import MediaFacts, SignallingFacts
from openvoice.core.trust import DeviceKey, Trust, Voucher

OPUS = Codec(payload_type=111, name="opus", clock_rate=48_000, channels=2)
CANDIDATE = Candidate(foundation="1", address="192.0.2.1", port=5000, priority=2130706431)


def voucher(trust: Trust = Trust.TRUSTED, device: int = 27183) -> Voucher:
    peer = DeviceKey(owner=Address.parse("bob@example.org"), device=device, key=bytes(range(32)), trust=trust)
    return Voucher(peer=peer, own_device=31415, own_key=bytes(32))


def description(setup: Setup = Setup.ACTPASS, vouched_by: Voucher | None = None, name: str = "0") -> SessionDescription:
    transport = TransportDescription(
        ufrag="abcd",
        pwd="x" * 22,
        fingerprint=Fingerprint("sha-256", bytes(32), vouched_by),
        setup=setup,
        candidates=(CANDIDATE,),
    )
    content = Content(name=name, media=Media.AUDIO, codecs=(OPUS,), transport=transport)
    return SessionDescription(contents=(content,), bundle=(name,))


def facts(*, relayed: bool = False, early: int = 0, remote: CandidateType = CandidateType.HOST) -> MediaFacts:
    return MediaFacts(
        dtls_version="DTLS 1.2",
        dtls_cipher="ECDHE-ECDSA-AES256-GCM-SHA384",
        srtp_profile="SRTP_AEAD_AES_256_GCM",
        local_fingerprint=Fingerprint("sha-256", bytes(32)),
        remote_fingerprint=Fingerprint("sha-256", bytes(32)),
        local_candidate=CandidateType.RELAY if relayed else CandidateType.HOST,
        remote_candidate=remote,
        relayed=relayed,
        local_address="192.0.2.1",
        remote_address="198.51.100.2",
        packets_before_gate=early,
    )


CERTIFICATE = CertificateFacts(
    subject="example.org",
    issuer="An authority",
    not_before=1_780_000_000.0,
    not_after=1_790_000_000.0,
    sha256="ab" * 32,
    public_key_sha256="cd" * 32,
)
SIGNALLING = SignallingFacts(server="example.org", tls_version="TLSv1.3", cipher="AES")
