"""Who could hear a call, and who learnt what: the verdicts of a security report, for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openvoice.report.text import plain
from openvoice.report.verdict import Grade, graded

_NAMES = {
    "own_server": "Own server",
    "peer_server": "Peer's server",
    "turn_operator": "Relay (TURN)",
    "stun_operator": "STUN server",
    "network": "Network on the way",
    "peer": "Peer",
}
_HEARING = {
    True: (Grade.BAD, "could hear"),
    False: (Grade.GOOD, "could not hear"),
    None: (Grade.DOUBTFUL, "not, if the key is the peer's"),
}
_LEARNT = {"who": "who", "when": "when", "how_long": "how long"}
_KINDS = {"srflx": "as a router shows it", "prflx": "as a router shows it", "relay": "of the relay"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One verdict in words. Texts may come from elsewhere: show them with care."""

    party: str
    name: str
    grade: Grade
    hearing: str
    why: str
    learnt: tuple[str, ...]
    """Of ``who``, ``when`` and ``how long``, those that it learnt."""
    addresses: tuple[str, ...]


def rows(security: Mapping[str, Any]) -> list[Row]:
    """The verdicts of ``SecurityReport.as_dict()``, which may be read from a file: none where it has none."""
    return [_row(verdict) for verdict in security.get("parties") or () if str(verdict.get("party")) in _NAMES]


def _row(verdict: Mapping[str, Any]) -> Row:
    could_hear = verdict.get("could_hear")
    grade, hearing = _HEARING[could_hear if isinstance(could_hear, bool) else None]
    if verdict["party"] == "peer" and could_hear:
        # It is the one that the words were for.
        grade = Grade.GOOD
    learnt = verdict.get("learnt") or {}
    return Row(
        party=_NAMES[verdict["party"]],
        name=str(verdict.get("name") or ""),
        grade=grade,
        hearing=hearing,
        why=str(verdict.get("why") or ""),
        learnt=tuple(words for key, words in _LEARNT.items() if learnt.get(key)),
        addresses=tuple(map(_address, learnt.get("addresses") or ())),
    )


def _address(seen: Mapping[str, Any]) -> str:
    kind = _KINDS.get(str(seen.get("type")))
    return f"{seen.get('address')} ({kind})" if kind else str(seen.get("address"))


def parties(security: Mapping[str, Any]) -> str:
    """HTML: a row for each party. Empty if the report has no verdicts."""
    body = "".join(map(_tr, rows(security)))
    if not body:
        return ""
    return (
        '<table class="parties"><thead><tr><th scope="col">Party</th><th scope="col">The sound</th>'
        f'<th scope="col">It learnt</th></tr></thead><tbody>{body}</tbody></table>'
        '<p class="caption">Addresses lead to this device, and are given as it knows them. What a router puts in their '
        "place is known only if somebody outside said so.</p>"
    )


def _tr(row: Row) -> str:
    chips = "".join(
        f'<li class="{"learnt" if words in row.learnt else "unknown"}"><span class="spoken">'
        f"{'learnt' if words in row.learnt else 'not'} </span>{words}</li>"
        for words in _LEARNT.values()
    )
    addresses = "".join(f"<li><code>{plain(address)}</code></li>" for address in row.addresses)
    addresses = addresses or '<li class="none">no address of this device</li>'
    name = f"<small>{plain(row.name)}</small>" if row.name else ""
    return (
        f'<tr class="{row.grade.value}"><th scope="row">{row.party}{name}</th>'
        f"<td>{graded(row.grade, row.hearing)}"
        f"<small>{plain(row.why, 400)}</small></td>"
        f'<td><ul class="facts">{chips}</ul><ul class="addresses">{addresses}</ul></td></tr>'
    )
