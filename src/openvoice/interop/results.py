"""What came of the behaviours that were tried: for people, and for programs that keep such results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement


class Outcome(StrEnum):
    HOLDS = "holds"
    FAILS = "fails"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """One behaviour. ``text`` is why, in one line: what was expected and what came, or why it was not tried."""

    id: str
    client: str
    title: str
    outcome: Outcome
    text: str = ""
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}


def count(results: Sequence[Result], outcome: Outcome) -> int:
    return sum(result.outcome is outcome for result in results)


def summary(results: Sequence[Result]) -> str:
    """All of it in one line."""
    return ", ".join(f"{count(results, outcome)} {_PLURALS[outcome]}" for outcome in Outcome)


_PLURALS = {Outcome.HOLDS: "hold", Outcome.FAILS: "fail", Outcome.NOT_TRIED: "not tried"}


def junit(results: Sequence[Result], tested: str) -> str:
    """The results as JUnit XML, which every system for continuous integration reads: a suite for each client played."""
    root = Element("testsuites", {"name": f"interop {tested}", **_counts(results)})
    for client in dict.fromkeys(result.client for result in results):
        of_client = [result for result in results if result.client == client]
        suite = SubElement(root, "testsuite", {"name": client, **_counts(of_client)})
        for result in of_client:
            case = SubElement(
                suite,
                "testcase",
                classname=f"interop.{client}",
                name=f"{result.id}: {result.title}",
                time=f"{result.seconds:.3f}",
            )
            if result.outcome is Outcome.FAILS:
                SubElement(case, "failure", message=_clean(result.text))
            elif result.outcome is Outcome.NOT_TRIED:
                SubElement(case, "skipped", message=_clean(result.text))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _counts(results: Sequence[Result]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(count(results, Outcome.FAILS)),
        "skipped": str(count(results, Outcome.NOT_TRIED)),
        "errors": "0",
        "time": f"{sum(result.seconds for result in results):.3f}",
    }


def _clean(text: str) -> str:
    """Without what no XML holds: some of the text came from the tested client."""
    return "".join(character if character.isprintable() else " " for character in text)
