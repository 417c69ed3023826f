"""The nouns that every layer shares."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NewType

CallId = NewType("CallId", str)
"""Names one call for as long as it lives; a XEP-0353 migration changes the Jingle session id, not this."""


class Direction(StrEnum):
    """Who called."""

    OUTGOING = "outgoing"
    INCOMING = "incoming"


class SoundDirection(StrEnum):
    """Which way sound goes through a device."""

    INPUT = "input"
    """Microphones, and whatever else is sent."""
    OUTPUT = "output"


class DeviceChange(StrEnum):
    """What became of the device (file, stream ...) of one direction of a call."""

    MISSING = "missing"
    """It is not there, or does not open; nothing stands in for it but silence."""
    LOST = "lost"
    """It vanished, or died."""
    SUBSTITUTED = "substituted"
    """The device of the system settings is used until the chosen one is there."""
    RESTORED = "restored"
    """The chosen one works (again)."""
    FOLLOWED = "followed"
    """The system settings name another device, and the call goes on with that."""
    CHOSEN = "chosen"
    """The user chose another one during the call."""
    FAILED = "failed"
    """What is no device, a file or a recording, gives or takes no more sound."""


class VideoLabel(StrEnum):
    """What the pictures of a track show (XEP-0507)."""

    CAMERA = "camera"
    SCREEN = "screen"


class Vouching(IntEnum):
    """Who vouches that a DTLS fingerprint belongs to the person called, from nobody to the user's own eyes."""

    NONE = 0
    SIGNALLED = 1
    OMEMO_TRUSTED = 2
    OMEMO_VERIFIED = 3

    def __str__(self) -> str:
        return self.name.lower()


class WordsOutcome(StrEnum):
    """What became of the verification words of a call (docs/verification-words.md)."""

    NONE = "none"
    """There are none (yet)."""
    SHOWN = "shown"
    """The user has not said whether they are the same on both sides."""
    SAME = "same"
    DIFFERENT = "different"
    FAILED = "failed"
    """They were never shown, or withdrawn: the exchange was disturbed."""


class EndReason(StrEnum):
    """Why a call ended: the conditions of XEP-0166, 7.4, by their names on the wire."""

    ALTERNATIVE_SESSION = "alternative-session"
    BUSY = "busy"
    CANCEL = "cancel"
    CONNECTIVITY_ERROR = "connectivity-error"
    DECLINE = "decline"
    EXPIRED = "expired"
    FAILED_APPLICATION = "failed-application"
    FAILED_TRANSPORT = "failed-transport"
    GENERAL_ERROR = "general-error"
    GONE = "gone"
    INCOMPATIBLE_PARAMETERS = "incompatible-parameters"
    MEDIA_ERROR = "media-error"
    SECURITY_ERROR = "security-error"
    SUCCESS = "success"
    TIMEOUT = "timeout"
    UNSUPPORTED_APPLICATIONS = "unsupported-applications"
    UNSUPPORTED_TRANSPORTS = "unsupported-transports"


class Origin(StrEnum):
    """Where an end came from."""

    LOCAL = "local"
    """This device: its user, its policy, its timers, its media."""
    REMOTE = "remote"
    """The peer said so."""
    ELSEWHERE = "elsewhere"
    """Another device of the own account answered or declined."""
    NETWORK = "network"
    """A server said that the peer cannot be reached."""


class Role(StrEnum):
    """The two sides of a Jingle session (XEP-0166, 2)."""

    INITIATOR = "initiator"
    RESPONDER = "responder"

    @property
    def other(self) -> Role:
        return Role.RESPONDER if self is Role.INITIATOR else Role.INITIATOR
