"""Row 7: there is nothing to fall back to: no plain RTP, no SDES, no ZRTP, no raw UDP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

import openvoice
from openvoice import EndReason
from openvoice.jingle import namespaces as ns
from openvoice.jingle.model import MessageKind
from openvoice.media.audio.opus import OpusEncoder
from openvoice.ports import Frame
from openvoice.samples import sample
from openvoice.testing.clients import ClientFactory
from tests.jingle import samples

from .attacker import SOON
from .scene import Scene, rings, talk
from .wire import Kind, Wire

OPUS = "<payload-type id='111' name='opus' clockrate='48000' channels='2'/>"
SDES = (
    "<encryption required='1'><crypto tag='1' crypto-suite='AES_CM_128_HMAC_SHA1_80' "
    "key-params='inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz'/></encryption>"
)
ZRTP = "<encryption><zrtp-hash xmlns='urn:xmpp:jingle:apps:rtp:zrtp:1' version='1.10'>abcd</zrtp-hash></encryption>"
PLAIN = "<encryption><crypto tag='1' crypto-suite='NULL_NULL' key-params='inline:'/></encryption>"


def offer(description: str, transport: str) -> str:
    return (
        "<content creator='initiator' name='0' senders='both'>"
        f"<description xmlns='{ns.RTP}' media='audio'>{OPUS}{description}</description>{transport}</content>"
    )


OFFERS = {
    "plain RTP": (offer("", samples.transport(samples.CANDIDATE)), EndReason.SECURITY_ERROR),
    "SDES": (offer(SDES, samples.transport(samples.CANDIDATE)), EndReason.SECURITY_ERROR),
    "ZRTP": (offer(ZRTP, samples.transport(samples.CANDIDATE)), EndReason.SECURITY_ERROR),
    "SDES without keys": (offer(PLAIN, samples.transport(samples.CANDIDATE)), EndReason.SECURITY_ERROR),
    "raw UDP": (
        offer(
            "",
            "<transport xmlns='urn:xmpp:jingle:transports:raw-udp:1'>"
            "<candidate component='1' generation='0' id='a' ip='127.0.0.1' port='9'/></transport>",
        ),
        EndReason.UNSUPPORTED_TRANSPORTS,
    ),
}


@pytest.mark.live
@pytest.mark.parametrize(("content", "reason"), OFFERS.values(), ids=OFFERS.keys())
async def test_an_offer_of_less_is_refused_before_any_packet(
    scene: Callable[..., Scene], wire: Wire, content: str, reason: EndReason
) -> None:
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        ringing = rings(alice)
        mallory.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        call = await asyncio.wait_for(ringing, SOON)
        await call.accept()
        await mallory.hears(MessageKind.PROCEED)
        await mallory.jingle("session-initiate", alice.address, "sid", content)
        terminated = await mallory.is_asked("session-terminate")
        assert terminated.find(f"{{{ns.JINGLE}}}reason/{{{ns.JINGLE}}}{reason}") is not None
        assert (await asyncio.wait_for(call.wait_closed(), SOON)).reason is reason
        assert (wire.sent, wire.bound) == ([], [])


@pytest.mark.live
async def test_sdes_beside_a_fingerprint_is_neither_used_nor_answered(scene: Callable[..., Scene]) -> None:
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        ringing = rings(alice)
        mallory.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        await (await asyncio.wait_for(ringing, SOON)).accept()
        await mallory.hears(MessageKind.PROCEED)
        both = offer(SDES, samples.transport(samples.fingerprint()))
        await mallory.jingle("session-initiate", alice.address, "sid", both)
        answer = await mallory.is_asked("session-accept")
        assert {element.tag.rpartition("}")[2] for element in answer.iter()}.isdisjoint({"encryption", "crypto"})


@pytest.mark.live
async def test_nothing_of_what_is_said_is_on_the_wire(
    clients: ClientFactory, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole calls, speech both ways: every datagram is STUN, DTLS or SRTP, and none holds a packet of the codec."""
    spoken: list[bytes] = []
    encode = OpusEncoder.encode

    def listen(encoder: OpusEncoder, frame: Frame) -> bytes:
        spoken.append(encode(encoder, frame))
        return spoken[-1]

    monkeypatch.setattr(OpusEncoder, "encode", listen)
    async with clients("alice", "bob") as (alice, bob):
        call, _ = await talk(alice, bob, said=sample("alice"), answered=sample("bob"))
        await asyncio.sleep(1.0)
        await call.hangup()
    assert wire.of(Kind.OTHER) == []
    assert len(wire.of(Kind.RTP)) > 50
    on_the_wire = b"\n".join(datagram.data for datagram in wire.sent)
    # Any 8 octets of a packet, for a part of one would be heard; but zeros, which fill up silence, say nothing.
    parts = {packet[at : at + 8] for packet in spoken for at in (8, 40, 80)}
    assert len(telling := {part for part in parts if len(set(part)) > 2}) > 50
    assert not [part for part in telling if part in on_the_wire]


def test_the_code_knows_no_other_encryption() -> None:
    for path in Path(openvoice.__file__).parent.rglob("*.py"):
        code = path.read_text()
        for word in ("crypto-suite", "key-params", "inline:", "rtp:zrtp", "raw-udp"):
            assert word not in code, f"{path.name} speaks of {word}"
