from __future__ import annotations

import re

from openvoice.core.faults import fault


def test_the_kind_and_the_place_without_the_words() -> None:
    try:
        raise KeyError("alice@example.org")
    except KeyError as error:
        said = fault(error)
    assert re.fullmatch(r"KeyError in test_the_kind_and_the_place_without_the_words \(test_faults\.py:\d+\)", said)


def test_an_exception_that_was_never_raised_has_no_place() -> None:
    assert fault(ValueError("alice@example.org")) == "ValueError"
