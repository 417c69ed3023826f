"""Who presses a key to be heard, or not to be: push-to-talk and hold-to-mute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

TAIL_SECONDS = 0.2
"""The key is let go a moment before the last syllable is over."""


class TalkMode(StrEnum):
    """What the talk key does."""

    OPEN = "open"
    """Nothing: the microphone is heard."""
    PUSH_TO_TALK = "push-to-talk"
    """The microphone is heard while it is pressed, and a moment longer."""
    HOLD_TO_MUTE = "hold-to-mute"
    """The microphone is heard unless it is pressed."""


class Talk:
    """The talk key of one call. ``clock`` gives seconds that only grow.

    Nobody is told of it: where the microphone is not heard, silence is sent, in packets of the same size at the same
    times. What is muted stays muted, whatever the key does. May be used from every thread.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._mode = TalkMode.OPEN
        self._pressed = False
        self._heard_until = float("-inf")

    @property
    def mode(self) -> TalkMode:
        """What the key does. A new mode begins with a key that is not pressed."""
        return self._mode

    @mode.setter
    def mode(self, mode: TalkMode) -> None:
        self._pressed = False
        self._heard_until = float("-inf")
        self._mode = mode

    @property
    def pressed(self) -> bool:
        return self._pressed

    def press(self) -> None:
        """Press the key. It counts from the next frame on. Twice is once."""
        self._pressed = True

    def release(self) -> None:
        """Let the key go. Twice is once."""
        if self._pressed:
            self._heard_until = self._clock() + TAIL_SECONDS
            self._pressed = False

    @contextmanager
    def held_down(self) -> Iterator[None]:
        """Press the key for as long as this lasts."""
        self.press()
        try:
            yield
        finally:
            self.release()

    @property
    def heard(self) -> bool:
        """Whether the microphone is heard now, as far as the key decides it."""
        match self._mode:
            case TalkMode.PUSH_TO_TALK:
                return self._pressed or self._clock() < self._heard_until
            case TalkMode.HOLD_TO_MUTE:
                return not self._pressed
            case _:
                return True
