"""What became of each packet, and where each sample came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class PlayoutCounters:
    """Packets by their fate, and samples by their origin.

    Packets inserted are those played, discarded and still held; a copy counts as one where it was needed when it came.
    Samples pulled are the sum of ``decoded``, ``recovered`` (from copies, too), ``concealed``, ``lengthened`` and
    ``silent``, minus ``shortened`` and those decoded but not yet pulled.
    """

    inserted: int = 0
    played: int = 0
    late: int = 0
    """Discarded because their time was over."""
    duplicate: int = 0
    junk: int = 0
    overflow: int = 0
    """Discarded because there were too many, or because they belong to another time of the stream."""
    replaced: int = 0
    """Copies discarded because the packet itself came after all."""
    decoded: int = 0
    recovered: int = 0
    concealed: int = 0
    lengthened: int = 0
    shortened: int = 0
    silent: int = 0
    """Of pauses: silence, or the background noise of the talker."""

    @property
    def discarded(self) -> int:
        return self.late + self.duplicate + self.junk + self.overflow + self.replaced
