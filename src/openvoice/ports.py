"""What the conductor (``client``) asks of the world, each port as small as it can be.

Adapters implement these and never import each other. Fakes for all of them ship in :mod:`openvoice.testing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from openvoice.core.address import Address
from openvoice.core.bandwidth import DEFAULT_BANDWIDTH
from openvoice.core.description import Candidate, SessionDescription
from openvoice.core.effects import SignallingEffect
from openvoice.core.inputs import DeviceChanged, Invitation, MediaInput, PeerInput
from openvoice.core.security import SignallingFacts
from openvoice.core.statistics import CallStatistics
from openvoice.core.trust import DeviceKey, Trust
from openvoice.core.types import CallId, Role

SAMPLE_RATE = 48_000
"""Hz, of all sound inside openvoice."""
FRAME_SAMPLES = 960
"""Samples of one frame: 20 ms."""
FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE

Frame = npt.NDArray[np.int16]
"""20 ms of sound: shape ``(960,)``, ``int16``, mono, 48 kHz."""


class AudioSource(Protocol):
    """Sound to send, at the caller's pace. The simplest thing a script can write."""

    def read(self) -> Frame | None:
        """The next 20 ms, or ``None`` when the sound is over. Called 50 times a second while the call is active."""
        ...

    def close(self) -> None: ...


class AudioSink(Protocol):
    """Somewhere for received sound to go, at the caller's pace."""

    def write(self, frame: Frame) -> None:
        """Take 20 ms. Called 50 times a second while the call is active."""
        ...

    def close(self) -> None: ...


class AudioInput(Protocol):
    """Sound to send, at its own pace: a microphone has a clock of its own."""

    def start(self, deliver: Callable[[Frame | None], None], report: Callable[[DeviceChanged], None]) -> None:
        """Begin to call ``deliver`` with each frame, on the event loop that runs now; ``None`` says that it is over.

        ``report`` is told of a device that is missing, vanished, was replaced or came back; it is no reason to stop.
        """
        ...

    def stop(self) -> None:
        """Let the device go. Nothing is delivered after this returns."""
        ...


class AudioOutput(Protocol):
    """Received sound, pulled at the pace of the device that plays it."""

    def start(self, request: Callable[[], Frame], report: Callable[[DeviceChanged], None]) -> None:
        """Begin to call ``request`` for each frame to play, on the event loop that runs now."""
        ...

    def stop(self) -> None:
        """Play what was taken already, then let the device go. Nothing is requested after this returns."""
        ...


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


@dataclass(frozen=True, kw_only=True, slots=True)
class IncomingCall:
    """Somebody wants to call: what the policy decides about."""

    call: CallId
    peer: Address
    media: frozenset[str]
    age: float = 0.0
    """Seconds since it was sent; a server may have kept it."""


class SignallingListener(Protocol):
    """Who is told what the signalling heard."""

    def call_incoming(self, incoming: IncomingCall, first: PeerInput) -> None:
        """A call that the policy lets ring; ``first`` is its first input."""
        ...

    def call_input(self, call: CallId, message: PeerInput) -> None: ...

    def call_missed(self, incoming: IncomingCall, outcome: str) -> None:
        """A call that never rang here: ``missed``, ``busy``, ``answered-elsewhere`` or ``declined-elsewhere``."""
        ...

    def connection_changed(self, online: bool, reason: str) -> None: ...


class Signalling(Protocol):
    """One account's connection."""

    @property
    def address(self) -> Address:
        """The full JID once online, the bare one before."""
        ...

    @property
    def facts(self) -> SignallingFacts | None: ...

    async def open(self) -> None:
        """Log in. Raises a :class:`~openvoice.errors.ConnectionFailed`."""
        ...

    async def close(self) -> None:
        """Send what waits, say goodbye, let go; within two seconds."""
        ...

    async def invitation(self, peer: Address) -> tuple[Address, Invitation]:
        """Whom to call, and how (XEP-0353 or directly), by what its devices say they can.

        Raises:
            PeerUnavailable: none of the devices that are online can be called.
        """
        ...

    def begin(self, call: CallId, peer: Address, media: frozenset[str]) -> None:
        """Make an outgoing call known, before its first effect."""
        ...

    async def perform(self, call: CallId, effect: SignallingEffect) -> None: ...

    async def relays(self) -> tuple[RelayServer, ...]:
        """What the own server offers (XEP-0215); empty when it offers nothing."""
        ...

    def in_roster(self, peer: Address) -> bool: ...

    def network_changed(self) -> None:
        """The ways of this device into the network changed: see at once whether the server is still there."""
        ...


class NetworkWatch(Protocol):
    """Tells when the ways of this device into the network changed, by the callback that it was made with."""

    def start(self) -> None:
        """Begin, on the event loop that runs now, which is where the callback is called."""
        ...

    def interface_of(self, address: str) -> str:
        """The interface that a socket with a local address is kept on, so that its packets go on leaving there when
        the system finds a better way. Empty where they must go the way of the system: a VPN, say."""
        ...

    def close(self) -> None:
        """Let everything go. Never raises; twice is once."""
        ...


class CallStore(Protocol):
    """The history of calls."""

    def add(self, record: dict[str, Any]) -> None: ...

    def list(self, limit: int) -> list[dict[str, Any]]: ...

    def last_online(self, account: str) -> float | None:
        """Unix time until which ``account`` was online here; ``None`` if it never was, as far as is known."""
        ...

    def note_online(self, account: str, time: float) -> None: ...

    def close(self) -> None: ...


class RecordingSink(Protocol):
    """A recording that is being made."""

    @property
    def id(self) -> str: ...

    def write(self, sent: Frame, received: Frame) -> None:
        """Take 20 ms of both sides, in the thread of the media. Never waits.

        Raises:
            AudioFileError: once, when it ends before its time.
        """
        ...

    def close(self) -> None: ...


class RecordingStore(Protocol):
    """Where recordings are kept."""

    def begin(self, about: Mapping[str, Any]) -> RecordingSink:
        """Begin one. ``about`` says of what: ``call``, ``account``, ``peer``, ``direction``, ``time``."""
        ...


OMEMO_SECRETS = "omemo/"
"""What the names of all secrets begin with that a copy must not go on with: the own OMEMO keys and the ratchets."""


class SecretStore(Protocol):
    """Small secrets by name, encrypted at rest. Other processes of the same user may share it."""

    def read(self, name: str) -> bytes | None: ...

    def write(self, name: str, value: bytes) -> None:
        """Keep ``value``, in place of what had that name. Outside of a transaction it is durable when this returns."""
        ...

    def remove(self, name: str) -> None:
        """Forget it. Nothing happens if it is not there."""
        ...

    def names(self, prefix: str) -> list[str]:
        """The names that begin with ``prefix``, sorted."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All that is written inside becomes durable at once, or, if it raises, nothing of it.

        Other writers wait meanwhile, those of other processes too: nothing inside may wait for a network.
        """
        ...


class TrustStore(Protocol):
    """What is thought of the OMEMO keys of others, and of the own other devices, for one account."""

    def owners(self) -> tuple[Address, ...]:
        """Everybody whose keys were seen, by bare address, sorted."""
        ...

    def keys(self, owner: Address) -> tuple[DeviceKey, ...]:
        """The keys of ``owner`` that were seen, the first first."""
        ...

    def meet(self, owner: Address, device: int, key: bytes, now: float) -> DeviceKey:
        """What is thought of this key; at its first sight, decide by :func:`~openvoice.core.trust.first_sight`."""
        ...

    def decide(self, owner: Address, key: bytes, trust: Trust) -> DeviceKey:
        """Note what the user thinks of a key that was seen.

        Raises:
            KeyError: it was not.
            SecurityRefused: it was verified to be somebody else's.
        """
        ...


@dataclass(frozen=True, slots=True)
class KeyStore:
    """What OMEMO keeps for one account: its own keys and ratchets, and what is thought of others' keys."""

    secrets: SecretStore
    trust: TrustStore
