"""One call, as a pure machine: an input and the time go in, effects come out, nothing else happens."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import get_args

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.conduct import Conduct, ConductInput
from openvoice.core.contents import Contents, ContentsInput
from openvoice.core.continuity import Continuity, ContinuityInput, Step
from openvoice.core.evidence import Evidence
from openvoice.core.policy import Policy, weakness
from openvoice.core.progress import MediaProgress
from openvoice.core.security import SecurityReport, SignallingFacts
from openvoice.core.state import CONNECTED, OVERDUE, TRANSITIONS, CallState
from openvoice.core.types import Direction, EndReason, Origin, Role, Vouching, WordsOutcome
from openvoice.core.verification import Verification
from openvoice.errors import InvalidState

UNHEARD_AFTER = 15.0
"""Seconds without any sign of a device of the peer until the caller is told so."""
CONNECT_WITHIN = 30.0
"""Seconds that a path and keys may take. Monal gives up after 15."""

OnlyEvidence = i.Contacted | i.MediaMoved
"""Inputs that change nothing but what is known: they have no handler."""


class CallMachine:
    """The protocol of one call, without clock, socket or task.

    Three drivers: the user, the peer (by way of the signalling) and the media engine all come in by :meth:`handle`;
    time comes in by :meth:`handle_timeout`. After *every* call of either, perform the effects returned, in their
    order, and look at :attr:`deadline` again.

    Invariants, held by property tests over all orders of inputs: ``OpenMedia`` is returned only after a person (or a
    policy a person wrote) said yes on this side; ``OpenGate`` only after the policy accepted the security report, once
    for each media session; ``Finish`` exactly once, last; and an input that is not legal changes nothing.
    ``seed`` are 32 random octets for this call alone: the verification words need them.
    """

    def __init__(
        self, direction: Direction, peer: str, *, policy: Policy, seed: bytes, signalling: SignallingFacts | None = None
    ) -> None:
        self.direction = direction
        self.role = Role.INITIATOR if direction is Direction.OUTGOING else Role.RESPONDER
        self.peer = peer
        self.policy = policy
        self.state = CallState.NEW
        self.answered = False
        self.conduct = Conduct()
        self.contents = Contents()
        self.exposed = False
        """Whether a stranger learns the addresses of this device, for want of a relay."""
        self.active_since: float | None = None
        self.end: e.Finish | None = None
        self.words = Verification(seed)
        self._evidence = Evidence(peer, signalling, self.words)
        self._limit: float | None = None
        self._unheard_at: float | None = None
        self._least = policy.require
        self._media = MediaProgress()
        self._continuity = Continuity()

    @property
    def security(self) -> SecurityReport:
        """What protects the call, by all that happened so far."""
        return self._evidence.report

    @property
    def deadline(self) -> float | None:
        """When :meth:`handle_timeout` wants to be called, on the clock of ``now``."""
        deadlines = (
            self._limit,
            self._unheard_at,
            self._continuity.deadline,
            self.words.deadline,
            self.contents.deadline,
        )
        return min((at for at in deadlines if at is not None), default=None)

    def handle(self, message: i.CallInput, now: float) -> list[e.Effect]:
        """Take one input at ``now`` (seconds, any epoch, never backwards).

        Raises:
            InvalidState: a command of the user that the state does not allow. Nothing was changed.
        """
        kind = type(message)
        targets = TRANSITIONS[self.role][self.state].get(kind)
        if targets is None or not self._admits(message):
            if self.state is CallState.ENDED and kind is i.HangUp:
                return []
            if kind in get_args(i.UserInput):
                raise InvalidState(f"a call that is {self.state} cannot take {kind.__name__}")
            return [e.RejectInput(f"{kind.__name__} in state {self.state}")]
        self._evidence.take(message)
        self.contents.observe(message, self.role)
        effects = list(self._react(message, now))
        assert self.state in targets, f"{kind.__name__} led to {self.state}"
        return self._followed(effects, now)

    def _followed(self, effects: list[e.Effect], now: float) -> list[e.Effect]:
        if self.state is not CallState.ENDED:
            active = self.state is CallState.ACTIVE
            effects += self.contents.follow(self.role, now, gate=self._media.gate_open, active=active)
        self._evidence.note(effects)
        return effects

    def _react(self, message: i.CallInput, now: float) -> Iterable[e.Effect]:
        if isinstance(message, ConductInput):
            return self.conduct.take(message, opened=self._media.opened, active=self.state is CallState.ACTIVE)
        if isinstance(message, ContinuityInput):
            return self._continuity.take(message, now, active=self.state is CallState.ACTIVE)
        if isinstance(message, ContentsInput):
            return self.contents.take(message, self.role)
        if isinstance(message, OnlyEvidence):
            return ()
        reaction: Iterable[e.Effect] = getattr(self, f"_on_{type(message).__name__}")(message, now)
        return reaction

    def handle_timeout(self, now: float) -> list[e.Effect]:
        """Tell the time. Does nothing before :attr:`deadline`."""
        effects: list[e.Effect] = []
        if self._unheard_at is not None and now >= self._unheard_at:
            self._unheard_at = None
            effects.append(e.Notify(events.CallUnheard()))
        effects += self.words.handle_timeout(now)
        effects += self.contents.due(now)
        step = self._continuity.due(now)
        if step is Step.RESTART:
            effects += self._continuity.mend(now)
        elif step is Step.MOVE:
            effects += self._renew(now)
        elif step is Step.LOSE or (self._limit is not None and now >= self._limit):
            effects += self._end(*OVERDUE[self.state if self.active_since is None else CallState.ACTIVE])
        return self._followed(effects, now)

    def duration(self, now: float) -> float:
        """Seconds since the call became active; 0 if it never did."""
        return now - self.active_since if self.active_since is not None else 0.0

    # --- legality and the end -----------------------------------------------------------------------------------------

    def _admits(self, message: i.CallInput) -> bool:
        """What the table cannot say: an answer needs an offer, a second offer needs none before it."""
        match message:
            case i.AnswerReceived():
                return self._media.described
            case i.OfferReceived():
                return self._media.offer is None
            case i.LocalDescription() | i.LocalCandidates():
                return self._media.opened and (self._media.described or isinstance(message, i.LocalDescription))
            case i.PeerProceeded() | i.GlareLost():
                return not self._media.opened
            case i.PeerMigrated():
                return self.state is not CallState.NEGOTIATING or not self._media.opened
            case i.CompareWords():
                return message.words == self.words.words
            case i.WordsReceived():
                return not self.words.settled
            case _:
                return True

    def _end(self, reason: EndReason, origin: Origin, text: str, *, private: bool = False) -> Iterator[e.Effect]:
        if origin is Origin.LOCAL and self.state is not CallState.NEW:
            yield e.SendEnd(reason, "" if private else text)
        yield e.CloseMedia()
        self.state = CallState.ENDED
        self._limit = self._unheard_at = self.words.deadline = self.contents.deadline = None
        self._continuity.leave()
        self._media.early.release()
        self.end = e.Finish(reason, origin, text)
        yield self.end

    # --- the user -----------------------------------------------------------------------------------------------------

    def _on_Dial(self, message: i.Dial, now: float) -> Iterator[e.Effect]:
        self.state = CallState.PROPOSED
        self._limit = now + self.policy.ring_timeout
        yield e.Notify(events.CallPlaced(self.peer))
        yield from self._expose(message.exposed)
        if message.invitation is i.Invitation.PROPOSE:
            self._unheard_at = now + UNHEARD_AFTER
            yield e.SendProposal()
        else:
            yield from self._open_media()

    def _on_Accept(self, message: i.Accept, now: float) -> Iterator[e.Effect]:
        self.state = CallState.NEGOTIATING
        self.answered = True
        self._limit = now + CONNECT_WITHIN
        yield e.Notify(events.CallAccepted())
        yield from self._expose(message.exposed)
        if self._media.offer is None:
            yield e.SendProceed()
        else:
            yield from self._open_media()

    def _expose(self, exposed: bool) -> Iterator[e.Effect]:
        self.exposed = exposed
        if exposed:
            yield e.Notify(events.CallExposed())

    def _on_HangUp(self, message: i.HangUp, now: float) -> Iterator[e.Effect]:
        if message.reason is not None:
            reason = message.reason
        elif self.state in CONNECTED or self.active_since is not None:
            reason = EndReason.SUCCESS
        else:
            reason = EndReason.CANCEL if self.role is Role.INITIATOR else EndReason.DECLINE
        yield from self._end(reason, Origin.LOCAL, message.text, private=message.private)

    def _on_CompareWords(self, message: i.CompareWords, now: float) -> Iterator[e.Effect]:
        self.words.compared(same=message.same)
        if message.same:
            yield e.Notify(events.CallVerified(self.security))
        else:
            yield from self._end(EndReason.SECURITY_ERROR, Origin.LOCAL, "the words of the two sides differ")

    # --- the peer -----------------------------------------------------------------------------------------------------

    def _on_PeerProposed(self, message: i.PeerProposed, now: float) -> Iterator[e.Effect]:
        yield from self._ring(message.announce, now)

    def _on_OfferReceived(self, message: i.OfferReceived, now: float) -> Iterator[e.Effect]:
        self._media.offer = message.offer
        self._media.gather_fully = message.gather_fully
        self._continuity.begin(message.remedies)
        self.words.described(message.session, message.offer.voucher)
        if self.state is CallState.NEW:
            yield from self._ring(message.announce, now)
        else:
            yield from self._open_media()

    def _ring(self, announce: bool, now: float) -> Iterator[e.Effect]:
        self.state = CallState.RINGING
        self._limit = now + self.policy.answer_timeout
        if announce:
            yield e.SendRinging()
        yield e.Notify(events.CallIncoming(self.peer))

    def _on_PeerRinging(self, message: i.PeerRinging, now: float) -> Iterator[e.Effect]:
        self._unheard_at = None
        if self.state is CallState.RINGING:
            return
        if self.state is CallState.PROPOSED:
            self.state = CallState.RINGING
        yield e.Notify(events.CallRinging())

    def _on_PeerProceeded(self, message: i.PeerProceeded, now: float) -> Iterator[e.Effect]:
        yield from self._negotiate(now, message.answer_within)
        self._media.gather_fully = message.gather_fully
        yield from self._open_media()

    def _on_GlareLost(self, message: i.GlareLost, now: float) -> Iterator[e.Effect]:
        self.role = Role.RESPONDER
        yield from self._negotiate(now)
        yield e.SendProceed()

    def _negotiate(self, now: float, within: float = CONNECT_WITHIN) -> Iterator[e.Effect]:
        self.state = CallState.NEGOTIATING
        self._unheard_at = None
        self._limit = now + within
        yield from self._note_answer()

    def _note_answer(self) -> Iterator[e.Effect]:
        if not self.answered:
            self.answered = True
            yield e.Notify(events.CallAccepted())

    def _on_PeerMigrated(self, message: i.PeerMigrated, now: float) -> Iterator[e.Effect]:
        self.role = Role.RESPONDER
        # Both may move it at once: then this side has left the session already, and the peer was quicker.
        left = self.state is CallState.NEGOTIATING
        yield from self._negotiate(now) if left else self._move(Origin.REMOTE, now)
        yield e.SendProceed()

    def _renew(self, now: float) -> Iterator[e.Effect]:
        self.role = Role.INITIATOR
        # First: a peer that sees the media close, and hears nothing of a move, takes it for the end of the call.
        self.contents.leave()
        yield e.SendRenewal(self.contents.video)
        yield from self._move(Origin.LOCAL, now)

    def _move(self, by: Origin, now: float) -> Iterator[e.Effect]:
        """Leave the session; the call goes on in another one."""
        # Whoever moves a call must not weaken it: nobody is asked again.
        self._least = max(self._least, self._evidence.vouching)
        self._evidence.leave()
        self._continuity.leave()
        self.contents.leave()
        self._media = MediaProgress()
        yield e.Notify(events.CallMoved(by))
        yield from self.words.left()
        yield e.CloseMedia()
        yield from self._negotiate(now)

    def _on_AnswerReceived(self, message: i.AnswerReceived, now: float) -> Iterator[e.Effect]:
        yield from self._note_answer()
        self.state = CallState.CONNECTING
        self._unheard_at = None
        self._limit = now + CONNECT_WITHIN
        if (refusal := weakness(message.answer.vouching, self._least)) is not None:
            yield from self._end(EndReason.SECURITY_ERROR, Origin.LOCAL, refusal, private=True)
            return
        self._continuity.begin(message.remedies)
        self.words.described(message.session, message.answer.voucher, invites=message.takes_words)
        yield e.ApplyAnswer(message.answer)
        yield from itertools.starmap(e.AddCandidates, self._media.early.release())

    def _on_CandidatesReceived(self, message: i.CandidatesReceived, now: float) -> Iterator[e.Effect]:
        if self.state in CONNECTED:
            if not self.contents.keep(message):
                yield e.AddCandidates(message.content, message.candidates)
        else:
            self._media.early.keep(message.content, message.candidates)

    def _on_WordsReceived(self, message: i.WordsReceived, now: float) -> Iterator[e.Effect]:
        yield from self.words.take(message.message, now)
        yield from self._refuse_tampering()

    def _refuse_tampering(self) -> Iterator[e.Effect]:
        if self.words.outcome is WordsOutcome.FAILED and self.policy.require is Vouching.OMEMO_VERIFIED:
            yield from self._end(EndReason.SECURITY_ERROR, Origin.LOCAL, "the exchange of words was tampered with")

    def _on_Ended(self, message: i.Ended, now: float) -> Iterator[e.Effect]:
        yield from self._end(message.reason, message.origin, message.text)

    # --- the media engine ---------------------------------------------------------------------------------------------

    def _open_media(self) -> Iterator[e.Effect]:
        if self._media.offer is not None and (refusal := weakness(self._evidence.vouching, self._least)) is not None:
            # Nothing of this device has left yet: a peer that will be refused learns no address.
            yield from self._end(EndReason.SECURITY_ERROR, Origin.LOCAL, refusal, private=True)
            return
        self._media.opened = True
        video = self.contents.opens_video(self.role)
        yield e.OpenMedia(self.role, self._media.offer, self._media.gather_fully, video)
        yield from self.conduct.resume()

    def _on_LocalDescription(self, message: i.LocalDescription, now: float) -> Iterator[e.Effect]:
        self._media.described = True
        if self.role is Role.INITIATOR:
            yield e.SendOffer(message.description, self._least)
            return
        self.state = CallState.CONNECTING
        self._limit = now + CONNECT_WITHIN
        yield e.SendAnswer(message.description)
        yield from itertools.starmap(e.AddCandidates, self._media.early.release())

    def _on_LocalCandidates(self, message: i.LocalCandidates, now: float) -> Iterator[e.Effect]:
        if self.contents.knows(message.content):
            yield e.SendCandidates(message.content, message.candidates)

    def _on_MediaSecured(self, message: i.MediaSecured, now: float) -> Iterator[e.Effect]:
        yield e.Notify(events.CallSecured(self.security))
        if (refusal := self.policy.refusal(self.security)) is not None:
            yield from self._end(EndReason.SECURITY_ERROR, Origin.LOCAL, refusal, private=True)
            return
        if not self._media.gate_open:
            self._media.gate_open = True
            yield e.OpenGate()
        yield from self._activate(now)
        yield from self.words.secured(self.role, message.facts, now)
        yield from self._refuse_tampering()

    def _on_MediaFlowing(self, message: i.MediaFlowing, now: float) -> Iterator[e.Effect]:
        self._media.flowing = True
        yield from self._activate(now)

    def _activate(self, now: float) -> Iterator[e.Effect]:
        if self._media.gate_open and self._media.flowing:
            self.state = CallState.ACTIVE
            self._limit = None
            if self.active_since is None:
                self.active_since = now
                yield e.Notify(events.CallConnected())
            else:
                yield e.Notify(events.CallRestored())
            yield from self.conduct.announce()
            yield from self.words.active()

    def _on_MediaFailed(self, message: i.MediaFailed, now: float) -> Iterator[e.Effect]:
        if message.reason is not EndReason.CONNECTIVITY_ERROR or not self._continuity.failed(now):
            yield from self._end(message.reason, Origin.LOCAL, message.text)

    def _on_MediaClosed(self, message: i.MediaClosed, now: float) -> Iterator[e.Effect]:
        yield e.SendEnd(EndReason.SUCCESS, "")
        yield from self._end(EndReason.SUCCESS, Origin.REMOTE, "")
