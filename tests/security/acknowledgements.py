"""The counts of XEP-0198 where more, or less, arrives than was sent."""

from __future__ import annotations

from bisect import bisect_right


class Tally:
    """One direction of a session: what was taken from the one side, and what was given to the other."""

    def __init__(self) -> None:
        self._given = 0
        self._given_after: list[int] = []

    def took(self, given: int) -> None:
        """A stanza was taken; ``given`` were given for it."""
        self._given += given
        self._given_after.append(self._given)

    def injected(self) -> None:
        self._given += 1

    def translate(self, handled: int) -> int:
        """How many of the stanzas taken are dealt with when the other side has handled so many of those given."""
        return bisect_right(self._given_after, handled)

    def resume(self, handled: int) -> int:
        """The same on resumption (XEP-0198, 5): what the other side did not handle is taken and given once more."""
        taken = self.translate(handled)
        del self._given_after[taken:]
        self._given = handled
        return taken
