"""Calls with pictures between two media sessions on loopback: contents that come and go beside the voice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest

from openvoice.core import inputs
from openvoice.core.description import (
    Codec,
    Content,
    Fingerprint,
    Media,
    Senders,
    SessionDescription,
    Setup,
    Source,
)
from openvoice.core.types import DeviceChange, VideoLabel, Vouching
from openvoice.errors import InvalidState, MediaFailed
from openvoice.media import transport as transport_module
from openvoice.media.lane import Lane
from openvoice.media.path.estimate import FIRST
from openvoice.media.transport import MediaTransport
from openvoice.testing.impairment import Conditions
from tests.media.peers import hears, impair
from tests.media.video.pairs import BLACK, GREY, Change, VideoPair, Viewer, sees, unbundled, unchanged
from tests.waiting import until

pytestmark = pytest.mark.network

CAMERA, SCREEN = VideoLabel.CAMERA, VideoLabel.SCREEN


@pytest.fixture
async def pair() -> AsyncIterator[VideoPair]:
    made = VideoPair()
    yield made
    await made.close()


def transport_of(viewer: Viewer, name: str) -> MediaTransport:
    return viewer.side.media._transports[name]


def failures(viewer: Viewer) -> list[inputs.ContentsFailed]:
    return [message for message in viewer.side.said if isinstance(message, inputs.ContentsFailed)]


async def talks_on(pair: VideoPair) -> None:
    """The voice goes on both ways."""
    for viewer in pair.viewers:
        await hears(viewer.side, viewer.side.media.statistics().packets_received + 10)
        assert not viewer.side.has_said(inputs.MediaFailed)


# --- from the beginning -----------------------------------------------------------------------------------------------


async def test_a_transport_that_moves_begins_its_estimate_anew(pair: VideoPair) -> None:
    await pair.connect()
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)

    def available() -> float:
        (video,) = pair.caller.side.media.statistics().video
        return video.sent.available

    await until(lambda: available() > FIRST)
    pair.caller.side.media.moved(transport_of(pair.caller, "1"))
    assert available() == FIRST


@pytest.mark.parametrize("change", [unchanged, unbundled])
async def test_both_see_each_other(pair: VideoPair, change: Change) -> None:
    """On one transport, and on one for each content where the peer knows nothing of bundles."""
    await pair.connect(change_answer=change, change_offer=change)
    for viewer in pair.viewers:
        assert viewer.connections == (1 if change is unchanged else 2)
        await viewer.side.media.show(CAMERA, "1")
    for viewer in pair.viewers:
        await sees(viewer)
        (video,) = viewer.side.media.statistics().video
        assert (video.content, video.label) == ("1", CAMERA)
        assert video.sent.codec == video.received.codec == "VP8"
        assert video.sent.frames > 0
        assert video.received.frames_decoded > 0
        assert video.received.lost == 0
        assert transport_of(viewer, "1").packets_before_gate == 0
    await talks_on(pair)


async def test_pictures_go_on_where_much_is_lost(pair: VideoPair) -> None:
    """What is lost is asked for and comes again, both ways, in the real stack."""
    await pair.connect()
    impair(pair.pair, Conditions(loss=0.1, delay=0.01))
    for viewer in pair.viewers:
        await viewer.side.media.show(CAMERA, "1")
    for viewer in pair.viewers:
        await until(lambda viewer=viewer: viewer.side.media.statistics().video[0].received.recovered >= 3)  # type: ignore[misc]
        screen = viewer.screens[CAMERA]
        before = screen.shown
        await until(lambda screen=screen, before=before: screen.shown >= before + 20)  # type: ignore[misc]
    for viewer in pair.viewers:
        assert viewer.side.media.statistics().video[0].sent.retransmitted > 0
    await talks_on(pair)


async def test_an_answer_without_pictures_of_its_own_receives_them(pair: VideoPair) -> None:
    await pair.connect(answered=False)
    for viewer in pair.viewers:
        await viewer.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    assert pair.callee.feeds == []
    assert CAMERA not in pair.caller.screens


async def test_an_answer_that_leaves_the_pictures_out_is_a_call_without_them(pair: VideoPair) -> None:
    def without(description: object) -> object:
        return replace(description, contents=description.contents[:1], bundle=("0",))  # type: ignore

    await pair.connect(change_answer=without)  # type: ignore[arg-type]
    assert pair.caller.connected == {"0"}
    assert pair.caller.side.media.statistics().video == ()
    await talks_on(pair)


async def test_no_camera_exists_before_the_gate_and_none_that_nobody_shows(pair: VideoPair) -> None:
    await pair.caller.side.media.show(CAMERA, "1")
    pair.pair.flow = lambda: asyncio.sleep(0)  # type: ignore[method-assign]
    await pair.connect()
    for viewer in pair.viewers:
        await viewer.side.says(inputs.MediaSecured)
        await viewer.side.says(inputs.MediaFlowing)
    await asyncio.sleep(0.1)
    assert pair.caller.feeds == []
    for viewer in pair.viewers:
        await viewer.side.media.open_gate()
    await sees(pair.callee)
    assert [label for label, _ in pair.caller.feeds] == [CAMERA]
    assert pair.callee.feeds == []


# --- in the middle ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bundle", [True, False])
async def test_pictures_are_added_in_the_middle_by_either_side(pair: VideoPair, bundle: bool) -> None:
    change = unchanged if bundle else unbundled
    await pair.connect(offered=False, change_offer=change, change_answer=change)
    for adder, name in ((pair.callee, "1"), (pair.caller, "2")):
        await pair.add(adder, name, bundle=bundle)
        for viewer in pair.viewers:
            assert viewer.connections == (1 if bundle else int(name) + 1)
            await viewer.side.media.show(CAMERA, name)
            screen = viewer.screens.pop(CAMERA, None)
            if screen is not None:
                viewer.screens.clear()
        for viewer in pair.viewers:
            await sees(viewer)
            assert failures(viewer) == []
    await talks_on(pair)


async def test_a_camera_and_a_screen_are_seen_at_once(pair: VideoPair) -> None:
    await pair.connect()
    await pair.add(pair.caller, "2", SCREEN)
    assert pair.caller.local is not None
    assert pair.caller.local.contents[2].category == "slides"
    await pair.caller.side.media.show(CAMERA, "1")
    await pair.caller.side.media.show(SCREEN, "2")
    await sees(pair.callee, CAMERA)
    await sees(pair.callee, SCREEN, GREY + 64)
    assert [video.label for video in pair.callee.side.media.statistics().video] == [CAMERA, SCREEN]


async def test_a_screen_takes_the_place_of_the_camera(pair: VideoPair) -> None:
    await pair.connect()
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    await pair.caller.side.media.show(SCREEN, "1")
    await sees(pair.callee, CAMERA, GREY + 64)
    assert not pair.caller.feeds[0][1].used


async def test_what_is_hidden_is_black_and_its_device_let_go(pair: VideoPair) -> None:
    await pair.connect()
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    await pair.caller.side.media.show(CAMERA, None)
    await sees(pair.callee, CAMERA, BLACK)
    assert not pair.caller.feeds[0][1].used
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    assert len(pair.caller.feeds) == 2


async def test_pictures_that_are_removed_are_let_go_and_can_be_added_again(pair: VideoPair) -> None:
    await pair.connect()
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    await pair.change(lambda content: content if content.media is Media.AUDIO else None)
    await until(lambda: not pair.caller.feeds[0][1].used and pair.callee.screens[CAMERA].closed)
    assert pair.caller.side.media.statistics().video == ()
    pair.callee.screens.clear()
    await pair.add(pair.callee)
    # What the user wanted shown is shown again where it was.
    await sees(pair.callee)
    await talks_on(pair)


async def test_who_may_send_changes_in_the_middle(pair: VideoPair) -> None:
    await pair.connect()
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    for senders, brightness in ((Senders.RESPONDER, BLACK), (Senders.BOTH, GREY)):
        await pair.change(lambda c: c if c.media is Media.AUDIO else replace(c, senders=senders))  # noqa: B023
        await sees(pair.callee, CAMERA, brightness)
        assert (pair.caller.feeds[-1][1].used) is not (senders is Senders.RESPONDER)
    await pair.callee.side.media.show(CAMERA, "1")
    await sees(pair.caller)


async def test_hold_lets_the_camera_go_and_hides_what_comes(pair: VideoPair) -> None:
    await pair.connect()
    for viewer in pair.viewers:
        await viewer.side.media.show(CAMERA, "1")
    for viewer in pair.viewers:
        await sees(viewer)
    await pair.caller.side.media.set_held(True)
    await until(lambda: not pair.caller.feeds[0][1].used)
    await sees(pair.callee, CAMERA, BLACK)
    shown = pair.caller.screens[CAMERA].shown
    await asyncio.sleep(0.2)
    assert pair.caller.screens[CAMERA].shown <= shown + 1
    await pair.caller.side.media.set_held(False)
    await sees(pair.callee)
    await until(lambda: pair.caller.screens[CAMERA].shown > shown + 3)


async def test_what_the_peer_says_it_does_not_show_is_no_freeze(pair: VideoPair) -> None:
    await pair.connect()
    for unknown in ("0", "9"):
        await pair.callee.side.media.set_peer_muted(unknown, True)
    await pair.callee.side.media.set_peer_muted("1", True)
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    await pair.caller.side.media.show(CAMERA, None)
    await sees(pair.callee, CAMERA, BLACK)
    await asyncio.sleep(0.8)
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    assert pair.callee.side.media.statistics().video[0].received.freezes == 0


# --- what cannot be ---------------------------------------------------------------------------------------------------


async def test_a_camera_that_is_not_there_is_told_and_not_tried_again(pair: VideoPair) -> None:
    await pair.connect()
    pair.caller.broken = "the camera is busy"
    await pair.caller.side.media.show(CAMERA, "1")
    await pair.caller.side.media.set_held(True)
    await pair.caller.side.media.set_held(False)
    reports = [message for message in pair.caller.side.said if isinstance(message, inputs.VideoReported)]
    assert reports == [inputs.VideoReported(label=CAMERA, what=DeviceChange.FAILED, text="the camera is busy")]
    pair.caller.broken = ""
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)


async def test_a_source_that_ends_is_told_and_leaves_black_behind(pair: VideoPair) -> None:
    await pair.connect()
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    pair.caller.feeds[0][1].end()
    await sees(pair.callee, CAMERA, BLACK)
    report = await pair.caller.side.says(inputs.VideoReported)
    assert isinstance(report, inputs.VideoReported)
    assert (report.label, report.what) == (CAMERA, DeviceChange.FAILED)
    await pair.caller.side.media.set_held(True)
    await pair.caller.side.media.set_held(False)
    assert len(pair.caller.feeds) == 1


async def test_nothing_is_decoded_that_nobody_wants_to_see(pair: VideoPair) -> None:
    await pair.connect()
    pair.callee.looks = False
    await pair.caller.side.media.show(CAMERA, "1")
    await until(lambda: pair.callee.side.media.statistics().video[0].received.frames > 5)
    received = pair.callee.side.media.statistics().video[0].received
    assert received.frames_decoded == 0
    assert failures(pair.callee) == []


@pytest.mark.parametrize("bundle", [True, False])
async def test_a_proposal_that_came_to_nothing_leaves_nothing(pair: VideoPair, bundle: bool) -> None:
    change = unchanged if bundle else unbundled
    await pair.connect(offered=False, change_offer=change, change_answer=change)
    media = pair.caller.side.media
    await media.propose_content("1", CAMERA)
    await media.show(CAMERA, "1")
    assert pair.caller.local is not None
    assert pair.caller.remote is not None
    assert ("1" in pair.caller.connected) is not bundle
    await media.settle(pair.caller.local, pair.caller.remote)
    assert pair.caller.connected == {"0"}
    await until(lambda: not media._transports._ending)
    await media.propose_content("1", CAMERA)
    assert pair.caller.feeds == []


async def test_a_proposal_waits_while_something_else_is_agreed_on(pair: VideoPair) -> None:
    await pair.connect(offered=False, change_offer=unbundled, change_answer=unbundled)
    await pair.caller.side.media.propose_content("9", CAMERA)
    await pair.add(pair.callee, bundle=False)
    assert pair.caller.connected == {"0", "1", "9"}


async def test_only_a_session_takes_proposals_and_each_name_once(pair: VideoPair) -> None:
    media = pair.caller.side.media
    with pytest.raises(InvalidState):
        await media.propose_content("1", CAMERA)
    with pytest.raises(InvalidState):
        await media.answer_contents([], [])
    await pair.connect()
    with pytest.raises(InvalidState):
        await media.propose_content("1", CAMERA)
    assert pair.caller.local is not None
    assert pair.caller.remote is not None
    contents = pair.caller.local.contents
    assert await media.answer_contents(contents, ["0", "1"]) == ()
    another = replace(pair.caller.local, contents=(replace(contents[0], name="9"),), bundle=())
    with pytest.raises(MediaFailed):
        await media.settle(another, pair.caller.remote)


async def test_what_cannot_be_answered_is_left_out(pair: VideoPair) -> None:
    await pair.connect(offered=False)
    proposed = await pair.caller.side.media.propose_content("1", CAMERA)
    foreign = Fingerprint("sha-256", bytes(32))
    unknown = Codec(payload_type=99, name="H265", clock_rate=90_000)
    for added, bundle in (
        (replace(proposed, codecs=(unknown,)), ("0", "1")),
        (replace(proposed, codecs=(unknown,)), ()),
        (replace(proposed, media=Media.AUDIO), ()),
        (replace(proposed, transport=replace(proposed.transport, fingerprint=None)), ()),
        # One connection, two keys.
        (replace(proposed, transport=replace(proposed.transport, fingerprint=foreign)), ("0", "1")),
    ):
        assert await pair.callee.side.media.answer_contents([added], bundle) == ()
        assert pair.callee.connected == {"0"}
    (answer,) = await pair.callee.side.media.answer_contents([proposed], ("0", "1"))
    assert answer.transport.setup is Setup.ACTIVE
    assert answer.transport.candidates == ()


async def test_pictures_are_never_protected_less_than_the_voice(
    pair: VideoPair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither vouched for by fewer, nor with a weaker cipher."""
    await pair.connect(offered=False, change_offer=unbundled, change_answer=unbundled)
    voice = transport_of(pair.callee, "0")
    with monkeypatch.context() as patch:
        patch.setattr(Fingerprint, "vouching", property(lambda self: Vouching(self is voice._remote_fingerprint)))
        proposed = await pair.caller.side.media.propose_content("1", CAMERA)
        copied = replace(proposed.transport.fingerprint) if proposed.transport.fingerprint else None
        added = replace(proposed, transport=replace(proposed.transport, fingerprint=copied))
        assert await pair.callee.side.media.answer_contents([added], ()) == ()
    monkeypatch.setattr(Lane, "protects_like", lambda lane, other: False)
    await pair.add(pair.callee, "2", bundle=False)
    await pair.callee.side.media.show(CAMERA, "2")
    for viewer in pair.viewers:
        failed = await viewer.side.says(inputs.ContentsFailed)
        assert isinstance(failed, inputs.ContentsFailed)
        assert failed.names == ("2",)
        assert "protected less" in failed.text or "closed" in failed.text
    assert pair.callee.feeds == []
    await talks_on(pair)


async def test_nothing_is_decoded_before_the_gate(pair: VideoPair) -> None:
    async def only_the_caller() -> None:
        for viewer in pair.viewers:
            await viewer.side.says(inputs.MediaSecured)
        await pair.caller.side.media.open_gate()

    pair.pair.flow = only_the_caller  # type: ignore[method-assign]
    await pair.connect()
    await pair.caller.side.media.show(CAMERA, "1")
    await until(lambda: pair.caller.side.media.statistics().video[0].sent.frames > 10)
    received = pair.callee.side.media.statistics().video[0].received
    assert (received.frames, received.frames_decoded) == (0, 0)
    assert pair.callee.screens == {}
    await pair.callee.side.media.open_gate()
    await sees(pair.callee)


async def test_connections_of_contents_that_went_are_forgotten(pair: VideoPair) -> None:
    await pair.connect(offered=False, change_offer=unbundled, change_answer=unbundled)
    for name in "123":
        await pair.add(pair.caller, name, bundle=False)
        for viewer in pair.viewers:
            await until(partial(getattr, transport_of(viewer, name).secure, "secured"))
        gone = [transport_of(viewer, name) for viewer in pair.viewers]
        await pair.change(lambda content: None if content.name != "0" else content)
        for viewer, transport in zip(pair.viewers, gone, strict=True):
            # Its keys may be ready at the very moment.
            viewer.side.media.secured(transport)
    for viewer in pair.viewers:
        assert len(viewer.side.media._secured) <= 2
    await talks_on(pair)


async def test_a_foreign_key_on_the_connection_of_the_pictures_ends_them_alone(pair: VideoPair) -> None:
    await pair.connect(offered=False, change_offer=unbundled, change_answer=unbundled)

    def swapped(content: Content) -> Content:
        foreign = Fingerprint("sha-256", bytes(32))
        return replace(content, transport=replace(content.transport, fingerprint=foreign))

    await pair.add(pair.caller, bundle=False, change=swapped)
    await pair.callee.side.media.show(CAMERA, "1")
    failed = await pair.callee.side.says(inputs.ContentsFailed)
    assert isinstance(failed, inputs.ContentsFailed)
    assert failed.names == ("1",)
    assert "somebody may be in between" in failed.text
    assert pair.callee.connected == {"0"}
    assert pair.callee.feeds == []
    await talks_on(pair)


async def test_another_key_for_a_connection_that_is_there_is_refused(pair: VideoPair) -> None:
    await pair.connect(offered=False)
    proposed = await pair.caller.side.media.propose_content("1", CAMERA)
    foreign = replace(proposed.transport, fingerprint=Fingerprint("sha-256", bytes(32)))
    await pair.settle(pair.caller, (proposed,), (replace(proposed, transport=foreign),), ("0", "1"))
    (failed,) = failures(pair.caller)
    assert failed.names == ("1",)
    assert "another key" in failed.text
    await talks_on(pair)


async def test_without_a_path_the_pictures_fail_alone(pair: VideoPair, monkeypatch: pytest.MonkeyPatch) -> None:
    await pair.connect(offered=False, change_offer=unbundled, change_answer=unbundled)
    monkeypatch.setattr(transport_module, "ICE_TIMEOUT", 0.2)
    for viewer in pair.viewers:
        viewer.side.other = None

    def nowhere(content: Content) -> Content:
        return replace(content, transport=replace(content.transport, candidates=()))

    await pair.add(pair.caller, bundle=False, change=nowhere, change_answer=nowhere)
    failed = await pair.callee.side.says(inputs.ContentsFailed)
    assert isinstance(failed, inputs.ContentsFailed)
    assert failed.names == ("1",)
    assert "no way to each other" in failed.text
    # The other side may not have noticed yet, or not be able to say so: what was agreed on stays closed here.
    assert pair.callee.local is not None
    assert pair.callee.remote is not None
    await pair.callee.side.media.settle(pair.callee.local, pair.callee.remote)
    assert len(failures(pair.callee)) == 1
    assert pair.callee.side.media.statistics().video == ()
    await talks_on(pair)


async def test_a_peer_that_wants_a_connection_of_its_own_for_what_was_to_share_one_gets_none(pair: VideoPair) -> None:
    await pair.connect(offered=False)
    proposed = await pair.caller.side.media.propose_content("1", CAMERA)
    await pair.settle(pair.caller, (proposed,), (proposed,), ("0",))
    (failed,) = failures(pair.caller)
    assert failed.names == ("1",)
    await talks_on(pair)


async def test_a_peer_that_lets_go_of_its_pictures_talks_on(pair: VideoPair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "EXPLANATION", 0.05)
    await pair.connect(change_offer=unbundled, change_answer=unbundled)
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    await transport_of(pair.callee, "1").close()
    failed = await pair.caller.side.says(inputs.ContentsFailed)
    assert isinstance(failed, inputs.ContentsFailed)
    assert failed.names == ("1",)
    assert not pair.caller.side.has_said(inputs.MediaClosed)
    await talks_on(pair)


# --- paths ------------------------------------------------------------------------------------------------------------


async def test_candidates_of_what_is_added_come_by_its_name_before_and_after(pair: VideoPair) -> None:
    await pair.connect(offered=False, change_offer=unbundled, change_answer=unbundled)
    caller, callee = (viewer.side.media for viewer in pair.viewers)
    proposed = await caller.propose_content("1", CAMERA)
    candidates = proposed.transport.candidates
    assert candidates
    bare = replace(proposed, transport=replace(proposed.transport, candidates=()))
    await callee.add_candidates("1", candidates[:1])
    (answer,) = await callee.answer_contents([bare], ())
    await callee.add_candidates("1", candidates[1:])
    without = replace(answer, transport=replace(answer.transport, candidates=()))
    await pair.settle(pair.callee, (answer,), (bare,), ())
    await pair.settle(pair.caller, (proposed,), (without,), ())
    await caller.add_candidates("1", answer.transport.candidates)
    for viewer in pair.viewers:
        await until(lambda: transport_of(viewer, "1").secure.secured)  # noqa: B023
    moved = await pair.caller.side.says(inputs.MediaMoved)
    assert isinstance(moved, inputs.MediaMoved)
    assert moved.facts.packets_before_gate == 0


async def test_every_connection_is_restarted(pair: VideoPair) -> None:
    await pair.connect(change_offer=unbundled, change_answer=unbundled)
    for viewer in pair.viewers:
        await viewer.side.media.show(CAMERA, "1")
    caller, callee = (viewer.side.media for viewer in pair.viewers)
    await caller.propose_content("9", CAMERA)
    before = [transport_of(viewer, name)._agent for viewer in pair.viewers for name in "01"]
    offered = await caller.restart(())
    # What is only proposed has a connection that is new enough.
    assert [name for name, _, _ in offered] == ["0", "1"]
    answered = await callee.restart(offered)
    callee.announce()
    await caller.apply_restart(answered)
    caller.announce()
    await until(
        lambda: not {transport_of(viewer, name)._agent for viewer in pair.viewers for name in "01"} & set(before)
    )
    for viewer in pair.viewers:
        await sees(viewer)
        shown = viewer.screens[CAMERA].shown
        await until(lambda: viewer.screens[CAMERA].shown > shown + 5)  # noqa: B023
    await talks_on(pair)


async def test_contents_that_nobody_here_can_read_are_kept_quiet(pair: VideoPair) -> None:
    """A second voice, and pictures of an unknown codec: accepted, reported on, thrown away."""
    strange = Codec(payload_type=99, name="H265", clock_rate=90_000)

    def more(description: SessionDescription) -> SessionDescription:
        voice, pictures = description.contents
        return replace(
            description,
            contents=(voice, replace(voice, name="2", source=Source(5)), replace(pictures, codecs=(strange,))),
            bundle=("0", "1", "2"),
        )

    def fewer(description: SessionDescription) -> SessionDescription:
        voice, _, pictures = description.contents
        return replace(description, contents=(voice, pictures), bundle=("0", "1"))

    await pair.connect(change_offer=more, change_answer=fewer)
    await pair.caller.side.media.show(CAMERA, "1")
    await asyncio.sleep(0.1)
    assert pair.caller.feeds == []
    assert pair.callee.side.media.statistics().video == ()
    await talks_on(pair)


async def test_closing_lets_everything_go(pair: VideoPair) -> None:
    await pair.connect(change_offer=unbundled, change_answer=unbundled)
    for viewer in pair.viewers:
        await viewer.side.media.show(CAMERA, "1")
    for viewer in pair.viewers:
        await sees(viewer)
    await pair.close()
    for viewer in pair.viewers:
        assert viewer.screens[CAMERA].closed
        assert not viewer.feeds[0][1].used
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await until(lambda: not [each for each in threading.enumerate() if "video" in each.name])
