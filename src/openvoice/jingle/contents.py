"""The contents that come to one session after its answer, that change and that go (XEP-0166, 7.2.1 to 7.2.5).

Theory of operation. Every request names one content, for Dino takes no more. What the peer adds is read here and
delivered; the call answers it. Two additions of the same at once are a tie, which the initiator wins: it refuses the
peer's, and the responder gives up its own. Movim takes a whole session-accept for the answer to any change.

In a session under seals, a content with a transport of its own must have a seal of its own, of the same two devices;
one on the transport of the voice has the key of that. A plain key ends the session.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from openvoice.core.description import MAXIMUM_CONTENTS, Content, Senders, SessionDescription
from openvoice.core.inputs import (
    ContentsAccepted,
    ContentsAdded,
    ContentsModified,
    ContentsRejected,
    ContentsRemoved,
    PeerInput,
    PeerMuted,
)
from openvoice.core.types import CallId, Role
from openvoice.errors import MalformedStanza
from openvoice.jingle.additions import NOTHING_HANGS_ON_IT, Asked, OwnAddition, PeerAddition
from openvoice.jingle.describe import read_addition, settled_transport, write_content
from openvoice.jingle.model import Jingle, JingleAction, JingleContent
from openvoice.jingle.negotiation import Negotiation
from openvoice.jingle.outcomes import TIMEOUT, why_refused
from openvoice.jingle.outputs import Deliver, Output
from openvoice.jingle.peers import PeerProfile
from openvoice.jingle.refusal import Refusal
from openvoice.jingle.requests import Requests
from openvoice.jingle.sealing import Sealed, Unsealed
from openvoice.jingle.seals import Arrival, Seals
from openvoice.jingle.stubs import has_plain_key, is_sealed, is_stub, refusal_of, tied, without_transport
from openvoice.jingle.trickling import Trickling
from openvoice.jingle.whole_answers import WholeAnswers


class Contents:
    """Of one session. What must end it raises :class:`MalformedStanza` with the reason for its condition."""

    def __init__(
        self,
        *,
        call: CallId,
        role: Role,
        requests: Requests,
        negotiation: Negotiation,
        profile: PeerProfile,
        ice: Trickling,
    ) -> None:
        self._call = call
        self._role = role
        self._requests = requests
        self._agreed = negotiation.agreed
        self._profile = profile
        self._ice = ice
        self._seals = Seals(requests=requests, sealing=negotiation.sealing)
        self._ours: dict[str, OwnAddition] = {}
        self._theirs: dict[str, PeerAddition] = {}
        self._whole = WholeAnswers(negotiation.agreed)
        self._asked: dict[str, Asked] = {}
        self._given_up: list[str] = []
        """What this side gave up for an addition of the peer that the call has not heard of yet."""

    @property
    def pending(self) -> frozenset[str]:
        """The names of contents that one side added and the other has not answered."""
        return frozenset((*self._ours, *self._theirs))

    def opens(self, jingle: Jingle) -> bool:
        """Whether a request is about a content whose seal is being opened, and waits for it."""
        return self._seals.keep(jingle)

    # --- what this side does ------------------------------------------------------------------------------------------

    def add(self, contents: Sequence[Content], bundle: tuple[str, ...]) -> list[Output]:
        """Send content-add."""
        outputs: list[Output] = []
        for content in contents:
            self._ours[content.name] = OwnAddition(content, bundle)
            self._ice.describe_content(content.name, content.transport)
            stub = self._profile.stubs and content.name in bundle
            outputs += self._send(JingleAction.CONTENT_ADD, content, bundle, stub=stub)
        return outputs

    def accept(self, contents: Sequence[Content], bundle: tuple[str, ...]) -> list[Output]:
        """Send content-accept, for what the peer has not taken back meanwhile."""
        taken = [(content, self._theirs.pop(content.name)) for content in contents if content.name in self._theirs]
        self._agreed.add((content for content, _ in taken), (theirs.content for _, theirs in taken), bundle)
        group = tuple(name for name in bundle if self._agreed.has(name))
        outputs: list[Output] = []
        for content, theirs in taken:
            self._ice.describe_content(content.name, content.transport)
            if not self._profile.answers_with_session_accept:
                stub = content.name in group and (self._profile.stubs or is_stub(theirs.wire))
                if content.name in group:
                    content = replace(content, transport=settled_transport(content, self._remote))
                outputs += self._send(JingleAction.CONTENT_ACCEPT, content, group, stub=stub)
        return [*outputs, *self._whole_answer()]

    def reject(self, names: Iterable[str]) -> list[Output]:
        """Send content-reject."""
        outputs: list[Output] = []
        for name in names:
            theirs = self._theirs.pop(name, None)
            if theirs is not None:
                outputs += self._decline(theirs.wire)
        return [*outputs, *self._whole_answer()]

    def modify(self, senders: Iterable[tuple[str, Senders]]) -> list[Output]:
        """Send content-modify."""
        outputs: list[Output] = []
        for name, who in senders:
            known = self._local.content(name)
            if known is not None:
                self._agreed.modify({name: who})
                asked = Asked(name, before=known.senders)
                outputs += self._ask(JingleAction.CONTENT_MODIFY, JingleContent(name=name, senders=who), asked=asked)
        return outputs

    def remove(self, names: Iterable[str]) -> list[Output]:
        """Send content-remove."""
        outputs: list[Output] = []
        for name in names:
            if self._ours.pop(name, None) is not None or self._agreed.remove([name]):
                self._ice.forget_content(name)
                outputs += self._ask(JingleAction.CONTENT_REMOVE, JingleContent(name=name))
        return outputs

    def sealed(self, result: Sealed | None) -> list[Output]:
        """Send what was sealed; what could not be is as if it had been refused."""
        sent, failed = self._seals.sealed(result)
        if failed is None:
            return sent
        self._ice.forget_content(failed.name)
        if self._ours.pop(failed.name, None) is not None:
            text = "it could not be sealed for the peer's device"
            return [*sent, self._deliver(ContentsRejected((failed.name,), text))]
        self._agreed.remove([failed.name])
        return [*sent, *self._decline(failed), self._deliver(ContentsRemoved((failed.name,)))]

    def finished(self, request: str, error: str | None) -> list[Output] | None:
        """Note the outcome of an own request; ``None`` if it is not one about contents, or all went well.

        The call goes on whatever the peer makes of it. That nothing is heard of it changes nothing: a device that
        sleeps acts upon it when it wakes.
        """
        asked = self._asked.pop(request, None)
        if asked is None or error is None:
            return None
        refused = ContentsRejected((asked.name,), why_refused(error))
        if asked.before is not None and error != TIMEOUT:
            self._agreed.modify({asked.name: asked.before})
            return [self._deliver(refused)]
        if error != TIMEOUT and self._ours.pop(asked.name, None) is not None:
            return [self._deliver(refused)]
        return []

    # --- what the peer does -------------------------------------------------------------------------------------------

    def decline(self, jingle: Jingle) -> list[Output]:
        """Take a request that comes before the two sides have agreed on anything: nothing is added then."""
        if jingle.action is not JingleAction.CONTENT_ADD or not self._profile.rejects:
            return []
        return self._ask(JingleAction.CONTENT_REJECT, *(refusal_of(content) for content in jingle.contents))

    def receive(self, jingle: Jingle) -> list[Output]:
        """Take a request about contents.

        Raises:
            Refusal: a name is in use, or both sides add the same at once and this side goes first.
            MalformedStanza: the session must end.
        """
        if self._seals.needed and any(has_plain_key(content) for content in jingle.contents):
            raise MalformedStanza("the peer added a plain key to a sealed call", "security-error")
        match jingle.action:
            case JingleAction.CONTENT_ADD:
                return self._added(jingle)
            case JingleAction.CONTENT_MODIFY:
                return self._modified(jingle)
            case JingleAction.CONTENT_REMOVE:
                return self._removed(jingle)
            case JingleAction.CONTENT_REJECT:
                # stanza.io names nothing: it refuses whatever was added.
                named = [content.name for content in jingle.contents] or list(self._ours)
                refused = tuple(name for name in named if self._ours.pop(name, None) is not None)
                return [self._deliver(ContentsRejected(refused))] if refused else []
            case _:
                return self._accepted(jingle)

    def unsealed(self, result: Unsealed | None) -> tuple[list[Output], list[Jingle]]:
        """Take the content whose seal was opened: what follows, and the requests that waited for it.

        Raises:
            MalformedStanza: the session must end.
        """
        arrival, following, waited = self._seals.unsealed(result)
        taken = self._arrive(arrival) if arrival is not None else []
        return [*taken, *following], waited

    def _added(self, jingle: Jingle) -> list[Output]:
        names = {content.name for content in jingle.contents}
        known = {*self._theirs, *self._seals.opening}
        if any(name in known or self._agreed.has(name) for name in names) or len(names) < len(jingle.contents):
            raise Refusal("unexpected-request", "out-of-order", "wait")
        lost = {name for name, ours in self._ours.items() if tied(ours.content, jingle.contents)}
        if lost and self._role is Role.INITIATOR:
            raise Refusal("conflict", "tie-break")
        for name in lost:
            del self._ours[name]
            self._given_up.append(name)
            self._ice.forget_content(name)
        outputs: list[Output] = []
        for content in jingle.contents:
            if len(known) + len(self._agreed.names) >= MAXIMUM_CONTENTS:
                outputs += self._decline(content)
            else:
                known.add(content.name)
                outputs += self._take(Arrival(content, self._group(jingle, content), answering=False))
        return [*outputs, *self._whole_answer()]

    def _accepted(self, jingle: Jingle) -> list[Output]:
        outputs: list[Output] = []
        for content in jingle.contents:
            if content.name in self._ours:
                outputs += self._take(Arrival(content, self._group(jingle, content), answering=True))
            elif not self._agreed.has(content.name) and self._profile.removes:
                # It answers what this side has given up.
                outputs += self._ask(JingleAction.CONTENT_REMOVE, JingleContent(name=content.name))
        return outputs

    def _modified(self, jingle: Jingle) -> list[Output]:
        """Movim says all that there is, and may name contents that were never added."""
        voice = self._local.voice
        outputs: list[Output] = []
        for content in jingle.contents:
            name = content.name
            waiting = self._ours.get(name)
            if name == voice or (waiting is None and not self._agreed.has(name)):
                continue
            # Nobody sends: this side as if it were not allowed to, the peer as if it were muted.
            who = content.senders or Senders(self._role.other.value)
            if not self._profile.reliable_senders and self._role is Role.INITIATOR:
                who = Senders.BOTH
            self._agreed.modify({name: who})
            if waiting is not None:
                self._ours[name] = replace(waiting, content=replace(waiting.content, senders=who))
            outputs.append(self._deliver(ContentsModified(((name, who),))))
            if content.senders is None:
                outputs.append(self._deliver(PeerMuted(True, name)))
        fresh = [content for content in jingle.contents if content.description and not self._knows(content.name)]
        if fresh and self._profile.answers_with_session_accept:
            return [*outputs, *self._added(replace(jingle, contents=tuple(fresh)))]
        return [*outputs, *self._whole_answer()]

    def _removed(self, jingle: Jingle) -> list[Output]:
        gone = []
        for name in {content.name: None for content in jingle.contents}:
            mine, theirs = self._ours.pop(name, None), self._theirs.pop(name, None)
            if mine or theirs or self._agreed.remove([name]):
                gone.append(name)
                self._ice.forget_content(name)
            self._whole.forget(name)
        delivered = [self._deliver(ContentsRemoved(tuple(gone)))] if gone else []
        return [*delivered, *self._whole_answer()]

    def _take(self, arrival: Arrival) -> list[Output]:
        if self._seals.needed and is_sealed(arrival.content):
            return self._seals.open(arrival)
        return self._arrive(arrival)

    def _arrive(self, arrival: Arrival) -> list[Output]:
        """A content is here in plain."""
        content, bundle, bundled = arrival.content, arrival.bundle, bool(arrival.bundle)
        ours = self._ours.get(content.name) if arrival.answering else None
        if arrival.answering and ours is None:
            return []
        try:
            read = read_addition(
                content, self._remote, bundled=bundled, answering=arrival.answering, voucher=arrival.voucher
            )
            if ours is not None and read.media is not ours.content.media:
                raise MalformedStanza("the answer is of another kind than what was added")
        except MalformedStanza as error:
            if bundled and error.condition == "security-error":
                raise
            if ours is None:
                return self._decline(content)
            del self._ours[content.name]
            told: list[Output] = [self._deliver(ContentsRejected((content.name,), str(error)))]
            if self._profile.removes:
                told += self._ask(JingleAction.CONTENT_REMOVE, JingleContent(name=content.name))
            return told
        if not is_stub(content):
            self._ice.adopt_content(read.name, read.transport)
        if ours is None:
            self._theirs[read.name] = PeerAddition(content, read)
            self._given_up.clear()
            return [self._deliver(ContentsAdded((read,), bundle))]
        if not self._profile.reliable_senders:
            read = replace(read, senders=ours.content.senders)
        del self._ours[read.name]
        self._agreed.add([ours.content], [read], ours.bundle)
        return [self._deliver(ContentsAccepted((read,), bundle))]

    # --- parts --------------------------------------------------------------------------------------------------------

    @property
    def _local(self) -> SessionDescription:
        assert self._agreed.local is not None
        return self._agreed.local

    @property
    def _remote(self) -> SessionDescription:
        assert self._agreed.remote is not None
        return self._agreed.remote

    def _knows(self, name: str) -> bool:
        return self._agreed.has(name) or name in self.pending or name in self._whole

    def _group(self, jingle: Jingle, content: JingleContent) -> tuple[str, ...]:
        """The contents on the transport of the voice if this one is to be on it too, else none.

        A stub says so by being one, in a group or not, and so does one that repeats the credentials of the voice.
        """
        voice = self._local.voice
        if {voice, content.name} <= set(jingle.bundle) or is_stub(content) or self._ice.shares(voice, content):
            known = (name for name in jingle.bundle if self._agreed.has(name))
            return tuple(dict.fromkeys((*known, voice, content.name)))
        return ()

    def _send(self, action: JingleAction, content: Content, bundle: tuple[str, ...], *, stub: bool) -> list[Output]:
        written = write_content(content)
        if stub:
            written = without_transport(written)
        if self._seals.needed and not stub:
            return self._seals.seal(action, written, bundle, self._new_request(Asked(content.name)))
        return self._ask(action, written, asked=Asked(content.name), bundle=bundle)

    def _ask(
        self,
        action: JingleAction,
        *contents: JingleContent,
        asked: Asked = NOTHING_HANGS_ON_IT,
        bundle: tuple[str, ...] = (),
    ) -> list[Output]:
        return self._requests.contents(action, contents, bundle=bundle, request=self._new_request(asked))

    def _new_request(self, asked: Asked) -> str:
        request = self._requests.new_id()
        self._asked[request] = asked
        return request

    def _decline(self, content: JingleContent) -> list[Output]:
        outputs: list[Output] = []
        if self._given_up:
            outputs.append(self._deliver(ContentsRejected(tuple(self._given_up))))
            self._given_up.clear()
        if self._profile.answers_with_session_accept:
            # Where both added the same, this side's stands in the answer, or nothing.
            if content.name not in self._ours:
                self._whole.echo(content)
        elif self._profile.rejects:
            outputs += self._ask(JingleAction.CONTENT_REJECT, refusal_of(content))
        return outputs

    def _whole_answer(self) -> list[Output]:
        """The answer of Movim's kind, once all is answered."""
        if not self._profile.answers_with_session_accept or self._theirs or self._seals.opening:
            return []
        contents, bundle = self._whole.write()
        return self._ask(JingleAction.SESSION_ACCEPT, *contents, bundle=bundle)

    def _deliver(self, message: PeerInput) -> Deliver:
        return Deliver(self._call, message)
