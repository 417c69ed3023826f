"""Candidates that came before there was a media session to give them to."""

from __future__ import annotations

from openvoice.core.description import Candidate

MAXIMUM_EARLY_CANDIDATES = 64
"""Candidates kept for one call."""


class EarlyCandidates:
    """Keeps them, by content, in their order, and no more than :data:`MAXIMUM_EARLY_CANDIDATES`."""

    def __init__(self) -> None:
        self._kept: list[tuple[str, tuple[Candidate, ...]]] = []

    def keep(self, content: str, candidates: tuple[Candidate, ...]) -> None:
        """Keep these, or none of them if they are too many."""
        if sum(len(kept) for _, kept in self._kept) + len(candidates) <= MAXIMUM_EARLY_CANDIDATES:
            self._kept.append((content, candidates))

    def release(self) -> list[tuple[str, tuple[Candidate, ...]]]:
        """All that were kept; afterwards none are."""
        kept, self._kept = self._kept, []
        return kept
