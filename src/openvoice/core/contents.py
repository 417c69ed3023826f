"""The contents of a call beside its voice: what the user wants to show, what both sides agreed on, what is shown where.

Theory of operation. Inputs change what is known: the wishes of the user, the two halves of the session, what the peer
asks for. After every input :meth:`Contents.follow` compares what is with what was told, and says the difference: to
the media what to show in which content, to the peer in which contents nothing is shown, to the faces what can be seen.
A wish that no content can carry becomes a content-add, one at a time. What the peer adds is taken without a question,
and nothing is shown in it before the user wants to.

When both sides add the same at once, the initiator's goes first (XEP-0166, 7.2.3): the responder drops its own and
answers. Contents are agreed on for both sides to send in, and who shows nothing says that it is muted: few clients
follow a content-modify.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.agreement import Agreement, sends
from openvoice.core.description import MAXIMUM_CONTENTS, Content, Media, Senders, SessionDescription
from openvoice.core.early import EarlyCandidates
from openvoice.core.manners import STANDARD
from openvoice.core.showing import Showing
from openvoice.core.types import Origin, Role, VideoLabel, Vouching

ANSWER_WITHIN = 60.0
"""Seconds that the peer may take to answer an addition: Conversations asks its user."""

_NOT_TAKEN = "the peer does not take it"

ContentsInput = (
    i.ShowVideo
    | i.HideVideo
    | i.ContentsAdded
    | i.ContentsAccepted
    | i.ContentsRejected
    | i.ContentsModified
    | i.ContentsRemoved
    | i.LocalContents
    | i.ContentsFailed
)


@dataclass(slots=True)
class _Proposal:
    """What this side wants to add. The peer has been asked once the media have made this side's half."""

    name: str
    track: VideoLabel
    content: Content | None = None


class Contents:
    """Of one call, in one session after another."""

    def __init__(self) -> None:
        self.video = False
        """Whether an offer of this side has video."""
        self._wanted: set[VideoLabel] = set()
        self._showing = Showing()
        self._begin()

    def _begin(self) -> None:
        self.deadline: float | None = None
        self._agreed = Agreement()
        self._manners = STANDARD
        self._proposal: _Proposal | None = None
        self._early = EarlyCandidates()
        """Of the peer, for what this side proposes."""
        self._requests: list[i.ContentsAdded] = []
        """Of the peer, while the media make this side's half, in their order."""
        self._next = 0
        """The least name that this side has not given yet: an answer that comes late is never taken for another one."""
        self._asked: dict[str, Senders] = {}
        """The senders of before, where this side asked to send as well."""
        self._left_out = False
        """Whether the peer left the video of the offer out of its answer, and the user does not know it yet."""

    def leave(self) -> None:
        """The session is over. In the next one, what the user still wants to show is asked for anew."""
        if self._agreed.halves is not None:
            self.video = bool(self._agreed.videos)
        self._showing.leave()
        self._begin()

    @property
    def halves(self) -> tuple[SessionDescription, SessionDescription] | None:
        """This side's and the peer's, as they agreed on them last."""
        return self._agreed.halves

    # --- what happens -------------------------------------------------------------------------------------------------

    def observe(self, message: i.CallInput, role: Role) -> None:
        """The call takes ``message`` now: note what it says of contents."""
        agreed = self._agreed
        match message:
            case i.Dial(video=True):
                self.video = True
                self._wanted.add(VideoLabel.CAMERA)
            case i.Accept(video=True):
                self._wanted.add(VideoLabel.CAMERA)
            case i.OfferReceived(offer):
                agreed.remote, self._manners = offer, message.manners
            case i.AnswerReceived(answer) if agreed.local is not None:
                self._left_out = not agreed.local.media <= answer.media
                agreed.local, agreed.remote = agreed.conclude(agreed.local, answer), answer
                self._manners = message.manners
            case i.LocalDescription(description):
                agreed.local = description
                if role is Role.RESPONDER and agreed.remote is not None:
                    agreed.remote = agreed.conclude(agreed.remote, description)
            case i.PeerMuted(muted, str(content)) if agreed.halves is not None:
                # Before that, it is a word about the session before.
                self._showing.mute(content, muted)

    def take(self, message: ContentsInput, role: Role) -> Iterator[e.Effect]:
        """Take an input that is about contents."""
        match message:
            case i.ShowVideo(label):
                self._wanted.add(label)
            case i.HideVideo(label):
                self._wanted.discard(label)
            case i.ContentsAdded():
                yield from self._requested(message, role)
            case i.ContentsAccepted(contents, bundle):
                yield from self._accepted(contents, bundle)
            case i.ContentsRejected(names, text):
                yield from self._rejected(names, text or _NOT_TAKEN, role)
            case i.ContentsModified(senders):
                yield from self._modified(dict(senders), role)
            case i.ContentsRemoved(names):
                yield from self._removed(names)
            case i.LocalContents(contents, answering):
                yield from self._answer(contents) if answering else self._propose(contents)
            case _:
                yield from self._failed(message.names, message.text)

    def due(self, now: float) -> Iterator[e.Effect]:
        """Tell the time. An answer that comes later is taken all the same."""
        if self.deadline is not None and now >= self.deadline:
            self.deadline = None
            assert self._proposal is not None
            yield from self._give_up(self._proposal.track, "the peer does not answer")

    def opens_video(self, role: Role) -> bool:
        """Whether an offer of this side has video, or its answer lets both sides send in what the peer offers."""
        remote = self._agreed.remote
        return self.video if role is Role.INITIATOR else remote is not None and Media.VIDEO in remote.media

    def knows(self, content: str) -> bool:
        """Whether the peer was told of the content: what is found out about others is no use to it."""
        proposed = self._proposal is not None and self._proposal.name == content
        return proposed or self._agreed.has(content)

    def keep(self, message: i.CandidatesReceived) -> bool:
        """Keep candidates of a content that is not agreed on yet, and say whether they are."""
        if self._proposal is None or self._proposal.name != message.content:
            return False
        self._early.keep(message.content, message.candidates)
        return True

    # --- what this side adds ------------------------------------------------------------------------------------------

    def _propose(self, contents: Sequence[Content]) -> Iterator[e.Effect]:
        proposal = self._proposal
        if proposal is not None and proposal.content is None and [c.name for c in contents] == [proposal.name]:
            proposal.content = contents[0]
            yield e.SendContentAdd(tuple(contents), self._agreed.group([proposal.name]))

    def _accepted(self, contents: Sequence[Content], bundle: Sequence[str]) -> Iterator[e.Effect]:
        proposal = self._proposal
        theirs = next((c for c in contents if proposal is not None and c.name == proposal.name), None)
        if proposal is None or proposal.content is None or theirs is None:
            return
        group = self._agreed.group([theirs.name])
        if self._weaker(theirs) or (group and theirs.name not in bundle):
            yield from self._failed([theirs.name], "the peer's pictures would not be protected as its voice is")
            return
        ours = replace(proposal.content, senders=theirs.senders)
        self._agreed.add([ours], [replace(theirs, category=ours.category)], group)
        self._proposal = self.deadline = None
        yield from self._settle()
        yield from (e.AddCandidates(name, candidates) for name, candidates in self._early.release())

    def _rejected(self, names: Sequence[str], text: str, role: Role) -> Iterator[e.Effect]:
        proposal = self._proposal
        if proposal is not None and proposal.name in names:
            yield from self._drop()
            yield from self._give_up(proposal.track, text)
        before = {name: self._asked.pop(name) for name in names if name in self._asked}
        if before:
            tracks = [content.label for content in self._agreed.videos if content.name in before]
            yield from self._modified(before, role)
            for track in tracks:
                yield from self._give_up(track, text)

    def _drop(self) -> Iterator[e.Effect]:
        """What this side wanted to add is void."""
        self._proposal = self.deadline = None
        self._early.release()
        yield from self._settle()

    def _give_up(self, track: VideoLabel, text: str) -> Iterator[e.Effect]:
        for label in sorted(label for label in self._wanted if self._track(label) is track):
            self._wanted.discard(label)
            yield e.Notify(events.VideoRefused(label, text))

    # --- what the peer adds -------------------------------------------------------------------------------------------

    def _requested(self, request: i.ContentsAdded, role: Role) -> Iterator[e.Effect]:
        pending = [content.name for earlier in self._requests for content in earlier.contents]
        # A peer that adds and takes back without end waits for the media.
        fits = len(self._requests) < MAXIMUM_CONTENTS and self._agreed.room_for(len(request.contents) + len(pending))
        known = (*pending, *(content.name for content in request.contents if self._agreed.has(content.name)))
        wanted = tuple(
            content
            for content in request.contents
            if fits and content.name not in known and content.media is Media.VIDEO and not self._weaker(content)
        )
        proposal = self._proposal
        if proposal is not None and any(
            content.name == proposal.name or content.label is proposal.track for content in request.contents
        ):
            if role is Role.INITIATOR and proposal.content is not None:
                wanted = ()
            else:
                yield from self._drop()
        refused = tuple(content.name for content in request.contents if content not in wanted)
        if refused:
            yield e.SendContentReject(refused)
        if wanted:
            self._requests.append(replace(request, contents=wanted))
            yield e.AnswerContents(wanted, request.bundle)

    def _answer(self, answers: Sequence[Content]) -> Iterator[e.Effect]:
        """The media made this side's half of the oldest request; the peer may have taken some of it back meanwhile."""
        if not self._requests:
            return
        request = self._requests.pop(0)
        halves = {content.name: content for content in answers}
        theirs = [content for content in request.contents if content.name in halves]
        ours = [replace(halves[c.name], senders=c.senders, category=c.category) for c in theirs]
        refused = tuple(content.name for content in request.contents if content not in theirs)
        if theirs:
            group = self._agreed.group([content.name for content in theirs], request.bundle)
            self._agreed.add(ours, theirs, group)
            yield e.SendContentAccept(tuple(ours), group)
        if refused:
            yield e.SendContentReject(refused)
        if answers or self._proposal is None:
            # Else the media made nothing, and would drop what this side proposes.
            yield from self._settle()

    def _weaker(self, content: Content) -> bool:
        """Whether less vouches for the content than for the rest of the session."""
        fingerprint = content.transport.fingerprint
        vouching = Vouching.NONE if fingerprint is None else fingerprint.vouching
        return self._agreed.remote is not None and vouching < self._agreed.remote.vouching

    # --- what changes -------------------------------------------------------------------------------------------------

    def _modified(self, senders: dict[str, Senders], role: Role) -> Iterator[e.Effect]:
        """The peer says who sends. Where this side may not any more, the user has to ask again."""
        proposal = self._proposal
        if proposal is not None and proposal.content is not None and proposal.name in senders:
            proposal.content = replace(proposal.content, senders=senders[proposal.name])
        before = {content.name for content in self._agreed.videos if sends(role, content)}
        changed = {content.name: content.senders for content in self._agreed.videos}
        changed = {name: who for name, who in senders.items() if changed.get(name, who) is not who}
        if not changed:
            return
        self._agreed.modify(changed)
        lost = before - {content.name for content in self._agreed.videos if sends(role, content)}
        self._forget_wishes(lost)
        yield from self._settle()

    def _removed(self, names: Sequence[str]) -> Iterator[e.Effect]:
        """The peer takes contents back, or out; it may also have lost interest in one of this side."""
        self._requests = [
            replace(request, contents=tuple(c for c in request.contents if c.name not in names))
            for request in self._requests
        ]
        if self._proposal is not None and self._proposal.name in names:
            track = self._proposal.track
            yield from self._drop()
            yield from self._give_up(track, _NOT_TAKEN)
        removed = self._agreed.remove(names)
        if removed:
            self._forget_wishes({content.name for content in removed})
            yield from self._settle()

    def _failed(self, names: Sequence[str], text: str) -> Iterator[e.Effect]:
        """The media cannot have these contents (any more)."""
        proposal = self._proposal
        if proposal is not None and proposal.name in names:
            if proposal.content is not None:
                yield from self._take_out([proposal.name])
            yield from self._drop()
            yield from self._give_up(proposal.track, text)
        removed = self._agreed.remove(names)
        if removed:
            yield from self._take_out([content.name for content in removed])
            yield from self._settle()
        for content in removed:
            if not any(self._track(label) is content.label for label in self._wanted):
                yield e.Notify(events.VideoRefused(content.label, text))
            yield from self._give_up(content.label, text)

    def _take_out(self, names: Sequence[str]) -> Iterator[e.Effect]:
        """Conversations ends the call at a content-remove, and Dino refuses it: there nothing is shown any more."""
        if self._manners.removes:
            yield e.SendContentRemove(tuple(names))
        else:
            yield from (e.SendInformation(e.Information.MUTE, name) for name in names)

    def _forget_wishes(self, names: set[str]) -> None:
        self._wanted -= {label for label, name in self._showing.feeds.items() if name in names}

    def _settle(self) -> Iterator[e.Effect]:
        assert self._agreed.halves is not None
        yield e.Settle(*self._agreed.halves)

    # --- what follows -------------------------------------------------------------------------------------------------

    def follow(self, role: Role, now: float, *, gate: bool, active: bool) -> Iterator[e.Effect]:
        """Say what has changed by the last input. ``gate`` says whether it is open, ``active`` whether the call is."""
        if self._left_out:
            # To ask again by adding it would be asking twice.
            self._left_out = False
            yield from self._give_up(VideoLabel.CAMERA, _NOT_TAKEN)
        if active:
            yield from self._ask(role, now)
        feeds = self._planned(role)
        if gate:
            yield from self._showing.feed(feeds)
        yield from self._showing.pass_on(self._agreed)
        if active:
            yield from self._showing.announce(self._agreed, role, feeds)
        yield from self._showing.tell(Origin.LOCAL, set(feeds) if active else set())
        yield from self._showing.tell(Origin.REMOTE, self._showing.seen(self._agreed, role) if active else set())

    def _track(self, label: VideoLabel) -> VideoLabel:
        """The kind of content that shows ``label``: a screen takes the camera's place where it cannot have its own."""
        return label if self._manners.screens else VideoLabel.CAMERA

    def _ask(self, role: Role, now: float) -> Iterator[e.Effect]:
        """Ask the peer for what the wishes need."""
        for label in sorted(self._wanted):
            track = self._track(label)
            present = [content for content in self._agreed.videos if content.label is track]
            if any(sends(role, content) for content in present):
                continue
            if present and self._manners.modifies:
                name = present[0].name
                self._asked[name] = present[0].senders
                self._agreed.modify({name: Senders.BOTH})
                yield e.SendContentModify(((name, Senders.BOTH),))
                yield from self._settle()
            elif self._proposal is not None:
                if self._proposal.track is track and self.deadline is None:
                    self.deadline = now + ANSWER_WITHIN
            elif not self._requests:
                yield from self._add(track, now)

    def _add(self, track: VideoLabel, now: float) -> Iterator[e.Effect]:
        if not self._manners.adds:
            yield from self._give_up(track, "the peer's program takes no video in a call that began without")
        elif not self._agreed.room_for(1):
            yield from self._give_up(track, "the call has no room for more video")
        else:
            name = next(str(number) for number in itertools.count(self._next) if not self._agreed.has(str(number)))
            self._next = int(name) + 1
            self._proposal = _Proposal(name, track)
            self.deadline = now + ANSWER_WITHIN
            yield e.ProposeContent(name, track)

    def _planned(self, role: Role) -> dict[VideoLabel, str]:
        """What is to be shown, in which content. Where both share one, the screen hides the camera."""
        tracks = {c.label: c.name for c in reversed(self._agreed.videos) if sends(role, c)}
        wanted = {self._track(label): label for label in VideoLabel if label in self._wanted}
        return {label: tracks[track] for track, label in wanted.items() if track in tracks}
