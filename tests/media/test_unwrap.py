from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.unwrap import Unwrapper


@given(
    start=st.integers(0, 2**16 - 1),
    steps=st.lists(st.integers(-100, 1000), max_size=300),
    bits=st.sampled_from([16, 32]),
)
def test_a_counter_that_wraps_goes_on(start: int, steps: list[int], bits: int) -> None:
    counter, highest = Unwrapper(bits), start
    assert counter.unwrap(start) == start
    for step in steps:
        assert counter.unwrap((highest + step) % 2**bits) == highest + step
        highest = max(highest, highest + step)
