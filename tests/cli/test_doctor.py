from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from openvoice.core.diagnosis import Outcome, Step

from .conftest import Run

STEPS = [
    Step("configuration", Outcome.PASSED, "in order"),
    Step("server features", Outcome.WARNING, "missing: \x1b[2Jarchive", "Ask the operator."),
]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    made = list(STEPS)

    async def diagnose(*_: Any) -> AsyncIterator[Step]:
        for step in made:
            yield step

    monkeypatch.setattr("openvoice.client.profile.diagnose", diagnose)
    return made


def test_all_is_well_enough(run: Run, steps: list[Step]) -> None:
    examined = run("doctor")
    assert examined.code == 0
    assert examined.output.splitlines() == [
        "✓ configuration: in order",
        "! server features: missing: \N{REPLACEMENT CHARACTER}[2Jarchive",
        "    Ask the operator.",
    ]


def test_one_failure_is_the_exit_code(run: Run, steps: list[Step]) -> None:
    steps.insert(1, Step("login", Outcome.FAILED, "wrong password", "Check it."))
    examined = run("doctor")
    assert examined.code == 3
    assert "✗ login: wrong password\n    Check it.\n" in examined.output


def test_programs_get_a_line_for_each_step(run: Run, steps: list[Step]) -> None:
    examined = run("doctor", "--json")
    assert examined.code == 0
    assert examined.names == ["step", "step"]
    assert examined.events[0] == {
        "event": "step",
        "name": "configuration",
        "outcome": "passed",
        "text": "in order",
        "advice": "",
    }
