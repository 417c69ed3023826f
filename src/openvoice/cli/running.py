"""Runs a command's coroutine, and ends it politely on Ctrl-C, SIGTERM and a closed terminal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Coroutine, Iterator

INTERRUPTED = 130
_noted = False
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextlib.contextmanager
def noting_interrupts() -> Iterator[None]:
    """Remember a Ctrl-C until :func:`run` begins: Python may drop the exception of one that comes during an import."""
    global _noted
    _noted = False
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, _note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _note(_number: int, _frame: object) -> None:
    global _noted
    _noted = True
    raise KeyboardInterrupt


def run(work: Coroutine[None, None, int]) -> int:
    """Run ``work`` to its end and return its exit code.

    A signal cancels it: calls are hung up, files closed, and 130 is returned. A second Ctrl-C does not wait.
    """
    return asyncio.run(_interruptible(work))


async def _interruptible(work: Coroutine[None, None, int]) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)

    def interrupt() -> None:
        task.cancel()
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
            # Of a window that closes the kernel tells, and then the shell: only Ctrl-C is meant when it comes twice.
            signal.signal(number, signal.SIG_DFL if number == signal.SIGINT else signal.SIG_IGN)

    try:
        for number in _SIGNALS:
            loop.add_signal_handler(number, interrupt)
    except NotImplementedError:
        # Windows' event loop has no signal handlers: there Ctrl-C arrives as KeyboardInterrupt and asyncio.run cancels.
        pass
    if _noted:
        task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return INTERRUPTED
