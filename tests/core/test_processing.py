from __future__ import annotations

import pytest

from openvoice.core.processing import Processing


@pytest.mark.parametrize(
    ("processing", "words"),
    [
        (Processing(), "echo, noise and level"),
        (Processing(level=False), "echo and noise"),
        (Processing(echo=False, noise=False), "level"),
        (Processing(echo=False, noise=False, level=False), "nothing"),
    ],
)
def test_it_says_what_is_done(processing: Processing, words: str) -> None:
    assert str(processing) == words
    assert bool(processing) == (words != "nothing")
