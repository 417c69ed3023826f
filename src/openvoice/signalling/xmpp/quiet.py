"""What slixmpp and python-omemo may say in logs.

At DEBUG they write passwords, keys and bodies, at ERROR whatever they stumbled over.
"""

from __future__ import annotations

import logging
import warnings

LIBRARIES = ("slixmpp", "omemo", "oldmemo", "doubleratchet", "x3dh")
MADE_LATER = ("omemo.core", "omemo.core.identity_key_pair")
"""Loggers that are made only when something is said."""


class _Scrub(logging.Filter):
    """Keeps where and how bad of what went wrong, drops the words; drops all else, which says nothing without words."""

    def filter(self, record: logging.LogRecord) -> bool:
        kind = record.exc_info[0] if isinstance(record.exc_info, tuple) else None
        record.msg = "words left out, in %s" if kind is None else f"{kind.__name__} in %s"
        record.args = (record.funcName,)
        record.exc_info = record.exc_text = record.stack_info = None
        return record.levelno >= logging.WARNING


_SCRUB = _Scrub()


def quieten() -> None:
    """Put the filter on every logger that the libraries have by now, whatever level it is set to. To be called once
    their modules are imported; twice is once."""
    for name in (*logging.root.manager.loggerDict, *MADE_LATER):
        if name.partition(".")[0] in LIBRARIES:
            logging.getLogger(name).addFilter(_SCRUB)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)
    # Whoever leaves out a thousand messages makes the library say so on the terminal.
    warnings.filterwarnings("ignore", module="doubleratchet")
