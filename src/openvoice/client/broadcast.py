"""One thing said, heard by everybody who listens."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

_Item = TypeVar("_Item")

BACKLOG = 1024
"""Items kept for a listener that does not keep up; then it loses the oldest, and nobody else is slowed."""


class Broadcast(Generic[_Item]):
    """Sends items to any number of listeners, on one event loop."""

    def __init__(self, backlog: int = BACKLOG) -> None:
        self._backlog = backlog
        # Weak, because whoever leaves an ``async for`` just drops the listener. A dictionary keeps the order.
        self._listeners: WeakValueDictionary[int, Listener[_Item]] = WeakValueDictionary()
        self._closed = False

    def send(self, item: _Item) -> None:
        for listener in list(self._listeners.values()):
            listener.put(item)

    def listen(self) -> Listener[_Item]:
        """A new listener that hears all that is sent from now on. It ends when the broadcast is closed."""
        listener: Listener[_Item] = Listener(self, self._backlog)
        if self._closed:
            listener.end()
        else:
            self._listeners[id(listener)] = listener
        return listener

    def leave(self, listener: Listener[_Item]) -> None:
        self._listeners.pop(id(listener), None)

    def close(self) -> None:
        """Nothing more will be sent; what was sent is still heard."""
        self._closed = True
        for listener in list(self._listeners.values()):
            listener.end()
        self._listeners.clear()

    @property
    def has_listeners(self) -> bool:
        return bool(self._listeners)


class Listener(AsyncIterator[_Item]):
    """An asynchronous iterator over what a :class:`Broadcast` sends."""

    def __init__(self, broadcast: Broadcast[_Item], backlog: int) -> None:
        self._broadcast = broadcast
        self._items: deque[_Item] = deque(maxlen=backlog)
        self._wake = asyncio.Event()
        self._ended = False

    def put(self, item: _Item) -> None:
        self._items.append(item)
        self._wake.set()

    def end(self) -> None:
        self._ended = True
        self._wake.set()

    def __aiter__(self) -> Listener[_Item]:
        return self

    async def __anext__(self) -> _Item:
        while not self._items:
            if self._ended:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._items.popleft()

    async def aclose(self) -> None:
        """Stop listening."""
        self._broadcast.leave(self)
        self.end()
