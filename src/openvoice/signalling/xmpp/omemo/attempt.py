"""Work of OMEMO that a call waits for: it ends, and never with an error that the call would not hear of."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from openvoice.core.faults import fault
from openvoice.signalling.xmpp.omemo.failures import OmemoFailed

WITHIN = 10.0
"""Seconds that sealing or opening may take: the keys of the other device may have to be fetched."""

Result = TypeVar("Result")

_logger = logging.getLogger(__name__)


async def attempt(work: Awaitable[Result]) -> Result | None:
    """What comes of ``work``; ``None`` if that fails, or is not there in time."""
    try:
        async with asyncio.timeout(WITHIN):
            return await work
    except OmemoFailed as failure:
        _logger.warning("OMEMO could not seal or open the keys of a call: %s", failure)
    except TimeoutError:
        _logger.warning("OMEMO could not seal or open the keys of a call in time")
    except Exception as error:
        _logger.error("OMEMO failed in a call: %s", fault(error))
    return None
