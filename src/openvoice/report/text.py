"""Text from elsewhere, made fit to stand in a page."""

from __future__ import annotations

import html
import unicodedata

LIMIT = 200
_MARKS_IN_A_ROW = 4


def plain(text: object, limit: int = LIMIT) -> str:
    """``text`` as harmless HTML text, also for attribute values.

    Characters that control, hide or turn round what stands beside them (bidirectional overrides, zero-width
    characters, line ends) become visible boxes; piled-up accents are cut off, and so is what is longer than ``limit``.
    """
    made: list[str] = []
    marks = 0
    for character in str(text)[: limit + 1]:
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= _MARKS_IN_A_ROW:
            made.append("\N{REPLACEMENT CHARACTER}" if category[0] == "C" or category in ("Zl", "Zp") else character)
    shown = "".join(made)
    return html.escape(shown if len(shown) <= limit else shown[: limit - 1] + "…")


def name(text: object) -> str:
    """The name of a person, isolated from the direction of the words around it."""
    return f"<bdi>{plain(text, 40)}</bdi>"


def milliseconds(seconds: float) -> str:
    """A short time for a person: ``84 ms``, ``5.83 s``."""
    return f"{seconds * 1000:.0f} ms" if abs(seconds) < 1 else f"{seconds:.2f} s"


def percent(share: float) -> str:
    """``0 %``, ``1.5 %``."""
    return f"{share * 100:.1f}".rstrip("0").rstrip(".") + " %"
