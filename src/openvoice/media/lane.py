"""What the contents of one transport share: the gate, the path they send on, and who gets what comes."""

from __future__ import annotations

from collections.abc import Sequence

from aiortc.rtp import RtpPacket

from openvoice.core.description import Content, Media
from openvoice.media import plan
from openvoice.media.demultiplexing import Demultiplexer
from openvoice.media.feedback.path import PathFeedback, make_path_feedback
from openvoice.media.path.sending import SendingPath
from openvoice.media.transport import MediaTransport

_STRENGTH = ("SRTP_AES128_CM_SHA1_32", "SRTP_AES128_CM_SHA1_80", "SRTP_AEAD_AES_128_GCM", "SRTP_AEAD_AES_256_GCM")
"""The profiles of RFC 5764 and RFC 7714, the weakest first."""


class Lane:
    """Of one transport. Nothing of the user's leaves by it before ``gate_open``."""

    def __init__(self, transport: MediaTransport) -> None:
        self.transport = transport
        self.path = SendingPath(self._transmit)
        self._demultiplexer = Demultiplexer()
        self._feedback: PathFeedback | None = None
        self._contents: tuple[tuple[Content, Content], ...] = ()

    @property
    def gate_open(self) -> bool:
        return self.transport.gate_open

    @gate_open.setter
    def gate_open(self, is_open: bool) -> None:
        self.transport.gate_open = is_open

    @property
    def empty(self) -> bool:
        """Whether there is no content on it (any more)."""
        return not self._contents

    def agree(self, contents: Sequence[tuple[Content, Content]]) -> None:
        """These are its contents from now on: of each our half, and the peer's."""
        if tuple(contents) == self._contents:
            return
        self._contents = tuple(contents)
        self._demultiplexer.agree(contents)
        ours = [content for content, _ in contents]
        # Both sides of a bundle number them alike (RFC 8285, 5): the answer says which of the offer are in use.
        self.transport.secure.extensions.agree(each for content in ours for each in content.header_extensions)
        self._close_feedback()
        pictures = next((content for content in ours if content.media is Media.VIDEO), None)
        if pictures is not None and pictures.source is not None:
            agreed = [plan.agreed(*pair) for pair in contents]
            self._feedback = make_path_feedback(agreed, pictures.source, self.transport.send_rtcp)

    def receive(self, packet: RtpPacket, arrival: float) -> str | None:
        """See an authenticated packet: the name of the content that it is for, if there is one."""
        if self._feedback is not None:
            self._feedback.handle_rtp(packet, arrival)
        return self._demultiplexer.route(packet.ssrc, packet.payload_type, packet.extensions.mid)

    def protects_like(self, other: Lane) -> bool:
        """Whether what protects this one is as strong as that of ``other``; both are secured."""
        mine, theirs = self.transport, other.transport
        return (
            mine.remote_fingerprint.vouching >= theirs.remote_fingerprint.vouching
            and mine.secure.dtls_version >= theirs.secure.dtls_version
            and _strength(mine.secure.srtp_profile) >= _strength(theirs.secure.srtp_profile)
        )

    def close(self) -> None:
        """Stop every timer. Twice is once."""
        self._close_feedback()
        self.path.close()

    def _transmit(self, packet: bytes) -> None:
        if self.gate_open:
            self.transport.send_rtp(packet)

    def _close_feedback(self) -> None:
        if self._feedback is not None:
            self._feedback.close()
            self._feedback = None


def _strength(profile: str) -> int:
    return _STRENGTH.index(profile) if profile in _STRENGTH else -1
