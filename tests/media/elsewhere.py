"""The other end of a call in another process: whatever stops this one does not stop it."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any


class Elsewhere:
    """Runs ``serve(connection, *arguments)`` in a process of its own, which answers each question by its connection.

    The question ``None`` ends it.
    """

    def __init__(self, serve: Callable[..., None], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, *arguments), daemon=True)

    def __enter__(self) -> Elsewhere:
        self._process.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):
            self._connection.send(None)
        self._process.join(10)

    async def ask(self, question: Any) -> Any:
        self._connection.send(question)
        return await asyncio.to_thread(self._connection.recv)


async def questions(connection: Connection) -> Any:
    """The next question, without stopping the event loop."""
    return await asyncio.to_thread(connection.recv)
