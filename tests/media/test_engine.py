"""The thread that the media run on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace

import psutil
import pytest
from aiortc.rtp import RtpPacket

from openvoice.core import inputs
from openvoice.core.description import SessionDescription
from openvoice.core.types import Role, VideoLabel
from openvoice.errors import InvalidState, MediaFailed
from openvoice.media.engine import ThreadedMediaEngine, ThreadedMediaSession
from openvoice.media.video.sources.arrays import PictureFeed
from openvoice.ports import AudioInput, MediaSettings, RelayServer, VideoInput
from tests.media.peers import Microphone, settings
from tests.waiting import until

pytestmark = pytest.mark.network


class Caller:
    """A session, and what it said on which thread."""

    def __init__(self, engine: ThreadedMediaEngine, of: MediaSettings | None = None) -> None:
        self.said: list[inputs.MediaInput] = []
        self.threads: set[str] = set()
        self.session: ThreadedMediaSession = engine.session(of or settings(), self.hear)

    def hear(self, message: inputs.MediaInput) -> None:
        self.said.append(message)
        self.threads.add(threading.current_thread().name)

    async def says(self, kind: type[inputs.MediaInput]) -> None:
        await until(lambda: any(isinstance(message, kind) for message in self.said))


@pytest.fixture
async def engine() -> AsyncIterator[ThreadedMediaEngine]:
    made = ThreadedMediaEngine()
    yield made
    await made.close()


async def call(first: Caller, second: Caller) -> tuple[SessionDescription, SessionDescription]:
    """Connect, and open both gates. Gives the offer and the answer."""
    offer = await first.session.open(Role.INITIATOR, None)
    answer = await second.session.open(Role.RESPONDER, offer)
    await first.session.apply_answer(answer)
    for caller in (first, second):
        await caller.says(inputs.MediaSecured)
        await caller.says(inputs.MediaFlowing)
        await caller.session.open_gate()
    return offer, answer


async def test_a_blocked_caller_is_not_heard(engine: ThreadedMediaEngine) -> None:
    first, second = Caller(engine), Caller(engine)
    await call(first, second)
    await asyncio.sleep(0.1)
    arrivals: list[float] = []
    secure = second.session._media._transports["0"].secure
    handle = secure._handle_rtp

    def note(packet: RtpPacket, arrival: float) -> None:
        arrivals.append(arrival)
        handle(packet, arrival)

    secure._handle_rtp = note
    began = time.monotonic()
    time.sleep(0.5)  # noqa: ASYNC251 (the stall is the test)
    ended = time.monotonic()
    during = [arrival for arrival in arrivals if began < arrival < ended]
    # 25 of them if nothing else runs on the machine. On the blocked loop it would be none.
    assert len(during) >= 12


async def test_what_is_said_arrives_on_the_loop_of_the_caller(engine: ThreadedMediaEngine) -> None:
    first, second = Caller(engine), Caller(engine)
    await call(first, second)
    assert first.threads == second.threads == {threading.current_thread().name}


async def test_the_devices_live_on_the_media_thread(engine: ThreadedMediaEngine) -> None:
    threads: list[str] = []

    def microphone() -> AudioInput:
        threads.append(threading.current_thread().name)
        return Microphone()

    first, second = Caller(engine, replace(settings(), input=microphone)), Caller(engine)
    await call(first, second)
    assert threads == ["openvoice-media"]


async def test_statistics_can_be_read_at_any_time(engine: ThreadedMediaEngine) -> None:
    first, second = Caller(engine), Caller(engine)
    assert first.session.statistics().packets_sent == 0
    await call(first, second)
    await until(lambda: first.session.statistics().packets_sent >= 20)
    await first.session.close()
    assert first.session.statistics().packets_sent >= 20


async def test_errors_reach_the_caller(engine: ThreadedMediaEngine) -> None:
    caller = Caller(engine)
    with pytest.raises(InvalidState):
        await caller.session.apply_answer(await Caller(engine).session.open(Role.INITIATOR, None))
    with pytest.raises(MediaFailed):
        await Caller(engine, settings(relay_only=True)).session.open(Role.INITIATOR, None)


async def test_the_description_comes_before_the_candidates_that_follow_it(engine: ThreadedMediaEngine) -> None:
    first, second = Caller(engine), Caller(engine)
    await call(first, second)
    order: list[object] = []
    first.session._notify = order.append
    order.append(await first.session.restart(()))
    time.sleep(0.1)  # noqa: ASYNC251 (both are ready before the loop runs again)
    await until(lambda: len(order) == 2)
    assert isinstance(order[0], tuple)
    assert isinstance(order[1], inputs.LocalCandidates)


async def test_nothing_is_left_behind() -> None:
    process = psutil.Process()
    threads, files = set(threading.enumerate()), process.num_fds()
    for _ in range(2):
        engine = ThreadedMediaEngine()
        first, second = Caller(engine), Caller(engine)
        await call(first, second)
        await engine.close()
        await engine.close()
    assert set(threading.enumerate()) == threads
    assert process.num_fds() == files
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_task_that_strayed_ends_with_the_engine() -> None:
    engine = ThreadedMediaEngine()
    caller = Caller(engine)
    ended = threading.Event()

    async def stray() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    await caller.session.open(Role.INITIATOR, None)
    assert engine._loop is not None
    asyncio.run_coroutine_threadsafe(stray(), engine._loop)
    await engine.close()
    assert ended.is_set()


async def test_a_stray_exception_is_logged_by_its_kind_alone(
    engine: ThreadedMediaEngine, caplog: pytest.LogCaptureFixture
) -> None:
    caller = Caller(engine)
    await caller.session.open(Role.INITIATOR, None)
    assert engine._loop is not None

    def fail() -> None:
        raise ValueError("('192.0.2.1', 5000)")

    engine._loop.call_soon_threadsafe(fail)
    await until(lambda: "unexpected ValueError" in caplog.text)
    assert "192.0.2.1" not in caplog.text


async def test_every_command_reaches_the_media(engine: ThreadedMediaEngine) -> None:
    first, second = Caller(engine), Caller(engine)
    await call(first, second)
    await first.session.set_muted(True)
    await first.session.set_held(True)
    voice = first.session._media._streams.voice
    assert voice is not None
    assert (voice.muted, voice.held) == (True, True)
    await first.session.set_held(False)
    await first.session.play_digits("5")
    await second.says(inputs.DigitReceived)
    ours = await first.session.restart(())
    await first.session.apply_restart(await second.session.restart(ours))
    for one, other in ((first, second), (second, first)):
        await one.says(inputs.LocalCandidates)
        for message in one.said:
            if isinstance(message, inputs.LocalCandidates):
                await other.session.add_candidates(message.content, message.candidates)
    before = [caller.session._media._transports["0"]._agent for caller in (first, second)]
    await until(lambda: all(c.session._media._transports["0"]._agent not in before for c in (first, second)))


async def test_contents_come_and_go_from_another_loop(engine: ThreadedMediaEngine) -> None:
    cameras: list[str] = []

    def camera(_: VideoLabel) -> VideoInput:
        cameras.append(threading.current_thread().name)
        return PictureFeed()

    first, second = Caller(engine, replace(settings(), video_input=camera)), Caller(engine)
    offer, answer = await call(first, second)
    added = await first.session.propose_content("1", VideoLabel.CAMERA)
    (answered,) = await second.session.answer_contents([added], ("0", "1"))
    halves = [
        SessionDescription(contents=(*half.contents, content), bundle=("0", "1"))
        for half, content in ((offer, added), (answer, answered))
    ]
    await first.session.settle(*halves)
    await second.session.settle(*halves[::-1])
    await first.session.show(VideoLabel.CAMERA, "1")
    assert cameras == ["openvoice-media"]
    await until(lambda: [video.content for video in first.session.statistics().video] == ["1"])
    await first.session.settle(offer, answer)
    await until(lambda: first.session.statistics().video == ())


async def test_a_caller_that_is_gone_is_no_trouble() -> None:
    engine = ThreadedMediaEngine()

    async def begin() -> ThreadedMediaSession:
        session = engine.session(settings(), lambda message: None)
        await session.open(Role.INITIATOR, None)
        return session

    loop = asyncio.new_event_loop()
    session = await asyncio.to_thread(loop.run_until_complete, begin())
    loop.close()
    session._carry_over(inputs.MediaFlowing())
    await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(session._close(), session._loop))
    engine._sessions.clear()
    await engine.close()


async def test_a_closed_session_takes_nothing_more_and_closes_twice(engine: ThreadedMediaEngine) -> None:
    caller = Caller(engine)
    await caller.session.open(Role.INITIATOR, None)
    await asyncio.gather(caller.session.close(), caller.session.close())
    with pytest.raises(InvalidState):
        await caller.session.set_muted(True)


async def test_a_close_that_is_cancelled_still_closes(engine: ThreadedMediaEngine) -> None:
    caller = Caller(engine)
    offer = await caller.session.open(Role.INITIATOR, None)
    assert isinstance(offer, SessionDescription)
    closing = asyncio.ensure_future(caller.session.close())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await caller.session.close()
    assert caller.session._media._closed


async def test_an_engine_that_made_nothing_closes() -> None:
    await ThreadedMediaEngine().close()


@pytest.mark.parametrize("gather_fully", [False, True])
async def test_a_session_that_is_closed_while_it_opens_leaves_no_timer_and_no_socket(
    engine: ThreadedMediaEngine, gather_fully: bool
) -> None:
    silent = RelayServer(kind="stun", host="127.0.0.1", port=9)
    with_server = replace(settings(), relays=(silent,))
    session = engine.session(with_server, lambda _: None)
    before = set(psutil.Process().net_connections("udp"))
    opening = asyncio.ensure_future(session.open(Role.INITIATOR, None, gather_fully))
    await asyncio.sleep(0.05 if gather_fully else 0)
    await session.close()
    with suppress(InvalidState, MediaFailed):
        await opening
    timers = [timer for timer in session._loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
    assert [timer for timer in timers if "_take_snapshot" in repr(timer)] == []
    assert set(psutil.Process().net_connections("udp")) <= before


async def test_a_change_of_the_network_is_told_on_the_media_thread(
    engine: ThreadedMediaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = Caller(engine)
    caller.session.network_changed()  # nothing is open yet
    await caller.session.open(Role.INITIATOR, None)
    told: list[str] = []
    monkeypatch.setattr(caller.session._media, "network_changed", lambda: told.append(threading.current_thread().name))
    caller.session.network_changed()
    await until(lambda: told == ["openvoice-media"])
    await caller.session.close()
    caller.session.network_changed()
    await asyncio.sleep(0.05)
    assert len(told) == 1
