"""The handshake, the check of the certificate and SRTP, between two associations joined in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import SRTPProtectionProfile, generate_certificate
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket, RtpPacket
from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL

from openvoice.core.description import FINGERPRINT_OCTETS, Fingerprint
from openvoice.errors import MediaFailed, SecurityRefused
from openvoice.media.certificate import Certificate, fingerprint
from openvoice.media.dtls import MAXIMUM_KEPT, SecureTransport

Wire = Callable[[bytes], bytes | None]


class RsaCertificate(RTCCertificate):
    """A foreign peer: an RSA key and the ciphers OpenSSL has by itself."""

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(b"HIGH:!aNULL")
        return context

    @classmethod
    def make(cls) -> RsaCertificate:
        key: Any = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return cls(key=key, cert=generate_certificate(key))


class End:
    """One association; ``wire`` may change or drop what it sends. ``sent`` keeps what went out."""

    def __init__(self, certificate: RTCCertificate | None = None) -> None:
        self.certificate = certificate or Certificate.generateCertificate()
        self.other: End | None = None
        self.wire: Wire = lambda datagram: datagram
        self.sent: list[bytes] = []
        self.rtp: list[RtpPacket] = []
        self.rtcp: list[Any] = []
        self.ended = False
        self.transport = SecureTransport(
            self.certificate,
            send=self.send,
            handle_rtp=lambda packet, arrival: self.rtp.append(packet),
            handle_rtcp=lambda packets, arrival: self.rtcp.extend(packets),
            closed_by_peer=self.end,
        )

    def fingerprint(self, algorithm: str = "sha-256") -> Fingerprint:
        return fingerprint(self.certificate._cert, algorithm)

    def send(self, datagram: bytes) -> None:
        self.sent.append(datagram)
        changed = self.wire(datagram)
        if changed is not None and self.other is not None:
            self.other.transport.receive(changed)

    def end(self) -> None:
        self.ended = True


def join(first: End, second: End) -> None:
    first.other, second.other = second, first


async def shake_hands(
    client: End, server: End, client_expects: Fingerprint, server_expects: Fingerprint
) -> tuple[BaseException | None, BaseException | None]:
    join(client, server)
    async with asyncio.timeout(10):
        first, second = await asyncio.gather(
            client.transport.secure(client_expects, client=True),
            server.transport.secure(server_expects, client=False),
            return_exceptions=True,
        )
    return first, second


async def secured_pair(client: End | None = None, server: End | None = None) -> tuple[End, End]:
    client, server = client or End(), server or End()
    outcomes = await shake_hands(client, server, server.fingerprint(), client.fingerprint())
    assert outcomes == (None, None)
    return client, server


async def stop(*ends: End) -> None:
    for end in ends:
        await end.transport.stop()
    await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


SSRC = 7


def rtp(number: int) -> bytes:
    return RtpPacket(
        payload_type=111, sequence_number=number, timestamp=960 * number, ssrc=SSRC, payload=b"x" * 9
    ).serialize()


@pytest.mark.parametrize("algorithm", FINGERPRINT_OCTETS)
async def test_a_certificate_that_matches_is_accepted_by_any_strong_hash(algorithm: str) -> None:
    client, server = End(), End()
    assert await shake_hands(client, server, server.fingerprint(algorithm), client.fingerprint(algorithm)) == (
        None,
        None,
    )
    assert client.transport.dtls_version == "DTLSv1.2"
    assert client.transport.dtls_cipher.startswith("ECDHE-ECDSA-AES")
    assert client.transport.srtp_profile == server.transport.srtp_profile == "SRTP_AEAD_AES_256_GCM"
    await stop(client, server)


@pytest.mark.parametrize("peer_is_server", [True, False])
async def test_peers_with_an_rsa_certificate_are_accepted_in_both_roles(peer_is_server: bool) -> None:
    peer = End(RsaCertificate.make())
    client, server = await secured_pair(server=peer) if peer_is_server else await secured_pair(client=peer)
    assert ("RSA" in client.transport.dtls_cipher) is peer_is_server
    client.transport.send_rtp(rtp(1))
    server.transport.send_rtp(rtp(2))
    await settle()
    assert [packet.sequence_number for packet in server.rtp + client.rtp] == [1, 2]
    await stop(client, server)


@pytest.mark.parametrize("algorithm", FINGERPRINT_OCTETS)
@pytest.mark.parametrize("checker_is_client", [True, False])
async def test_another_certificate_ends_it_before_any_key_is_made(checker_is_client: bool, algorithm: str) -> None:
    client, server = End(), End()
    wrong = End().fingerprint(algorithm)
    outcomes = await shake_hands(
        client,
        server,
        wrong if checker_is_client else server.fingerprint(),
        client.fingerprint() if checker_is_client else wrong,
    )
    checker, deceived = (client, server) if checker_is_client else (server, client)
    assert isinstance(outcomes[0 if checker_is_client else 1], SecurityRefused)
    assert not checker.transport.secured
    assert checker.transport._tx_srtp is None
    assert checker.transport._rx_srtp is None
    before = len(checker.sent)
    checker.transport.send_rtp(rtp(1))
    checker.transport.send_rtcp(bytes(RtcpRrPacket(ssrc=1)))
    deceived.transport.send_rtp(rtp(2))
    await settle()
    assert len(checker.sent) == before
    assert checker.rtp == deceived.rtp == []
    assert deceived.ended or not deceived.transport.secured
    await stop(client, server)


async def test_no_plain_packet_is_ever_on_the_wire() -> None:
    client, server = await secured_pair()
    block = RtcpReceiverInfo(
        ssrc=7, fraction_lost=0, packets_lost=0, highest_sequence=0x1234, jitter=0x5678, lsr=0, dlsr=0
    )
    client.transport.send_rtp(rtp(1))
    client.transport.send_rtcp(bytes(RtcpRrPacket(ssrc=0x01020304, reports=[block])))
    await settle()
    assert [packet.payload for packet in server.rtp] == [b"x" * 9]
    assert [packet.ssrc for packet in server.rtcp] == [0x01020304]
    assert not any(b"x" * 9 in datagram or bytes(block) in datagram for datagram in client.sent)
    await stop(client, server)


async def test_nothing_is_sent_before_it_is_secured() -> None:
    end = End()
    end.transport.send_rtp(rtp(1))
    end.transport.send_rtcp(bytes(RtcpRrPacket(ssrc=1)))
    assert end.sent == []


async def test_replayed_and_altered_packets_are_ignored() -> None:
    client, server = await secured_pair()
    client.transport.send_rtp(rtp(1))
    client.transport.send_rtcp(bytes(RtcpRrPacket(ssrc=1)))
    await settle()
    protected_rtp, protected_rtcp = client.sent[-2:]
    assert (len(server.rtp), len(server.rtcp)) == (1, 1)
    for datagram in (protected_rtp, protected_rtcp):
        server.transport.receive(datagram)
        server.transport.receive(datagram[:-1] + bytes([datagram[-1] ^ 1]))
        server.transport.receive(datagram[:-16] + bytes(16))
        server.transport.receive(datagram[:12])
        server.transport.receive(datagram[:20] + bytes([datagram[20] ^ 1]) + datagram[21:])
    server.transport.receive(rtp(5))
    await settle()
    assert (len(server.rtp), len(server.rtcp)) == (1, 1)
    client.transport.send_rtp(rtp(2))
    await settle()
    assert [packet.sequence_number for packet in server.rtp] == [1, 2]
    await stop(client, server)


async def test_authenticated_nonsense_does_not_end_the_association(caplog: pytest.LogCaptureFixture) -> None:
    client, server = await secured_pair()
    short_report = b"\x81\xc9\x00\x01" + bytes(4)  # one report block announced, none there
    client.transport.send_rtcp(short_report)
    client.transport.send_rtp(b"\xa0\x6f" + bytes(10) + b"\xff")  # padding longer than the packet
    client.transport.send_rtp(rtp(3))
    await settle()
    assert server.rtcp == []
    assert [packet.sequence_number for packet in server.rtp] == [3]
    assert not caplog.records
    await stop(client, server)


async def test_a_handler_that_fails_does_not_end_the_association(caplog: pytest.LogCaptureFixture) -> None:
    client, server = End(), End()

    def fail(packet: RtpPacket, arrival: float) -> None:
        raise RuntimeError("broken")

    server.transport._handle_rtp = fail
    await secured_pair(client, server)
    client.transport.send_rtp(rtp(1))
    client.transport.send_rtcp(bytes(RtcpRrPacket(ssrc=9)))
    await settle()
    assert [packet.ssrc for packet in server.rtcp] == [9]
    assert "could not be handled" in caplog.text
    await stop(client, server)


async def test_a_packet_is_sent_again_octet_for_octet_while_it_is_kept_and_heard_once() -> None:
    client, server = await secured_pair()
    numbers = [(65_530 + n) % 65_536 for n in range(MAXIMUM_KEPT + 5)]
    for number in numbers:
        client.transport.send_rtp(rtp(number))
    first = client.sent[-len(numbers) :]
    assert not client.transport.resend_rtp(SSRC, numbers[0])
    assert not client.transport.resend_rtp(SSRC, 12_345)
    assert all(client.transport.resend_rtp(SSRC, number) for number in numbers[5:])
    assert client.sent[-MAXIMUM_KEPT:] == first[5:]
    assert len(client.transport._kept[SSRC]) == MAXIMUM_KEPT
    await settle()
    assert [packet.sequence_number for packet in server.rtp] == numbers
    await stop(client, server)
    assert not client.transport.resend_rtp(SSRC, numbers[-1])


async def test_a_packet_that_was_lost_is_heard_when_it_is_sent_again() -> None:
    client, server = await secured_pair()
    client.wire = lambda _: None
    client.transport.send_rtp(rtp(1))
    client.wire = lambda datagram: datagram
    client.transport.send_rtp(rtp(2))
    client.transport.resend_rtp(SSRC, 1)
    await settle()
    assert [packet.sequence_number for packet in server.rtp] == [2, 1]
    await stop(client, server)


async def test_a_second_client_hello_changes_nothing() -> None:
    client, server = await secured_pair()
    server.transport.receive(client.sent[0])
    client.transport.send_rtp(rtp(1))
    await settle()
    assert server.transport.secured
    assert len(server.rtp) == 1
    await stop(client, server)


async def test_a_lost_flight_is_sent_again() -> None:
    client, server = End(), End()
    dropped: list[bytes] = []

    def drop_first(datagram: bytes) -> bytes | None:
        if dropped:
            return datagram
        dropped.append(datagram)
        return None

    client.wire = drop_first
    await secured_pair(client, server)
    await stop(client, server)


async def test_a_peer_without_a_common_cipher_is_a_failure_of_media() -> None:
    class OldCertificate(Certificate):
        def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
            context = super()._create_ssl_context(srtp_profiles)
            context.set_cipher_list(b"ECDHE-ECDSA-AES128-SHA")
            return context

    client, server = End(OldCertificate.generateCertificate()), End()
    outcomes = await shake_hands(client, server, server.fingerprint(), client.fingerprint())
    assert [type(outcome) for outcome in outcomes] == [MediaFailed, MediaFailed]
    await stop(client, server)


async def test_the_end_is_told_to_the_peer_only() -> None:
    client, server = await secured_pair()
    await client.transport.stop()
    await settle()
    assert (client.ended, server.ended) == (False, True)
    await stop(client, server)


async def test_what_waits_is_bounded() -> None:
    end = End()
    for _ in range(10_000):
        end.transport.receive(bytes(1400))
    assert end.transport._path._queue.qsize() == 1024
