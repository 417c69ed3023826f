from __future__ import annotations

from typing import Any

import pytest

from openvoice.report import CallReport
from openvoice.report.verdict import Grade, judge
from tests.report.calls import ALICE, BOB, MOMENTS, OTHER, report, side


def with_callee(**changed: Any) -> CallReport:
    return report(callee=side("bob@example.org", BOB, ALICE, **changed))


@pytest.mark.parametrize(
    ("call", "grade", "words"),
    [
        (report(), Grade.GOOD, "Each side heard what the other said, and the sound was encrypted"),
        (report(reason="connectivity-error"), Grade.DOUBTFUL, "then it ended: <bdi>connectivity error</bdi>"),
        (with_callee(similarity=None), Grade.DOUBTFUL, "nobody compared"),
        (with_callee(similarity=OTHER), Grade.BAD, "<bdi>Bob</bdi> did not hear what <bdi>Alice</bdi> said:"),
        (with_callee(security={}), Grade.BAD, "knows of no keys"),
        (report(moments=MOMENTS[:2], reason="decline"), Grade.BAD, "before anybody could speak (<bdi>decline</bdi>)"),
    ],
)
def test_says_how_it_went(call: CallReport, grade: Grade, words: str) -> None:
    verdict = judge(call)
    assert verdict.grade is grade
    assert words in verdict.sentence


def test_names_both_who_did_not_hear() -> None:
    call = report(
        caller=side("alice@example.org", ALICE, BOB, similarity=OTHER),
        callee=side("bob@example.org", BOB, ALICE, similarity=OTHER),
    )
    assert judge(call).sentence.count("did not hear") == 2
