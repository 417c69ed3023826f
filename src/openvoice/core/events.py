"""What the faces are told: one small immutable object per thing that happened, in the past tense.

``as_dict()`` of each is what ``--json`` prints; ``docs/events.md`` is the schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from openvoice.core.security import SecurityReport
from openvoice.core.statistics import CallStatistics
from openvoice.core.types import DeviceChange, EndReason, Origin, SoundDirection, VideoLabel


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Base of all events of a call."""

    name: ClassVar[str] = ""

    def as_dict(self) -> dict[str, Any]:
        """What the event says beside its name, the time and the call."""
        return {}


@dataclass(frozen=True, slots=True)
class CallPlaced(CallEvent):
    """The call was sent off."""

    name = "calling"
    peer: str

    def as_dict(self) -> dict[str, Any]:
        return {"peer": self.peer}


@dataclass(frozen=True, slots=True)
class CallRinging(CallEvent):
    """A device of the peer rings."""

    name = "ringing"


@dataclass(frozen=True, slots=True)
class CallUnheard(CallEvent):
    """No device of the peer has answered the proposal so far; it may be asleep."""

    name = "unheard"


@dataclass(frozen=True, slots=True)
class CallIncoming(CallEvent):
    """Somebody calls."""

    name = "incoming"
    peer: str
    video: bool = False
    """Whether it is a video call. It may be answered without pictures."""

    def as_dict(self) -> dict[str, Any]:
        return {"peer": self.peer, "video": self.video}


@dataclass(frozen=True, slots=True)
class CallAccepted(CallEvent):
    """A person, or a policy a person wrote, said yes."""

    name = "accepted"


@dataclass(frozen=True, slots=True)
class CallExposed(CallEvent):
    """The peer is a stranger, and the own server offers no relay: the call goes on, and tells this device's address."""

    name = "exposed"


@dataclass(frozen=True, slots=True)
class CallSecured(CallEvent):
    """Keys are agreed and checked. The policy decides by this report whether a microphone opens."""

    name = "secured"
    security: SecurityReport

    def as_dict(self) -> dict[str, Any]:
        return {"security": self.security.as_dict()}


@dataclass(frozen=True, slots=True)
class CallConnected(CallEvent):
    """The first authenticated media of the peer arrived."""

    name = "connected"


@dataclass(frozen=True, slots=True)
class WordsShown(CallEvent):
    """Four words to read to the peer: if they are the same on both sides, nobody sits in between."""

    name = "words"
    words: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {"words": list(self.words)}


@dataclass(frozen=True, slots=True)
class WordsNotShown(CallEvent):
    """The exchange of the words was disturbed: this call shows none (any more)."""

    name = "words-failed"
    text: str

    def as_dict(self) -> dict[str, Any]:
        return {"text": self.text}


@dataclass(frozen=True, slots=True)
class CallVerified(CallEvent):
    """The user said that the words are the same on both sides; the peer's OMEMO key is verified from now on."""

    name = "verified"
    security: SecurityReport

    def as_dict(self) -> dict[str, Any]:
        return {"security": self.security.as_dict()}


@dataclass(frozen=True, slots=True)
class CallInterrupted(CallEvent):
    """Nothing came from the peer for a second, or nothing can be sent to it any more."""

    name = "interrupted"


@dataclass(frozen=True, slots=True)
class CallRestored(CallEvent):
    """It comes again."""

    name = "restored"


@dataclass(frozen=True, slots=True)
class CallMoved(CallEvent):
    """The call goes on in a new session, which ``by`` began. No sound passes until that is secured; then it is
    restored."""

    name = "moved"
    by: Origin

    def as_dict(self) -> dict[str, Any]:
        return {"by": self.by.value}


@dataclass(frozen=True, slots=True)
class MuteChanged(CallEvent):
    """Somebody stopped or started speaking into the call on purpose."""

    name = "mute"
    muted: bool
    by: Origin

    def as_dict(self) -> dict[str, Any]:
        return {"muted": self.muted, "by": self.by.value}


@dataclass(frozen=True, slots=True)
class HoldChanged(CallEvent):
    """The call was put on hold, or taken back."""

    name = "hold"
    held: bool
    by: Origin

    def as_dict(self) -> dict[str, Any]:
        return {"held": self.held, "by": self.by.value}


@dataclass(frozen=True, slots=True)
class DigitDialled(CallEvent):
    """The peer pressed a key."""

    name = "digit"
    digit: str

    def as_dict(self) -> dict[str, Any]:
        return {"digit": self.digit}


@dataclass(frozen=True, slots=True)
class SourceFinished(CallEvent):
    """All sound of the source was sent."""

    name = "source-ended"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceReported(CallEvent):
    """Another sound device is used from now on, or none; the call goes on."""

    name = "device"
    direction: SoundDirection
    what: DeviceChange
    device: str | None
    """The one in use now or, if there is none, the one that is missing or lost; ``None`` for what is no device."""
    text: str

    def as_dict(self) -> dict[str, Any]:
        return {"direction": self.direction.value, "what": self.what.value, "device": self.device, "text": self.text}


@dataclass(frozen=True, slots=True)
class VideoChanged(CallEvent):
    """Somebody shows, or stopped to show, a camera or a screen."""

    name = "video"
    label: VideoLabel
    shown: bool
    by: Origin

    def as_dict(self) -> dict[str, Any]:
        return {"label": self.label.value, "shown": self.shown, "by": self.by.value}


@dataclass(frozen=True, slots=True)
class VideoRefused(CallEvent):
    """The camera or the screen that the user wants to show cannot be shown; the call goes on."""

    name = "video-refused"
    label: VideoLabel
    text: str

    def as_dict(self) -> dict[str, Any]:
        return {"label": self.label.value, "text": self.text}


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoDeviceReported(CallEvent):
    """Another camera or screen is used from now on, or none; the call goes on."""

    name = "video-device"
    label: VideoLabel
    what: DeviceChange
    device: str | None
    """As in :class:`DeviceReported`."""
    text: str

    def as_dict(self) -> dict[str, Any]:
        return {"label": self.label.value, "what": self.what.value, "device": self.device, "text": self.text}


@dataclass(frozen=True, slots=True)
class StatisticsMeasured(CallEvent):
    """Once a second while the call is active."""

    name = "stats"
    statistics: CallStatistics

    def as_dict(self) -> dict[str, Any]:
        return self.statistics.as_dict()


@dataclass(frozen=True, kw_only=True, slots=True)
class CallEnded(CallEvent):
    """The call is over. The last event of every call."""

    name = "ended"
    reason: EndReason
    origin: Origin
    text: str
    duration: float
    """Seconds from the first media to the end; 0 if it never came so far."""
    answered: bool
    security: SecurityReport
    statistics: CallStatistics

    def as_dict(self) -> dict[str, Any]:
        return {
            "reason": self.reason.value,
            "origin": self.origin.value,
            "text": self.text,
            "duration": round(self.duration, 3),
            "answered": self.answered,
            "security": self.security.as_dict(),
            "stats": self.statistics.as_dict(),
        }
