"""Keeps addresses out of the logs: what aioice says at INFO, it says here at DEBUG."""

from __future__ import annotations

import logging

_LOGGERS = ("aioice.ice", "aioice.turn", "aiortc.rtcdtlstransport")


class _Demotion(logging.Filter):
    """aioice names candidates and relayed addresses at INFO, where a user's log would keep them."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno == logging.INFO:
            record.levelno, record.levelname = logging.DEBUG, "DEBUG"
            return logging.getLogger(record.name).isEnabledFor(logging.DEBUG)
        return True


_DEMOTION = _Demotion()


def quieten() -> None:
    """Demote the libraries' INFO records. Twice is once."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_DEMOTION)
