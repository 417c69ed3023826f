"""A stand-in for a terminal: remembers what was written to it."""

from __future__ import annotations

import io


class Terminal(io.StringIO):
    """A text stream that says it is a terminal (or not), with an encoding of its own."""

    def __init__(self, encoding: str = "utf-8", *, terminal: bool = True) -> None:
        super().__init__()
        self._encoding = encoding
        self._terminal = terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def isatty(self) -> bool:
        return self._terminal

    @property
    def lines(self) -> list[str]:
        """What a person sees in the end: a line that was cleared is gone."""
        return [line.rpartition("\x1b[K")[2] for line in self.getvalue().removesuffix("\n").split("\n")]
