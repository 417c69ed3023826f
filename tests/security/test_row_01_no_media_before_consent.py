"""Row 1: media that flow before the called person accepts (FaceTime 2019, Signal-Android 2019, Duo, Messenger, ...)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice import CallState, Device, Direction, Picture, Policy, VideoLabel
from openvoice.core import effects as e
from openvoice.core import inputs as i
from openvoice.core.machine import CallMachine
from openvoice.jingle.model import JingleAction, MessageKind
from openvoice.jingle.outputs import Deliver, Incoming, Output, SendIq
from openvoice.ports import AudioInput, PictureFormat, VideoReport
from tests.jingle import samples
from tests.waiting import until

from .attacker import SOON
from .scene import Scene, rings
from .tampering import swapped, tampering
from .wire import Kind, Wire


@pytest.mark.live
async def test_whatever_a_friend_sends_nothing_leaves_before_the_yes(
    scene: Callable[..., Scene], wire: Wire, microphones: list[AudioInput]
) -> None:
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        ringing = rings(alice)
        mallory.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        call = await asyncio.wait_for(ringing, SOON)
        offer, trickle = samples.content(), samples.trickled(samples.CANDIDATE)
        for kind in MessageKind:
            if kind not in (MessageKind.RETRACT, MessageKind.FINISH):
                mallory.say(kind, alice.address.bare, "sid")
                mallory.say(kind, alice.address, "sid")
        for action in JingleAction:
            if action is not JingleAction.SESSION_TERMINATE:
                inner = trickle if action is JingleAction.TRANSPORT_INFO else offer
                assert await mallory.jingle(action, alice.address, "sid", inner) != "result"
        assert call.state is CallState.RINGING
        assert (wire.sent, wire.bound, microphones, mallory.candidates) == ([], [], [], [])
        assert MessageKind.PROCEED not in mallory.said

        await call.accept(source=Device())
        await mallory.hears(MessageKind.PROCEED)
        assert await mallory.jingle("session-initiate", alice.address, "sid", offer) == "result"
        await mallory.is_asked("session-accept")
        assert mallory.candidates
        # The gate is a second door: without keys there is no microphone and no sound.
        await asyncio.sleep(0.2)
        assert microphones == []
        assert wire.of(Kind.RTP) == wire.of(Kind.RTCP) == []


@pytest.mark.live
async def test_a_direct_offer_rings_and_no_more(
    scene: Callable[..., Scene], wire: Wire, microphones: list[AudioInput]
) -> None:
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        ringing = rings(alice)
        offer = samples.content(inner=samples.transport(samples.fingerprint() + samples.CANDIDATE))
        assert await mallory.jingle("session-initiate", alice.address, "sid", offer) == "result"
        call = await asyncio.wait_for(ringing, SOON)
        assert await mallory.jingle("session-initiate", alice.address, "sid", offer) == "unexpected-request"
        assert await mallory.jingle("session-accept", alice.address, "sid", offer) == "unexpected-request"
        await mallory.jingle("transport-info", alice.address, "sid", samples.trickled(samples.CANDIDATE))
        await mallory.ping(alice.address)
        assert call.state is CallState.RINGING
        assert (wire.sent, wire.bound, microphones, mallory.candidates) == ([], [], [], [])


class WatchedCamera:
    """Counts how often it was opened."""

    def __init__(self) -> None:
        self.opened = 0

    def start(self, deliver: Callable[[Picture | None], None], report: VideoReport, wanted: PictureFormat) -> None:
        self.opened += 1

    def stop(self) -> None: ...


@pytest.mark.live
@pytest.mark.parametrize("liar", [False, True])
async def test_a_camera_opens_behind_the_gate_and_for_nobody_but_its_user(
    scene: Callable[..., Scene], wire: Wire, liar: bool
) -> None:
    cast = scene(friends=("alice", "bob"))
    lying = {"signalling": tampering(swapped)} if liar else {}
    mine, theirs = WatchedCamera(), WatchedCamera()
    async with cast.client("alice") as alice, cast.client("bob", **lying) as bob:
        ringing = rings(bob)
        call = await alice.call(bob.address.bare, video=mine)
        other = await asyncio.wait_for(ringing, SOON)
        await asyncio.sleep(0.2)
        assert (mine.opened, wire.of(Kind.RTP)) == (0, [])
        await other.set_camera(theirs)
        await other.accept()
        if liar:
            await asyncio.wait_for(call.wait_closed(), SOON)
            assert mine.opened == 0
        else:
            await call.wait_for(CallState.ACTIVE, SOON)
            await until(lambda: mine.opened == 1)
            await call.share_screen(WatchedCamera())
            await until(lambda: other.shown == {VideoLabel.CAMERA, VideoLabel.SCREEN})
            assert not other.showing
        # It was chosen, for when its user shows it. Nobody did.
        assert theirs.opened == 0


STANZAS = [
    *((kind, "") for kind in MessageKind),
    *((action, samples.content()) for action in JingleAction),
    (JingleAction.TRANSPORT_INFO, samples.trickled(samples.CANDIDATE)),
    (JingleAction.TRANSPORT_INFO, samples.trickled("", ufrag="next", pwd="restarted-password")),
]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(STANZAS), max_size=25))
def test_no_order_of_stanzas_opens_media_without_a_yes(stanzas: list[tuple[str, str]]) -> None:
    """The protocol logic and the machine of the call together, as the client joins them."""
    endpoint, numbers = samples.endpoint(), count()
    calls: dict[str, CallMachine] = {}
    told: list[Output] = []

    def perform(outputs: list[Output]) -> None:
        told.extend(outputs)
        for output in outputs:
            if isinstance(output, Incoming):
                calls[output.incoming.call] = CallMachine(
                    Direction.INCOMING, str(samples.PEER), policy=Policy(), seed=bytes(32)
                )
                feed(output.incoming.call, output.first)
            elif isinstance(output, Deliver) and output.call in calls:
                feed(output.call, output.message)

    def feed(call: str, message: i.PeerInput) -> None:
        for effect in calls[call].handle(message, 0.0):
            assert not isinstance(effect, e.OpenMedia | e.OpenGate | e.SendAnswer | e.SendCandidates | e.SendProceed)
            if isinstance(effect, e.SignallingEffect):
                perform(endpoint.perform(call, effect, samples.NOW))  # type: ignore[arg-type]

    for kind, inner in stanzas:
        if kind in set(JingleAction):
            payload = samples.jingle(kind, inner)
            perform(endpoint.receive_iq(f"request-{next(numbers)}", samples.PEER, payload, samples.NOW))
        else:
            media = samples.VOICE if kind == MessageKind.PROPOSE else ""
            perform(endpoint.receive_message(samples.message(kind, inner=media), samples.PEER, samples.NOW))
    asked = {output.payload.get("action") for output in told if isinstance(output, SendIq)}
    assert not asked & {"session-accept", "content-accept", "transport-accept", "transport-info", "transport-replace"}
