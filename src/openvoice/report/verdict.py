"""A call in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from openvoice.report.call import CallReport, Side
from openvoice.report.text import name


class Grade(StrEnum):
    """How it went."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"

    @property
    def mark(self) -> str:
        return {"good": "✓", "doubtful": "?", "bad": "!"}[self.value]


def graded(grade: Grade, text: str) -> str:
    """HTML: a text (HTML) with its mark; its colour comes from what it stands in."""
    return f'<b class="hearing"><i class="mark" aria-hidden="true">{grade.mark}</i>{text}</b>'


@dataclass(frozen=True, slots=True)
class Verdict:
    """``headline`` and ``sentence`` are HTML."""

    grade: Grade
    headline: str
    sentence: str


def judge(call: CallReport) -> Verdict:
    """Say whether the call did what calls are for: carry speech both ways, encrypted."""
    if call.moment("first-sound") is None:
        return Verdict(
            Grade.BAD, "No sound was heard", f"The call ended before anybody could speak ({_reason(call.reason)})."
        )
    deaf = [
        f"{name(listener.name)} did not hear what {name(speaker.name)} said"
        for listener, speaker in ((call.callee, call.caller), (call.caller, call.callee))
        if listener.similarity is not None and not listener.similarity.passed
    ]
    if deaf:
        return Verdict(
            Grade.BAD,
            "The call came about, but speech was lost",
            f"{' and '.join(deaf)}: what arrived is too different from what was sent.",
        )
    if not (_encrypted(call.caller) and _encrypted(call.callee)):
        return Verdict(
            Grade.BAD, "The call was not proved to be encrypted", "A side knows of no keys that were agreed."
        )
    protection = "the sound was encrypted from device to device"
    if call.caller.similarity is None or call.callee.similarity is None:
        return Verdict(
            Grade.DOUBTFUL, "The call came about", f"Both sides sent and received, and {protection}; nobody compared."
        )
    if call.reason != "success":
        return Verdict(
            Grade.DOUBTFUL,
            "The call worked, but did not end well",
            f"Each side heard what the other said, and {protection}; then it ended: {_reason(call.reason)}.",
        )
    return Verdict(Grade.GOOD, "The call worked", f"Each side heard what the other said, and {protection}.")


def _encrypted(side: Side) -> bool:
    return bool(side.security.get("srtp"))


def _reason(reason: str) -> str:
    return name(reason.replace("-", " "))
