"""How far the media of a call have come."""

from __future__ import annotations

from dataclasses import dataclass, field

from openvoice.core.early import EarlyCandidates


@dataclass(kw_only=True, slots=True)
class MediaProgress:
    """Of one media session. A call that moves to another device of the peer begins another one."""

    opened: bool = False
    described: bool = False
    """Whether this side's description is made."""
    gate_open: bool = False
    flowing: bool = False
    early: EarlyCandidates = field(default_factory=EarlyCandidates)
    """Of the peer, until there is something to give them to."""
