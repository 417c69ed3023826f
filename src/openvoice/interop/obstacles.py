"""What keeps a vector from being played: what one account cannot say, and what nobody does at the tested client."""

from __future__ import annotations

from openvoice.core.address import Address
from openvoice.interop.ports import Person
from openvoice.interop.vectors import Vector

ACCEPTS = ("accept", "accept-video")
"""What a client does by itself where calls are answered at once."""


def obstacle(vector: Vector, person: Person, longest_pause: float) -> str:
    """Why ``vector`` cannot be played, in words; empty if it can, at least to the first step that needs a person."""
    if vector.beyond:
        return vector.beyond
    stanzas = [said for step in vector.steps if (said := step.said) is not None]
    senders = [Address.parse(said.get("from", "")) for said in stanzas]
    if any(sender.bare != vector.peer for sender in senders):
        return "it needs somebody else, who speaks too"
    if any(sender.is_bare for sender in senders) or any(said.get("type") == "error" for said in stanzas):
        return "it needs what only a server says"
    if len(set(senders)) > 1:
        return "it needs a second device of the played account"
    pause = max((step.advance for step in vector.steps), default=0.0)
    if pause > longest_pause:
        return f"it takes {pause:.0f} s (--patient)"
    users = [step.user for step in vector.steps if step.user]
    if users and vector.steps[0].user and not may(users[0], person):
        return f"it needs a person ({users[0]}): --interactive"
    if users and users[0] == "hangup" and person.answers:
        return "it needs somebody who declines, and calls are accepted there at once"
    return ""


def may(user: str, person: Person) -> bool:
    """Whether what a person is to do at the tested client can be done."""
    return (user in ACCEPTS and person.answers) or person.can(user)
