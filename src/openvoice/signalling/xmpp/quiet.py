"""What slixmpp may say in logs: at DEBUG it writes passwords and bodies, at ERROR whatever it stumbled over."""

from __future__ import annotations

import logging


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
    """Put the filter on every logger that slixmpp has by now, whatever level it is set to. To be called once its
    modules are imported; twice is once."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == "slixmpp":
            logging.getLogger(name).addFilter(_SCRUB)
    logging.getLogger("slixmpp").setLevel(logging.WARNING)
