"""The media of calls: what is agreed on with the peer, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from openvoice.core.bandwidth import DEFAULT_BANDWIDTH
from openvoice.core.description import Candidate, Content, SessionDescription
from openvoice.core.inputs import MediaInput
from openvoice.core.statistics import CallStatistics
from openvoice.core.types import Role, VideoLabel
from openvoice.errors import VideoFailed
from openvoice.ports.pictures import PictureFormat, VideoInput, VideoOutput
from openvoice.ports.sound import AudioInput, AudioOutput


def no_video_input(label: VideoLabel) -> VideoInput:
    """Of a program that has nothing to show."""
    raise VideoFailed(f"there is no {label} to show pictures from")


def no_video_output(_: VideoLabel) -> VideoOutput | None:
    """Of a program that shows no pictures."""
    return None


@dataclass(frozen=True, slots=True)
class RelayServer:
    """A STUN or TURN server as the own server names it (XEP-0215).

    ``kind`` is ``stun`` or ``turn``, ``transport`` ``udp``, ``tcp`` or ``tls``.
    """

    kind: str
    host: str
    port: int
    transport: str = "udp"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    expires: float | None = None
    """Unix time in seconds after which the password is void."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaSettings:
    """How the media of one call are to be."""

    relays: tuple[RelayServer, ...] = ()
    relay_only: bool = False
    input: Callable[[], AudioInput]
    """Makes the microphone (or file ...) when the gate opens, never earlier."""
    output: Callable[[], AudioOutput]
    interfaces: tuple[str, ...] = ()
    """Local addresses to use; empty means all but loopback. Tests and the demo say ``127.0.0.1``."""
    interface_of: Callable[[str], str] = lambda _: ""
    """As :meth:`NetworkWatch.interface_of`."""
    video_input: Callable[[VideoLabel], VideoInput] = no_video_input
    """Makes the camera (screen, file ...) when it is to be shown and the gate is open, never earlier. Raises
    ``VideoFailed`` if there is none. Like all factories here it is called where the media live."""
    video_output: Callable[[VideoLabel], VideoOutput | None] = no_video_output
    """Makes where the peer's camera (screen) goes, when its first picture comes; ``None`` if nobody wants to see it:
    then it is received without being decoded, and this is called again with the next one."""
    video_format: PictureFormat = field(default_factory=PictureFormat)
    """What pictures of this side are at most. The path to the peer and the machine may make them smaller."""
    screen_format: PictureFormat = field(default_factory=lambda: PictureFormat(width=1920, height=1080, rate=10.0))
    """The same for a screen: what is written there must be read, and moves little."""
    bandwidth: float = DEFAULT_BANDWIDTH
    """kbit/s that the voice may take on the wire, with all headers."""
    ca_file: Path | None = None
    """Authorities (PEM) that TURN servers over TLS may have their certificates from, besides the system's."""

    def format_of(self, label: VideoLabel) -> PictureFormat:
        """What pictures with this label are at most."""
        return self.screen_format if label is VideoLabel.SCREEN else self.video_format


class MediaSession(Protocol):
    """The media of one call. What it has to say comes through the ``notify`` it was made with."""

    async def open(
        self, role: Role, offer: SessionDescription | None, gather_fully: bool = False, video: bool = False
    ) -> SessionDescription:
        """Make the local offer, or the answer to ``offer``, and begin to gather candidates.

        With ``gather_fully`` it returns when all candidates are in the description, two seconds later at most. With
        ``video`` an offer has a second content for pictures, and an answer lets both sides send in those that were
        offered; without it, only the peer does.

        Raises:
            MediaFailed: no codec, no transport or no local network in common.
        """
        ...

    async def apply_answer(self, answer: SessionDescription) -> None:
        """Raises :class:`~openvoice.errors.MediaFailed` or ``SecurityRefused``."""
        ...

    async def add_candidates(self, content: str, candidates: Sequence[Candidate]) -> None: ...

    async def propose_content(self, name: str, label: VideoLabel) -> Content:
        """Make a content with pictures to be added to the session: our half, to be offered.

        It shares the transport of the voice if the voice is in the bundle of both sides, and then repeats its
        description without candidates; otherwise it gets a transport of its own, whose further candidates come by
        ``LocalCandidates`` under ``name``. Nothing flows until :meth:`settle`.

        Raises:
            VideoFailed: there is no transport for it, or no number left for its payload types.
            InvalidState: there is no agreed session, or it has a content of that name.
        """
        ...

    async def answer_contents(self, contents: Sequence[Content], bundle: Sequence[str]) -> Sequence[Content]:
        """Our halves of contents that the peer adds, in their order; ``bundle`` is the group that the peer names.

        A content that cannot be taken is left out: no codec in common, numbers that clash with those of its bundle, a
        transport that cannot be secured. All senders are as the peer has them. Nothing flows until :meth:`settle`.
        """
        ...

    async def settle(self, local: SessionDescription, remote: SessionDescription) -> None:
        """Make the session what both sides agreed on last: the whole descriptions, with the same contents.

        What is new begins, what changed its senders follows, and what is gone is closed; so is a proposal or an answer
        that is not in ``local``. The voice and its transport are never touched. A content that cannot begin, or whose
        transport fails later, is closed alone, and ``ContentsFailed`` names it.
        """
        ...

    async def show(self, label: VideoLabel, content: str | None) -> None:
        """Send what ``video_input(label)`` gives in ``content``, or let the device of ``label`` go.

        It may be said at any time: the device is made when the gate is open and the content is agreed on, and let go
        when the content goes. What else was shown in that content is let go. A device that fails is told by
        ``VideoReported``; it never raises.
        """
        ...

    async def open_gate(self) -> None:
        """Make and start the audio input and output. Nothing of the user's is captured before."""
        ...

    async def restart(self, remote: Sequence[tuple[str, str, str]]) -> Sequence[tuple[str, str, str]]:
        """New ICE credentials of this side, (content, ufrag, pwd); ``remote`` are the peer's if it began."""
        ...

    async def apply_restart(self, credentials: Sequence[tuple[str, str, str]]) -> None: ...

    def network_changed(self) -> None:
        """The ways of this device into the network changed. Never waits, never raises."""
        ...

    async def set_peer_muted(self, content: str, muted: bool) -> None:
        """The peer says that it shows nothing in the content, or something again: no pictures are no freeze then."""
        ...

    async def set_muted(self, muted: bool) -> None: ...

    async def set_held(self, held: bool) -> None:
        """Neither send nor play, sound and pictures. The devices of what is shown are let go meanwhile."""
        ...

    async def play_digits(self, digits: str) -> None: ...

    def statistics(self) -> CallStatistics: ...

    async def close(self) -> None:
        """Send what RTCP owes, stop, and let every socket and device go. Never raises; twice is once."""
        ...


class MediaEngine(Protocol):
    """Makes media sessions."""

    def session(self, settings: MediaSettings, notify: Callable[[MediaInput], None]) -> MediaSession:
        """``notify`` is called on the event loop of the caller."""
        ...

    async def close(self) -> None: ...
