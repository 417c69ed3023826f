"""What helps when the path to a device of the peer is lost: what that device takes from this side."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Restart(StrEnum):
    """New ICE credentials in the session as it is (RFC 8445, 9)."""

    NEVER = "never"
    UNTRIED = "untried"
    """Nobody knows what the device makes of them: to be tried where nothing is left to lose."""
    ALWAYS = "always"


class Renewal(StrEnum):
    """A new session in place of the one that is lost."""

    NEVER = "never"
    """It would be another call: a gateway would ring a telephone."""
    RINGING = "ringing"
    """It rings there, and a person has to answer again. The session before must be ended first."""
    SILENT = "silent"
    """The device knows that it is the same call (XEP-0353, 6.2)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Remedies:
    """Of one session with one device."""

    restart: Restart = Restart.UNTRIED
    renewal: Renewal = Renewal.RINGING


UNKNOWN_DEVICE = Remedies()
