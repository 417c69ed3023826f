"""The fakes fit the ports (mypy checks the annotations here), and remember."""

from __future__ import annotations

import numpy as np
import pytest

from openvoice.core import effects, inputs
from openvoice.core.address import Address
from openvoice.core.description import Setup
from openvoice.core.types import CallId, EndReason, Role
from openvoice.core.words import WordsMessage
from openvoice.errors import PeerUnavailable
from openvoice.ports import (
    FRAME_SAMPLES,
    AudioInput,
    AudioOutput,
    AudioSink,
    AudioSource,
    CallStore,
    IncomingCall,
    MediaEngine,
    MediaSettings,
    Signalling,
    SignallingListener,
)
from openvoice.testing.fakes import (
    FakeMediaEngine,
    FakeSignalling,
    ManualInput,
    ManualOutput,
    MemoryCallStore,
    RecordingSink,
    ScriptedSource,
    description,
    tone,
)

CALL = CallId("call")
ALICE, BOB = Address.parse("alice@openvoice.test/a"), Address.parse("bob@openvoice.test/b")


class Listener:
    def __init__(self) -> None:
        self.heard: list[object] = []

    def call_incoming(self, incoming: IncomingCall, first: inputs.PeerInput) -> None:
        self.heard += [incoming, first]

    def call_input(self, call: CallId, message: inputs.PeerInput) -> None:
        self.heard.append(message)

    def call_missed(self, incoming: IncomingCall, outcome: str) -> None: ...

    def connection_changed(self, online: bool, reason: str) -> None: ...


def test_sources_and_sinks() -> None:
    frames = tone(frames=3)
    source: AudioSource = ScriptedSource(frames)
    sink = RecordingSink()
    as_port: AudioSink = sink
    assert sink.sound.size == 0
    while (frame := source.read()) is not None:
        as_port.write(frame)
        frame[:] = 0
    assert source.read() is None
    source.close()
    sink.close()
    assert sink.closed
    assert np.array_equal(sink.sound, np.concatenate(tone(frames=3)))


def test_a_tone_is_one() -> None:
    sound = np.concatenate(tone(hertz=1000, frames=50))
    assert sound.shape == (50 * FRAME_SAMPLES,)
    assert np.argmax(np.abs(np.fft.rfft(sound))) == 1000
    assert np.abs(sound).max() == pytest.approx(32_767 / 2, rel=0.01)


def test_devices_that_the_test_moves() -> None:
    microphone = ManualInput()
    as_input: AudioInput = microphone
    heard: list[object] = []
    as_input.start(heard.append, heard.append)
    assert microphone.deliver is not None
    microphone.deliver(None)
    as_input.stop()
    assert heard == [None]
    assert microphone.deliver is None
    loudspeaker = ManualOutput()
    as_output: AudioOutput = loudspeaker
    (frame,) = tone(frames=1)
    as_output.start(lambda: frame, heard.append)
    assert loudspeaker.request is not None
    assert loudspeaker.request() is frame
    as_output.stop()
    assert loudspeaker.request is None


async def test_wired_signalling_carries_a_call() -> None:
    listener = Listener()
    as_listener: SignallingListener = listener
    alice, bob = FakeSignalling(ALICE), FakeSignalling(BOB, as_listener)
    caller: Signalling = alice
    alice.wire(bob)
    assert alice.address == ALICE.bare
    await alice.open()
    await bob.open()
    assert await caller.invitation(BOB.bare) == (BOB, inputs.Invitation.PROPOSE)
    with pytest.raises(PeerUnavailable):
        await caller.invitation(Address.parse("nobody@openvoice.test"))
    caller.begin(CALL, BOB.bare, frozenset({"audio"}))
    said: list[effects.SignallingEffect] = [
        effects.SendProposal(),
        effects.SendRinging(),
        effects.SendProceed(),
        effects.SendOffer(description()),
        effects.SendAnswer(description(Setup.ACTIVE)),
        effects.SendCandidates("0", ()),
        effects.SendRestart((("0", "u", "p"),), answering=True),
        effects.SendInformation(effects.Information.MUTE),
        effects.SendInformation(effects.Information.UNHOLD),
        effects.SendInformation(WordsMessage(None)),
        effects.SendEnd(EndReason.BUSY, "later"),
    ]
    for effect in said:
        await caller.perform(CALL, effect)
    assert listener.heard == [
        IncomingCall(call=CALL, peer=ALICE, media=frozenset({"audio"})),
        inputs.PeerProposed(announce=True),
        inputs.PeerRinging(),
        inputs.PeerProceeded(),
        inputs.OfferReceived(description(), session=str(CALL)),
        inputs.AnswerReceived(description(Setup.ACTIVE), str(CALL), takes_words=True),
        inputs.CandidatesReceived("0", ()),
        inputs.RestartReceived((("0", "u", "p"),), ours=True),
        inputs.PeerMuted(True),
        inputs.PeerHeld(False),
        inputs.WordsReceived(WordsMessage(None)),
        inputs.Ended(EndReason.BUSY, text="later"),
    ]
    assert alice.performed == [(CALL, effect) for effect in said]
    assert await caller.relays() == ()
    alice.roster.add(BOB.bare)
    assert caller.in_roster(BOB)
    await caller.close()
    assert alice.address == ALICE.bare


async def test_a_direct_offer_comes_in_as_a_call() -> None:
    listener = Listener()
    alice, bob = FakeSignalling(ALICE), FakeSignalling(BOB, listener)
    alice.wire(bob)
    alice.begin(CALL, BOB, frozenset({"audio"}))
    await alice.perform(CALL, effects.SendOffer(description()))
    assert listener.heard[1] == inputs.OfferReceived(description(), session=str(CALL))


async def test_media_remember_and_say_what_they_are_told() -> None:
    fake = FakeMediaEngine()
    engine: MediaEngine = fake
    said: list[inputs.MediaInput] = []
    session = engine.session(MediaSettings(input=ManualInput, output=ManualOutput), said.append)
    offer = await session.open(Role.INITIATOR, None)
    answer = await session.open(Role.RESPONDER, offer)
    assert [each.contents[0].transport.setup for each in (offer, answer)] == [Setup.ACTPASS, Setup.ACTIVE]
    fake.sessions[0].connect()
    assert [type(each) for each in said] == [inputs.MediaSecured, inputs.MediaFlowing]


def test_a_history_lists_the_latest_first() -> None:
    store: CallStore = MemoryCallStore()
    for number in range(3):
        store.add({"number": number})
    assert store.list(2) == [{"number": 2}, {"number": 1}]
    assert store.list(0) == []
    store.close()
