"""What a log may say of an exception that nobody expected."""

from __future__ import annotations

import traceback
from pathlib import PurePath


def fault(error: BaseException) -> str:
    """The kind and the place of ``error`` in one line, never its words: an exception quotes what it stumbled over."""
    places = traceback.extract_tb(error.__traceback__)
    where = f" in {places[-1].name} ({PurePath(places[-1].filename).name}:{places[-1].lineno})" if places else ""
    return type(error).__name__ + where
