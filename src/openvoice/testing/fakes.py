"""Small stand-ins for every port, for tests of whatever is built on them. They remember what they were told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from openvoice import MemorySecrets as MemorySecrets
from openvoice.core.address import Address
from openvoice.core.effects import (
    Information,
    SendAnswer,
    SendCandidates,
    SendContentAccept,
    SendContentAdd,
    SendContentModify,
    SendContentReject,
    SendContentRemove,
    SendEnd,
    SendInformation,
    SendOffer,
    SendProceed,
    SendProposal,
    SendRenewal,
    SendRestart,
    SendRinging,
    SignallingEffect,
)
from openvoice.core.inputs import (
    AnswerReceived,
    CandidatesReceived,
    ContentsAccepted,
    ContentsAdded,
    ContentsModified,
    ContentsRejected,
    ContentsRemoved,
    DeviceChanged,
    Ended,
    Invitation,
    OfferReceived,
    PeerHeld,
    PeerInput,
    PeerMigrated,
    PeerMuted,
    PeerProceeded,
    PeerProposed,
    PeerRinging,
    RestartReceived,
    WordsReceived,
)
from openvoice.core.security import SignallingFacts
from openvoice.core.types import CallId
from openvoice.core.words import WordsMessage
from openvoice.errors import PeerUnavailable
from openvoice.ports import FRAME_SAMPLES, Frame, IncomingCall, RelayServer, SignallingListener
from openvoice.testing.fake_media import FakeMediaEngine as FakeMediaEngine
from openvoice.testing.fake_media import FakeMediaSession as FakeMediaSession
from openvoice.testing.fake_media import description as description
from openvoice.testing.fake_media import facts as facts
from openvoice.testing.fake_media import video_content as video_content

# --- sound ------------------------------------------------------------------------------------------------------------


class ScriptedSource:
    """A source of the frames it was given; then it is over."""

    def __init__(self, frames: Iterable[Frame] = ()) -> None:
        self._frames = iter(frames)
        self.closed = False

    def read(self) -> Frame | None:
        return next(self._frames, None)

    def close(self) -> None:
        self.closed = True


class RecordingSink:
    """A sink that keeps what it hears."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []
        self.closed = False

    def write(self, frame: Frame) -> None:
        self.frames.append(frame.copy())

    def close(self) -> None:
        self.closed = True

    @property
    def sound(self) -> Frame:
        """All of it, one after the other."""
        return np.concatenate(self.frames) if self.frames else np.zeros(0, np.int16)


class ManualInput:
    """A microphone that hears what the test says, when it says it."""

    def __init__(self) -> None:
        self.deliver: Callable[[Frame | None], None] | None = None
        self.report: Callable[[DeviceChanged], None] | None = None

    def start(self, deliver: Callable[[Frame | None], None], report: Callable[[DeviceChanged], None]) -> None:
        self.deliver, self.report = deliver, report

    def stop(self) -> None:
        self.deliver = self.report = None


class ManualOutput:
    """A loudspeaker that plays when the test says so, by calling ``request``."""

    def __init__(self) -> None:
        self.request: Callable[[], Frame] | None = None
        self.report: Callable[[DeviceChanged], None] | None = None

    def start(self, request: Callable[[], Frame], report: Callable[[DeviceChanged], None]) -> None:
        self.request, self.report = request, report

    def stop(self) -> None:
        self.request = self.report = None


def tone(hertz: float = 440.0, frames: int = 50, amplitude: float = 0.5) -> list[Frame]:
    """A sine as frames, for sources; ``amplitude`` of full scale."""
    time = np.arange(frames * FRAME_SAMPLES) / 48_000
    samples = (amplitude * 32_767 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)
    return list(samples.reshape(frames, FRAME_SAMPLES))


# --- signalling -------------------------------------------------------------------------------------------------------


class FakeSignalling:
    """Signalling without a network. Two of them can be wired: what one performs, the other hears at once."""

    def __init__(self, address: Address, listener: SignallingListener | None = None) -> None:
        self._address = address
        self.listener = listener
        self.facts: SignallingFacts | None = None
        self.services: tuple[RelayServer, ...] = ()
        self.roster: set[Address] = set()
        self.performed: list[tuple[CallId, SignallingEffect]] = []
        self.online = False
        self.network_changes = 0
        self._peer: FakeSignalling | None = None
        self._media: dict[CallId, frozenset[str]] = {}

    @property
    def address(self) -> Address:
        return self._address if self.online else self._address.bare

    def wire(self, peer: FakeSignalling) -> None:
        """Let the two hear each other."""
        self._peer, peer._peer = peer, self

    async def open(self) -> None:
        self.online = True

    async def close(self) -> None:
        self.online = False

    async def invitation(self, peer: Address, *, video: bool = False) -> tuple[Address, Invitation]:
        if self._peer is None or self._peer.address.bare != peer.bare:
            raise PeerUnavailable(f"{peer} cannot be called")
        return self._peer.address, Invitation.PROPOSE

    def begin(self, call: CallId, peer: Address, media: frozenset[str]) -> None:
        self._media[call] = media

    async def perform(self, call: CallId, effect: SignallingEffect) -> None:
        self.performed.append((call, effect))
        if self._peer is not None and self._peer.listener is not None:
            self._tell(self._peer.listener, call, effect)

    async def relays(self) -> tuple[RelayServer, ...]:
        return self.services

    def in_roster(self, peer: Address) -> bool:
        return peer.bare in self.roster

    def network_changed(self) -> None:
        self.network_changes += 1

    def _tell(self, listener: SignallingListener, call: CallId, effect: SignallingEffect) -> None:
        heard = _heard(effect, str(call))
        is_first = isinstance(effect, SendProposal | SendOffer) and call in self._media
        if is_first:
            media = self._media.pop(call)
            listener.call_incoming(IncomingCall(call=call, peer=self.address, media=media), heard)
        else:
            listener.call_input(call, heard)


def _heard(effect: SignallingEffect, session: str) -> PeerInput:
    """What the peer takes from an effect."""
    match effect:
        case SendProposal():
            return PeerProposed(announce=True)
        case SendRenewal():
            return PeerMigrated()
        case SendRinging():
            return PeerRinging()
        case SendProceed():
            return PeerProceeded()
        case SendOffer(offer):
            return OfferReceived(offer, session=session)
        case SendAnswer(answer):
            return AnswerReceived(answer, session, takes_words=True)
        case SendCandidates(content, candidates):
            return CandidatesReceived(content, candidates)
        case SendRestart(credentials, answering):
            return RestartReceived(credentials, ours=answering)
        case SendInformation(WordsMessage() as message):
            return WordsReceived(message)
        case SendContentAdd(contents, bundle):
            return ContentsAdded(contents, bundle)
        case SendContentAccept(contents, bundle):
            return ContentsAccepted(contents, bundle)
        case SendContentReject(names):
            return ContentsRejected(names)
        case SendContentModify(senders):
            return ContentsModified(senders)
        case SendContentRemove(names):
            return ContentsRemoved(names)
        case SendInformation(information, content):
            if information in (Information.MUTE, Information.UNMUTE):
                return PeerMuted(information is Information.MUTE, content)
            return PeerHeld(information is Information.HOLD)
        case SendEnd(reason, text):
            return Ended(reason, text=text)


# --- the network ------------------------------------------------------------------------------------------------------


class FakeNetworkWatch:
    """A network that changes when the test calls ``changed``."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.changed = changed
        self.running = False

    def start(self) -> None:
        self.running = True

    def interface_of(self, address: str) -> str:
        return ""

    def close(self) -> None:
        self.running = False


# --- storage ----------------------------------------------------------------------------------------------------------


class MemoryCallStore:
    """A history that is forgotten with the object."""

    def __init__(self) -> None:
        self._records: list[dict[str, Any]] = []
        self._online: dict[str, float] = {}

    def add(self, record: dict[str, Any]) -> None:
        self._records.append(dict(record))

    def list(self, limit: int) -> list[dict[str, Any]]:
        return [dict(record) for record in reversed(self._records[-limit:])] if limit > 0 else []

    def last_online(self, account: str) -> float | None:
        return self._online.get(account)

    def note_online(self, account: str, time: float) -> None:
        self._online[account] = time

    def close(self) -> None: ...
