"""Networks of the test's own: namespaces of Linux, joined by cables that can be pulled."""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

_CLONE_NEWNET = 0x40000000
_numbers = itertools.count()

T = TypeVar("T")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def reason_against() -> str:
    """Why there can be no namespaces here; empty if there can."""
    if sys.platform != "linux":
        return "only Linux has network namespaces"
    try:
        Namespace().delete()
    except (OSError, subprocess.CalledProcessError):
        return "network namespaces need the right to administer the network, and the program ip"
    return ""


class Namespace:
    """One network. Its name is of this process alone."""

    def __init__(self) -> None:
        self.name = f"openvoice-{os.getpid()}-{next(_numbers)}"
        _ip("netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments: str) -> None:
        """Run ip(8) inside."""
        _ip("-n", self.name, *arguments)

    def set(self, name: str, value: str) -> None:
        """Change a setting below ``/proc/sys`` inside."""
        _ip("netns", "exec", self.name, "sh", "-c", f"echo {value} > /proc/sys/{name}")

    def enter(self) -> None:
        """Move the thread that runs now; what sockets it makes from now on are inside."""
        with Path(f"/run/netns/{self.name}").open() as handle:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(handle.fileno(), _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")

    def delete(self) -> None:
        _ip("netns", "delete", self.name)


def cable(one: Namespace, name: str, address: str, other: Namespace, other_address: str) -> None:
    """Join two networks. The end in ``other`` is named after that in ``one``; addresses have a prefix length."""
    far = f"{name}-{one.name[-8:]}"[:15]
    one.ip("link", "add", name, "type", "veth", "peer", "name", far)
    one.ip("link", "set", far, "netns", other.name)
    for end, interface, with_address in ((one, name, address), (other, far, other_address)):
        end.ip("address", "add", with_address, "dev", interface)
        end.ip("link", "set", interface, "up")


class Inside:
    """An event loop on a thread of its own, inside a namespace."""

    def __init__(self, namespace: Namespace) -> None:
        self.loop = asyncio.new_event_loop()
        ready: threading.Event = threading.Event()
        self._failure: BaseException | None = None

        def live() -> None:
            try:
                namespace.enter()
            except BaseException as error:
                self._failure = error
                ready.set()
                return
            self.loop.call_soon(ready.set)
            self.loop.run_forever()
            self.loop.close()

        self._thread = threading.Thread(target=live, name=namespace.name)
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            raise self._failure

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine inside; the caller blocks."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function on the loop inside; the caller blocks."""

        async def work() -> T:
            return function(*arguments)

        return self.run(work())

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
