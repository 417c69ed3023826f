"""What is known of the protection of one call, collected as it happens: from the inputs and effects of its machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from openvoice.core import effects as e
from openvoice.core import inputs as i
from openvoice.core.contacts import Contact, SeenAddress
from openvoice.core.description import Candidate, CandidateType, SessionDescription
from openvoice.core.security import MediaFacts, SecurityReport, SignallingFacts, assess
from openvoice.core.trace import Trace
from openvoice.core.trust import Trust, Voucher
from openvoice.core.types import Vouching
from openvoice.core.verification import Verification

MAXIMUM_CONTACTS = 256
"""Remembered of one call; a peer can have 64 addresses checked for each local one, and again at each restart."""
MAXIMUM_STREAMS = 64
"""Addresses of this device remembered that streams to the own server came from."""
_TELLS_NOTHING = ("0.0.0.0", "::")  # noqa: S104 - stands in for an address that is kept back (RFC 8839, 5.1)


class Evidence:
    """Sees every input that a call takes, then what it led to; :attr:`report` says what both mean."""

    def __init__(self, peer: str, signalling: SignallingFacts | None, words: Verification) -> None:
        self._peer = peer
        self._words = words
        self._signalling = signalling
        self.vouching = Vouching.NONE
        """Of the description that the peer sent last."""
        self._media: MediaFacts | None = None
        self._voucher: Voucher | None = None
        self._weakest_heard = max(Vouching)
        """Of the sessions that the call has left."""
        self._heard = False
        self._told_earlier: tuple[SeenAddress, ...] = ()
        """In the sessions that the call has left."""
        self._trace = Trace()

    def take(self, message: i.CallInput) -> None:
        """The call takes ``message`` now."""
        trace = self._trace
        match message:
            case i.Dial():
                self._trace = replace(trace, signalled=True, consented=True, exposed=message.exposed)
            case i.Accept():
                self._trace = replace(trace, consented=True, exposed=message.exposed)
            case i.PeerProposed():
                self._trace = replace(trace, signalled=True)
            case i.OfferReceived(offer):
                self._trace = replace(trace, signalled=True)
                self._vouch(offer)
            case i.AnswerReceived(answer):
                self._vouch(answer)
            case i.Ended(withheld=True):
                self._trace = replace(trace, told=self._told_earlier)
            case i.CompareWords(_, same):
                self._compare(same)
            case i.MediaSecured(facts) | i.MediaMoved(facts):
                self._media = facts
            case i.SignallingRenewed(facts):
                if self._signalling is not None:
                    streams = dict.fromkeys((*trace.earlier_streams, self._signalling.local_address))
                    self._trace = replace(trace, earlier_streams=tuple(streams)[-MAXIMUM_STREAMS:])
                self._signalling = _weaker(self._signalling, facts)
            case i.Contacted(contact):
                self._trace = replace(trace, contacts=_with(trace.contacts, contact))

    def leave(self) -> None:
        """The session is over, and the call goes on in another one."""
        self._told_earlier = self._trace.told
        self._trace = replace(self._trace, moves=self._trace.moves + 1)
        if self._heard:
            self._weakest_heard = min(self._weakest_heard, self.vouching)
            self._heard = False

    def note(self, effects: Sequence[e.Effect]) -> None:
        """What the call wants done now."""
        trace = self._trace
        candidates = [candidate for effect in effects for candidate in _candidates(effect)]
        addresses = [address for candidate in candidates for address in _addresses(candidate)]
        opened = any(isinstance(effect, e.OpenGate) for effect in effects)
        self._heard |= opened
        self._trace = replace(
            trace,
            spoken=trace.spoken or opened,
            over=trace.over or any(isinstance(effect, e.Finish) for effect in effects),
            told=tuple(dict.fromkeys((*trace.told, *addresses))),
            told_before_consent=trace.told_before_consent + (0 if trace.consented else len(candidates)),
        )

    @property
    def report(self) -> SecurityReport:
        """What protects the call, by all that happened so far.

        Of a call that moved the weakest vouching counts that sound was exchanged under.
        """
        media = self._media
        if media is not None:
            media = replace(media, candidates_before_consent=self._trace.told_before_consent)
        return assess(
            min(self.vouching, self._weakest_heard) if media is not None else Vouching.NONE,
            media,
            self._signalling,
            trace=self._trace,
            voucher=self._voucher,
            peer=self._peer,
            words=self._words.outcome,
        )

    def _compare(self, same: bool) -> None:
        """The words bind all that vouches for this session, from its first sound: beyond doubt, or worth nothing."""
        assert self._voucher is not None
        trust = Trust.VERIFIED if same else Trust.DISTRUSTED
        self._voucher = replace(self._voucher, peer=replace(self._voucher.peer, trust=trust))
        self.vouching = self._voucher.vouching

    def _vouch(self, description: SessionDescription) -> None:
        self.vouching, self._voucher = description.vouching, description.voucher


def _weaker(before: SignallingFacts | None, now: SignallingFacts) -> SignallingFacts:
    """The facts of the stream as it is now, with what was to be said against the one before: the call used both."""
    if before is None:
        return now
    return replace(
        now,
        channel_binding=now.channel_binding if before.channel_binding else "",
        certificate_change=now.certificate_change or before.certificate_change,
    )


def _candidates(effect: e.Effect) -> Iterator[Candidate]:
    """The addresses of this device that the effect tells the peer."""
    match effect:
        case e.SendOffer(description) | e.SendAnswer(description):
            for content in description.contents:
                yield from content.transport.candidates
        case e.SendContentAdd(contents) | e.SendContentAccept(contents):
            for content in contents:
                yield from content.transport.candidates
        case e.SendCandidates(_, candidates):
            yield from candidates


def _addresses(candidate: Candidate) -> Iterator[SeenAddress]:
    """All that a candidate tells: the address itself, and the one that it was derived from (RFC 8839, 5.1)."""
    yield SeenAddress(candidate.address, candidate.type)
    related = candidate.related_address
    if related is not None and related not in _TELLS_NOTHING:
        relayed = candidate.type is CandidateType.RELAY
        yield SeenAddress(related, CandidateType.SERVER_REFLEXIVE if relayed else CandidateType.HOST)


def _with(contacts: tuple[Contact, ...], contact: Contact) -> tuple[Contact, ...]:
    """Add a contact, in place of what was known of the same one; the first word of the other end counts."""
    plain = replace(contact, mapped="")
    known = next((other for other in contacts if replace(other, mapped="") == plain), None)
    if known is None:
        return (*contacts, contact) if len(contacts) < MAXIMUM_CONTACTS else contacts
    return tuple(contact if other is known and not known.mapped else other for other in contacts)
