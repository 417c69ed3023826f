"""A media engine that only remembers what was asked of it, and says what the test has it say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

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
from openvoice.core.inputs import MediaFlowing, MediaInput, MediaSecured
from openvoice.core.security import MediaFacts
from openvoice.core.statistics import CallStatistics
from openvoice.core.types import Role, VideoLabel
from openvoice.ports import MediaSettings


class FakeMediaSession:
    """Media that consist of a description and a list of what was asked of them."""

    def __init__(self, settings: MediaSettings, notify: Callable[[MediaInput], None]) -> None:
        self.settings = settings
        self.notify = notify
        """What the test has the media say."""
        self.commands: list[tuple[object, ...]] = []
        self.measured = CallStatistics()
        self.closed = False

    async def open(
        self, role: Role, offer: SessionDescription | None, gather_fully: bool = False, video: bool = False
    ) -> SessionDescription:
        self.commands.append(("open", role, offer))
        made = description(Setup.ACTPASS if offer is None else Setup.ACTIVE)
        offered = offer.contents[1:] if offer is not None else (video_content("1"),) if video else ()
        bundle = tuple(content.name for content in (*made.contents, *offered)) if offered else ()
        return replace(made, contents=(*made.contents, *offered), bundle=bundle if offer is None else offer.bundle)

    async def propose_content(self, name: str, label: VideoLabel) -> Content:
        self.commands.append(("propose_content", name, label))
        return video_content(name)

    async def answer_contents(self, contents: Sequence[Content], bundle: Sequence[str]) -> Sequence[Content]:
        self.commands.append(("answer_contents", tuple(contents), tuple(bundle)))
        return tuple(replace(video_content(content.name), senders=content.senders) for content in contents)

    async def settle(self, local: SessionDescription, remote: SessionDescription) -> None:
        self.commands.append(("settle", local, remote))

    async def show(self, label: VideoLabel, content: str | None) -> None:
        self.commands.append(("show", label, content))

    async def apply_answer(self, answer: SessionDescription) -> None:
        self.commands.append(("apply_answer", answer))

    async def add_candidates(self, content: str, candidates: Sequence[Candidate]) -> None:
        self.commands.append(("add_candidates", content, tuple(candidates)))

    async def open_gate(self) -> None:
        self.commands.append(("open_gate",))

    async def restart(self, remote: Sequence[tuple[str, str, str]]) -> Sequence[tuple[str, str, str]]:
        self.commands.append(("restart", tuple(remote)))
        return (("0", "next", "next-ice-password-of-24-"),)

    async def apply_restart(self, credentials: Sequence[tuple[str, str, str]]) -> None:
        self.commands.append(("apply_restart", tuple(credentials)))

    def network_changed(self) -> None:
        self.commands.append(("network_changed",))

    async def set_peer_muted(self, content: str, muted: bool) -> None:
        self.commands.append(("set_peer_muted", content, muted))

    async def set_muted(self, muted: bool) -> None:
        self.commands.append(("set_muted", muted))

    async def set_held(self, held: bool) -> None:
        self.commands.append(("set_held", held))

    async def play_digits(self, digits: str) -> None:
        self.commands.append(("play_digits", digits))

    def statistics(self) -> CallStatistics:
        return self.measured

    async def close(self) -> None:
        self.closed = True

    def connect(self) -> None:
        """Say what media say when all went well."""
        self.notify(MediaSecured(facts()))
        self.notify(MediaFlowing())


@dataclass(slots=True)
class FakeMediaEngine:
    """Makes :class:`FakeMediaSession` objects and keeps them for the test to look at."""

    sessions: list[FakeMediaSession] = field(default_factory=list)
    closed: bool = False

    def session(self, settings: MediaSettings, notify: Callable[[MediaInput], None]) -> FakeMediaSession:
        self.sessions.append(FakeMediaSession(settings, notify))
        return self.sessions[-1]

    async def close(self) -> None:
        self.closed = True


def description(setup: Setup = Setup.ACTPASS, digest: bytes = bytes(32)) -> SessionDescription:
    """A valid offer or answer of one audio content, Opus, without candidates."""
    opus = Codec(payload_type=111, name="opus", clock_rate=48_000, channels=2)
    audio = Content(name="0", media=Media.AUDIO, codecs=(opus,), transport=_transport(setup, digest))
    return SessionDescription(contents=(audio,))


def video_content(name: str, setup: Setup = Setup.ACTPASS, digest: bytes = bytes(32), **changes: Any) -> Content:
    """A valid content with pictures, VP8, without candidates; ``changes`` are other values of its fields."""
    vp8 = Codec(payload_type=96, name="VP8", clock_rate=90_000)
    made = Content(name=name, media=Media.VIDEO, codecs=(vp8,), transport=_transport(setup, digest))
    return replace(made, **changes)


def _transport(setup: Setup, digest: bytes) -> TransportDescription:
    return TransportDescription(
        ufrag="fake",
        pwd="fake-ice-password-of-24-",  # noqa: S106 - protects nothing
        fingerprint=Fingerprint("sha-256", digest),
        setup=setup,
    )


def facts() -> MediaFacts:
    """How well-protected media look."""
    return MediaFacts(
        dtls_version="DTLS 1.2",
        dtls_cipher="ECDHE-ECDSA-AES128-GCM-SHA256",
        srtp_profile="SRTP_AEAD_AES_128_GCM",
        local_fingerprint=Fingerprint("sha-256", bytes(32)),
        remote_fingerprint=Fingerprint("sha-256", bytes([255] * 32)),
        local_candidate=CandidateType.HOST,
        remote_candidate=CandidateType.HOST,
        relayed=False,
        local_address="127.0.0.1",
        remote_address="127.0.0.1",
    )
