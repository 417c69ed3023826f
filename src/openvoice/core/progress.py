"""How far the media of a call have come."""

from __future__ import annotations

from dataclasses import dataclass, field

from openvoice.core.description import SessionDescription
from openvoice.core.early import EarlyCandidates


@dataclass(kw_only=True, slots=True)
class MediaProgress:
    """Of one media session. A call that moves begins another one."""

    offer: SessionDescription | None = None
    """The peer's, where it is the initiator."""
    gather_fully: bool = False
    """Whether the peer cannot take candidates after the description."""
    opened: bool = False
    described: bool = False
    """Whether this side's description is made."""
    gate_open: bool = False
    flowing: bool = False
    early: EarlyCandidates = field(default_factory=EarlyCandidates)
    """Of the peer, until there is something to give them to."""
