"""The page that shows a call of the history: what one side knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from openvoice.report.document import document
from openvoice.report.parties import parties, rows
from openvoice.report.protection import VOUCHERS, facts, findings
from openvoice.report.text import milliseconds, name, percent, plain
from openvoice.report.verdict import Grade

_HEADLINES = {
    Grade.GOOD: ("Nobody but the two devices could hear", "No party on the way had the keys of this call."),
    Grade.DOUBTFUL: (
        "Nobody could hear, if the peer's key is the right one",
        "Compare the OMEMO key with the peer to know for sure.",
    ),
    Grade.BAD: (
        "The servers could have heard this call",
        "That does not mean that anybody did: it means that nothing of this call would have shown it.",
    ),
}
_UNKNOWN = ("Not known", "Nothing was kept of how this call was protected.")
_SILENT = ("Nobody could hear: nothing was said", "No sound was exchanged in this call.")


def render_record(record: Mapping[str, Any]) -> str:
    """One HTML document about a record of ``openvoice history --json``; ``docs/events.md`` has its schema."""
    security = record.get("security") or {}
    grade, (headline, sentence) = _judge(security, silent=not record.get("duration"))
    peer = name(record["peer"])
    when = datetime.fromtimestamp(float(record["time"]), UTC)
    calls = "A call to" if record["direction"] == "outgoing" else "A call from"
    sections = [
        ("Who could hear, and who learnt what?", parties(security)),
        ("What protected the call", _protection(security)),
        ("The numbers", _numbers(record)),
    ]
    return document(
        title=f"{headline} · {plain(record['peer'], 40)}",
        grade=grade,
        kicker=f'{calls} {peer} · <time datetime="{when:%Y-%m-%dT%H:%M:%SZ}">{when:%d %B %Y, %H:%M} UTC</time>',
        headline=headline,
        sentence=sentence,
        chips=_chips(record),
        main="\n".join(f"<section><h2>{title}</h2>{body}</section>" for title, body in sections if body),
        footer=f"The call is named <code>{plain(record['call'])}</code>.",
    )


def _judge(security: Mapping[str, Any], *, silent: bool) -> tuple[Grade, tuple[str, str]]:
    """The worst of what is true of those who were not meant to hear."""
    grades = {row.grade for row in rows(security)}
    if not grades:
        return Grade.DOUBTFUL, _UNKNOWN
    grade = next((grade for grade in (Grade.BAD, Grade.DOUBTFUL) if grade in grades), Grade.GOOD)
    return grade, _SILENT if silent and grade is Grade.GOOD else _HEADLINES[grade]


def _chips(record: Mapping[str, Any]) -> str:
    chips = [
        ("outcome", plain(str(record["outcome"]).replace("-", " "))),
        ("lasted", milliseconds(float(record.get("duration") or 0))),
        ("keys vouched for by", VOUCHERS.get(str((record.get("security") or {}).get("vouching")), "nobody")),
    ]
    return "".join(f"<li><span>{label}</span> <b>{value}</b></li>" for label, value in chips)


def _protection(security: Mapping[str, Any]) -> str:
    return f"{findings(security)}{facts(security)}" if security else ""


def _numbers(record: Mapping[str, Any]) -> str:
    stats = record.get("stats")
    if not record.get("duration") or not stats:
        return ""
    lines = [
        ("Sent", f"{stats['packets_sent']} packets, {percent(stats['remote_loss'])} of them lost"),
        ("Received", f"{stats['packets_received']} packets, {percent(stats['loss'])} lost"),
        ("Made up", percent(stats["concealed"])),
        ("Jitter", f"{stats['jitter']:.1f} ms"),
        ("Codec", plain(stats["codec"] or "-")),
    ]
    return "<dl>" + "".join(f"<dt>{label}</dt><dd>{value}</dd>" for label, value in lines) + "</dl>"
