"""Keys that change a call, at a terminal that is one."""

from __future__ import annotations

import asyncio
import os
import pty
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from openvoice import Call, Device, DeviceFailed, SoundDevice, Talk, TalkMode, TestPattern, VideoLabel
from openvoice.cli import controls
from openvoice.cli.keyboard import Turn

from .conftest import Run
from .world import BOB, Behaviour, World

LOCAL_MODES = 3
QUIET = ("--input", "silence", "--output", "null")


class Typist:
    """Sits at the terminal, and presses one key after the other as soon as single keys are read."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        self.terminal = os.fdopen(slave)
        self.modes = termios.tcgetattr(self.terminal)

    def press(self, keys: str) -> None:
        threading.Thread(target=self._press, args=(keys,), daemon=True).start()

    @property
    def reads_keys(self) -> bool:
        return not termios.tcgetattr(self.terminal)[LOCAL_MODES] & termios.ICANON

    def _press(self, keys: str) -> None:
        end = time.monotonic() + 5
        while not self.reads_keys and time.monotonic() < end:
            time.sleep(0.01)
        for key in keys:
            os.write(self._master, key.encode())
            time.sleep(0.1)

    def close(self) -> None:
        self.terminal.close()
        os.close(self._master)


@pytest.fixture
def typist(monkeypatch: pytest.MonkeyPatch) -> Iterator[Typist]:
    made = Typist()
    monkeypatch.setattr(sys, "stdin", made.terminal)
    yield made
    assert termios.tcgetattr(made.terminal) == made.modes
    made.close()


def device(kind: str, name: str, *, default: bool = False) -> SoundDevice:
    return SoundDevice(index=0, name=name, kind=kind, channels=1, rate=48_000, default=default, host="ALSA")


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """What the call was told to use."""
    told: list[tuple[str, object]] = []

    async def set_input(_: Call, source: object) -> None:
        if source == Device("Broken"):
            raise DeviceFailed("the sound system refuses: Device unavailable")
        told.append(("input", source))

    async def set_output(_: Call, sink: object) -> None:
        told.append(("output", sink))

    monkeypatch.setattr(Call, "set_input", set_input)
    monkeypatch.setattr(Call, "set_output", set_output)
    found = [
        device("input", "default", default=True),
        device("input", "Headset"),
        device("input", "Broken"),
        device("output", "Headset"),
        device("output", "Headset"),
    ]
    monkeypatch.setattr(controls, "sound_devices", lambda *, renew: found)
    return told


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("d1", [("input", Device())]),
        ("d2", [("input", Device("Headset"))]),
        ("d4", [("output", Device())]),
        ("D5", [("output", Device("Headset"))]),
        ("d9", []),
        ("2", []),
        ("dqd2", [("input", Device("Headset"))]),
    ],
)
def test_a_key_shows_the_devices_and_the_next_one_chooses(
    alice: Run, world: World, typist: Typist, changed: list[tuple[str, object]], keys: str, expected: list[object]
) -> None:
    typist.press(keys)
    called = alice("call", BOB.bare, *QUIET, "--duration", "0.8")
    assert called.code == 0, called.errors
    assert changed == expected
    if "d" in keys.lower():
        assert "2  microphone: Headset" in called.output
        assert "5  loudspeaker: Headset" in called.output
        assert "6 " not in called.output
    assert ("the devices stay as they are" in called.output) == (keys in ("d9", "dqd2"))


def test_keys_show_the_camera_and_the_screen_and_hide_them(
    alice: Run, world: World, typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    showing: set[VideoLabel] = set()

    async def show(label: VideoLabel, source: object) -> None:
        told.append(source)
        showing.add(label)

    async def hide(label: VideoLabel) -> None:
        told.append(label)
        showing.discard(label)

    camera, screen = VideoLabel.CAMERA, VideoLabel.SCREEN
    monkeypatch.setattr(Call, "showing", property(lambda _: frozenset(showing)))
    monkeypatch.setattr(Call, "add_video", lambda _, source: show(camera, source))
    monkeypatch.setattr(Call, "remove_video", lambda _: hide(camera))
    monkeypatch.setattr(Call, "share_screen", lambda _: show(screen, None))
    monkeypatch.setattr(Call, "stop_screen", lambda _: hide(screen))
    typist.press("csCS")
    called = alice("call", BOB.bare, *QUIET, "--camera", "pattern", "--duration", "0.8")
    assert called.code == 0, called.errors
    assert told == [TestPattern(), None, camera, screen]


def test_a_device_that_does_not_work_is_told(
    alice: Run, world: World, typist: Typist, changed: list[tuple[str, object]]
) -> None:
    typist.press("d3")
    called = alice("call", BOB.bare, *QUIET, "--duration", "0.5")
    assert "the sound system refuses: Device unavailable" in called.output
    assert changed == []


def test_programs_get_no_questions(alice: Run, world: World, typist: Typist, changed: list[tuple[str, object]]) -> None:
    typist.press("d1")
    called = alice("call", BOB.bare, *QUIET, "--duration", "0.4", "--json")
    assert called.code == 0
    assert all(called.names)
    assert changed == []


def test_the_space_bar_talks_and_is_silent_again(
    alice: Run, world: World, typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    pressed: list[str] = []

    def noted(name: str) -> Callable[[Talk], None]:
        real = getattr(Talk, name)

        def press(self: Talk) -> None:
            assert self.mode is TalkMode.PUSH_TO_TALK
            pressed.append(name)
            real(self)

        return press

    for name in ("press", "release"):
        monkeypatch.setattr(Talk, name, noted(name))
    typist.press("  ")
    talked = alice("call", BOB.bare, *QUIET, "--push-to-talk", "--duration", "0.8")
    assert "You are not heard now" in talked.output
    assert pressed == ["press", "release"]
    assert talked.output.index("you are heard") < talked.output.index("you are not heard any more")


def test_who_answers_is_silent_from_the_first_moment(
    alice: Run, world: World, typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[TalkMode] = []
    accept = Call.accept

    async def accepted(self: Call, **words: Any) -> None:
        modes.append(self.talk.mode)
        await accept(self, **words)

    monkeypatch.setattr(Call, "accept", accepted)
    world.rings, world.behaviour = [BOB], Behaviour.LEAVES
    assert alice("answer", "--from", BOB.bare, "--once", *QUIET, "--push-to-talk").code == 0
    assert modes == [TalkMode.PUSH_TO_TALK]


@pytest.mark.parametrize("command", [["call", str(BOB.bare)], ["answer", "--from", str(BOB.bare)]])
def test_nobody_is_silent_for_ever(alice: Run, world: World, command: list[str]) -> None:
    refused = alice(*command, *QUIET, "--push-to-talk")
    assert refused.code == 2
    assert "leave out --push-to-talk" in refused.errors


async def test_a_question_goes_before_the_keys_of_a_call(typist: Typist) -> None:
    turn, typed = Turn(), list[str]()
    over = asyncio.Event()
    reading = asyncio.create_task(turn.keys(typed.append, until=over.wait()))
    await asyncio.sleep(0.01)
    assert typist.reads_keys
    async with turn.question():
        assert not typist.reads_keys
        second = asyncio.create_task(_asked(turn))
        await asyncio.sleep(0.01)
        assert not second.done()
    await second
    await asyncio.sleep(0.01)
    assert typist.reads_keys
    over.set()
    await reading
    assert not typist.reads_keys


async def _asked(turn: Turn) -> None:
    async with turn.question():
        pass
