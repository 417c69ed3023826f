"""Single keys of a person at the terminal, while something else goes on."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


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

    tty.setcbreak(terminal, termios.TCSAFLUSH)
    loop.add_reader(terminal, read)
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
