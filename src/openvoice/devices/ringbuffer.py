"""Sound between a device's thread and the event loop."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]


class RingBuffer:
    """A bounded queue of samples for one writing and one reading thread, without a lock.

    Each of the two counters below is moved by one thread only, and only after the samples it speaks of are in place:
    the other thread then sees too little at worst, never something wrong. Nothing is allocated after the construction
    but the views that numpy makes of the storage.

    Raises ``ValueError`` for a capacity below one sample.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("a ring buffer holds at least one sample")
        self._storage: Samples = np.zeros(capacity, np.int16)
        self._written = 0
        self._taken = 0

    @property
    def capacity(self) -> int:
        """In samples."""
        return len(self._storage)

    @property
    def written(self) -> int:
        """Samples that were ever put in."""
        return self._written

    @property
    def taken(self) -> int:
        """Samples that were ever taken out, or thrown away."""
        return self._taken

    @property
    def available(self) -> int:
        """Samples that the reader may take."""
        return self._written - self._taken

    @property
    def free(self) -> int:
        """Samples that the writer may put in."""
        return self.capacity - self.available

    def write(self, samples: npt.NDArray[np.generic]) -> int:
        """Put in as many of ``samples`` as there is room for, the first ones first; returns how many. Writer only."""
        count = min(len(samples), self.free)
        start = self._written % self.capacity
        head = min(count, self.capacity - start)
        self._storage[start : start + head] = samples[:head]
        self._storage[: count - head] = samples[head:count]
        self._written += count
        return count

    def read(self, into: Samples) -> int:
        """Take as many samples as there are, at most ``len(into)``; returns how many. Reader only."""
        count = min(len(into), self.available)
        start = self._taken % self.capacity
        head = min(count, self.capacity - start)
        into[:head] = self._storage[start : start + head]
        into[head:count] = self._storage[: count - head]
        self._taken += count
        return count

    def skip(self, count: int) -> int:
        """Throw away the oldest samples, at most ``count``; returns how many. Reader only."""
        count = min(count, self.available)
        self._taken += count
        return count
