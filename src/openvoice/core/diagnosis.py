"""How each step of an examination went, in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a step went."""

    PASSED = "passed"
    HINT = "hint"
    """Right or wrong, depending on what only the user knows."""
    WARNING = "warning"
    """Calls work, but less well than they could."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was tried. ``advice`` says what to do about it, and is empty where nothing is to do."""

    name: str
    outcome: Outcome
    text: str
    advice: str = ""
