"""The facts of one call between two clients that were both watched: what ``call.json`` holds.

::

    {
      "schema": "openvoice.call/1",
      "id": "…",                                 the id of the call
      "started": 1790000000.0,                   Unix time of the first moment
      "duration": 5.83,                          seconds from the first sound to the end
      "reason": "success",                       why it ended (XEP-0166, 7.4)
      "moments": [{"name": "propose",            see Moment
                   "at": 0.0,                    seconds since "started"
                   "by": "caller"}, …],          "caller", "callee" or "both"
      "caller": {
        "address": "alice@localhost",
        "statistics": {…},                       the "stats" of docs/events.md
        "security": {…},                         the "security" of docs/events.md
        "sent": "alice.flac",                    files of what it said and heard, or null
        "received": "alice-heard.wav",
        "similarity": {"correlation": 0.98,      of what it heard to what the other side said, or null
                       "found": 1.0,
                       "delay_seconds": 0.05,
                       "passed": true},
        "seen": {"pictures": 150,                of the other side that it saw, or null
                 "width": 640, "height": 480,    of the largest
                 "age": 0.021,                   seconds from drawing to seeing, half of them are younger; or null
                 "file": "alice-saw.png"}        the last one, or null
      },
      "callee": {…}
    }
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from openvoice.core.statistics import CallStatistics, ReceivedVideo, SentVideo, VideoStatistics
from openvoice.core.types import VideoLabel
from openvoice.errors import UsageError
from openvoice.report.similarity import Similarity

SCHEMA = "openvoice.call/1"
_YEAR_5000 = 95_617_584_000
_SECURITY_PARTS = ("voucher", "fingerprints", "dtls", "srtp", "path", "before_consent", "tls")


class Actor(StrEnum):
    """Who did something."""

    CALLER = "caller"
    CALLEE = "callee"
    BOTH = "both"


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """Something that happened in a call, by the name its standard has for it.

    The names with words of their own in the page are ``propose``, ``ringing``, ``proceed``, ``session-initiate``,
    ``session-accept``, ``secured``, ``first-sound`` and ``end``; others are shown as they are.
    """

    name: str
    at: float
    """Seconds since the call began."""
    by: Actor

    def __post_init__(self) -> None:
        if not math.isfinite(self.at):
            raise ValueError("a moment has a time")


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """The pictures of the other side that a client saw."""

    pictures: int
    width: int
    """Pixels of the largest."""
    height: int
    age: float | None = None
    """Seconds from when a picture was drawn until it was seen: half of them are younger."""
    file: str | None = None
    """The name of the last one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One of the two clients, and what it knew in the end."""

    address: str
    statistics: CallStatistics = field(default_factory=CallStatistics)
    security: Mapping[str, Any] = field(default_factory=dict)
    """As :meth:`openvoice.core.security.SecurityReport.as_dict` gives it."""
    sent: str | None = None
    """The name of the sound that it sent."""
    received: str | None = None
    similarity: Similarity | None = None
    """Of the sound that it received to the one that the other side sent."""
    seen: Seen | None = None

    @property
    def name(self) -> str:
        """What a person calls it: the part before the @, with a capital."""
        local = self.address.partition("/")[0].rpartition("@")[0] or self.address
        return local[:1].upper() + local[1:]


@dataclass(frozen=True, kw_only=True, slots=True)
class CallReport:
    """Everything that is known of a call, but for the sounds themselves."""

    id: str
    started: float
    duration: float
    reason: str
    moments: tuple[Moment, ...]
    caller: Side
    callee: Side

    def __post_init__(self) -> None:
        if not 0 <= self.started < _YEAR_5000 or not 0 <= self.duration < math.inf:
            raise ValueError("a call has a time, and lasts")

    def moment(self, name: str) -> Moment | None:
        """The first moment of that name."""
        return next((moment for moment in self.moments if moment.name == name), None)

    def to_json(self) -> str:
        """The JSON document of this module's description."""

        def side(side: Side) -> dict[str, Any]:
            return {
                "address": side.address,
                "statistics": side.statistics.as_dict(),
                "security": dict(side.security),
                "sent": side.sent,
                "received": side.received,
                "similarity": dataclasses.asdict(side.similarity) | {"passed": side.similarity.passed}
                if side.similarity
                else None,
                "seen": dataclasses.asdict(side.seen) if side.seen else None,
            }

        document = {
            "schema": SCHEMA,
            "id": self.id,
            "started": self.started,
            "duration": self.duration,
            "reason": self.reason,
            "moments": [{"name": moment.name, "at": moment.at, "by": moment.by.value} for moment in self.moments],
            "caller": side(self.caller),
            "callee": side(self.callee),
        }
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> CallReport:
        """Read what :meth:`to_json` wrote. Keys that are not known are passed over.

        Raises:
            UsageError: the text is not such a document.
        """
        try:
            document = json.loads(text)
            if document["schema"] != SCHEMA:
                raise UsageError(f"not a report of a call that this version reads: {document['schema']}")
            return cls(
                id=str(document["id"]),
                started=float(document["started"]),
                duration=float(document["duration"]),
                reason=str(document["reason"]),
                moments=tuple(
                    Moment(name=str(moment["name"]), at=float(moment["at"]), by=Actor(moment["by"]))
                    for moment in document["moments"]
                ),
                caller=_side(document["caller"]),
                callee=_side(document["callee"]),
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UsageError("not a report of a call: something is missing from it, or of the wrong kind") from error


def _side(document: Mapping[str, Any]) -> Side:
    similarity = document["similarity"]
    return Side(
        address=str(document["address"]),
        # Documents from before there were pictures say nothing of them.
        statistics=_fill(CallStatistics, {"video": [], **document["statistics"]}),
        security=_security(document["security"]),
        sent=None if document["sent"] is None else str(document["sent"]),
        received=None if document["received"] is None else str(document["received"]),
        similarity=_fill(Similarity, similarity) if similarity is not None else None,
        seen=_fill(Seen, document["seen"]) if document.get("seen") is not None else None,
    )


def _security(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document, if it has the shape that :meth:`~openvoice.core.security.SecurityReport.as_dict` gives it."""
    parts = [document.get(part) or {} for part in _SECURITY_PARTS]
    tls = document.get("tls") or {}
    change = tls.get("certificate_change") or {}
    parts += [change, change.get("old") or {}, *(tls.get("chain") or ()), *(document.get("findings") or ())]
    for verdict in document.get("parties") or ():
        learnt = verdict.get("learnt") or {}
        parts += [verdict, learnt, *(learnt.get("addresses") or ())]
    if not all(isinstance(part, dict) for part in parts):
        raise TypeError("security")
    return document


def _fill(kind: type[Any], document: Mapping[str, Any]) -> Any:
    """An instance of a dataclass that holds numbers, texts and others of its like only."""
    return kind(**{item.name: _CONVERTERS[str(item.type)](document[item.name]) for item in dataclasses.fields(kind)})


_CONVERTERS: dict[str, Callable[[Any], object]] = {
    "str": str,
    "int": int,
    "float": float,
    "float | None": lambda value: None if value is None else float(value),
    "str | None": lambda value: None if value is None else str(value),
    "VideoLabel": VideoLabel,
    "SentVideo": lambda value: _fill(SentVideo, value),
    "ReceivedVideo": lambda value: _fill(ReceivedVideo, value),
    "tuple[VideoStatistics, ...]": lambda items: tuple(_fill(VideoStatistics, item) for item in items),
}
