"""Who could have listened, as a part of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openvoice.report.call import CallReport, Side
from openvoice.report.parties import parties
from openvoice.report.text import name, plain

VOUCHERS = {
    "signalled": "the servers only",
    "omemo_trusted": "OMEMO, not compared yet",
    "omemo_verified": "OMEMO, verified",
}
"""Who vouches for the peer's key; nobody if it is none of these."""

_SEVERITIES = {"good": ("✓", "Good"), "notice": ("i", "To know"), "warning": ("!", "Warning")}


def protection(call: CallReport) -> str:
    """HTML: the fingerprints of both devices as each side saw them, then the verdicts, findings and facts of each."""
    return (
        f'<div class="keys">{_key(call.caller, call.callee)}{_key(call.callee, call.caller)}</div>'
        f"{_parties(call.caller)}{_parties(call.callee)}"
        f'<div class="pair">{_knowledge(call.caller)}{_knowledge(call.callee)}</div>'
    )


def _parties(side: Side) -> str:
    shown = parties(side.security)
    title = f'<h3 class="apart">Who could hear, and who learnt what of {name(side.name)}</h3>'
    return f"{title}{shown}" if shown else ""


def _key(owner: Side, peer: Side) -> str:
    """The fingerprint of one device: its own word for it, and what reached the peer."""
    own = _at(owner.security, "fingerprints", "local")
    seen = _at(peer.security, "fingerprints", "remote")
    if not own and not seen:
        return ""
    agreed = bool(own) and own == seen
    mark, words = ("✓", "saw the same") if agreed else ("!", "saw another one")
    other = "" if agreed else f'<code class="bad">{_groups(seen)}</code>'
    return (
        f"<figure><figcaption>Key of {name(owner.name)}&rsquo;s device, "
        f"{plain(_at(owner.security, 'fingerprints', 'hash'))}"
        f"</figcaption><code>{_groups(own)}</code>{other}"
        f'<span class="{"good" if agreed else "warning"}"><i class="mark" aria-hidden="true">{mark}</i> '
        f"{name(peer.name)} {words}</span></figure>"
    )


def _groups(fingerprint: object) -> str:
    """A fingerprint with places to break the line."""
    octets = plain(fingerprint or "none").split(":")
    return " ".join(":".join(octets[start : start + 4]) for start in range(0, len(octets), 4))


def _knowledge(side: Side) -> str:
    known = f"{findings(side.security)}{facts(side.security)}"
    return f'<div><h3 class="apart">What {name(side.name)}&rsquo;s device knows</h3>{known}</div>'


def findings(security: Mapping[str, Any]) -> str:
    """HTML: what protected the call, in sentences."""
    items = "".join(
        f'<li class="{severity}"><i class="mark" aria-hidden="true">{_SEVERITIES[severity][0]}</i>'
        f'<span><span class="spoken">{_SEVERITIES[severity][1]}: </span>'
        f"{plain(finding.get('text', ''), 400)}</span></li>"
        for finding in security.get("findings") or ()
        if (severity := str(finding.get("severity"))) in _SEVERITIES
    )
    return f'<ul class="findings">{items}</ul>'


def facts(security: Mapping[str, Any]) -> str:
    """HTML: the technical facts, folded up."""
    shown = "".join(f"<dt>{label}</dt><dd>{plain(value)}</dd>" for label, value in _facts(security) if value)
    return f"<details><summary>Technical facts</summary><dl>{shown}</dl></details>"


def _facts(security: Mapping[str, Any]) -> list[tuple[str, object]]:
    before = (_at(security, "tls", "certificate_change") or {}).get("old") or {}
    return [
        ("Vouched for by", str(security.get("vouching", "")).replace("_", " ")),
        ("Media keys", _joined(security, "dtls", "version", "cipher")),
        ("Media encryption", _at(security, "srtp", "profile")),
        ("Four words to compare", {"same": "the same", "different": "different"}.get(str(security.get("words")))),
        ("OMEMO device of the peer", _text(_at(security, "voucher", "device"))),
        ("Its OMEMO key", _at(security, "voucher", "key")),
        ("Path", _joined(security, "path", "local", "remote")),
        ("From", _at(security, "path", "local_address")),
        ("To", _at(security, "path", "remote_address")),
        ("Key of this device", _at(security, "fingerprints", "local")),
        ("Key of the peer's device", _at(security, "fingerprints", "remote")),
        ("Server", _at(security, "tls", "server")),
        ("Way to the server", _joined(security, "tls", "version", "cipher")),
        ("Server certificate, sha-256", _at(security, "tls", "certificate_sha256")),
        ("Issued by", _at(security, "tls", "certificate_issuer")),
        ("Known before, sha-256", before.get("sha256")),
        ("Issued by, before", before.get("issuer")),
        *(("Chain", f"{link.get('subject')}, by {link.get('issuer')}") for link in _at(security, "tls", "chain") or ()),
        ("Login", _at(security, "tls", "sasl_mechanism")),
        ("Channel binding", _at(security, "tls", "channel_binding") or "none"),
        ("Addresses told before consent", _text(_at(security, "before_consent", "candidates"))),
        ("Packets sent before consent", _text(_at(security, "before_consent", "packets"))),
    ]


def _at(security: Mapping[str, Any], part: str, key: str) -> Any:
    return (security.get(part) or {}).get(key)


def _joined(security: Mapping[str, Any], part: str, first: str, second: str) -> str:
    return ", ".join(str(value) for key in (first, second) if (value := _at(security, part, key)))


def _text(value: object) -> str:
    return "" if value is None else str(value)
