"""Whether the peer of an active call is still there, and what is done to keep it.

Theory of operation. Media that stop are an *interruption*. First ICE is restarted, if the peer's device takes that; the
media of before may come back meanwhile. If a restart is no help, or none is possible, the call *moves*: it goes on in a
new session. How long one waits for that depends on what it costs: a device that takes the new session by itself gets
one soon, a person who would have to answer again is disturbed late. Nothing is tried while the own stream is down, for
nobody would hear of it; it is when the stream is back. After :data:`INTERRUPTION_LIMIT` the peer is lost.

A network that changed is a reason to restart too, while media still flow on the path of before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.remedies import UNKNOWN_DEVICE, Remedies, Renewal, Restart

INTERRUPTION_LIMIT = 30.0
"""Seconds without the peer's media until the call is lost."""
RESTART_WITHIN = 20.0
"""Seconds that a restart may take. A device that sleeps for shorter answers it when it wakes."""
MOST_RESTARTS, RESTARTS_WITHIN = 20, 60.0
"""So many restarts of the peer are taken in so many seconds: each makes sockets here, and asks servers."""
RESTART_AGAIN_AFTER = 4.0
"""Seconds until it is tried again with a device that its server could not reach."""
MOVE_AFTER = 3.0
"""Seconds of interruption until a call moves that nobody has to answer again. Monal gives up 2 s after its ICE does."""
RING_AFTER = 10.0
"""The same where a person has to, unless it is plain that the path of before does not come back."""
CHANGE_LASTS = 15.0
"""Seconds for which an interruption is put down to a change of the network before it."""
SLEPT = 2.0
"""A deadline that is noticed so many seconds late has passed while this device slept."""
AWAKE_AGAIN = 8.0
"""Seconds that the peer's media, or a restart, may take after this device or its stream has come back."""

ContinuityInput = (
    i.MediaInterrupted
    | i.MediaRestored
    | i.NetworkChanged
    | i.LocalRestart
    | i.RestartReceived
    | i.RestartRefused
    | i.SignallingLost
    | i.SignallingRenewed
)


class Step(Enum):
    """What is due."""

    RESTART = "restart"
    MOVE = "move"
    LOSE = "lose"


class Attempt(Enum):
    """A restart that this side began."""

    NONE = "none"
    BEGUN = "begun"
    """One at a time: the answers to two would cross."""
    ANSWERED = "answered"
    """By the peer; the media have not come back yet."""
    USELESS = "useless"


class Continuity:
    """Of one call, in one session after another. Pure: time comes in as seconds of the clock of the machine."""

    def __init__(self) -> None:
        self._online = True
        self._remedies = UNKNOWN_DEVICE
        self._since: float | None = None
        self._limit: float | None = None
        self._act_at: float | None = None
        self._attempt = Attempt.NONE
        self._changed_at: float | None = None
        """When the network of this device changed, if no restart has followed."""
        self._slept = False
        self._taken: deque[float] = deque(maxlen=MOST_RESTARTS)

    def take(self, message: ContinuityInput, now: float, *, active: bool) -> Iterator[e.Effect]:
        """``active`` says whether the call is."""
        match message:
            case i.MediaInterrupted():
                if active:
                    yield from self.interrupted(now)
            case i.MediaRestored():
                yield from self.restored()
            case i.NetworkChanged():
                if active:
                    yield from self.network_changed(now)
            case i.LocalRestart():
                if self.wants(message):
                    yield e.SendRestart(message.credentials, message.answering)
            case i.RestartReceived():
                yield from self.restarted(message, now)
            case i.RestartRefused():
                yield from self.refused(message, now)
            case i.SignallingLost():
                self.signalling_lost()
            case _:
                yield from self.signalling_renewed(now)

    @property
    def deadline(self) -> float | None:
        """When something has to be done if nothing else happens."""
        return min((at for at in (self._limit, self._act_at) if at is not None), default=None)

    def due(self, now: float) -> Step | None:
        """What has to be done now. Whoever asks does it."""
        deadline = self.deadline
        if deadline is None or now < deadline:
            return None
        if now - deadline >= SLEPT and not self._slept:
            self._wake(now)
            return None
        if self._limit is not None and now >= self._limit:
            return Step.LOSE
        self._act_at = None
        if self._since is None:
            self._attempt = Attempt.NONE
            return Step.RESTART if self._changed_at is not None else None
        if self._may_restart:
            return Step.RESTART
        self._attempt = Attempt.USELESS
        return Step.MOVE if self._remedies.renewal is not Renewal.NEVER else None

    def _wake(self, now: float) -> None:
        """Time in which this device slept is no time in which the peer was away. Once in an interruption."""
        self._slept = True
        if self._limit is not None:
            self._limit = max(self._limit, now + AWAKE_AGAIN)
        if self._act_at is not None:
            self._act_at = max(self._act_at, now + AWAKE_AGAIN)

    # --- the session --------------------------------------------------------------------------------------------------

    def begin(self, remedies: Remedies) -> None:
        """The peer's half of a session is known."""
        self._remedies = remedies

    def leave(self) -> None:
        """The session is over, and nothing of it matters any more."""
        self._since = self._limit = self._act_at = None
        self._attempt = Attempt.NONE
        self._changed_at = None
        self._slept = False
        self._remedies = UNKNOWN_DEVICE

    # --- the media ----------------------------------------------------------------------------------------------------

    def interrupted(self, now: float) -> Iterator[e.Effect]:
        """Nothing comes from the peer any more."""
        if self._since is None:
            self._since = now
            self._limit = now + INTERRUPTION_LIMIT
            self._slept = False
            yield e.Notify(events.CallInterrupted())
            yield from self.mend(now)

    def restored(self) -> Iterator[e.Effect]:
        """It comes again."""
        if self._since is not None:
            self._since = self._limit = self._act_at = None
            self._attempt = Attempt.NONE
            self._changed_at = None
            self._slept = False
            yield e.Notify(events.CallRestored())

    def failed(self, now: float) -> bool:
        """The media found no new path; whether there is anything left to do about it."""
        if self._since is None or self._remedies.renewal is Renewal.NEVER:
            return False
        self._attempt = Attempt.USELESS
        self._wait_to_move(now)
        return True

    def network_changed(self, now: float) -> Iterator[e.Effect]:
        """This device has other ways into the network."""
        self._changed_at = now
        if self._attempt is Attempt.USELESS:
            self._attempt = Attempt.NONE
        if self._since is not None or self._always:
            yield from self.mend(now)

    # --- the signalling -----------------------------------------------------------------------------------------------

    def signalling_lost(self) -> None:
        """Nothing that is said now reaches the peer."""
        self._online = False
        self._act_at = None

    def signalling_renewed(self, now: float) -> Iterator[e.Effect]:
        """What was said meanwhile is on its way, and more can be said."""
        was_online, self._online = self._online, True
        if was_online:
            return
        if self._limit is not None:
            self._limit = max(self._limit, now + AWAKE_AGAIN)
        if self._since is not None or (self._changed_at is not None and self._always):
            yield from self.mend(now)

    def refused(self, message: i.RestartRefused, now: float) -> Iterator[e.Effect]:
        """The restart that this side began came to nothing."""
        if self._attempt is not Attempt.BEGUN:
            return
        self._attempt = Attempt.NONE if message.unreached else Attempt.USELESS
        self._act_at = None
        if self._since is None or not self._online:
            return
        if message.unreached:
            self._act_at = now + RESTART_AGAIN_AFTER
        else:
            yield from self.mend(now)

    def restarted(self, message: i.RestartReceived, now: float) -> Iterator[e.Effect]:
        """The peer begins to restart ICE, or answers a restart of this side."""
        if message.ours:
            yield e.ApplyRestart(message.credentials)
        elif len(self._taken) == MOST_RESTARTS and now - self._taken[0] < RESTARTS_WITHIN:
            return
        else:
            self._taken.append(now)
            if self._remedies.restart is Restart.UNTRIED:
                self._remedies = replace(self._remedies, restart=Restart.ALWAYS)
            # The media answer with all the ways into the network that there are now.
            self._changed_at = None
            yield e.RestartMedia(message.credentials)
        if self._changed_at is not None and self._always:
            self._attempt = Attempt.NONE
            yield from self.mend(now)
        elif self._since is None:
            self._attempt, self._act_at = Attempt.NONE, None
        else:
            self._attempt, self._act_at = Attempt.ANSWERED, now + RESTART_WITHIN

    def wants(self, message: i.LocalRestart) -> bool:
        """Whether the credentials that the media made are still of use: the peer may have been quicker."""
        return message.answering or self._attempt is Attempt.BEGUN

    # --- what is done about it ----------------------------------------------------------------------------------------

    def mend(self, now: float) -> Iterator[e.Effect]:
        """Restart, if that may help and nothing is under way; else wait for the moment to move."""
        if not self._online:
            return
        if self._may_restart:
            self._attempt = Attempt.BEGUN
            self._changed_at = None
            self._act_at = now + RESTART_WITHIN
            yield e.RestartMedia()
        elif self._attempt in (Attempt.BEGUN, Attempt.ANSWERED):
            self._act_at = now + RESTART_WITHIN
        else:
            self._wait_to_move(now)

    @property
    def _always(self) -> bool:
        return self._remedies.restart is Restart.ALWAYS

    @property
    def _may_restart(self) -> bool:
        return self._attempt is Attempt.NONE and self._remedies.restart is not Restart.NEVER

    def _wait_to_move(self, now: float) -> None:
        if self._since is None or self._remedies.renewal is Renewal.NEVER or not self._online:
            self._act_at = None
            return
        changed = self._changed_at is not None and self._since - self._changed_at < CHANGE_LASTS
        soon = changed or self._remedies.renewal is Renewal.SILENT
        self._act_at = max(now, self._since + (MOVE_AFTER if soon else RING_AFTER))
