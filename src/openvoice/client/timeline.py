"""What happened in a call and when, by the names of the standards: the raw material of reports."""

from __future__ import annotations

from dataclasses import dataclass

from openvoice.core import effects as e
from openvoice.core import inputs as i
from openvoice.core.types import Origin

_NAMES: dict[type, tuple[Origin, str]] = {
    e.SendProposal: (Origin.LOCAL, "propose"),
    e.SendRinging: (Origin.LOCAL, "ringing"),
    e.SendProceed: (Origin.LOCAL, "proceed"),
    e.SendOffer: (Origin.LOCAL, "session-initiate"),
    e.SendAnswer: (Origin.LOCAL, "session-accept"),
    e.SendRestart: (Origin.LOCAL, "ice-restart"),
    e.SendRenewal: (Origin.LOCAL, "moved"),
    i.PeerMigrated: (Origin.REMOTE, "moved"),
    e.SendContentAdd: (Origin.LOCAL, "content-add"),
    e.SendContentAccept: (Origin.LOCAL, "content-accept"),
    e.SendContentReject: (Origin.LOCAL, "content-reject"),
    e.SendContentModify: (Origin.LOCAL, "content-modify"),
    e.SendContentRemove: (Origin.LOCAL, "content-remove"),
    e.SendEnd: (Origin.LOCAL, "session-terminate"),
    e.OpenGate: (Origin.LOCAL, "gate-opened"),
    i.PeerProposed: (Origin.REMOTE, "propose"),
    i.PeerRinging: (Origin.REMOTE, "ringing"),
    i.PeerProceeded: (Origin.REMOTE, "proceed"),
    i.OfferReceived: (Origin.REMOTE, "session-initiate"),
    i.AnswerReceived: (Origin.REMOTE, "session-accept"),
    i.ContentsAdded: (Origin.REMOTE, "content-add"),
    i.ContentsAccepted: (Origin.REMOTE, "content-accept"),
    i.ContentsRejected: (Origin.REMOTE, "content-reject"),
    i.ContentsModified: (Origin.REMOTE, "content-modify"),
    i.ContentsRemoved: (Origin.REMOTE, "content-remove"),
    i.RestartReceived: (Origin.REMOTE, "ice-restart"),
    i.Ended: (Origin.REMOTE, "session-terminate"),
    i.Accept: (Origin.LOCAL, "accepted"),
    i.MediaSecured: (Origin.LOCAL, "secured"),
    i.MediaFlowing: (Origin.REMOTE, "first-media"),
    i.MediaInterrupted: (Origin.LOCAL, "interrupted"),
    i.MediaRestored: (Origin.LOCAL, "restored"),
    e.Finish: (Origin.LOCAL, "ended"),
}


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry. ``time`` is Unix time in seconds; ``by`` says whose doing it was."""

    time: float
    name: str
    by: Origin


def moment(thing: i.CallInput | e.Effect, time: float) -> Moment | None:
    """The entry for an input or an effect, or ``None`` for those that are not worth one."""
    named = _NAMES.get(type(thing))
    return Moment(time, named[1], named[0]) if named else None
