"""What goes on about an OMEMO device whether there are calls or not."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.signalling.xmpp.messages import ReceivedMessage
from openvoice.signalling.xmpp.omemo import wire
from openvoice.signalling.xmpp.omemo.device import OmemoDevice
from openvoice.signalling.xmpp.omemo.failures import OmemoFailed
from openvoice.signalling.xmpp.tasks import Tasks

NOTIFY = f"{wire.DEVICE_LIST}+notify"
"""The feature that asks servers to tell of new lists of devices (XEP-0163, 4.3.2)."""
FRESH = 24 * 3600.0
"""Seconds after which it is looked again whether the published keys are fresh."""
AGAIN = 600.0
"""Seconds after which a publication that failed is tried again."""
MAXIMUM_UNHEARD = 1000
"""Messages that wait to be heard; of more, the oldest are not."""

_logger = logging.getLogger(__name__)


class Upkeep:
    """Publishes ``device`` while the account is online, and lets it hear what is written to it.

    ``known`` says of a bare address whether it is in the contact list, or the own account. Of others nothing is heard:
    no session is begun for a stranger's message, and none is answered.
    """

    def __init__(self, device: OmemoDevice, known: Callable[[Address], bool]) -> None:
        self._device = device
        self._known = known
        self._publishing: asyncio.Task[None] | None = None
        self._tasks = Tasks()
        self._unheard: deque[tuple[Address, Element, bool]] = deque(maxlen=MAXIMUM_UNHEARD)
        self._hearing: asyncio.Task[None] | None = None

    def connection_changed(self, online: bool) -> None:
        if self._publishing is not None:
            self._publishing.cancel()
        self._publishing = self._tasks.spawn(self._keep_published()) if online else None

    def message_received(self, message: Element, sender: Address, *, late: bool) -> None:
        """``late`` says that a server kept the message for a while."""
        encrypted = wire.find_encrypted(message)
        if encrypted is not None and message.get("type") != "error" and self._known(sender.bare):
            self._unheard.append((sender.bare, encrypted, late))
            if self._hearing is None or self._hearing.done():
                self._hearing = self._tasks.spawn(self._hear())

    def catch_up(self, messages: Iterable[ReceivedMessage]) -> None:
        """Let the device hear what the archive kept."""
        for item in messages:
            self.message_received(item.message, item.sender, late=True)

    def node_changed(self, owner: Address, node: str, payload: Element) -> None:
        if node == wire.DEVICE_LIST:
            self._device.devices_changed(owner, payload)

    async def close(self) -> None:
        await self._tasks.close()
        await self._device.close()

    async def _hear(self) -> None:
        """Let the device hear one message after another, for half of the time at most: calls go on in the other half,
        however many messages there are."""
        clock = asyncio.get_running_loop().time
        while self._unheard:
            sender, encrypted, late = self._unheard.popleft()
            began = clock()
            self._tasks.spawn(self._device.receive(sender, encrypted, late=late))
            await asyncio.sleep(0)
            await asyncio.sleep(clock() - began)

    async def _keep_published(self) -> None:
        while True:
            try:
                await self._device.publish()
                await asyncio.sleep(FRESH)
            except OmemoFailed:
                if self._device.published:
                    _logger.warning("the OMEMO keys of this device could not be looked after")
                else:
                    _logger.warning(
                        "the own server does not keep OMEMO keys, or did not answer: "
                        "fingerprints of calls are not sealed until this device is published"
                    )
                await asyncio.sleep(AGAIN)
