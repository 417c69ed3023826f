"""What becomes of an incoming call in the hands of a handler."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable

from openvoice.client.call import Call
from openvoice.core.faults import fault
from openvoice.errors import OpenVoiceError

CallHandler = Callable[[Call], Awaitable[None]]

_log = logging.getLogger(__name__)


async def attend(handler: CallHandler, call: Call) -> None:
    """Let a handler deal with a call; one that raises leaves nobody who would end it, so it is hung up."""
    try:
        result = handler(call)
        if inspect.isawaitable(result):
            await result
        return
    except OpenVoiceError as error:
        _log.warning("the handler of a call ended with %s", type(error).__name__)
    except Exception as error:
        _log.error("the handler of a call failed: %s", fault(error))
        _log.debug("what it said", exc_info=True)
    await call.hangup()
