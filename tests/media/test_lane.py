"""What the contents of one transport share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import cast

import pytest
from aiortc.rtp import RtpPacket

from openvoice.core.description import Codec, Content, Feedback, HeaderExtension, Source
from openvoice.core.types import Vouching
from openvoice.media.extensions import ExtensionReader
from openvoice.media.feedback.path import EstimateFeedback, TransportFeedback
from openvoice.media.lane import Lane
from openvoice.media.transport import MediaTransport
from openvoice.media.video.negotiation import MID, REMB, TRANSPORT_CC, TRANSPORT_WIDE
from openvoice.testing.fakes import description, video_content

GCM_256, SHA1_80 = "SRTP_AEAD_AES_256_GCM", "SRTP_AES128_CM_SHA1_80"


@dataclass
class Wire:
    """As much of a transport as a lane needs."""

    dtls: str = "DTLSv1.2"
    srtp: str = GCM_256
    vouching: Vouching = Vouching.SIGNALLED
    gate_open: bool = False
    sent: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.secure = SimpleNamespace(dtls_version=self.dtls, srtp_profile=self.srtp, extensions=ExtensionReader())
        self.remote_fingerprint = SimpleNamespace(vouching=self.vouching)
        self.send_rtp = self.send_rtcp = self.sent.append


def lane(**wire: object) -> Lane:
    return Lane(cast("MediaTransport", Wire(**wire)))  # type: ignore[arg-type]


def pictures(*feedback: Feedback, extensions: tuple[HeaderExtension, ...] = ()) -> Content:
    vp8 = Codec(payload_type=96, name="VP8", clock_rate=90_000, feedback=feedback)
    return video_content("1", codecs=(vp8,), header_extensions=extensions, source=Source(1, "me"))


@pytest.mark.parametrize(
    ("other", "as_good"),
    [
        ({}, True),
        ({"srtp": SHA1_80}, False),
        ({"srtp": "SRTP_NULL_SHA1_80"}, False),
        ({"dtls": "DTLSv1"}, False),
        ({"vouching": Vouching.NONE}, False),
        ({"vouching": Vouching.OMEMO_VERIFIED}, True),
    ],
)
async def test_whoever_is_protected_as_well_is_as_good(other: dict[str, object], as_good: bool) -> None:
    assert lane(**other).protects_like(lane()) is as_good


async def test_nothing_leaves_before_the_gate_is_open() -> None:
    made = lane()
    made.path.send_voice(RtpPacket(payload=b"early").serialize())
    sent = cast("Wire", made.transport).sent
    assert sent == []
    made.gate_open = True
    made.path.send_voice(RtpPacket(payload=b"now").serialize())
    assert len(sent) == 1
    made.close()


async def test_feedback_about_the_path_is_what_both_agreed_on() -> None:
    number = HeaderExtension(3, TRANSPORT_WIDE)
    both = pictures(REMB, TRANSPORT_CC, extensions=(number,))
    for theirs, kind in (
        (both, TransportFeedback),
        (pictures(REMB, TRANSPORT_CC), EstimateFeedback),
        (pictures(REMB, extensions=(number,)), EstimateFeedback),
        (pictures(), type(None)),
    ):
        made = lane()
        made.agree([(both, theirs)])
        assert type(made._feedback) is kind
        made.close()
    voice = replace(description().contents[0], source=Source(2, "me"))
    made = lane()
    made.agree([(voice, voice)])
    assert made._feedback is None
    made.close()


async def test_packets_are_given_to_their_contents_and_contents_may_go() -> None:
    voice = replace(description().contents[0], source=Source(2, "me"))
    shown = pictures(extensions=(HeaderExtension(4, MID),))
    made = lane()
    made.agree([(voice, voice), (shown, shown)])
    assert made.receive(RtpPacket(ssrc=9, payload_type=96), 0.0) == "1"
    assert made.receive(RtpPacket(ssrc=8, payload_type=111), 0.0) == "0"
    named = RtpPacket(ssrc=7, payload_type=111)
    named.extensions.mid = "1"
    assert made.receive(named, 0.0) == "1"
    made.agree([(voice, voice)])
    assert made.receive(RtpPacket(ssrc=9, payload_type=96), 0.0) == "0"
    assert not made.empty
    made.agree([])
    assert made.empty
    made.close()
