"""One call's task, with fakes for the signalling and the media: order, bounds, and nothing left waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from openvoice import Address, CallState, CallStatistics, Direction, EndReason, InvalidState, Policy
from openvoice.client import driver as module
from openvoice.client.driver import MAXIMUM_MOMENTS, CallDriver
from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.description import Setup
from openvoice.core.machine import CallMachine
from openvoice.core.types import CallId, Origin, VideoLabel
from openvoice.errors import MediaFailed, SecurityRefused, VideoFailed
from openvoice.ports import MediaSettings
from openvoice.testing.fakes import (
    FakeMediaEngine,
    FakeMediaSession,
    FakeSignalling,
    ManualInput,
    ManualOutput,
    description,
    video_content,
)

CALL = CallId("call")
ANSWER = description(Setup.ACTIVE)


@dataclass
class Rig:
    """A driver and all that it touches."""

    direction: Direction = Direction.OUTGOING
    policy: Policy = field(default_factory=Policy)
    signalling: FakeSignalling = field(default_factory=lambda: FakeSignalling(Address.parse("alice@example.org/a")))
    engine: FakeMediaEngine = field(default_factory=FakeMediaEngine)
    published: list[events.CallEvent] = field(default_factory=list)
    changes: list[CallState] = field(default_factory=list)
    settings: Callable[[], Awaitable[MediaSettings]] | None = None

    def __post_init__(self) -> None:
        machine = CallMachine(self.direction, "bob@example.org", policy=self.policy, seed=bytes(32), signalling=None)
        self.driver = CallDriver(
            CALL,
            machine,
            signalling=self.signalling,
            engine=self.engine,
            settings=self.settings or self._settings,
            publish=self.published.append,
            changed=lambda: self.changes.append(machine.state),
        )

    async def _settings(self) -> MediaSettings:
        return MediaSettings(input=ManualInput, output=ManualOutput)

    @property
    def state(self) -> CallState:
        return self.driver.machine.state

    @property
    def said(self) -> list[type]:
        return [type(effect) for _, effect in self.signalling.performed]

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.published]

    @property
    def media(self) -> FakeMediaSession:
        return self.engine.sessions[-1]

    @property
    def end(self) -> events.CallEnded:
        assert isinstance(self.published[-1], events.CallEnded)
        return self.published[-1]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[None]]:
        before = asyncio.all_tasks()
        task = asyncio.create_task(self.driver.run())
        yield task
        async with asyncio.timeout(5):
            await task
        assert asyncio.all_tasks() == before

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not true():  # noqa: ASYNC110 - anything may make it true
                await asyncio.sleep(0)

    async def connect(self) -> None:
        """Dial and talk."""
        self.driver.post(i.Dial())
        self.driver.post(i.PeerRinging())
        self.driver.post(i.PeerProceeded())
        await self.until(lambda: e.SendOffer in self.said)
        self.driver.post(i.AnswerReceived(ANSWER))
        await self.until(lambda: self.state is CallState.CONNECTING)
        self.media.connect()
        await self.until(lambda: ("open_gate",) in self.media.commands)


async def test_effects_are_performed_in_their_order() -> None:
    rig = Rig()
    async with rig.running():
        await rig.connect()
        await rig.driver.command(i.HangUp())
    assert rig.said == [e.SendProposal, e.SendOffer, e.SendEnd]
    assert rig.names == ["calling", "ringing", "accepted", "secured", "connected", "ended"]
    assert [command[0] for command in rig.media.commands] == ["open", "apply_answer", "open_gate"]
    assert rig.media.closed
    assert rig.changes[-1] is CallState.ENDED
    assert [moment.name for moment in rig.driver.timeline] == [
        "propose",
        "ringing",
        "proceed",
        "session-initiate",
        "session-accept",
        "secured",
        "gate-opened",
        "first-media",
        "session-terminate",
        "ended",
    ]


async def test_every_media_effect_reaches_the_media_in_its_order() -> None:
    rig = Rig()
    credentials = (("0", "theirs", "their-ice-password-of-24"),)
    async with rig.running():
        await rig.connect()
        before = len(rig.media.commands)
        await rig.driver.command(i.Mute(True))
        await rig.driver.command(i.Hold(True))
        await rig.driver.command(i.SendDigits("1#"))
        rig.driver.post(i.CandidatesReceived("0", ()))
        rig.driver.post(i.RestartReceived(credentials))
        rig.driver.post(i.MediaInterrupted())
        await rig.until(lambda: rig.said.count(e.SendRestart) == 2)
        rig.driver.post(i.RestartReceived(credentials, ours=True))
        await rig.until(lambda: rig.media.commands[-1][0] == "apply_restart")
        await rig.driver.command(i.HangUp())
    assert rig.media.commands[before:] == [
        ("set_muted", True),
        ("set_held", True),
        ("play_digits", "1#"),
        ("add_candidates", "0", ()),
        ("restart", credentials),
        ("restart", ()),
        ("apply_restart", credentials),
    ]
    restarts = [effect for _, effect in rig.signalling.performed if isinstance(effect, e.SendRestart)]
    assert [effect.answering for effect in restarts] == [True, False]


async def test_contents_reach_the_media_and_what_they_make_of_them_the_peer() -> None:
    rig = Rig()
    async with rig.running():
        await rig.connect()
        before = len(rig.media.commands)
        await rig.driver.command(i.ShowVideo(VideoLabel.CAMERA))
        await rig.until(lambda: e.SendContentAdd in rig.said)
        rig.driver.post(i.ContentsAccepted((video_content("1"),)))
        await rig.until(lambda: rig.media.commands[-1][0] == "show")
        rig.driver.post(i.ContentsAdded((replace(video_content("2"), category="slides"),)))
        await rig.until(lambda: e.SendContentAccept in rig.said)
        await rig.driver.command(i.HangUp())
    assert [command[0] for command in rig.media.commands[before:]] == [
        "propose_content",
        "settle",
        "show",
        "answer_contents",
        "settle",
    ]


@pytest.mark.parametrize("error", [VideoFailed("no number is left"), ValueError("a fault of ours")])
@pytest.mark.parametrize("method", ["propose_content", "answer_contents", "settle", "show"])
async def test_pictures_that_fail_end_no_call(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, method: str, error: Exception
) -> None:
    async def broken(*_: Any) -> None:
        raise error

    monkeypatch.setattr(FakeMediaSession, method, broken)
    rig = Rig()
    async with rig.running():
        await rig.connect()
        if method == "answer_contents":
            rig.driver.post(i.ContentsAdded((video_content("1"),)))
            await rig.until(lambda: e.SendContentReject in rig.said)
        else:
            await rig.driver.command(i.ShowVideo(VideoLabel.CAMERA))
        if method in ("settle", "show"):
            await rig.until(lambda: e.SendContentAdd in rig.said)
            rig.driver.post(i.ContentsAccepted((video_content("1"),)))
        if method != "answer_contents":
            await rig.until(lambda: bool({"video-refused", "video-device"} & set(rig.names)))
        assert rig.state is CallState.ACTIVE
        await rig.driver.command(i.HangUp())
    assert rig.end.reason is EndReason.SUCCESS
    assert ("a fault of ours" in caplog.text or "ValueError" in caplog.text) == isinstance(error, ValueError)


async def test_deadlines_are_kept_without_any_input() -> None:
    rig = Rig(policy=Policy(ring_timeout=0.02))
    async with rig.running():
        rig.driver.post(i.Dial())
    assert rig.end.reason is EndReason.TIMEOUT
    assert rig.said == [e.SendProposal, e.SendEnd]


async def test_numbers_are_told_while_the_call_is_active_and_kept_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STATISTICS_INTERVAL", 0.001)
    rig = Rig()
    assert rig.driver.statistics == CallStatistics()
    async with rig.running():
        rig.driver.post(i.Dial())
        await asyncio.sleep(0.02)
        assert "stats" not in rig.names
        rig.driver.post(i.PeerProceeded())
        await rig.until(lambda: e.SendOffer in rig.said)
        rig.driver.post(i.AnswerReceived(ANSWER))
        await rig.until(lambda: rig.state is CallState.CONNECTING)
        rig.media.measured = CallStatistics(packets_sent=7)
        rig.media.connect()
        await rig.until(lambda: "stats" in rig.names)
        assert rig.driver.statistics.packets_sent == 7
        await rig.driver.command(i.HangUp())
    assert rig.driver.statistics.packets_sent == rig.end.statistics.packets_sent == 7
    assert rig.end.duration > 0


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (MediaFailed("no network"), EndReason.FAILED_APPLICATION, "no network"),
        (SecurityRefused("a weak key"), EndReason.SECURITY_ERROR, "a weak key"),
        (ValueError("a fault of ours"), EndReason.FAILED_APPLICATION, "see the log"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_media_that_fail_end_the_call_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    reason: EndReason,
    words: str,
) -> None:
    async def broken(*_: Any) -> None:
        raise error

    monkeypatch.setattr(FakeMediaSession, "apply_answer", broken)
    rig = Rig()
    async with rig.running():
        rig.driver.post(i.Dial())
        rig.driver.post(i.PeerProceeded())
        await rig.until(lambda: e.SendOffer in rig.said)
        rig.driver.post(i.AnswerReceived(ANSWER))
    assert (rig.end.reason, words in rig.end.text) == (reason, True)
    assert rig.media.closed
    assert ("ApplyAnswer failed" in caplog.text) == isinstance(error, ValueError)


async def test_settings_that_cannot_be_found_are_a_failure_too() -> None:
    async def missing() -> MediaSettings:
        raise MediaFailed("no relay")

    rig = Rig(settings=missing)
    async with rig.running():
        rig.driver.post(i.Dial())
        rig.driver.post(i.PeerProceeded())
    assert rig.end.text == "no relay"
    assert rig.engine.sessions == []


async def test_media_that_take_long_do_not_hold_the_call_up(monkeypatch: pytest.MonkeyPatch) -> None:
    forever = asyncio.Event()

    async def slow(*_: Any) -> None:
        await forever.wait()

    monkeypatch.setattr(FakeMediaSession, "open", slow)
    rig = Rig()
    async with rig.running():
        rig.driver.post(i.Dial())
        rig.driver.post(i.PeerProceeded())
        await rig.until(lambda: bool(rig.engine.sessions))
        await rig.driver.command(i.HangUp())
    assert rig.end.reason is EndReason.CANCEL
    assert rig.media.closed
    assert e.SendOffer not in rig.said


async def test_media_that_do_not_close_are_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slow(*_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(FakeMediaSession, "close", slow)
    monkeypatch.setattr(module, "CLOSE_WITHIN", 0.02)
    rig = Rig()
    async with rig.running():
        await rig.connect()
        await rig.driver.command(i.HangUp())
    assert rig.names[-1] == "ended"


async def test_wrong_commands_raise_and_change_nothing() -> None:
    rig = Rig()
    async with rig.running():
        with pytest.raises(InvalidState):
            await rig.driver.command(i.Accept())
        await rig.connect()
        with pytest.raises(InvalidState):
            await rig.driver.command(i.Dial())
        assert rig.state is CallState.ACTIVE
        await rig.driver.command(i.HangUp())
    await rig.driver.command(i.HangUp())
    with pytest.raises(InvalidState):
        await rig.driver.command(i.Mute(True))


async def test_what_the_peer_may_not_say_is_refused_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "openvoice.client.driver")
    rig = Rig()
    async with rig.running():
        rig.driver.post(i.Dial())
        rig.driver.post(i.AnswerReceived(ANSWER))
        rig.driver.post(i.HangUp())
    assert rig.end.reason is EndReason.CANCEL
    assert "refused: AnswerReceived in state proposed" in caplog.text


async def test_a_peer_cannot_make_the_timeline_grow_for_ever() -> None:
    rig = Rig()
    async with rig.running():
        await rig.connect()
        rig.driver.post_all([i.RestartReceived((("0", "u", "p"),))] * 2 * MAXIMUM_MOMENTS)
        await rig.driver.command(i.HangUp())
    assert len(rig.driver.timeline) == MAXIMUM_MOMENTS + 1
    assert rig.driver.timeline[-1].name == "ended"


async def test_commands_that_come_too_late_are_answered() -> None:
    rig = Rig()
    async with rig.running():
        await rig.connect()
        late = [asyncio.ensure_future(rig.driver.command(command)) for command in (i.Mute(True), i.HangUp())]
        gone = asyncio.ensure_future(rig.driver.command(i.Mute(True)))
        asyncio.get_running_loop().call_soon(gone.cancel)
        rig.driver.post(i.PeerMuted(True))
        # It stands in the inbox before the commands, which are given as soon as this test waits.
        rig.driver.post(i.Ended(EndReason.SUCCESS))
    answers = await asyncio.gather(*late, return_exceptions=True)
    assert isinstance(answers[0], InvalidState)
    assert answers[1] is None
    assert rig.end.origin is Origin.REMOTE


async def test_a_command_whose_giver_has_gone_is_carried_out() -> None:
    rig = Rig()
    async with rig.running():
        giver = asyncio.ensure_future(rig.driver.command(i.Dial()))
        wrong = asyncio.ensure_future(rig.driver.command(i.Accept()))
        await asyncio.sleep(0)
        giver.cancel()
        wrong.cancel()
        await rig.until(lambda: e.SendProposal in rig.said)
        rig.driver.post(i.HangUp())


async def test_cancelling_the_task_closes_the_media() -> None:
    rig = Rig()
    before = asyncio.all_tasks()
    task = asyncio.create_task(rig.driver.run())
    await rig.connect()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert rig.media.closed
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("broken", [e.SendProposal, e.SendEnd])
async def test_a_fault_of_ours_ends_the_call_and_leaves_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: type
) -> None:
    perform = FakeSignalling.perform

    async def fail(self: FakeSignalling, call: CallId, effect: e.SignallingEffect) -> None:
        if isinstance(effect, broken):
            raise RuntimeError("a fault")
        await perform(self, call, effect)

    monkeypatch.setattr(FakeSignalling, "perform", fail)
    rig = Rig()
    async with rig.running():
        await rig.driver.command(i.Dial())
        await rig.driver.command(i.HangUp())
    assert rig.names.count("ended") == 1
    assert rig.state is rig.changes[-1] is CallState.ENDED
    assert rig.end.reason is (EndReason.GENERAL_ERROR if broken is e.SendProposal else EndReason.CANCEL)
    assert "a call failed" in caplog.text


async def test_goodbyes_that_fail_as_well_are_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: Any) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(FakeSignalling, "perform", fail)
    rig = Rig()
    async with rig.running():
        rig.driver.post(i.Dial())
    assert rig.end.reason is EndReason.GENERAL_ERROR
    assert "SendEnd failed as well" in caplog.text


async def test_an_incoming_call_rings_and_is_answered() -> None:
    rig = Rig(direction=Direction.INCOMING)
    async with rig.running():
        rig.driver.post(i.PeerProposed(announce=True))
        await rig.until(lambda: rig.state is CallState.RINGING)
        await rig.driver.command(i.Accept())
        rig.driver.post(i.OfferReceived(description(Setup.ACTPASS)))
        await rig.until(lambda: rig.state is CallState.CONNECTING)
        rig.driver.post(i.Ended(EndReason.SUCCESS))
    assert rig.said == [e.SendRinging, e.SendProceed, e.SendAnswer]
    assert rig.end.answered


async def test_cancelling_while_the_media_do_not_close_still_tells_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    closing = asyncio.Event()

    async def slow(*_: Any) -> None:
        closing.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(FakeMediaSession, "close", slow)
    rig = Rig()
    task = asyncio.create_task(rig.driver.run())
    await rig.connect()
    rig.driver.post(i.HangUp())
    await closing.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert rig.names.count("ended") == 1
    assert rig.end.reason is EndReason.SUCCESS


async def test_media_of_the_device_before_do_not_end_a_call_that_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = asyncio.Event()

    async def restart_until_closed(*_: Any) -> None:
        await closed.wait()
        raise InvalidState("the media of this call are closed already")

    async def close(_: FakeMediaSession) -> None:
        closed.set()

    monkeypatch.setattr(FakeMediaSession, "restart", restart_until_closed)
    monkeypatch.setattr(FakeMediaSession, "close", close)
    rig = Rig()
    async with rig.running():
        await rig.connect()
        old = rig.media
        rig.driver.post(i.RestartReceived((("0", "ufrag", "pwd"),)))
        rig.driver.post(i.PeerMigrated())
        await rig.until(lambda: e.SendProceed in rig.said)
        old.notify(i.MediaFailed(EndReason.FAILED_TRANSPORT, "the old device is gone"))
        rig.driver.post(i.OfferReceived(description()))
        await rig.until(lambda: e.SendAnswer in rig.said)
        assert rig.state is CallState.CONNECTING
        rig.driver.post(i.HangUp())
    assert rig.end.reason is EndReason.SUCCESS
