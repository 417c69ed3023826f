"""Who could have listened, as a part of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from openvoice.report.call import CallReport, Side
from openvoice.report.text import name, plain

_SEVERITIES = {"good": ("✓", "Good"), "notice": ("i", "To know"), "warning": ("!", "Warning")}


def protection(call: CallReport) -> str:
    """HTML: the fingerprints of both devices as each side saw them, then the findings and facts of each side."""
    return (
        f'<div class="keys">{_key(call.caller, call.callee)}{_key(call.callee, call.caller)}</div>'
        f'<div class="pair">{_findings(call.caller)}{_findings(call.callee)}</div>'
    )


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


def _findings(side: Side) -> str:
    findings = "".join(
        f'<li class="{severity}"><i class="mark" aria-hidden="true">{_SEVERITIES[severity][0]}</i>'
        f'<span><span class="spoken">{_SEVERITIES[severity][1]}: </span>'
        f"{plain(finding.get('text', ''), 400)}</span></li>"
        for finding in side.security.get("findings") or ()
        if (severity := str(finding.get("severity"))) in _SEVERITIES
    )
    facts = "".join(f"<dt>{label}</dt><dd>{plain(value)}</dd>" for label, value in _facts(side.security) if value)
    return (
        f'<div><h3>What {name(side.name)}&rsquo;s device knows</h3><ul class="findings">{findings}</ul>'
        f"<details><summary>Technical facts</summary><dl>{facts}</dl></details></div>"
    )


def _facts(security: Mapping[str, Any]) -> list[tuple[str, object]]:
    return [
        ("Vouched for by", str(security.get("vouching", "")).replace("_", " ")),
        ("Media keys", _joined(security, "dtls", "version", "cipher")),
        ("Media encryption", _at(security, "srtp", "profile")),
        ("Path", _joined(security, "path", "local", "remote")),
        ("Server", _at(security, "tls", "server")),
        ("Way to the server", _joined(security, "tls", "version", "cipher")),
        ("Server certificate, sha-256", _at(security, "tls", "certificate_sha256")),
        ("Issued by", _at(security, "tls", "certificate_issuer")),
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
