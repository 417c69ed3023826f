"""Calls between two media sessions on loopback: contents, gates, security, and what is told of it."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiortc.rtp import RtcpRrPacket, RtcpSdesPacket, RtpPacket
from OpenSSL import SSL

from openvoice.core import inputs
from openvoice.core.contacts import Contact
from openvoice.core.description import (
    Candidate,
    CandidateType,
    Codec,
    Content,
    Fingerprint,
    Media,
    Senders,
    SessionDescription,
    Setup,
)
from openvoice.core.types import EndReason, Role
from openvoice.errors import InvalidState, MediaFailed, SecurityRefused
from openvoice.media import transport as transport_module
from openvoice.media.audio.negotiation import offered_codecs
from openvoice.media.certificate import Certificate
from openvoice.media.session import CallMedia
from openvoice.media.transport import MediaTransport
from openvoice.ports import AudioInput, AudioOutput
from tests.media.peers import (
    LOOPBACK,
    Microphone,
    Pair,
    Side,
    Speaker,
    settings,
    with_contents,
    without_candidates,
)
from tests.waiting import until

pytestmark = pytest.mark.network


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    made = Pair()
    yield made
    await made.close()


def transport_of(side: Side, name: str = "0") -> MediaTransport:
    return side.media._transports[name]


def swapped(description: SessionDescription) -> SessionDescription:
    """As an operator in the middle would send it: with a fingerprint of the operator's."""

    def swap(content: Content) -> Content:
        return replace(content, transport=replace(content.transport, fingerprint=Fingerprint("sha-256", bytes(32))))

    return with_contents(description, swap)


# --- a call -----------------------------------------------------------------------------------------------------------


async def test_a_call_connects_and_voice_flows_both_ways(pair: Pair) -> None:
    await pair.connect()
    await pair.flow()
    await until(lambda: all(side.media.statistics().packets_received >= 10 for side in pair.sides))
    for side, other in (pair.sides, pair.sides[::-1]):
        secured = await side.says(inputs.MediaSecured)
        assert isinstance(secured, inputs.MediaSecured)
        facts = secured.facts
        assert facts.dtls_version == "DTLSv1.2"
        assert facts.srtp_profile == "SRTP_AEAD_AES_256_GCM"
        assert facts.remote_fingerprint == transport_of(other)._certificate.fingerprint
        assert facts.local_fingerprint == transport_of(side)._certificate.fingerprint
        assert facts.local_candidate is CandidateType.HOST
        assert not facts.relayed
        assert (facts.packets_before_gate, facts.candidates_before_consent) == (0, 0)
        assert not side.has_said(inputs.MediaFailed)


@pytest.mark.parametrize("setup", [Setup.ACTIVE, Setup.PASSIVE])
async def test_an_offer_that_is_not_actpass_is_complemented(pair: Pair, setup: Setup) -> None:
    def offer_as(description: SessionDescription) -> SessionDescription:
        return with_contents(description, lambda c: replace(c, transport=replace(c.transport, setup=setup)))

    answers: list[Setup | None] = []

    def note(answer: SessionDescription) -> SessionDescription:
        answers.append(answer.contents[0].transport.setup)
        return answer

    await pair.connect(offer_as, note)
    await pair.flow()
    assert answers == [Setup.PASSIVE if setup is Setup.ACTIVE else Setup.ACTIVE]


async def test_descriptions_carry_what_peers_demand(pair: Pair) -> None:
    offer = await pair.caller.media.open(Role.INITIATOR, None)
    answer = await pair.callee.media.open(Role.RESPONDER, offer)
    (offered,), (answered,) = offer.contents, answer.contents
    assert offered.transport.setup is Setup.ACTPASS
    assert answered.transport.setup is Setup.ACTIVE
    assert answered.codecs[0].name == "opus"
    for content in (offered, answered):
        assert content.transport.fingerprint is not None
        assert content.transport.fingerprint.algorithm == "sha-256"
        assert content.source is not None
        assert content.source.cname
        assert [candidate.address for candidate in content.transport.candidates] == [LOOPBACK]
    assert answer.bundle == offer.bundle


async def test_no_socket_and_no_candidate_exists_before_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 3: nobody learns an address before the user said yes, which is when open() is called."""
    opened: list[object] = []
    loop = asyncio.get_running_loop()
    original = loop.create_datagram_endpoint

    async def note(*args: object, **kwargs: object) -> object:
        opened.append(kwargs.get("local_addr"))
        return await original(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "create_datagram_endpoint", note)
    side = Side(settings())
    await side.media.add_candidates("0", [Candidate(foundation="1", address=LOOPBACK, port=9, priority=1)])
    await asyncio.sleep(0.02)
    assert opened == []
    assert side.said == []
    await side.media.open(Role.INITIATOR, None)
    assert opened == [(LOOPBACK, 0)]
    await side.media.close()


async def test_candidates_trickled_before_and_after_the_answer_are_used(pair: Pair) -> None:
    held: list[Candidate] = []

    def keep(offer: SessionDescription) -> SessionDescription:
        held.extend(offer.contents[0].transport.candidates)
        return without_candidates(offer)

    await pair.connect(keep, without_candidates)
    await asyncio.sleep(0.1)
    assert not pair.callee.has_said(inputs.MediaSecured)
    await pair.callee.media.add_candidates("0", held)
    await pair.callee.media.add_candidates("no such content", held)
    await pair.flow()


async def test_candidates_that_come_before_open_are_kept() -> None:
    pair = Pair()
    offer = await pair.caller.media.open(Role.INITIATOR, None)
    early = offer.contents[0].transport.candidates
    for _ in range(100):
        await pair.callee.media.add_candidates("0", early)
    assert len(pair.callee.media._transports._early) == 64
    answer = without_candidates(await pair.callee.media.open(Role.RESPONDER, without_candidates(offer)))
    await pair.caller.media.apply_answer(answer)
    await pair.flow()
    await pair.close()


async def test_the_voice_takes_no_more_than_the_settings_allow() -> None:
    pair = Pair(replace(settings(), bandwidth=40.0))
    await pair.connect()
    await pair.flow()
    await until(lambda: pair.callee.media.statistics().packets_received >= 10)
    voice = pair.callee.media.statistics()
    # Two frames of 20 ms in each packet, so that fewer bits are spent on headers.
    assert voice.bytes_received == 134 * voice.packets_received
    await pair.close()


async def test_without_a_network_the_call_fails_with_a_clear_word() -> None:
    nowhere = CallMedia(replace(settings(), interfaces=("192.0.2.254",)), lambda message: None)
    with pytest.raises(MediaFailed, match="network"):
        await nowhere.open(Role.INITIATOR, None)
    await nowhere.close()
    relay_only = CallMedia(settings(relay_only=True), lambda message: None)
    with pytest.raises(MediaFailed, match="relay"):
        await relay_only.open(Role.INITIATOR, None)
    await relay_only.close()


async def test_no_path_is_a_connectivity_error(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "ICE_TIMEOUT", 0.2)
    pair.caller.other = pair.callee.other = None
    await pair.connect(without_candidates, without_candidates)
    for side in pair.sides:
        failed = await side.says(inputs.MediaFailed)
        assert isinstance(failed, inputs.MediaFailed)
        assert failed.reason is EndReason.CONNECTIVITY_ERROR


async def test_a_peer_that_never_shakes_hands_is_a_failed_transport(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "DTLS_TIMEOUT", 0.2)
    monkeypatch.setattr(MediaTransport, "_send", lambda transport, datagram: None)
    await pair.connect()
    failed = await pair.caller.says(inputs.MediaFailed)
    assert isinstance(failed, inputs.MediaFailed)
    assert failed.reason is EndReason.FAILED_TRANSPORT


# --- the gate ---------------------------------------------------------------------------------------------------------


async def test_rtcp_leaves_at_once_and_media_only_after_the_gate(pair: Pair) -> None:
    """Row 1, and Dino, which takes a call for ready only when a packet came after DTLS."""
    heard: list[str] = []
    microphones: list[Microphone] = []

    def microphone() -> AudioInput:
        microphones.append(Microphone())
        return microphones[-1]

    pair.callee = Side(replace(settings(), input=microphone))
    pair.caller.other, pair.callee.other = pair.callee, pair.caller
    await pair.connect()
    transport = transport_of(pair.caller)
    handle_rtp, handle_rtcp = transport.secure._handle_rtp, transport.secure._handle_rtcp

    def note_rtp(packet: RtpPacket, arrival: float) -> None:
        heard.append("rtp")
        handle_rtp(packet, arrival)

    def note_rtcp(packets: list[object], arrival: float) -> None:
        heard.extend(type(packet).__name__ for packet in packets)
        handle_rtcp(packets, arrival)

    transport.secure._handle_rtp, transport.secure._handle_rtcp = note_rtp, note_rtcp
    for side in pair.sides:
        await side.says(inputs.MediaFlowing, within=5)
        await side.says(inputs.MediaSecured)
    await asyncio.sleep(0.1)
    assert "rtp" not in heard
    assert {RtcpRrPacket.__name__, RtcpSdesPacket.__name__} <= set(heard)
    assert microphones == []
    await pair.callee.media.open_gate()
    await pair.callee.media.open_gate()
    await until(lambda: "rtp" in heard)
    assert len(microphones) == 1


async def test_a_voice_that_talks_too_early_is_not_sent(pair: Pair) -> None:
    await pair.connect()
    for side in pair.sides:
        await side.says(inputs.MediaSecured)
    voice = RtpPacket(payload_type=111, ssrc=5, payload=b"secret").serialize()
    transport = transport_of(pair.caller)
    pair.caller.media._streams._lanes[transport].path.send_voice(voice)
    assert transport.packets_before_gate == 0
    transport.send_rtp(voice)
    assert transport.packets_before_gate == 1  # the count is taken where packets leave, behind the gate
    assert pair.caller.media._facts().packets_before_gate == 1


async def test_mute_and_hold_given_early_are_remembered(pair: Pair) -> None:
    await pair.caller.media.set_muted(True)
    await pair.caller.media.set_held(True)
    await pair.caller.media.play_digits("1")
    await pair.connect()
    voice = pair.caller.media._streams.voice
    assert voice is not None
    assert (voice.muted, voice.held) == (True, True)
    await pair.caller.media.set_held(False)
    assert not voice.held


async def test_digits_reach_the_other_side(pair: Pair) -> None:
    await pair.connect()
    await pair.flow()
    await pair.caller.media.play_digits("7")
    digit = await pair.callee.says(inputs.DigitReceived)
    assert digit == inputs.DigitReceived("7")


# --- security ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changed", ["offer", "answer"])
async def test_a_swapped_fingerprint_ends_it_on_both_sides_without_any_media(pair: Pair, changed: str) -> None:
    """Rows 5 and 6: the side that checks says why; the other notices, and never takes the call for connected."""
    if changed == "offer":
        await pair.connect(change_offer=swapped)
        checker, other = pair.callee, pair.caller
    else:
        await pair.connect(change_answer=swapped)
        checker, other = pair.caller, pair.callee
    failed = await checker.says(inputs.MediaFailed)
    assert isinstance(failed, inputs.MediaFailed)
    assert failed.reason is EndReason.SECURITY_ERROR
    assert await other.says(inputs.MediaFailed)
    await other.media.open_gate()
    await asyncio.sleep(0.2)
    for side in pair.sides:
        assert not side.has_said(inputs.MediaFlowing)
        assert side.media.statistics().packets_received == 0
    assert not checker.has_said(inputs.MediaSecured)


async def test_a_description_without_a_key_is_refused_before_any_socket_exists(pair: Pair) -> None:
    """Row 7: there is no other way than DTLS-SRTP."""

    def without(description: SessionDescription) -> SessionDescription:
        return with_contents(description, lambda c: replace(c, transport=replace(c.transport, fingerprint=None)))

    with pytest.raises(SecurityRefused):
        await pair.connect(change_offer=without)
    assert pair.callee.media._transports.distinct == ()
    other = Pair()
    with pytest.raises(SecurityRefused):
        await other.connect(change_answer=without)
    await other.close()


@pytest.mark.parametrize("setup", [Setup.ACTPASS, None])
async def test_an_answer_that_does_not_decide_the_dtls_role_is_refused(pair: Pair, setup: Setup | None) -> None:
    def undecided(answer: SessionDescription) -> SessionDescription:
        return with_contents(answer, lambda c: replace(c, transport=replace(c.transport, setup=setup)))

    with pytest.raises(SecurityRefused):
        await pair.connect(change_answer=undecided)


def client_hello() -> bytes:
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_tlsext_use_srtp(b"SRTP_AES128_CM_SHA1_80")
    stranger = SSL.Connection(context)
    stranger.set_connect_state()
    with pytest.raises(SSL.WantReadError):
        stranger.do_handshake()
    return stranger.bio_read(4096)


async def test_a_foreign_client_hello_does_not_win_the_race(pair: Pair) -> None:
    """Row 4: one before ICE completes, then a flood; the call connects all the same."""
    hello = client_hello()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((LOOPBACK, 0))

        def attack(offer: SessionDescription) -> SessionDescription:
            stranger.sendto(hello, (LOOPBACK, offer.contents[0].transport.candidates[0].port))
            return offer

        await pair.connect(change_offer=attack)
        port = transport_of(pair.caller).describe(Setup.ACTPASS).candidates[0].port
        for number in range(300):
            stranger.sendto(hello, (LOOPBACK, port))
            if number % 20 == 0:
                await asyncio.sleep(0)
        await pair.flow()
        assert transport_of(pair.caller)._agent.sockets[0].discarded > 0


async def test_foreign_rtp_is_not_heard(pair: Pair) -> None:
    """Row 9: neither plain nor protected with another key, from wherever it seems to come."""
    await pair.connect()
    await pair.flow()
    await until(lambda: pair.caller.media.statistics().packets_received > 5)
    transport = transport_of(pair.caller)
    transport_of(pair.callee).gate_open = False
    await asyncio.sleep(0.1)
    before = pair.caller.media.statistics().packets_received
    plain = RtpPacket(payload_type=111, sequence_number=1, ssrc=1, payload=bytes(120)).serialize()
    for _ in range(50):
        transport.secure.receive(plain)
    await asyncio.sleep(0.05)
    assert pair.caller.media.statistics().packets_received == before
    assert transport.secure.secured


# --- contents ---------------------------------------------------------------------------------------------------------

VP8 = Codec(payload_type=97, name="VP8", clock_rate=90_000)


class VideoCaller:
    """A peer that offers sound and pictures, built from two of our transports."""

    def __init__(self, bundled: bool) -> None:
        self.bundled = bundled
        self.rtcp: dict[str, list[object]] = {}
        self.secured_names: set[str] = set()
        self.failures: list[str] = []
        self.transports: dict[str, MediaTransport] = {}

    async def offer(self) -> SessionDescription:
        certificate = Certificate.generateCertificate()
        groups = [("0", "1")] if self.bundled else [("0",), ("1",)]
        for names in groups:
            made = MediaTransport(names, controlling=True, settings=settings(), certificate=certificate, listener=self)
            await made.gather()
            self.transports |= dict.fromkeys(names, made)
        sound = Content(
            name="0",
            media=Media.AUDIO,
            codecs=offered_codecs(),
            transport=self.transports["0"].describe(Setup.ACTPASS),
        )
        pictures = Content(
            name="1", media=Media.VIDEO, codecs=(VP8,), transport=self.transports["1"].describe(Setup.ACTPASS)
        )
        return SessionDescription(contents=(sound, pictures), bundle=("0", "1") if self.bundled else ())

    def connect(self, answer: SessionDescription) -> None:
        for name in ("0",) if self.bundled else ("0", "1"):
            content = answer.content(name)
            assert content is not None
            self.transports[name].connect(content.transport, client=False)

    def candidate_found(self, transport: MediaTransport, candidate: Candidate) -> None: ...

    def contacted(self, contact: Contact) -> None: ...

    def moved(self, transport: MediaTransport) -> None: ...

    def outdated(self, transport: MediaTransport) -> None: ...

    def secured(self, transport: MediaTransport) -> None:
        self.secured_names |= set(transport.names)

    def rtp_received(self, transport: MediaTransport, packet: RtpPacket, arrival: float) -> None: ...

    def rtcp_received(self, transport: MediaTransport, packets: list[object], arrival: float) -> None:
        self.rtcp.setdefault(transport.names[0], []).extend(packets)

    def interrupted(self, transport: MediaTransport) -> None: ...

    def restored(self, transport: MediaTransport) -> None: ...

    def closed(self, transport: MediaTransport) -> None: ...

    def failed(self, transport: MediaTransport, reason: EndReason, text: str) -> None:
        self.failures.append(text)

    async def close(self) -> None:
        for transport in set(self.transports.values()):
            await transport.close()


@pytest.mark.parametrize("bundled", [True, False])
async def test_offered_video_is_received(bundled: bool) -> None:
    """Also without BUNDLE, as Dino offers: then with a transport of its own for each content."""
    peer, side = VideoCaller(bundled), Side(settings())
    answer = await side.media.open(Role.RESPONDER, await peer.offer())
    assert [content.senders for content in answer.contents] == [Senders.BOTH, Senders.INITIATOR]
    first, second = (content.source for content in answer.contents)
    assert first is not None
    assert second is not None
    assert first.ssrc != second.ssrc
    assert first.cname == second.cname != ""
    ports = {c.port for content in answer.contents for c in content.transport.candidates}
    assert len(ports) == (1 if bundled else 2)
    peer.connect(answer)
    await until(lambda: peer.secured_names == {"0", "1"})
    await side.says(inputs.MediaSecured)
    assert sum(isinstance(message, inputs.MediaSecured) for message in side.said) == 1
    await until(lambda: side.media._secured == set(side.media._transports.distinct))
    await side.media.open_gate()
    # A packet must arrive on each transport, or Dino never shows a picture, nor starts to send.
    await until(lambda: len(peer.rtcp) == len(set(peer.transports.values())))
    for number in range(5):
        packet = RtpPacket(payload_type=97, sequence_number=number, ssrc=1, payload=b"picture")
        peer.transports["1"].send_rtp(packet.serialize())
    await until(lambda: side.media.statistics().video[0].received.packets == 5)
    assert side.media.statistics().packets_received == 0
    assert peer.failures == []
    await side.media.close()
    await peer.close()


# --- what is told -----------------------------------------------------------------------------------------------------


async def test_an_interruption_needs_something_to_interrupt_and_a_failure_is_told_once(pair: Pair) -> None:
    await pair.caller.media.open(Role.INITIATOR, None)
    transport = transport_of(pair.caller)
    pair.caller.media.interrupted(transport)
    pair.caller.media.restored(transport)
    assert pair.caller.said == []
    for text in ("first", "second"):
        pair.caller.media.failed(transport, EndReason.CONNECTIVITY_ERROR, text)
    assert pair.caller.said == [inputs.MediaFailed(EndReason.CONNECTIVITY_ERROR, "first")]


async def test_a_closed_session_is_silent(pair: Pair) -> None:
    await pair.caller.media.open(Role.INITIATOR, None)
    transport = transport_of(pair.caller)
    await pair.caller.media.close()
    pair.caller.media.failed(transport, EndReason.CONNECTIVITY_ERROR, "too late")
    pair.caller.media.candidate_found(transport, Candidate(foundation="1", address=LOOPBACK, port=9, priority=1))
    pair.caller.media.announce()
    assert pair.caller.said == []


async def test_an_answer_without_an_offer_is_the_mistake_of_the_caller(pair: Pair) -> None:
    offer = await pair.callee.media.open(Role.INITIATOR, None)
    with pytest.raises(InvalidState):
        await pair.caller.media.apply_answer(offer)


# --- the end ----------------------------------------------------------------------------------------------------------


async def test_close_says_goodbye_frees_everything_and_says_nothing_more(pair: Pair) -> None:
    microphones: list[Microphone] = []

    def microphone() -> AudioInput:
        microphones.append(Microphone())
        return microphones[-1]

    def speaker() -> AudioOutput:
        return Speaker()

    pair.caller = Side(replace(settings(), input=microphone, output=speaker))
    pair.caller.other, pair.callee.other = pair.callee, pair.caller
    await pair.connect()
    await pair.flow()
    kinds: list[str] = []
    transport = transport_of(pair.callee)
    handle = transport.secure._handle_rtcp

    def note(packets: list[object], arrival: float) -> None:
        kinds.extend(type(packet).__name__ for packet in packets)
        handle(packets, arrival)

    transport.secure._handle_rtcp = note
    port = transport_of(pair.caller).describe(Setup.ACTPASS).candidates[0].port
    await pair.caller.media.close()
    await pair.caller.media.close()
    said = len(pair.caller.said)
    await until(lambda: "RtcpByePacket" in kinds)
    assert microphones[0].stopped
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((LOOPBACK, port))
    await asyncio.sleep(0.05)
    assert len(pair.caller.said) == said
    await pair.callee.media.close()
    gc.collect()
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("stage", ["new", "offered", "connecting"])
async def test_close_at_any_stage(stage: str) -> None:
    pair = Pair()
    if stage == "offered":
        await pair.caller.media.open(Role.INITIATOR, None)
    elif stage == "connecting":
        await pair.connect()
    await pair.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
