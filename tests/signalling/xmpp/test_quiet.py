"""slixmpp's words stay inside, whatever its loggers are set to."""

from __future__ import annotations

import logging

import pytest

from openvoice.signalling.xmpp.quiet import quieten


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
        assert logging.getLogger("slixmpp.a.module.imported.later").getEffectiveLevel() == logging.WARNING
