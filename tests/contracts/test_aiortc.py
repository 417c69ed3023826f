"""The private names of aiortc that ``openvoice.media`` leans on. If one fails after an upgrade, read its user first."""

from __future__ import annotations

import inspect
from importlib.metadata import version

import pytest
from aiortc import RTCCertificate, RTCDtlsTransport, rtcdtlstransport
from aiortc.rtcdtlstransport import State
from aiortc.rtp import RtcpByePacket, RtcpPacket, RtcpRrPacket, RtpPacket, is_rtcp


def parameters(function: object) -> list[str]:
    assert callable(function)
    return list(inspect.signature(function).parameters)


def test_the_version_is_the_one_that_was_read() -> None:
    assert version("aiortc") == "1.16.0"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("_handle_rtcp_data", ["self", "data"]),
        ("_handle_rtp_data", ["self", "data", "arrival_time_ms"]),
        ("_set_role", ["self", "role"]),
        ("_set_state", ["self", "state"]),
        ("_validate_peer_identity", ["self", "remoteParameters"]),
        ("_write_ssl", ["self"]),
        ("start", ["self", "remoteParameters"]),
        ("stop", ["self"]),
    ],
)
def test_methods_that_are_called_or_overridden(name: str, arguments: list[str]) -> None:
    assert parameters(getattr(RTCDtlsTransport, name)) == arguments


def test_the_identity_is_checked_before_any_key_is_made() -> None:
    source = inspect.getsource(RTCDtlsTransport.start)
    check, failed, keys = (
        source.index(text) for text in ("_validate_peer_identity", "State.FAILED", "self._setup_srtp()")
    )
    failed = source.index("State.FAILED", check)
    assert check < failed < keys


def test_the_states() -> None:
    assert [state.name for state in State] == ["NEW", "CONNECTING", "CONNECTED", "CLOSED", "FAILED"]


def test_only_what_we_want_protects_the_media() -> None:
    profiles = [profile.openssl_profile for profile in rtcdtlstransport.SRTP_PROFILES]
    assert profiles == [b"SRTP_AEAD_AES_256_GCM", b"SRTP_AEAD_AES_128_GCM", b"SRTP_AES128_CM_SHA1_80"]


def test_a_certificate_makes_its_own_context() -> None:
    assert parameters(RTCCertificate._create_ssl_context) == ["self", "srtp_profiles"]
    certificate = RTCCertificate.generateCertificate()
    assert certificate._cert.public_key() == certificate._key.public_key()


def test_a_replay_is_recognised_far_back() -> None:
    assert "rx_policy.window_size = 1024" in inspect.getsource(RTCDtlsTransport._setup_srtp)


def test_packets() -> None:
    goodbye = bytes(RtcpRrPacket(ssrc=1)) + bytes(RtcpByePacket(sources=[1]))
    assert is_rtcp(goodbye)
    assert [type(packet) for packet in RtcpPacket.parse(goodbye)] == [RtcpRrPacket, RtcpByePacket]
    packet = RtpPacket(payload_type=111, ssrc=1, payload=b"sound").serialize()
    assert not is_rtcp(packet)
    assert RtpPacket.parse(packet).payload == b"sound"
