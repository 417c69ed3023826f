"""How the client of a peer takes changes to the contents of a session: which of several correct ways it understands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Manners:
    """Of one session with one device. The defaults are the standards (XEP-0166, 7.2), as far as the device is known."""

    adds: bool = True
    """Whether contents may be added during a session."""
    screens: bool = False
    """Whether it takes a screen for a content of its own (XEP-0507). Else the screen takes the place of the camera."""
    modifies: bool = True
    """Whether it follows a content-modify. Else a content is agreed on for both sides, and who shows nothing sends
    nothing."""
    removes: bool = True
    """Whether it lets contents go that were agreed on."""


STANDARD = Manners()
