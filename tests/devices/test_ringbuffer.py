from __future__ import annotations

import threading
import time
from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.devices.ringbuffer import RingBuffer

OPERATIONS = st.lists(st.tuples(st.sampled_from(["write", "read", "skip"]), st.integers(0, 40)), max_size=200)


@given(capacity=st.integers(1, 50), operations=OPERATIONS)
def test_behaves_like_a_bounded_queue(capacity: int, operations: list[tuple[str, int]]) -> None:
    ring = RingBuffer(capacity)
    model: deque[int] = deque()
    following = 0
    for operation, count in operations:
        if operation == "write":
            samples = np.arange(following, following + count, dtype=np.int16)
            taken = ring.write(samples)
            assert taken == min(count, capacity - len(model))
            model.extend(samples[:taken].tolist())
            following += taken
        elif operation == "read":
            into = np.full(count, -1, np.int16)
            taken = ring.read(into)
            assert into.tolist() == [model.popleft() for _ in range(taken)] + [-1] * (count - taken)
            assert taken == count or not model
        else:
            skipped = ring.skip(count)
            assert skipped == min(count, len(model))
            for _ in range(skipped):
                model.popleft()
        assert ring.available == len(model)
        assert ring.free == capacity - len(model)


def test_loses_nothing_between_two_threads() -> None:
    ring = RingBuffer(100)
    sent = (np.arange(60_000) % 30_011).astype(np.int16)

    def produce() -> None:
        position = 0
        while position < len(sent):
            position += ring.write(sent[position : position + 37])
            time.sleep(0)

    producer = threading.Thread(target=produce)
    producer.start()
    received = np.zeros(len(sent), np.int16)
    position = 0
    while position < len(sent):
        position += ring.read(received[position : position + 53])
        time.sleep(0)
    producer.join()
    assert np.array_equal(received, sent)


def test_refuses_to_hold_nothing() -> None:
    with pytest.raises(ValueError, match="at least one"):
        RingBuffer(0)
