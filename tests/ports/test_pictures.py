"""A picture that exists can be encoded."""

from __future__ import annotations

import numpy as np
import pytest

from openvoice.ports import MAXIMUM_SIDE, Picture


def test_the_sides_are_those_of_the_data() -> None:
    picture = Picture(np.zeros((720 * 3 // 2, 1280), np.uint8), 1.0)
    assert (picture.width, picture.height) == (1280, 720)


@pytest.mark.parametrize(
    "data",
    [
        np.zeros((6, 4, 1), np.uint8),
        np.zeros((6, 4), np.int16),
        np.zeros((6, 5), np.uint8),
        np.zeros((7, 4), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros((6, 0), np.uint8),
        np.zeros((3, MAXIMUM_SIDE + 2), np.uint8),
        np.zeros((6, MAXIMUM_SIDE + 2), np.uint8),
        np.zeros(((MAXIMUM_SIDE + 2) * 3 // 2, 2), np.uint8),
    ],
    ids=["planes", "kind", "odd width", "rows", "no rows", "no columns", "one row", "wide", "high"],
)
def test_other_data_is_refused(data: np.ndarray) -> None:
    with pytest.raises(ValueError, match="picture"):
        Picture(data, 0.0)
