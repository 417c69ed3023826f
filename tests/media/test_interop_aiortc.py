"""A call with a stock ``RTCPeerConnection``: an independent reading of ICE, DTLS-SRTP, RTP and RTCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiortc import AudioStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaBlackhole
from aiortc.sdp import SessionDescription as Sdp

from openvoice.core import inputs
from openvoice.core.description import (
    Candidate,
    CandidateType,
    Codec,
    Content,
    Fingerprint,
    Media,
    SessionDescription,
    Setup,
    TransportDescription,
)
from openvoice.core.types import Role
from tests.media.peers import LOOPBACK, Side, settings

pytestmark = pytest.mark.network

_SETUP = {"auto": Setup.ACTPASS, "client": Setup.ACTIVE, "server": Setup.PASSIVE}


def from_sdp(text: str) -> SessionDescription:
    """What a signalling would make of the SDP of aiortc, which has three fingerprints: the sha-256 one counts."""
    parsed = Sdp.parse(text)
    (media,) = parsed.media
    assert media.dtls is not None
    assert media.ice is not None
    assert media.ice.usernameFragment is not None
    assert media.ice.password is not None
    digest = next(f.value for f in media.dtls.fingerprints if f.algorithm == "sha-256")
    transport = TransportDescription(
        ufrag=media.ice.usernameFragment,
        pwd=media.ice.password,
        fingerprint=Fingerprint("sha-256", bytes.fromhex(digest.replace(":", ""))),
        setup=_SETUP[media.dtls.role],
        candidates=tuple(
            Candidate(foundation=c.foundation, address=c.ip, port=c.port, priority=c.priority, component=c.component)
            for c in media.ice_candidates
        ),
    )
    codecs = tuple(
        Codec(payload_type=c.payloadType or 0, name=c.name, clock_rate=c.clockRate, channels=c.channels or 1)
        for c in media.rtp.codecs
    )
    content = Content(name=media.rtp.muxId, media=Media.AUDIO, codecs=codecs, transport=transport)
    return SessionDescription(contents=(content,), bundle=(content.name,))


def to_sdp(description: SessionDescription) -> str:
    (content,) = description.contents
    transport = content.transport
    assert transport.fingerprint is not None
    assert transport.setup is not None
    assert content.source is not None
    lines = [
        "v=0",
        f"o=- 1 1 IN IP4 {LOOPBACK}",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {content.name}",
        "m=audio 9 UDP/TLS/RTP/SAVPF " + " ".join(str(codec.payload_type) for codec in content.codecs),
        f"c=IN IP4 {LOOPBACK}",
        "a=sendrecv",
        f"a=mid:{content.name}",
        "a=rtcp-mux",
        f"a=ice-ufrag:{transport.ufrag}",
        f"a=ice-pwd:{transport.pwd}",
        f"a=fingerprint:sha-256 {transport.fingerprint}",
        f"a=setup:{transport.setup}",
        f"a=ssrc:{content.source.ssrc} cname:{content.source.cname}",
    ]
    for codec in content.codecs:
        channels = f"/{codec.channels}" if codec.channels > 1 else ""
        lines.append(f"a=rtpmap:{codec.payload_type} {codec.name}/{codec.clock_rate}{channels}")
    lines += [
        f"a=candidate:{c.foundation} {c.component} udp {c.priority} {c.address} {c.port} typ {c.type}"
        for c in transport.candidates
    ]
    return "\r\n".join([*lines, ""])


@pytest.fixture
async def stock(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RTCPeerConnection]:
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: [LOOPBACK])
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    connection.addTrack(AudioStreamTrack())
    sink = MediaBlackhole()
    connection.on("track", sink.addTrack)
    yield connection
    await sink.stop()
    await connection.close()


async def speak(side: Side, stock: RTCPeerConnection) -> None:
    secured = await side.says(inputs.MediaSecured)
    await side.says(inputs.MediaFlowing)
    assert isinstance(secured, inputs.MediaSecured)
    assert secured.facts.remote_candidate in (CandidateType.HOST, CandidateType.PEER_REFLEXIVE)
    await side.media.open_gate()
    (receiver,) = (transceiver.receiver for transceiver in stock.getTransceivers())
    async with asyncio.timeout(10):
        while True:
            reports = await receiver.getStats()
            heard = max((r.packetsReceived for r in reports.values() if r.type == "inbound-rtp"), default=0)
            if heard > 10 and side.media.statistics().packets_received > 10:
                break
            await asyncio.sleep(0.02)
    assert stock.connectionState == "connected"


async def test_calling_a_stock_peer(stock: RTCPeerConnection) -> None:
    side = Side(settings())
    offer = await side.media.open(Role.INITIATOR, None)
    await stock.setRemoteDescription(RTCSessionDescription(to_sdp(offer), "offer"))
    await stock.setLocalDescription(await stock.createAnswer())
    await side.media.apply_answer(from_sdp(stock.localDescription.sdp))
    await speak(side, stock)
    await side.media.close()


async def test_called_by_a_stock_peer(stock: RTCPeerConnection) -> None:
    side = Side(settings())
    await stock.setLocalDescription(await stock.createOffer())
    answer = await side.media.open(Role.RESPONDER, from_sdp(stock.localDescription.sdp))
    await stock.setRemoteDescription(RTCSessionDescription(to_sdp(answer), "answer"))
    await speak(side, stock)
    await side.media.close()
