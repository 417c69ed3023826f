"""What the payload formats share: octets cut evenly, put together, and read without running over the end."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from openvoice.media.video.codec import Fragment, MalformedPayload

MINIMUM = 100
"""Octets that a packet has room for at least."""


def check_maximum(maximum: int) -> None:
    if maximum < MINIMUM:
        raise ValueError(f"a packet has room for {MINIMUM} octets at least")


def split(data: bytes, maximum: int) -> list[bytes]:
    """As few pieces as possible, none with more than ``maximum`` octets, all about as long."""
    count = -(-len(data) // maximum)
    bounds = [len(data) * index // count for index in range(count + 1)]
    return [data[start:end] for start, end in itertools.pairwise(bounds)]


def put_together(fragments: Sequence[Fragment]) -> bytes:
    """The pieces of one picture: only the first begins it. Raises ``MalformedPayload``."""
    if [fragment.begins for fragment in fragments] != [True] + [False] * (len(fragments) - 1):
        raise MalformedPayload("not the fragments of one picture")
    return b"".join(fragment.data for fragment in fragments)


class Octets:
    """Reads a payload from its beginning. Each reading raises ``MalformedPayload`` where there is nothing left."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0

    def take(self, count: int = 1) -> int:
        """The next ``count`` octets as a number, the highest first."""
        end = self._position + count
        if end > len(self._data):
            raise MalformedPayload("a payload ends within its header")
        value = int.from_bytes(self._data[self._position : end], "big")
        self._position = end
        return value

    def rest(self) -> bytes:
        """All that is left, which must be something."""
        if self._position >= len(self._data):
            raise MalformedPayload("a payload has a header only")
        return self._data[self._position :]
