"""Single keys of a person at the terminal, while something else goes on."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any


def somebody_types() -> bool:
    """Whether a person sits at standard input, and single keys can be read from there."""
    try:
        import termios  # noqa: F401
    except ImportError:
        return False
    return sys.stdin.isatty()


@contextmanager
def keys(press: Callable[[str], None]) -> Iterator[None]:
    """Call ``press`` with each key that is typed from now on: at once, without Enter, and unseen.

    Ctrl-C and Ctrl-Z do what they always do. What was typed before is forgotten.
    """
    import termios
    import tty

    loop = asyncio.get_running_loop()
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def read() -> None:
        try:
            typed = os.read(terminal, 64)
        except OSError:
            typed = b""
        if not typed:
            # Nobody is there any more.
            loop.remove_reader(terminal)
        for key in typed.decode("ascii", "ignore"):
            press(key)

    try:
        tty.setcbreak(terminal, termios.TCSAFLUSH)
        loop.add_reader(terminal, read)
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


class Turn:
    """Who reads the terminal: whoever asks a question goes before the keys of calls."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._questions = 0
        self._asked = asyncio.Event()
        self._answered = asyncio.Event()
        self._answered.set()

    @asynccontextmanager
    async def question(self) -> AsyncIterator[None]:
        """Lines may be read inside."""
        self._questions += 1
        self._asked.set()
        self._answered.clear()
        try:
            async with self._lock:
                yield
        finally:
            self._questions -= 1
            if not self._questions:
                self._asked.clear()
                self._answered.set()

    async def keys(self, press: Callable[[str], None], until: Coroutine[Any, Any, object]) -> None:
        """Call ``press`` with each key while no question is asked, until ``until`` is done."""
        over = asyncio.ensure_future(until)
        try:
            while not over.done():
                async with self._lock:
                    if not over.done() and not self._questions:
                        with keys(press):
                            await _first(over, self._asked.wait())
                await _first(over, self._answered.wait())
        finally:
            over.cancel()


async def _first(over: asyncio.Future[object], event: Coroutine[Any, Any, object]) -> None:
    waiting = asyncio.ensure_future(event)
    try:
        await asyncio.wait({over, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
