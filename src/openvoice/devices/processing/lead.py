"""How long before its echo a sound is given to the canceller."""

from __future__ import annotations

LONGEST = 0.06
"""Seconds. No device tells its times exactly, and an echo that came before its sound could not be cancelled."""
STEP = 0.02
AGAIN = 25.0
"""The lead gets a step shorter when so many blocks were wanted before the loudspeaker had them ..."""
FORGOTTEN = 0.02
"""... of which each block that follows forgets so much: a busy machine is no reason."""
LONG = 1000
"""Blocks, 10 s: who always had a step and a half to spare for so long gets a step more."""
SPARE = 1.5 * STEP


class Lead:
    """As much as the loudspeaker gives: it knows a sound only as long before it is heard as its buffers are long."""

    def __init__(self) -> None:
        self.seconds = LONGEST
        self._short = 0.0
        self._blocks = 0
        self._least = LONGEST

    def note(self, spare: float, *, first: bool) -> float:
        """Take in how many seconds of sound there are beyond a block, negative if the block is not there in full.

        Returns by how much the lead changed for the blocks that follow. Among the ``first`` blocks, on which nothing
        is built yet, it gets shorter at once.
        """
        self._short = max(0.0, self._short - FORGOTTEN) + (spare < 0)
        self._blocks += 1
        self._least = min(self._least, spare)
        if spare < 0 and (first or self._short > AGAIN):
            return self._change(-STEP)
        if self._blocks == LONG:
            return self._change(STEP if self._least > SPARE else 0.0)
        return 0.0

    def _change(self, by: float) -> float:
        before = self.seconds
        self.seconds = round(max(0.0, min(LONGEST, before + by)), 3)
        self._short, self._blocks, self._least = 0.0, 0, LONGEST
        return self.seconds - before
