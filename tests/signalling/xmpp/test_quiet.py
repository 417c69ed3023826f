"""The words of slixmpp and python-omemo stay inside, whatever its loggers are set to."""

from __future__ import annotations

import logging
from contextlib import ExitStack

import pytest

from openvoice.signalling.xmpp.omemo.identity import own_identity
from openvoice.signalling.xmpp.quiet import LIBRARIES, MADE_LATER, quieten
from openvoice.testing.fakes import MemorySecrets


@pytest.mark.parametrize("name", ["slixmpp.xmlstream.xmlstream", "slixmpp.basexmpp", "slixmpp.clientxmpp"])
def test_the_words_are_left_out(name: str, caplog: pytest.LogCaptureFixture) -> None:
    import slixmpp

    assert slixmpp.__version__
    quieten()
    quieten()
    logger = logging.getLogger(name)
    with caplog.at_level(logging.DEBUG), caplog.at_level(logging.DEBUG, logger=name):
        logger.debug("SEND: %s", "a password")
        logger.error("Parse error: %r", "a body")
        try:
            raise ValueError("a key")
        except ValueError:
            logger.exception("Error handling %s", "a stanza")
    assert [record.getMessage() for record in caplog.records] == [
        "words left out, in test_the_words_are_left_out",
        "ValueError in test_the_words_are_left_out",
    ]
    for secret in ("password", "body", "key", "stanza"):
        assert secret not in caplog.text


def test_nothing_below_a_warning_by_inheritance(caplog: pytest.LogCaptureFixture) -> None:
    quieten()
    with caplog.at_level(logging.DEBUG):
        for library in LIBRARIES:
            assert logging.getLogger(f"{library}.a.module.imported.later").getEffectiveLevel() == logging.WARNING


def test_keys_are_left_out_even_when_somebody_asks_for_everything(caplog: pytest.LogCaptureFixture) -> None:
    quieten()
    with ExitStack() as levels:
        for name in (None, *LIBRARIES, *MADE_LATER):
            levels.enter_context(caplog.at_level(logging.DEBUG, logger=name))
        own_identity(MemorySecrets())
        logging.getLogger(MADE_LATER[0]).debug("Plain key material: %s", "a key")
    assert caplog.records == []
