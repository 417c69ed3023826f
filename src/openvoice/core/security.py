"""What protects a call, who could listen, and the verdict in words. Computed from what happened, never assumed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from openvoice.core.certificates import CertificateChange, CertificateFacts
from openvoice.core.description import CandidateType, Fingerprint
from openvoice.core.parties import PartyVerdict, judge
from openvoice.core.trace import Trace
from openvoice.core.trust import Trust, Voucher
from openvoice.core.types import Vouching, WordsOutcome


@dataclass(frozen=True, kw_only=True, slots=True)
class SignallingFacts:
    """How the stream to the own server is protected, as negotiated."""

    server: str
    tls_version: str
    cipher: str
    sasl_mechanism: str = ""
    channel_binding: str = ""
    """The type of channel binding that SASL proved (RFC 5929), empty for none."""
    omemo_device: int | None = None
    """The number of the own OMEMO device, if others can find it; without one, no fingerprint can be sealed."""
    chain: tuple[CertificateFacts, ...] = ()
    """The server's certificate, then those that vouch for it, as far as Python tells."""
    local_address: str = ""
    """The address of this device that the stream comes from, as this device knows it."""
    certificate_change: CertificateChange | None = None
    """That it was another certificate before."""

    @property
    def certificate_sha256(self) -> str:
        """Of the server's certificate; empty if Python does not tell it."""
        return self.chain[0].sha256 if self.chain else ""

    @property
    def certificate_issuer(self) -> str:
        return self.chain[0].issuer if self.chain else ""


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
    local_address: str = ""
    """Of the selected pair: where packets leave from, an address of this device or one that a TURN server lends it."""
    remote_address: str = ""
    """Of the selected pair: where packets go to."""
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
    voucher: Voucher | None = None
    """The OMEMO keys that vouch, if any do."""
    words: WordsOutcome = WordsOutcome.NONE
    """What became of the verification words."""
    findings: tuple[Finding, ...] = field(default=())
    parties: tuple[PartyVerdict, ...] = field(default=())
    """Who could hear, and who learnt what."""

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-ready data; ``docs/events.md`` is its schema."""
        media, signalling = self.media, self.signalling
        return {
            "vouching": str(self.vouching),
            "voucher": _voucher_as_dict(self.voucher) if self.voucher else None,
            "words": self.words.value,
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
                "local_address": media.local_address,
                "remote_address": media.remote_address,
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
                "chain": [certificate.as_dict() for certificate in signalling.chain],
                "local_address": signalling.local_address,
                "certificate_change": signalling.certificate_change.as_dict()
                if signalling.certificate_change is not None
                else None,
            }
            if signalling
            else None,
            "findings": [{"severity": finding.severity.value, "text": finding.text} for finding in self.findings],
            "parties": [verdict.as_dict() for verdict in self.parties],
        }


def _voucher_as_dict(voucher: Voucher) -> dict[str, Any]:
    peer = voucher.peer
    return {
        "owner": str(peer.owner),
        "device": peer.device,
        "key": peer.key.hex(),
        "trust": peer.trust.value,
        "first_seen": peer.seen,
        "own_device": voucher.own_device,
        "own_key": voucher.own_key.hex(),
    }


def assess(
    vouching: Vouching,
    media: MediaFacts | None,
    signalling: SignallingFacts | None,
    *,
    trace: Trace | None = None,
    voucher: Voucher | None = None,
    peer: str = "",
    words: WordsOutcome = WordsOutcome.NONE,
) -> SecurityReport:
    """Put the facts of a call with ``peer`` (a bare address) into a report, with what they mean."""
    trace = trace or Trace()
    return SecurityReport(
        vouching=vouching,
        media=media,
        signalling=signalling,
        voucher=voucher,
        words=words,
        findings=(
            *_about_media(vouching, voucher, media, trace),
            *_about_words(words, vouching),
            *_about_signalling(signalling),
        ),
        parties=judge(
            trace,
            vouching=vouching,
            media=media is not None,
            own_server=signalling.server if signalling else "",
            own_address=signalling.local_address if signalling else "",
            bound=bool(signalling and signalling.channel_binding),
            peer=peer,
        ),
    )


def _about_media(
    vouching: Vouching, voucher: Voucher | None, media: MediaFacts | None, trace: Trace
) -> Iterator[Finding]:
    if media is None or trace.silent:
        yield Finding(Severity.NOTICE, "No sound was exchanged: nothing was said that anybody could have heard.")
    if media is not None:
        yield Finding(
            Severity.GOOD,
            f"Sound was encrypted from device to device ({media.srtp_profile}, keys from {media.dtls_version}); "
            "no server holds the key.",
        )
        yield Finding(*_VOUCHING_WORDS[vouching])
        if voucher is not None:
            yield Finding(*_voucher_words(voucher))
        yield Finding(Severity.NOTICE, _path_words(media, trace))
        if trace.exposed and not media.relayed:
            yield Finding(
                Severity.NOTICE,
                "The peer is not in your contact list; your server offers no relay that would have kept this device's "
                "address from them.",
            )
    if trace.moves:
        times = "once" if trace.moves == 1 else f"{trace.moves} times"
        yield Finding(
            Severity.NOTICE,
            f"The call moved {times}: it went on in a new session with the peer, under new keys that had to be vouched "
            "for as well as those before.",
        )
    if trace.told_before_consent or (media is not None and media.packets_before_gate):
        yield Finding(
            Severity.WARNING, "Something left this device before you agreed. This is a fault: please report it."
        )


def _about_words(words: WordsOutcome, vouching: Vouching) -> Iterator[Finding]:
    if words is WordsOutcome.SAME and vouching < Vouching.OMEMO_VERIFIED:
        # Less vouched for the call before it moved to the device whose words were compared.
        yield Finding(
            Severity.NOTICE,
            "You and the peer read the same four words to each other: nobody sat in between since the call moved to "
            "the peer's last device.",
        )
    elif words in _COMPARISONS:
        yield Finding(*_COMPARISONS[words])


def _path_words(media: MediaFacts, trace: Trace) -> str:
    if media.relayed:
        return "A relay carried the packets: it saw both addresses and the times, not the sound."
    # A check of the peer may arrive before its word that a relay lends it the address.
    if media.remote_candidate is CandidateType.RELAY or media.remote_address in trace.peer_relays:
        return "The peer used a relay: its operator saw this device's address, not the sound."
    return "The devices spoke directly: the peer learnt this device's network address."


def _voucher_words(voucher: Voucher) -> tuple[Severity, str]:
    severity, words = _TRUST_WORDS[voucher.peer.trust]
    return severity, words.format(device=voucher.peer.device, key=voucher.peer.fingerprint)


def _about_signalling(signalling: SignallingFacts | None) -> Iterator[Finding]:
    if signalling is None:
        yield Finding(Severity.NOTICE, "Nothing is known about the protection of the way to the server.")
        return
    yield Finding(
        Severity.GOOD,
        f"The way to {signalling.server} was encrypted ({signalling.tls_version}, {signalling.cipher}) "
        "and its certificate was checked.",
    )
    if signalling.certificate_change is not None:
        yield Finding(*certificate_finding(signalling.certificate_change))
    if not signalling.channel_binding:
        yield Finding(
            Severity.NOTICE,
            "The login was not bound to the encrypted channel: who holds a valid certificate for the server's name "
            "could sit in between.",
        )
    yield Finding(Severity.NOTICE, f"{signalling.server} knows who called whom, when and for how long.")


def certificate_finding(change: CertificateChange) -> tuple[Severity, str]:
    """What a person is told of another certificate, and how loud: a renewal is no alarm."""
    severity = Severity.NOTICE if change.ordinary else Severity.WARNING
    return severity, change.sentence


_TRUST_WORDS = {
    Trust.UNDECIDED: (
        Severity.WARNING,
        "You verified another device of the peer's: until you decide about device {device}, its OMEMO key ({key}) "
        "vouches for nothing.",
    ),
    Trust.TRUSTED: (Severity.NOTICE, "Device {device} of the peer vouched, by its OMEMO key {key}."),
    Trust.VERIFIED: (Severity.GOOD, "Device {device} of the peer vouched, by its OMEMO key {key}."),
    Trust.DISTRUSTED: (Severity.WARNING, "You distrust the OMEMO key {key} of the peer's device {device}."),
}
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
_COMPARISONS = {
    WordsOutcome.SAME: (
        Severity.GOOD,
        "You and the peer read the same four words to each other: nobody sat in between.",
    ),
    WordsOutcome.DIFFERENT: (
        Severity.WARNING,
        "The four words differed: somebody sat in between, or tampered with what the devices told each other.",
    ),
    WordsOutcome.FAILED: (
        Severity.WARNING,
        "Four words to compare could not be agreed on: somebody may have tampered with what the devices told "
        "each other.",
    ),
}
