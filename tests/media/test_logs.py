"""What aioice says of addresses does not reach a log at INFO."""

from __future__ import annotations

import logging

import pytest

from openvoice.media.logs import quieten


def test_info_of_the_libraries_is_debug_here(caplog: pytest.LogCaptureFixture) -> None:
    quieten()
    library = logging.getLogger("aioice.ice")
    with caplog.at_level(logging.INFO):
        library.info("Check CandidatePair(%s)", ("192.0.2.1", 5))
        assert caplog.records == []
        library.warning("worth knowing")
    with caplog.at_level(logging.DEBUG):
        library.info("Check CandidatePair(%s)", ("192.0.2.1", 5))
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.DEBUG]


def test_twice_is_once() -> None:
    quieten()
    before = list(logging.getLogger("aioice.turn").filters)
    quieten()
    assert logging.getLogger("aioice.turn").filters == before
