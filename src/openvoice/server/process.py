"""One child process that never outlives its parent, not even one that was killed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

POLL_SECONDS = 0.005

_UNLESS_ORPHANED = 'test "$PPID" = "$0" && exec "$@"'
"""Covers a parent that died before the kernel was asked to watch it."""
_GUARDIAN = 'read -r _; kill -TERM "$1"'
"""Waits until the pipe from the parent breaks, which is when the parent dies, however it dies."""


class ChildProcess:
    """A running program, and the ways to stop it.

    On Linux the kernel ends it with the *thread* that made it (``PR_SET_PDEATHSIG``, by ``setpriv`` of util-linux), so
    make it in a thread that lives as long as the program should. Elsewhere a guardian of one line of shell does the
    same when the parent is gone.
    """

    def __init__(self, command: Sequence[str], *, directory: Path, log: Path) -> None:
        """Run ``command`` in ``directory``, its output appended to the file ``log``.

        The program sees nothing of the terminal: not its input, not its Ctrl-C.
        """
        setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the program was looked up, no shell reads the arguments
                [*_watched_by_kernel(setpriv), *command] if setpriv else list(command),
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=subprocess.STDOUT,
                cwd=directory,
                umask=0o077,
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        self._guardian = None if setpriv else _guard(self._process.pid)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """``None`` while it runs; negative for a signal."""
        return self._process.poll()

    async def stop(self, patience: float = 10.0) -> None:
        """Ask it to end, and kill it when it has not after ``patience`` seconds."""
        try:
            if self.exit_code is None:
                self._process.terminate()
                self.resume()
                async with asyncio.timeout(patience):
                    while self.exit_code is None:  # noqa: ASYNC110 - waiting in a thread could not be cancelled
                        await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            pass
        finally:
            self.kill()

    def kill(self) -> None:
        """End it at once, without a chance to clean up (SIGKILL)."""
        self._process.kill()
        self._process.wait()
        if self._guardian is not None:
            self._guardian.kill()
            self._guardian.communicate()

    def pause(self) -> None:
        """Freeze it (SIGSTOP): its sockets stay open and nothing answers."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused one go on (SIGCONT)."""
        self._process.send_signal(signal.SIGCONT)


def _watched_by_kernel(setpriv: str) -> list[str]:
    return [setpriv, "--pdeathsig", "TERM", "--", "/bin/sh", "-c", _UNLESS_ORPHANED, str(os.getpid())]


def _guard(pid: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - a constant script and a number
        ["/bin/sh", "-c", _GUARDIAN, "guardian", str(pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
