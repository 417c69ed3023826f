"""One microphone, loudspeaker, file ... in the place of another, while the call goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice.client import exchange as module
from openvoice.client.call_sound import CallSound
from openvoice.client.exchange import InputExchange, OutputExchange
from openvoice.client.recorder import Recorder
from openvoice.client.sound import Chosen, Device
from openvoice.core.inputs import DeviceChanged
from openvoice.core.talk import TalkMode
from openvoice.core.types import DeviceChange, SoundDirection
from openvoice.errors import AudioFileError, DeviceFailed, InvalidState
from openvoice.ports import AudioInput, AudioOutput, Frame
from openvoice.testing.fakes import ManualInput, ManualOutput, RecordingSink, ScriptedSource
from tests.waiting import until


def frame(value: int) -> Frame:
    return np.full(960, value, np.int16)


class Ends:
    """Inputs and outputs that run when the test says so, and open when it says so."""

    def __init__(self) -> None:
        self.insisted: list[bool] = []
        self.closed: list[str] = []

    def input(self, name: str, opening: asyncio.Future[str] | None = None) -> tuple[ManualInput, Chosen[AudioInput]]:
        made = ManualInput()
        return made, self._chosen(name, made, opening)

    def output(self, name: str, opening: asyncio.Future[str] | None = None) -> tuple[ManualOutput, Chosen[AudioOutput]]:
        made = ManualOutput()
        return made, self._chosen(name, made, opening)

    def _chosen(self, name: str, made: object, opening: asyncio.Future[str] | None) -> Any:
        async def opened(_: object) -> str | None:
            return await opening if opening else name

        def make(insist: bool) -> object:
            self.insisted.append(insist)
            return made

        chosen: Any = Chosen
        return chosen("device", make, opened=opened, close=lambda: self.closed.append(name))


async def passing() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


async def test_an_input_takes_over_with_its_first_frame_and_not_before() -> None:
    ends, sent, reports = Ends(), list[Frame | None](), list[DeviceChanged]()
    opening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    (old, chosen), (new, other) = ends.input("old"), ends.input("new", opening)
    running = InputExchange(chosen, lambda one: one + 1)
    running.start(sent.append, reports.append)
    assert old.deliver
    old.deliver(frame(10))
    changing = asyncio.create_task(running.exchange(other))
    await passing()
    assert new.deliver
    assert new.report
    # It runs, but it is not known to work.
    new.deliver(frame(20))
    new.report(DeviceChanged(direction=SoundDirection.INPUT, what=DeviceChange.LOST, text=""))
    old.deliver(frame(11))
    opening.set_result("Headset")
    await passing()
    old.deliver(frame(12))
    assert not changing.done()
    stale = old.deliver
    new.deliver(frame(21))
    assert old.deliver is None
    stale(frame(13))
    new.deliver(frame(22))
    await changing
    assert [one[0] for one in sent if one is not None] == [11, 12, 13, 22, 23]
    assert [(one.what, one.device, one.text) for one in reports] == [
        (DeviceChange.CHOSEN, "Headset", "'Headset' is the device now.")
    ]
    assert ends.insisted == [False, True]
    running.stop()
    assert new.deliver is None


async def test_an_output_takes_over_with_the_first_frame_it_wants() -> None:
    ends, reports = Ends(), list[DeviceChanged]()
    opening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    (old, chosen), (new, other) = ends.output("old"), ends.output("new", opening)
    numbers = iter(range(1, 100))
    heard: list[int] = []
    running = OutputExchange(chosen, lambda one: heard.append(int(one[0])))
    running.start(lambda: frame(next(numbers)), reports.append)
    changing = asyncio.create_task(running.exchange(other))
    await passing()
    assert old.request
    assert new.request
    played = [old.request()[0], new.request()[0], old.request()[0]]
    opening.set_result("Headset")
    await passing()
    stale = old.request
    played += [new.request()[0], stale()[0], new.request()[0]]
    await changing
    assert played == [1, 0, 2, 3, 0, 4]
    assert heard == [1, 2, 3, 4]
    assert [(one.direction, one.what) for one in reports] == [(SoundDirection.OUTPUT, DeviceChange.CHOSEN)]
    assert old.request is None


async def test_what_does_not_open_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ends, sent, reports = Ends(), list[Frame | None](), list[DeviceChanged]()
    opening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    (old, chosen), (new, other) = ends.input("old"), ends.input("new", opening)
    running = InputExchange(chosen, lambda one: one)
    running.start(sent.append, reports.append)
    opening.set_exception(DeviceFailed("there is no such device"))
    with pytest.raises(DeviceFailed, match="no such device"):
        await running.exchange(other)
    monkeypatch.setattr(module, "OPEN_WITHIN", 0.01)
    silent, never = ends.input("silent")
    with pytest.raises(DeviceFailed, match="no sign of life"):
        await running.exchange(never)
    assert new.deliver is None
    assert silent.deliver is None
    assert old.deliver
    old.deliver(frame(5))
    assert [one[0] for one in sent if one is not None] == [5]
    assert reports == []


async def test_an_end_that_does_not_even_start_is_let_go() -> None:
    ends = Ends()
    (old, chosen), (new, other) = ends.input("old"), ends.input("new")
    running = InputExchange(chosen, lambda one: one)
    running.start(lambda _: None, lambda _: None)

    def start(*_: object, **__: object) -> None:
        raise RuntimeError("no thread can be started")

    new.deliver = lambda _: None
    new.start = start  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        await running.exchange(other)
    assert new.deliver is None
    assert old.deliver is not None


@pytest.mark.parametrize("lets_go", [False, True])
async def test_media_that_end_end_an_exchange(lets_go: bool) -> None:
    ends = Ends()
    opening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    (old, chosen), (new, other) = ends.input("old"), ends.input("new", opening)
    running = InputExchange(chosen, lambda one: one)
    running.start(lambda _: None, lambda _: None)
    changing = asyncio.create_task(running.exchange(other))
    await passing()
    running.stop()
    assert new.deliver is None
    if lets_go:
        opening.set_exception(DeviceFailed("the device was let go before it worked"))
    else:
        opening.set_result("Headset")
    with pytest.raises(InvalidState):
        await changing
    assert old.deliver is None
    assert new.deliver is None
    with pytest.raises(InvalidState):
        await running.exchange(chosen)


async def test_a_recording_that_ends_is_told_and_the_sound_goes_on() -> None:
    def full(_: Frame) -> None:
        raise AudioFileError("the recording ends here: the disk is full")

    told: list[DeviceChanged] = []
    manual, chosen = Ends().output("one")
    OutputExchange(chosen, full).start(lambda: frame(1), told.append)
    assert manual.request is not None
    assert manual.request()[0] == 1
    assert [(one.direction, one.what, one.text) for one in told] == [
        (SoundDirection.OUTPUT, DeviceChange.FAILED, "the recording ends here: the disk is full")
    ]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(["old", "new", "open", "change"]), max_size=40))
def test_whatever_the_order_each_frame_is_played_once(steps: list[str]) -> None:
    async def main() -> None:
        ends = Ends()
        (current, chosen), numbers, played = ends.output("first"), iter(range(1, 1000)), list[int]()
        running = OutputExchange(chosen, lambda _: None)
        running.start(lambda: frame(next(numbers)), lambda _: None)
        waiting: tuple[ManualOutput, asyncio.Future[str], asyncio.Task[None]] | None = None

        def pull(request: Callable[[], Frame] | None) -> None:
            value = int(request()[0]) if request else 0
            played.extend([value] if value else [])

        for step in steps:
            if step == "change" and waiting is None:
                opening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
                new, other = ends.output("other", opening)
                waiting = new, opening, asyncio.create_task(running.exchange(other))
            elif step == "open" and waiting and not waiting[1].done():
                waiting[1].set_result("it")
            elif step == "old":
                pull(current.request)
            elif step == "new" and waiting:
                pull(waiting[0].request)
            await passing()
            if waiting and waiting[2].done():
                current, waiting = waiting[0], None
        assert played == list(range(1, len(played) + 1))
        pull(current.request)
        assert played[-1:] == [len(played)]
        running.stop()
        if waiting:
            waiting[1].cancel()
            await asyncio.gather(waiting[2], return_exceptions=True)

    asyncio.run(main())


# --- of a call --------------------------------------------------------------------------------------------------------


class Media:
    """The two ends of a call's media, on this loop."""

    def __init__(self, sound: CallSound) -> None:
        self.sent: list[Frame | None] = []
        self.reports: list[DeviceChanged] = []
        self._output, self._input = sound.make_output(), sound.make_input()
        self._output.start(lambda: frame(-5), self.reports.append)
        self._input.start(self.sent.append, self.reports.append)

    def values(self) -> list[int]:
        return [int(one[-1]) for one in self.sent if one is not None]

    def stop(self) -> None:
        self._input.stop()
        self._output.stop()


def forever(value: int) -> ScriptedSource:
    return ScriptedSource(frame(value) for _ in range(10_000))


async def test_before_the_gate_only_the_choice_changes() -> None:
    sound = CallSound(lambda: False)
    first, second, sink = forever(1), forever(2), RecordingSink()
    sound.choose(first, None)
    await sound.set_input(second)
    await sound.set_output(sink)
    sound.choose(None, None)
    assert (first.closed, second.closed) == (True, False)
    media = Media(sound)
    await until(lambda: len(media.values()) > 2 and len(sink.frames) > 2)
    assert set(media.values()) == {2}
    media.stop()
    assert not second.closed
    sound.end()
    sound.end()
    assert (second.closed, sink.closed) == (True, True)


async def test_before_the_gate_no_microphone_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []

    class Noted(ManualInput):
        def __init__(self, *chosen: object, insist: bool) -> None:
            made.append((*chosen[:1], insist))
            super().__init__()

    monkeypatch.setattr("openvoice.devices.microphone.Microphone", Noted)
    sound = CallSound(lambda: False)
    sound.choose(Device(), None)
    for name in ("webcam", "headset"):
        await sound.set_input(Device(name))
    assert made == []
    media = Media(sound)
    assert made == [("headset", False)]
    media.stop()
    sound.close()


async def test_a_recording_goes_on_over_a_change() -> None:
    class Kept:
        id = "kept"
        frames: ClassVar[list[tuple[int, int]]] = []

        def write(self, sent: Frame, received: Frame) -> None:
            self.frames.append((int(sent[0]), int(received[0])))

        def close(self) -> None: ...

    sound = CallSound(lambda: False)
    sound.recorder = Recorder(Kept())
    sound.choose(forever(1), RecordingSink())
    media = Media(sound)
    await until(lambda: (1, -5) in Kept.frames)
    await sound.set_input(forever(2))
    await sound.set_output(RecordingSink())
    await until(lambda: Kept.frames[-1] == (2, -5))
    media.stop()
    sound.close()


async def test_anything_replaces_anything_and_what_was_replaced_is_closed(tmp_path: Path) -> None:
    sound = CallSound(lambda: False)
    source, sink = forever(1), RecordingSink()
    sound.choose(source, sink)
    listening = sound.frames.listen()
    media = Media(sound)
    await until(lambda: len(media.values()) > 2)
    await sound.set_input(np.full(96_000, 2, np.int16))
    assert source.closed
    await sound.set_output(tmp_path / "heard.wav")
    assert sink.closed
    await until(lambda: media.values()[-1:] == [2])
    await sound.set_input(None)
    await until(lambda: media.values()[-1:] == [0])
    assert sorted(set(media.values()), key=media.values().index) == [1, 2, 0]
    count = len(media.sent)
    await sound.set_input(np.zeros(1, np.int16))
    await until(lambda: any(one is None for one in media.sent[count:]))
    await sound.set_input(forever(3))
    await until(lambda: media.values()[-1:] == [3])
    assert [(one.direction.value, one.what.value) for one in media.reports] == [
        ("input", "chosen"),
        ("output", "chosen"),
        ("input", "chosen"),
        ("input", "chosen"),
        ("input", "chosen"),
    ]
    with pytest.raises(AudioFileError):
        await sound.set_input(tmp_path / "none.wav")
    with pytest.raises(AudioFileError):
        await sound.set_output(tmp_path / "none" / "x.wav")
    before = len(media.values())
    await until(lambda: len(media.values()) > before + 2)
    assert media.values()[-1] == 3
    media.stop()
    sound.close()
    assert (tmp_path / "heard.wav").stat().st_size > 2 * 960
    # It was heard all the time.
    assert len([one async for one in listening]) > 5
    with pytest.raises(InvalidState):
        await sound.set_input(None)


async def test_media_that_begin_anew_go_on_with_what_was_chosen_last() -> None:
    sound = CallSound(lambda: False)
    source = ScriptedSource(frame(value) for value in range(1, 1000))
    sound.choose(forever(5000), None)
    media = Media(sound)
    await sound.set_input(source)
    await until(lambda: 3 in media.values())
    media.stop()
    last = media.values()[-1]
    again = Media(sound)
    await until(lambda: len(again.values()) > 2)
    assert again.values()[0] == last + 1
    await sound.set_input(forever(7))
    await until(lambda: again.values()[-1:] == [7])
    again.stop()
    # Between two media there is nothing to exchange.
    await sound.set_input(forever(8))
    third = Media(sound)
    await until(lambda: third.values()[-1:] == [8])
    third.stop()
    sound.close()


async def test_a_call_that_ends_ends_an_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = Ends()
    opening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    new, other = ends.input("new", opening)
    sound = CallSound(lambda: False)
    media = Media(sound)
    monkeypatch.setattr("openvoice.client.call_sound.audio_input", lambda *_: other)
    changing = asyncio.create_task(sound.set_input(None))
    await until(lambda: new.deliver is not None)
    sound.end()
    with pytest.raises(InvalidState, match="the call is over"):
        await changing
    await until(lambda: new.deliver is None)
    assert ends.closed == ["new"]
    media.stop()


async def test_a_key_that_is_pressed_is_heard_with_the_next_frame() -> None:
    ends = Ends()
    manual, chosen = ends.input("microphone")
    sound = CallSound(lambda: False)
    sound._input.put(chosen)
    media = Media(sound)
    assert manual.deliver
    said: list[int] = []
    for mode, pressed, expected in (
        (TalkMode.OPEN, False, 9),
        (TalkMode.PUSH_TO_TALK, False, 0),
        (TalkMode.PUSH_TO_TALK, True, 9),
        (TalkMode.HOLD_TO_MUTE, False, 9),
        (TalkMode.HOLD_TO_MUTE, True, 0),
    ):
        sound.talk.mode = mode
        if pressed:
            sound.talk.press()
        manual.deliver(frame(9))
        said.append(expected)
        assert media.values() == said
    media.stop()
    sound.close()
