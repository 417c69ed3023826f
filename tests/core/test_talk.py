from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.talk import TAIL_SECONDS, Talk, TalkMode


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_without_a_mode_the_key_does_nothing() -> None:
    talk = Talk(Clock())
    assert (talk.mode, talk.heard) == (TalkMode.OPEN, True)
    talk.press()
    assert talk.heard
    talk.release()
    assert talk.heard


def test_push_to_talk_is_heard_at_once_and_a_moment_longer() -> None:
    clock = Clock()
    talk = Talk(clock)
    talk.mode = TalkMode.PUSH_TO_TALK
    assert not talk.heard
    talk.press()
    assert talk.heard
    clock.now += 5
    talk.release()
    assert not talk.pressed
    clock.now += TAIL_SECONDS * 0.99
    assert talk.heard
    # A key that is not pressed cannot be let go.
    talk.release()
    clock.now += TAIL_SECONDS * 0.02
    assert not talk.heard


def test_hold_to_mute_is_silent_at_once_and_heard_at_once() -> None:
    talk = Talk(Clock())
    talk.mode = TalkMode.HOLD_TO_MUTE
    assert talk.heard
    with talk.held_down():
        assert talk.pressed
        assert not talk.heard
    assert talk.heard


def test_the_key_comes_up_whatever_happens() -> None:
    talk = Talk(Clock())
    talk.mode = TalkMode.PUSH_TO_TALK
    with pytest.raises(RuntimeError), talk.held_down():
        raise RuntimeError
    assert not talk.pressed


def test_a_new_mode_begins_with_a_key_that_is_not_pressed_and_no_tail() -> None:
    talk = Talk(Clock())
    talk.mode = TalkMode.PUSH_TO_TALK
    talk.press()
    talk.release()
    talk.mode = TalkMode.PUSH_TO_TALK
    assert not talk.heard
    talk.press()
    talk.mode = TalkMode.HOLD_TO_MUTE
    assert talk.heard


@given(
    st.sampled_from(TalkMode),
    st.lists(st.tuples(st.sampled_from(["press", "release", "wait"]), st.floats(0, 1)), max_size=30),
)
def test_what_is_heard_is_what_the_key_says(mode: TalkMode, steps: list[tuple[str, float]]) -> None:
    clock = Clock()
    talk = Talk(clock)
    talk.mode = mode
    pressed, released_at = False, -1.0
    for step, seconds in steps:
        clock.now += seconds
        if step == "press":
            pressed = True
            talk.press()
        elif step == "release":
            released_at = clock.now if pressed else released_at
            pressed = False
            talk.release()
        assert talk.pressed is pressed
        if mode is TalkMode.OPEN:
            assert talk.heard
        elif mode is TalkMode.HOLD_TO_MUTE:
            assert talk.heard is not pressed
        else:
            assert talk.heard is (pressed or clock.now < released_at + TAIL_SECONDS)
