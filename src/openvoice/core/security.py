"""What protects a call, who could listen, and the verdict in words. Computed from what happened, never assumed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from openvoice.core.description import CandidateType, Fingerprint
from openvoice.core.types import Vouching


@dataclass(frozen=True, kw_only=True, slots=True)
class SignallingFacts:
    """How the stream to the own server is protected, as negotiated."""

    server: str
    tls_version: str
    cipher: str
    certificate_sha256: str
    certificate_issuer: str = ""
    sasl_mechanism: str = ""
    channel_binding: str = ""
    """The type of channel binding that SASL proved (RFC 5929), empty for none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaFacts:
    """How the media are protected, as negotiated, and which way they go."""

    dtls_version: str
    dtls_cipher: str
    srtp_profile: str
    local_fingerprint: Fingerprint
    remote_fingerprint: Fingerprint
    local_candidate: CandidateType
    remote_candidate: CandidateType
    relayed: bool
    """Whether a TURN server of this side carries the packets (it sees addresses and times, never sound)."""
    candidates_before_consent: int = 0
    """How many addresses were told, to anybody, before the user said yes. Anything but 0 is a fault of openvoice."""
    packets_before_gate: int = 0
    """How many media packets left before the policy opened the gate. Anything but 0 is a fault of openvoice."""


class Severity(StrEnum):
    """How much a finding matters."""

    GOOD = "good"
    NOTICE = "notice"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about the protection of a call, in words for a person."""

    severity: Severity
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SecurityReport:
    """The answer to "who could listen to this call?"."""

    vouching: Vouching
    media: MediaFacts | None
    signalling: SignallingFacts | None
    findings: tuple[Finding, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-ready data; ``docs/events.md`` is its schema."""
        media, signalling = self.media, self.signalling
        return {
            "vouching": str(self.vouching),
            "fingerprints": {
                "local": str(media.local_fingerprint) if media else None,
                "remote": str(media.remote_fingerprint) if media else None,
                "hash": media.remote_fingerprint.algorithm if media else None,
            },
            "dtls": {"version": media.dtls_version, "cipher": media.dtls_cipher} if media else None,
            "srtp": {"profile": media.srtp_profile} if media else None,
            "path": {
                "local": media.local_candidate.value,
                "remote": media.remote_candidate.value,
                "relayed": media.relayed,
            }
            if media
            else None,
            "before_consent": {
                "candidates": media.candidates_before_consent if media else 0,
                "packets": media.packets_before_gate if media else 0,
            },
            "tls": {
                "server": signalling.server,
                "version": signalling.tls_version,
                "cipher": signalling.cipher,
                "certificate_sha256": signalling.certificate_sha256,
                "certificate_issuer": signalling.certificate_issuer,
                "sasl_mechanism": signalling.sasl_mechanism,
                "channel_binding": signalling.channel_binding or None,
            }
            if signalling
            else None,
            "findings": [{"severity": finding.severity.value, "text": finding.text} for finding in self.findings],
        }


def assess(
    vouching: Vouching, media: MediaFacts | None, signalling: SignallingFacts | None, *, exposed: bool = False
) -> SecurityReport:
    """Put the facts of a call into a report, with what they mean.

    ``exposed`` says that the peer is a stranger and that there was no relay to keep addresses from them.
    """
    findings: list[Finding] = []

    def find(severity: Severity, text: str) -> None:
        findings.append(Finding(severity, text))

    if media is None:
        find(Severity.NOTICE, "No media were exchanged: nothing was said that anybody could have heard.")
    else:
        find(
            Severity.GOOD,
            f"Sound was encrypted from device to device ({media.srtp_profile}, keys from {media.dtls_version}); "
            "no server holds the key.",
        )
        find(*_VOUCHING_WORDS[vouching])
        if media.relayed:
            find(Severity.NOTICE, "A relay carried the packets: it saw both addresses and the times, not the sound.")
        elif media.remote_candidate is CandidateType.RELAY:
            find(Severity.NOTICE, "The peer used a relay: its operator saw this device's address, not the sound.")
        else:
            find(Severity.NOTICE, "The devices spoke directly: the peer learnt this device's network address.")
        if exposed and not media.relayed:
            find(
                Severity.NOTICE,
                "The peer is not in your contact list; your server offers no relay that would have kept this device's "
                "address from them.",
            )
        if media.candidates_before_consent or media.packets_before_gate:
            find(Severity.WARNING, "Something left this device before you agreed. This is a fault: please report it.")
    if signalling is None:
        find(Severity.NOTICE, "Nothing is known about the protection of the way to the server.")
    else:
        find(
            Severity.GOOD,
            f"The way to {signalling.server} was encrypted ({signalling.tls_version}, {signalling.cipher}) "
            "and its certificate was checked.",
        )
        if not signalling.channel_binding:
            find(
                Severity.NOTICE,
                "The login was not bound to the encrypted channel: who holds a valid certificate for the server's name "
                "could sit in between.",
            )
        find(Severity.NOTICE, f"{signalling.server} knows who called whom, when and for how long.")
    return SecurityReport(vouching=vouching, media=media, signalling=signalling, findings=tuple(findings))


_VOUCHING_WORDS = {
    Vouching.NONE: (Severity.WARNING, "Nobody vouches for the peer's key: anybody on the way could have listened."),
    Vouching.SIGNALLED: (
        Severity.WARNING,
        "Only the servers vouch for the peer's key: an operator of your server or the peer's who swapped two keys "
        "could have listened without a trace.",
    ),
    Vouching.OMEMO_TRUSTED: (
        Severity.NOTICE,
        "The peer's OMEMO key vouches for the call; you have not compared that key with the peer yet.",
    ),
    Vouching.OMEMO_VERIFIED: (
        Severity.GOOD,
        "The peer's OMEMO key, which you verified, vouches for the call: no server could have listened.",
    ),
}
