"""Rows 5 and 6: fingerprints that are missing, weak, contradicting or not those of the keys in use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from openvoice import Call, CallState, Device, EndReason, Policy, SecurityRefused
from openvoice.jingle import namespaces as ns
from openvoice.jingle.model import MessageKind
from openvoice.ports import AudioInput
from tests.jingle import samples

from .attacker import SOON
from .scene import Scene, rings
from .tampering import swapped, tampering
from .wire import Kind, Wire

pytestmark = pytest.mark.live

REASON = f"{{{ns.JINGLE}}}reason/{{{ns.JINGLE}}}security-error"
OTHER = "FF:" + samples.HEX[3:]


@pytest.mark.parametrize("liar", ["caller", "callee"])
async def test_a_swapped_fingerprint_ends_the_call_before_any_sound(
    scene: Callable[..., Scene], wire: Wire, microphones: list[AudioInput], liar: str
) -> None:
    """Both name the same cause; neither took the other for connected; neither captured anything."""
    cast = scene(friends=("alice", "bob"))
    lying = {"signalling": tampering(swapped)}
    async with (
        cast.client("alice", **(lying if liar == "caller" else {})) as alice,
        cast.client("bob", **(lying if liar == "callee" else {})) as bob,
    ):
        ringing = rings(bob)
        call = await alice.call(bob.address.bare, source=Device())
        other = await asyncio.wait_for(ringing, SOON)
        await other.accept(source=Device())
        ends = await asyncio.wait_for(asyncio.gather(call.wait_closed(), other.wait_closed()), SOON)
        assert [end.reason for end in ends] == [EndReason.SECURITY_ERROR] * 2
        assert isinstance(call.failure, SecurityRefused)
        assert isinstance(other.failure, SecurityRefused)
        for end in ends:
            assert end.duration == 0
            assert end.statistics.packets_sent == end.statistics.packets_received == 0
        checker = other if liar == "caller" else call
        assert "secured" not in [moment.name for moment in checker.timeline]
        assert wire.of(Kind.RTP) == []
        assert len(microphones) <= 1, "the side that was lied about may have opened its gate, the one that checks never"


BROKEN = {
    "none": "",
    "empty": samples.fingerprint(value=""),
    "sha-1": samples.fingerprint(algorithm="sha-1", value=samples.HEX[: 20 * 3 - 1]),
    "md5": samples.fingerprint(algorithm="md5", value=samples.HEX[: 16 * 3 - 1]),
    "short": samples.fingerprint(value=samples.HEX[:-3]),
    "sha-256 named sha-512": samples.fingerprint(algorithm="sha-512"),
    "no hexadecimal": samples.fingerprint(value=samples.HEX.replace("0", "G")),
    "two that contradict": samples.fingerprint() + samples.fingerprint(value=OTHER),
    "no role": samples.fingerprint(setup=""),
    "holdconn": samples.fingerprint(setup="holdconn"),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_an_offer_without_a_good_fingerprint_ends_the_call(
    scene: Callable[..., Scene], wire: Wire, broken: str
) -> None:
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        ringing = rings(alice)
        mallory.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        call: Call = await asyncio.wait_for(ringing, SOON)
        await call.accept()
        await mallory.hears(MessageKind.PROCEED)
        offer = samples.content(inner=samples.transport(broken + samples.CANDIDATE))
        await mallory.jingle("session-initiate", alice.address, "sid", offer)
        assert (await mallory.is_asked("session-terminate")).find(REASON) is not None
        ended = await asyncio.wait_for(call.wait_closed(), SOON)
        assert ended.reason is EndReason.SECURITY_ERROR
        assert (wire.sent, wire.bound, mallory.candidates) == ([], [], [])


@pytest.mark.parametrize("broken", [*BROKEN.values(), samples.fingerprint()], ids=[*BROKEN, "role left open"])
async def test_an_answer_without_a_good_fingerprint_ends_the_call(scene: Callable[..., Scene], broken: str) -> None:
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice", policy=Policy()) as alice, cast.attacker("mallory") as mallory:
        call = await alice.call(mallory.address.bare)
        await mallory.hears(MessageKind.PROPOSE)
        mallory.say(MessageKind.PROCEED, alice.address, call.id)
        await mallory.is_asked("session-initiate")
        broken = broken.replace("'actpass'", "'active'") if broken != samples.fingerprint() else broken
        answer = samples.content(inner=samples.transport(broken))
        await mallory.jingle("session-accept", alice.address, call.id, answer)
        assert (await mallory.is_asked("session-terminate")).find(REASON) is not None
        with pytest.raises(SecurityRefused):
            await call.wait_for(CallState.ACTIVE, SOON)


async def test_a_fingerprint_cannot_change_during_a_call(scene: Callable[..., Scene]) -> None:
    """A trickle or a restart with another key is a request to speak with somebody else."""
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        ringing = rings(alice)
        mallory.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        call = await asyncio.wait_for(ringing, SOON)
        await call.accept()
        await mallory.hears(MessageKind.PROCEED)
        await mallory.jingle("session-initiate", alice.address, "sid", samples.content())
        await mallory.is_asked("session-accept")
        other = samples.transport(samples.fingerprint(value=OTHER), ufrag="next", pwd="restarted-password")
        changed = f"<content creator='initiator' name='0'>{other}</content>"
        await mallory.jingle("transport-info", alice.address, "sid", changed)
        assert (await mallory.is_asked("session-terminate")).find(REASON) is not None
        assert (await asyncio.wait_for(call.wait_closed(), SOON)).reason is EndReason.SECURITY_ERROR
