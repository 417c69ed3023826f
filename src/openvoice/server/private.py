"""What all private servers have in common: a directory of their own, ports on loopback, a life as a child process."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from openvoice.errors import InvalidState, ServerProgramError
from openvoice.server.process import ChildProcess

LOOPBACK = "127.0.0.1"
START_SECONDS = 15.0
"""How long a server may take to answer. It takes 0.2 s, and a hundred times that on a machine that is busy."""
ATTEMPTS = 8
"""How often a start is tried when some other program took one of the ports in between."""


class PrivateServer(ABC):
    """A server program as a private child process on loopback, as an async context manager.

    It works as root and as any other user, and beside whatever the machine runs anyway. All it writes, its log too, is
    in one directory that only its owner can enter. Its methods may be called from any event loop.
    """

    program: ClassVar[str]
    """The name of the executable."""
    package: ClassVar[str]
    """What to install for it."""
    port_taken: ClassVar[str]
    """What it logs when a port is not free. Neither server ends then."""

    def __init__(self, *, directory: Path | None = None) -> None:
        """``directory`` is made if need be and stays; without one, a temporary one goes when the server stops."""
        self._given_directory = directory
        self._directory: Path | None = None
        self._child: ChildProcess | None = None
        self._ports: tuple[int, ...] = ()

    @classmethod
    def is_installed(cls) -> bool:
        return shutil.which(cls.program) is not None

    @classmethod
    def missing(cls) -> str:
        """What to tell a person when the program is not installed."""
        if sys.platform == "darwin":
            advice = f"install it with 'brew install {cls.package}'"
        elif shutil.which("apt-get"):
            advice = f"install it with 'sudo apt-get install {cls.package}'"
        else:
            advice = f"install the package {cls.package} of this system"
        return f"{cls.program} is not installed: {advice}"

    @property
    def directory(self) -> Path:
        """Where all its files are."""
        if self._directory is None:
            raise InvalidState(f"{self.program} was not started yet")
        return self._directory

    @property
    def log(self) -> Path:
        return self.directory / f"{self.program}.log"

    @property
    def host(self) -> str:
        return LOOPBACK

    @property
    def pid(self) -> int:
        """Raises :class:`~openvoice.errors.InvalidState` when it does not run."""
        return self._running.pid

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.stop()
        finally:
            self._forget_directory()

    async def start(self) -> None:
        """Start it, and wait until it answers. After a stop, on the same data and ports as before.

        Raises:
            ServerProgramError: it is not installed, or did not come up.
            InvalidState: it runs already.
        """
        if self._child is not None:
            raise InvalidState(f"{self.program} runs already")
        executable = shutil.which(self.program)
        if executable is None:
            raise ServerProgramError(self.missing())
        if self._directory is not None:
            await self._start(executable, fresh=False)
            return
        self._directory = self._make_directory()
        try:
            await self._start(executable, fresh=True)
        except BaseException:
            self._forget_directory()
            raise

    async def stop(self) -> None:
        """End it in peace, however it is. Stopping one that does not run is no mistake."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop()

    async def kill(self) -> None:
        """End it as a crash or a power failure would."""
        child, self._child = self._running, None
        child.kill()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def pause(self) -> None:
        """Let it hang: connections stay open, and nothing answers."""
        self._running.pause()

    def resume(self) -> None:
        """Let it go on after :meth:`pause`."""
        self._running.resume()

    @property
    def _running(self) -> ChildProcess:
        if self._child is None:
            raise InvalidState(f"{self.program} does not run")
        return self._child

    def _make_directory(self) -> Path:
        if self._given_directory is None:
            return Path(tempfile.mkdtemp(prefix=f"openvoice-{self.program}-"))
        directory = self._given_directory.absolute()
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
        return directory

    def _forget_directory(self) -> None:
        if self._given_directory is None:
            shutil.rmtree(self.directory, ignore_errors=True)
        self._directory = None

    async def _start(self, executable: str, *, fresh: bool) -> None:
        for _ in range(ATTEMPTS):
            if fresh:
                self._ports = self._choose_ports()
                self._write_files()
            log_begins = self.log.stat().st_size if self.log.exists() else 0
            self._child = ChildProcess([executable, *self._arguments()], directory=self.directory, log=self.log)
            try:
                if await self._came_up(self._child, log_begins):
                    return
            except BaseException:
                await self.stop()
                raise
            await self.stop()
        raise ServerProgramError(f"{self.program} found no free ports on {LOOPBACK}: end what has them, and try again")

    async def _came_up(self, child: ChildProcess, log_begins: int) -> bool:
        """Wait until it answers; ``False`` if a port is taken."""
        try:
            async with asyncio.timeout(START_SECONDS):
                while child.exit_code is None:
                    if self.port_taken in self._logged(log_begins):
                        return False
                    # Some other program may have the port, and answer, before this one logs that it cannot.
                    if await self._answers() and self.port_taken not in self._logged(log_begins):
                        return True
                    await asyncio.sleep(0.01)
        except TimeoutError:
            problem = f"did not answer within {START_SECONDS:.0f} seconds"
        else:
            problem = f"ended with code {child.exit_code} instead of starting"
        last_words = self._logged(log_begins).strip().rpartition("\n")[2]
        raise ServerProgramError(f"{self.program} {problem}; the last it said was: {last_words or 'nothing'}")

    def _logged(self, since: int) -> str:
        with self.log.open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    @abstractmethod
    def _choose_ports(self) -> tuple[int, ...]: ...

    @abstractmethod
    def _write_files(self) -> None:
        """Write configuration and keys, for the ports chosen."""

    @abstractmethod
    def _arguments(self) -> Sequence[str]: ...

    @abstractmethod
    async def _answers(self) -> bool:
        """Whether this very server, and no other that has its port, serves now."""


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of loopback that no program has, neither for TCP nor for UDP. Somebody may take them at any time."""
    held: list[socket.socket] = []
    ports: list[int] = []
    try:
        while len(ports) < count:
            datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            held.append(datagrams)
            datagrams.bind((LOOPBACK, 0))
            stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            held.append(stream)
            try:
                stream.bind(datagrams.getsockname())
            except OSError:
                continue
            ports.append(datagrams.getsockname()[1])
    finally:
        for each in held:
            each.close()
    return tuple(ports)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, in folders that only its owner can enter."""
    for folder in reversed(path.parents):
        folder.mkdir(mode=0o700, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)


def recognising_context() -> ssl.SSLContext:
    """A TLS client that believes anybody: for looking at a certificate and comparing it, byte by byte, with one's own.

    That proves whose server it is even where the certificate is expired or foreign on purpose.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
