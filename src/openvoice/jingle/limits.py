"""Memory and patience with a bound: what others can make this device keep, and how often they can make it think."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from typing import Generic, TypeVar

MAXIMUM_EARLY = 64
"""Requests kept until the description that they belong to has come."""

Key = TypeVar("Key", bound=Hashable)


class Memory(Generic[Key]):
    """A set that forgets: what is older than ``seconds``, and the oldest when there are more than ``size``."""

    def __init__(self, size: int, seconds: float) -> None:
        self._size = size
        self._seconds = seconds
        self._expiries: OrderedDict[Key, float] = OrderedDict()

    def add(self, key: Key, now: float) -> None:
        self._expiries.pop(key, None)
        self._expiries[key] = now + self._seconds
        if len(self._expiries) > self._size:
            self._expiries.popitem(last=False)

    def holds(self, key: Key, now: float) -> bool:
        return self._expiries.get(key, now) > now


class RateLimit(Generic[Key]):
    """Lets each key through ``count`` times in ``seconds``, for at most ``size`` keys at once."""

    def __init__(self, count: int, seconds: float, size: int = 256) -> None:
        self._count = count
        self._seconds = seconds
        self._size = size
        self._passed: OrderedDict[Key, deque[float]] = OrderedDict()

    def admit(self, key: Key, now: float) -> bool:
        passed = self._passed.setdefault(key, deque(maxlen=self._count))
        self._passed.move_to_end(key)
        if len(self._passed) > self._size:
            self._passed.popitem(last=False)
        if len(passed) == self._count and now - passed[0] < self._seconds:
            return False
        passed.append(now)
        return True
