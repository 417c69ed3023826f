"""The media of calls: what is agreed on with the peer, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from openvoice.core.bandwidth import DEFAULT_BANDWIDTH
from openvoice.core.description import Candidate, SessionDescription
from openvoice.core.inputs import MediaInput
from openvoice.core.statistics import CallStatistics
from openvoice.core.types import Role
from openvoice.ports.sound import AudioInput, AudioOutput


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
    bandwidth: float = DEFAULT_BANDWIDTH
    """kbit/s that the voice may take on the wire, with all headers."""
    ca_file: Path | None = None
    """Authorities (PEM) that TURN servers over TLS may have their certificates from, besides the system's."""


class MediaSession(Protocol):
    """The media of one call. What it has to say comes through the ``notify`` it was made with."""

    async def open(
        self, role: Role, offer: SessionDescription | None, gather_fully: bool = False
    ) -> SessionDescription:
        """Make the local offer, or the answer to ``offer``, and begin to gather candidates.

        With ``gather_fully`` it returns when all candidates are in the description, two seconds later at most.

        Raises:
            MediaFailed: no codec, no transport or no local network in common.
        """
        ...

    async def apply_answer(self, answer: SessionDescription) -> None:
        """Raises :class:`~openvoice.errors.MediaFailed` or ``SecurityRefused``."""
        ...

    async def add_candidates(self, content: str, candidates: Sequence[Candidate]) -> None: ...

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

    async def set_muted(self, muted: bool) -> None: ...

    async def set_held(self, held: bool) -> None: ...

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
