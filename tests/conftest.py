"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# The same examples in every run: a failure that is found is found again.
settings.register_profile("openvoice", deadline=None, derandomize=True)
settings.load_profile("openvoice")
