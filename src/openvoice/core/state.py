"""The states of a call, and every transition there is.

Theory of operation. A call is in one :class:`CallState`. Which inputs are legal depends on the state and on the *role*
in the session: only the responder can accept, only the initiator can be answered. A pair that is missing from the
table is not legal: a user's command then raises, a message of the peer is refused and changes nothing. A role is not a
direction: when two people call each other at once, one outgoing call becomes the responder (``GlareLost``).

Direction, mute, hold and the reason of the end are attributes of a call, not states.

``docs/states.md`` is drawn from this table by ``python -m openvoice.core.state``.
"""

from __future__ import annotations

from enum import StrEnum

from openvoice.core import inputs as i
from openvoice.core.types import EndReason, Origin, Role


class CallState(StrEnum):
    """Where a call stands."""

    NEW = "new"
    PROPOSED = "proposed"
    """Sent off; no device of the peer has answered yet."""
    RINGING = "ringing"
    """Here, or there."""
    NEGOTIATING = "negotiating"
    """A person said yes; offer and answer are under way."""
    CONNECTING = "connecting"
    """The devices look for a path and agree on keys."""
    ACTIVE = "active"
    """The policy accepted the protection, and authenticated media of the peer arrived."""
    ENDED = "ended"


_S = CallState

_UNANSWERED: dict[type, tuple[CallState, ...]] = {
    i.PeerRinging: (_S.RINGING,),
    i.PeerProceeded: (_S.NEGOTIATING,),
    i.GlareLost: (_S.NEGOTIATING,),
    i.AnswerReceived: (_S.CONNECTING, _S.ENDED),
}

_IN_PROGRESS: dict[type, tuple[CallState, ...]] = {
    i.MediaSecured: (_S.CONNECTING, _S.ACTIVE, _S.ENDED),
    i.MediaFlowing: (_S.CONNECTING, _S.ACTIVE),
    i.PeerMigrated: (_S.NEGOTIATING,),
    i.WordsReceived: (_S.CONNECTING, _S.ENDED),
}

_CONVERSING: dict[type, tuple[CallState, ...]] = {
    i.PeerMigrated: (_S.NEGOTIATING,),
    i.CompareWords: (_S.ACTIVE, _S.ENDED),
    i.WordsReceived: (_S.ACTIVE, _S.ENDED),
}

TRANSITIONS: dict[Role, dict[CallState, dict[type, tuple[CallState, ...]]]] = {
    Role.INITIATOR: {
        _S.NEW: {i.Dial: (_S.PROPOSED,)},
        _S.PROPOSED: {**_UNANSWERED, i.LocalDescription: (_S.PROPOSED,)},
        _S.RINGING: {**_UNANSWERED, i.LocalDescription: (_S.RINGING,)},
        _S.NEGOTIATING: {
            i.PeerRinging: (_S.NEGOTIATING,),
            i.PeerProceeded: (_S.NEGOTIATING,),
            i.GlareLost: (_S.NEGOTIATING,),
            i.PeerMigrated: (_S.NEGOTIATING,),
            i.LocalDescription: (_S.NEGOTIATING,),
            i.AnswerReceived: (_S.CONNECTING, _S.ENDED),
        },
        _S.CONNECTING: {**_IN_PROGRESS},
        _S.ACTIVE: {**_CONVERSING},
        _S.ENDED: {},
    },
    Role.RESPONDER: {
        _S.NEW: {i.PeerProposed: (_S.RINGING,), i.OfferReceived: (_S.RINGING,)},
        _S.RINGING: {i.Accept: (_S.NEGOTIATING, _S.ENDED)},
        _S.NEGOTIATING: {i.OfferReceived: (_S.NEGOTIATING, _S.ENDED), i.LocalDescription: (_S.CONNECTING,)},
        _S.CONNECTING: {**_IN_PROGRESS},
        _S.ACTIVE: {**_CONVERSING},
        _S.ENDED: {},
    },
}
"""role -> state -> input -> the states it may lead to."""

CONNECTED = (_S.CONNECTING, _S.ACTIVE)
"""The states in which both sides have said yes, and know each other's half."""
OVERDUE = {
    _S.PROPOSED: (EndReason.TIMEOUT, Origin.LOCAL, "nobody answered"),
    _S.RINGING: (EndReason.TIMEOUT, Origin.LOCAL, "nobody answered"),
    _S.NEGOTIATING: (EndReason.TIMEOUT, Origin.LOCAL, "the other device did not go on with the call"),
    _S.CONNECTING: (EndReason.CONNECTIVITY_ERROR, Origin.LOCAL, "the devices found no path to each other"),
    _S.ACTIVE: (EndReason.CONNECTIVITY_ERROR, Origin.LOCAL, "the connection to the peer was lost"),
}
"""How a call ends that stays in a state for too long."""
MOVES = {_S.ACTIVE: _S.NEGOTIATING}
"""Where a call goes whose path to the peer is lost, and that moves of its own accord."""
_ANSWERED = (_S.NEGOTIATING, *CONNECTED)
_EXCHANGING = (_S.PROPOSED, _S.RINGING, *_ANSWERED)

_STAYING: dict[type, tuple[CallState, ...]] = {
    i.Mute: (_S.NEW, *_EXCHANGING),
    i.ShowVideo: (_S.NEW, *_EXCHANGING),
    i.HideVideo: (_S.NEW, *_EXCHANGING),
    i.Hold: CONNECTED,
    i.SendDigits: (_S.ACTIVE,),
    i.SignallingLost: (_S.NEW, *_EXCHANGING),
    i.SignallingRenewed: (_S.NEW, *_EXCHANGING),
    i.LocalCandidates: _EXCHANGING,
    i.CandidatesReceived: _EXCHANGING,
    i.Contacted: _EXCHANGING,
    i.MediaMoved: CONNECTED,
    i.NetworkChanged: CONNECTED,
    i.LocalRestart: CONNECTED,
    i.RestartReceived: CONNECTED,
    i.RestartRefused: CONNECTED,
    i.MediaInterrupted: CONNECTED,
    i.MediaRestored: CONNECTED,
    i.ContentsAdded: CONNECTED,
    i.ContentsAccepted: CONNECTED,
    i.ContentsRejected: CONNECTED,
    i.ContentsModified: _EXCHANGING,
    i.ContentsRemoved: CONNECTED,
    i.LocalContents: CONNECTED,
    i.ContentsFailed: CONNECTED,
    i.PeerMuted: _ANSWERED,
    i.PeerHeld: _ANSWERED,
    i.DigitReceived: (_S.ACTIVE,),
    i.SourceEnded: CONNECTED,
    i.DeviceChanged: _ANSWERED,
    i.VideoReported: _ANSWERED,
}
_ENDING = (i.HangUp, i.Ended, i.MediaFailed, i.MediaClosed)
"""Inputs that end a call from every state; media that fail for want of a path may leave an active one as it is."""

for _rows in TRANSITIONS.values():
    for _input, _states in _STAYING.items():
        for _state in _rows.keys() & set(_states):
            _rows[_state].setdefault(_input, (_state,))
    for _state in _rows.keys() - {_S.ENDED}:
        for _input in _ENDING:
            _rows[_state][_input] = (_S.ENDED,)
    _rows[_S.ACTIVE][i.MediaFailed] = (_S.ACTIVE, _S.ENDED)


def diagram() -> str:
    """The table as a Mermaid state diagram; inputs that do not change the state are left out."""
    lines = ["stateDiagram-v2", "    [*] --> new"]
    for state in CallState:
        arrows: dict[CallState, list[str]] = {}
        for role, rows in TRANSITIONS.items():
            for kind, targets in rows.get(state, {}).items():
                for target in targets:
                    if target is not state and kind not in _ENDING:
                        label = kind.__name__
                        other = TRANSITIONS[role.other].get(state, {}).get(kind)
                        arrows.setdefault(target, []).append(label if other == targets else f"{label} ({role})")
        if state in MOVES:
            arrows.setdefault(MOVES[state], []).append("an interruption")
        lines += [f"    {state} --> {target}: {', '.join(dict.fromkeys(labels))}" for target, labels in arrows.items()]
    endings = ", ".join(kind.__name__ for kind in _ENDING)
    lines += [
        "    ended --> [*]",
        "    note right of ended",
        f"        {endings} or a deadline,",
        "        from every state",
    ]
    return "\n".join([*lines, "    end note"])


if __name__ == "__main__":
    import sys

    sys.stdout.write(diagram() + "\n")
