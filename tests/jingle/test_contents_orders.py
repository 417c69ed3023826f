"""Two whole sides that add, show, hide and lose contents, over all orders in which everything takes its turn."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.address import Address
from openvoice.core.agreement import sends
from openvoice.core.continuity import MOVE_AFTER
from openvoice.core.description import SCREEN_CATEGORY, Content, SessionDescription, Setup, TransportDescription
from openvoice.core.remedies import Renewal
from openvoice.core.state import CallState
from openvoice.core.types import Direction, Origin, Role, VideoLabel, Vouching
from openvoice.jingle.outputs import Output, Seal, Unseal
from openvoice.jingle.peers import PeerProfile, Restarts
from tests.jingle.samples import NOW, OWN, PEER, description, endpoint, video
from tests.jingle.sealer import OWN_DEVICE, PEER_DEVICE, Sealer
from tests.jingle.test_moving_orders import CALL, Side, settle

_TURN_OF_THE_RATCHET = i.SourceEnded()
PROFILES = {
    "standard": PeerProfile(),
    "screens": PeerProfile(screens=True),
    "conversations": PeerProfile(modifies=False, removes=False, stubs=True),
    "dino": PeerProfile(removes=False, rejects=False),
    "movim": PeerProfile(answers_with_session_accept=True, screens=True, modifies=False, reliable_senders=False),
    "nothing": PeerProfile(adds=False, modifies=False, removes=False),
}


class Showing(Side):
    """A side whose media take contents, and that remembers what the user wants and what is shown."""

    def __init__(
        self,
        name: str,
        own: Address,
        peer: Address,
        direction: Direction,
        profile: PeerProfile,
        bundles: bool,
        device: int | None = None,
    ) -> None:
        super().__init__(name, own, peer, direction, profile)
        if device is not None:
            ids = count(1)
            self.endpoint = endpoint(
                own=own, roster=[peer], profile=profile, new_id=lambda: f"{name}-{next(ids)}", omemo_device=device
            )
        self.sealer = Sealer(device or 0)
        self.ratchet: deque[Seal | Unseal] = deque()
        """What OMEMO has to do yet; in the inbox, its turn is marked."""
        self.bundles = bundles
        self.described: SessionDescription | None = None
        self.settled: tuple[SessionDescription, SessionDescription] | None = None
        self.fed: dict[VideoLabel, str] = {}
        self.seen: dict[Origin, set[VideoLabel]] = {Origin.LOCAL: set(), Origin.REMOTE: set()}
        self.wanted: set[VideoLabel] = set()
        self.transports = 0

    def want(self, label: VideoLabel, show: bool) -> None:
        self.inbox.append(i.ShowVideo(label) if show else i.HideVideo(label))

    def _do(self, outputs: list[Output]) -> None:
        super()._do(outputs)
        for output in outputs:
            if isinstance(output, Seal | Unseal):
                self.ratchet.append(output)
                self.inbox.append(_TURN_OF_THE_RATCHET)

    def _turn_ratchet(self) -> None:
        match self.ratchet.popleft():
            case Seal() as asked:
                self._do(self.endpoint.sealed(asked.call, self.sealer.seal(asked), NOW))
            case asked:
                self._do(self.endpoint.unsealed(asked.call, self.sealer.unseal(asked), NOW))

    def turn(self, now: float) -> bool:
        due = self.machine.deadline is not None and self.machine.deadline <= now
        if self.inbox and not self.effects and not due:
            match self.inbox[0]:
                case message if message is _TURN_OF_THE_RATCHET:
                    self.inbox.popleft()
                    self._turn_ratchet()
                    return True
                case i.ShowVideo(label):
                    self.wanted.add(label)
                case i.Dial(video=True):
                    self.wanted.add(VideoLabel.CAMERA)
                case i.HideVideo(label):
                    self.wanted.discard(label)
        return super().turn(now)

    def _perform(self, effect: e.Effect) -> None:
        match effect:
            case e.OpenMedia(role, offer, _, with_video):
                made = description(Setup.ACTPASS if role is Role.INITIATOR else Setup.ACTIVE)
                if with_video:
                    made = replace(
                        made, contents=(*made.contents, video("1", Setup.ACTPASS if offer is None else Setup.ACTIVE))
                    )
                bundle = tuple(content.name for content in made.contents) if self.bundles else ()
                self.described = replace(made, bundle=bundle)
                self.inbox.append(i.LocalDescription(self.described))
            case e.ProposeContent(name, label):
                category = SCREEN_CATEGORY if label is VideoLabel.SCREEN else ""
                half = video(name, category=category)
                self.inbox.append(i.LocalContents((replace(half, transport=self._transport()),), answering=False))
            case e.AnswerContents(contents, bundle):
                halves = [self._half(content, bundle) for content in contents]
                self.inbox.append(i.LocalContents(tuple(halves), answering=True))
            case e.Settle(local, remote):
                assert [c.name for c in local.contents] == [c.name for c in remote.contents]
                self.settled = local, remote
            case e.Show(label, None):
                del self.fed[label]
            case e.Show(label, str(name)):
                assert self.gate_open
                assert label in self.wanted, "nobody wants that"
                assert name not in self.fed.values()
                self.fed[label] = name
            case e.Notify(events.VideoChanged(label, shown, by)):
                assert (label in self.seen[by]) is not shown
                (self.seen[by].add if shown else self.seen[by].discard)(label)
            case e.Notify(events.VideoRefused(label)):
                self.wanted.discard(label)
            case e.CloseMedia():
                self.fed.clear()
                self.settled = None
                self.inbox = deque(m for m in self.inbox if not isinstance(m, i.LocalContents | i.ContentsFailed))
                super()._perform(effect)
            case _:
                super()._perform(effect)

    def _half(self, content: Content, bundle: tuple[str, ...]) -> Content:
        shared = content.name in bundle
        return replace(video(content.name), transport=self._transport(shared=shared, setup=Setup.ACTIVE))

    def _transport(self, *, shared: bool | None = None, setup: Setup = Setup.ACTPASS) -> TransportDescription:
        assert self.described is not None
        transport = self.described.contents[0].transport
        if self.bundles if shared is None else shared:
            return transport
        self.transports += 1
        return replace(transport, ufrag=f"{self.own.local}{self.transports}", setup=setup)

    # --- in the end ---------------------------------------------------------------------------------------------------

    @property
    def contents(self) -> tuple[SessionDescription, SessionDescription]:
        halves = self.machine.contents.halves
        assert halves is not None
        return halves

    def check(self) -> None:
        """Nothing waits, and what is wanted is shown where it may be."""
        contents = self.machine.contents
        session = self.endpoint._sessions.of_call(self.call)
        assert session is not None
        assert not session.contents.pending
        assert contents._proposal is None
        assert not contents._requests
        assert contents.deadline is None
        local, remote = self.contents
        assert session._negotiation.local is not None
        assert session.remote is not None
        assert agreed(session._negotiation.local) == agreed(local)
        assert agreed(session.remote) == agreed(remote) == agreed(local)
        assert self.settled is None or (agreed(self.settled[0]), agreed(self.settled[1])) == (agreed(local),) * 2
        assert self.seen[Origin.LOCAL] == set(self.fed)
        hidden = {VideoLabel.CAMERA} if VideoLabel.SCREEN in self.fed and not contents._manners.screens else set()
        assert set(self.fed) == self.wanted - hidden
        for name in self.fed.values():
            content = local.content(name)
            assert content is not None
            assert sends(self.machine.role, content)


def agreed(half: SessionDescription) -> tuple[object, object]:
    return {(c.name, c.media, c.senders, c.category) for c in half.contents}, set(half.bundle)


def in_a_call(
    profile: PeerProfile, *, bundles: bool = True, with_video: bool = False, sealed: bool = False
) -> tuple[Showing, Showing]:
    devices = (OWN_DEVICE, PEER_DEVICE) if sealed else (None, None)
    alice = Showing("alice", OWN, PEER, Direction.OUTGOING, profile, bundles, devices[0])
    bob = Showing("bob", PEER, OWN, Direction.INCOMING, profile, bundles, devices[1])
    media = frozenset({"audio", "video"} if with_video else {"audio"})
    alice.endpoint.begin(CALL, PEER.bare, media, NOW)
    alice.inbox.append(i.Dial(video=with_video))
    settle(alice, bob, [], 0.0)
    assert {alice.machine.state, bob.machine.state} == {CallState.ACTIVE}
    return alice, bob


def check(alice: Showing, bob: Showing) -> None:
    for side, other in ((alice, bob), (bob, alice)):
        assert side.machine.state is CallState.ACTIVE
        side.check()
        if side.machine.contents._manners.screens:
            assert side.seen[Origin.REMOTE] == other.seen[Origin.LOCAL]
        else:
            assert bool(side.seen[Origin.REMOTE]) is bool(other.seen[Origin.LOCAL])
    assert agreed(alice.contents[0]) == agreed(bob.contents[0])


DEEDS = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from(list(VideoLabel)), st.booleans(), st.integers(0, 6)), max_size=8
)
ORDERS = st.lists(st.integers(0, 3), max_size=200)


def do(sides: tuple[Showing, Showing], deeds: list[tuple[int, VideoLabel, bool, int]], order: list[int]) -> None:
    """Each deed, and some steps after it; then everything else."""
    for who, label, show, steps in deeds:
        sides[who].want(label, show)
        some(sides, order, steps)
        del order[:steps]
    settle(*sides, order, 1.0)


def some(sides: tuple[Showing, Showing], order: list[int], steps: int) -> None:
    for step in range(steps):
        alice, bob = sides
        choice = order[step] if step < len(order) else step
        match choice % 4:
            case 0:
                alice.turn(1.0)
            case 1:
                bob.turn(1.0)
            case 2 if alice.wire:
                bob.receive(alice.wire.popleft(), OWN)
            case 3 if bob.wire:
                alice.receive(bob.wire.popleft(), PEER)


@settings(max_examples=120, deadline=None)
@given(DEEDS, ORDERS, st.sampled_from(sorted(PROFILES)), st.booleans(), st.booleans())
def test_both_sides_agree_in_the_end_and_show_what_their_users_want(
    deeds: list[tuple[int, VideoLabel, bool, int]], order: list[int], profile: str, bundles: bool, with_video: bool
) -> None:
    sides = in_a_call(PROFILES[profile], bundles=bundles, with_video=with_video)
    do(sides, deeds, order)
    check(*sides)


@settings(max_examples=60, deadline=None)
@given(DEEDS, ORDERS, st.sampled_from(["standard", "screens", "conversations", "dino"]), st.booleans())
def test_what_comes_to_a_sealed_call_is_sealed(
    deeds: list[tuple[int, VideoLabel, bool, int]], order: list[int], profile: str, bundles: bool
) -> None:
    sides = in_a_call(PROFILES[profile], bundles=bundles, sealed=True)
    do(sides, deeds, order)
    check(*sides)
    assert all(side.contents[1].vouching is Vouching.OMEMO_TRUSTED for side in sides)
    assert not any(side.ratchet for side in sides)


@settings(max_examples=80, deadline=None)
@given(DEEDS, ORDERS, st.sampled_from(["standard", "screens"]), st.booleans(), st.integers(0, 20))
def test_contents_that_fail_are_gone_on_both_sides(
    deeds: list[tuple[int, VideoLabel, bool, int]], order: list[int], profile: str, bundles: bool, steps: int
) -> None:
    sides = in_a_call(PROFILES[profile], bundles=bundles, with_video=True)
    for side in sides:
        side.inbox.append(i.ContentsFailed(("1",), "there is no path"))
    some(sides, order, steps)
    do(sides, deeds, order)
    check(*sides)


@settings(max_examples=80, deadline=None)
@given(
    DEEDS, ORDERS, st.sampled_from(["standard", "screens", "conversations", "dino"]), st.integers(0, 12), st.booleans()
)
def test_a_call_that_moves_shows_the_same_in_its_new_session(
    deeds: list[tuple[int, VideoLabel, bool, int]], order: list[int], profile: str, steps: int, with_video: bool
) -> None:
    """Both sides are interrupted in the middle of it, and one or both of them move the call."""
    moving = replace(PROFILES[profile], restarts=Restarts.NOBODY, renewal=Renewal.SILENT)
    sides = in_a_call(moving, with_video=with_video)
    for who, label, show, pause in deeds:
        sides[who].want(label, show)
        some(sides, order, pause)
        del order[:pause]
    some(sides, order, steps)
    for side in sides:
        # What is on the wires stays there.
        side.inbox.appendleft(i.MediaInterrupted())
        while i.MediaInterrupted() in side.inbox:
            side.turn(10.0)
    settle(*sides, order, 10.0 + MOVE_AFTER)
    check(*sides)
    assert all(side.moves == 1 for side in sides)
    assert sides[0].sid == sides[1].sid


@pytest.mark.parametrize("profile", ["standard", "screens", "conversations", "dino", "movim"])
@pytest.mark.parametrize("bundles", [False, True])
def test_both_add_their_camera_at_once(profile: str, bundles: bool) -> None:
    sides = in_a_call(PROFILES[profile], bundles=bundles)
    for side in sides:
        side.want(VideoLabel.CAMERA, True)
    settle(*sides, [], 1.0)
    check(*sides)
    assert all(side.fed == {VideoLabel.CAMERA: sides[0].contents[0].contents[1].name} for side in sides)
    assert len(sides[0].contents[0].contents) == 2


def test_where_nothing_can_be_added_the_user_is_told() -> None:
    sides = in_a_call(PROFILES["nothing"])
    sides[0].want(VideoLabel.CAMERA, True)
    settle(*sides, [], 1.0)
    check(*sides)
    assert sides[0].wanted == set()
