"""Looks at the pictures of a call, and remembers what they were like."""

from __future__ import annotations

from statistics import median

from openvoice import Picture, TestPattern
from openvoice.report import Seen


class Viewer:
    """A :class:`~openvoice.ports.VideoOutput` that measures pictures of a test pattern."""

    def __init__(self) -> None:
        self.last: Picture | None = None
        self._sizes: list[tuple[int, int]] = []
        self._ages: list[float] = []

    def write(self, picture: Picture) -> None:
        self.last = picture
        self._sizes.append((picture.width, picture.height))
        age = TestPattern.age(picture)
        if age is not None:
            self._ages.append(age)

    def close(self) -> None:
        """Nothing is held."""

    def seen(self, file: str) -> Seen | None:
        """What was seen; ``None`` if nothing was. ``file`` is the name of the last picture."""
        if not self._sizes:
            return None
        width, height = max(self._sizes)
        age = median(self._ages) if self._ages else None
        return Seen(pictures=len(self._sizes), width=width, height=height, age=age, file=file)
