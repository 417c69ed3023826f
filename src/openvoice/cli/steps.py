"""Shows how the steps of an examination went."""

from __future__ import annotations

from typing import Protocol

from openvoice.cli.screen import Mark, Screen

NOT_WELL = 3
"""Exit code when a step failed."""

_MARKS = {"passed": Mark.GOOD, "hint": Mark.NOTICE, "warning": Mark.WARNING, "failed": Mark.BAD}


class Step(Protocol):
    """What an examination says of one thing that it tried."""

    @property
    def name(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def advice(self) -> str: ...


def show_step(screen: Screen, step: Step) -> None:
    """One line, and what to do about it on the next."""
    screen.line(f"{step.name}: {step.text}", mark=_MARKS[step.outcome], indent=0)
    if step.advice:
        screen.line(step.advice, indent=4)
