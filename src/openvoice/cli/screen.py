"""Writes for people: wrapped to the terminal, coloured where it has colours, in characters that it can show."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from enum import Enum
from typing import TextIO

_RESET = "\x1b[0m"
_CLEARED = "\r\x1b[K"
"""Takes the cursor to the left end of an empty line."""


class Colour(Enum):
    """The few that are used, as the terminal asks for them (ECMA-48, 8.3.117)."""

    GREEN = "\x1b[32m"
    YELLOW = "\x1b[33m"
    RED = "\x1b[31m"
    BRIGHT = "\x1b[1m"


class Mark(Enum):
    """What stands before a line that is a verdict: as it should look, as plain text has it, and its colour."""

    GOOD = ("✓", "+", Colour.GREEN)
    NOTICE = ("·", "-", None)
    WARNING = ("!", "!", Colour.YELLOW)
    BAD = ("✗", "x", Colour.RED)


_FULL, _EMPTY = ("█", "#"), ("░", "-")


class Screen:
    """A stream that a person reads.

    A terminal gets wrapped lines, colours (unless ``NO_COLOR`` is set) and one line that is redrawn in place; a file or
    a pipe gets whole lines and nothing else.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self.is_terminal = self._stream.isatty()
        self.is_live = self.is_terminal and os.environ.get("TERM") != "dumb"
        """Whether :meth:`redraw` shows anything."""
        self._coloured = self.is_live and not os.environ.get("NO_COLOR")
        self._plain_text = not _can_show("".join(mark.value[0] for mark in Mark) + _FULL[0] + _EMPTY[0], self._stream)
        self._redrawn = False
        self._asked = False

    def line(self, text: str, *, mark: Mark | None = None, colour: Colour | None = None, indent: int = 2) -> None:
        """Write one line, or more on a terminal that is narrower. ``text`` may come from anybody."""
        self._begin()
        sign = f"{mark.value[self._plain_text]} " if mark else ""
        margin = " " * indent
        lines = [margin + sign + plain(text)]
        if self.is_terminal:
            hanging = margin + " " * len(sign)
            lines = textwrap.wrap(
                plain(text), _width(), initial_indent=margin + sign, subsequent_indent=hanging, break_on_hyphens=False
            )
        first, *rest = lines or [margin + sign]
        if mark:
            first = margin + self._painted(sign, mark.value[2]) + first.removeprefix(margin + sign)
        for one in (first, *rest):
            self._stream.write(self._painted(one, colour) + "\n")
        self._stream.flush()

    def large(self, words: Sequence[str]) -> None:
        """Write the words in capitals, wide apart, between empty lines."""
        self._begin()
        spread = "     ".join(" ".join(plain(word).upper()) for word in words)
        if len(spread) + 4 >= _width():
            spread = "   ".join(plain(word).upper() for word in words)
        self._stream.write(f"\n    {self._painted(spread, Colour.BRIGHT)}\n\n")
        self._stream.flush()

    def redraw(self, *parts: str) -> None:
        """Show the parts on the line that is redrawn; those at the end that find no room are left out."""
        if not self.is_live:
            return
        shown = ""
        for part in parts:
            # The last column stays free: many terminals wrap when it is written.
            if len(shown) + 2 + len(part) >= _width():
                break
            shown += f"  {part}"
        self._stream.write(_CLEARED + shown)
        self._stream.flush()
        self._redrawn = True

    def ask(self, question: str) -> None:
        """Write a question and let the cursor stand behind it; :meth:`answered` says that a line was typed."""
        self._begin()
        self._stream.write(f"\a  {plain(question)} ")
        self._stream.flush()
        self._asked = True

    def answered(self) -> None:
        self._asked = False

    def bar(self, share: float, length: int) -> str:
        """A bar of which ``share`` (0 to 1) is filled."""
        filled = round(length * min(1.0, max(0.0, share)))
        return _FULL[self._plain_text] * filled + _EMPTY[self._plain_text] * (length - filled)

    def close(self) -> None:
        """Leave the cursor at the left end of an empty line."""
        self._begin()
        self._stream.flush()

    def _begin(self) -> None:
        if self._redrawn:
            self._stream.write(_CLEARED)
        if self._asked:
            self._stream.write("\n")
        self._redrawn = self._asked = False

    def _painted(self, text: str, colour: Colour | None) -> str:
        return f"{colour.value}{text}{_RESET}" if colour and self._coloured else text


def plain(text: str) -> str:
    """``text`` without characters that move the cursor, hide, or reverse what stands beside them."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def forgive_characters() -> None:
    """Let standard output and error show a question mark for what their encoding lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _can_show(characters: str, stream: TextIO) -> bool:
    try:
        characters.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _width() -> int:
    return shutil.get_terminal_size().columns
