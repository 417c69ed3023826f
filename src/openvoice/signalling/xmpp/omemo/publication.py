"""How others find the own device: its number in the list of the account's devices, and its keys."""

from __future__ import annotations

import asyncio
import logging
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.ports import SecretStore
from openvoice.signalling.xmpp.omemo import wire
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed
from openvoice.signalling.xmpp.omemo.identity import note_published, own_identity, settle_identity
from openvoice.signalling.xmpp.omemo.network import OmemoNetwork
from openvoice.signalling.xmpp.omemo.prekeys import fresh_bundle

MAXIMUM_RETURNS = 3
"""How often, after one login, the own device is put back into a list that another client took it from."""

_logger = logging.getLogger(__name__)


class Publication:
    """Publishes the own device, and what changes about it. One publication goes on at a time."""

    def __init__(self, account: Address, secrets: SecretStore, network: OmemoNetwork) -> None:
        self._account = account
        self._secrets = secrets
        self._network = network
        self._lock = asyncio.Lock()
        self._returns = MAXIMUM_RETURNS

    async def login(self) -> None:
        """Publish after a login. Raises :class:`OmemoFailed` (``unavailable``)."""
        self._returns = MAXIMUM_RETURNS
        await self.renew()

    async def renew(self) -> None:
        """Publish what differs from what the server has. Raises :class:`OmemoFailed` (``unavailable``)."""
        async with self._lock:
            listed = wire.read_device_list(
                await self._network.fetch(self._account, wire.DEVICE_LIST), wire.MAXIMUM_OWN_DEVICES
            )
            device = settle_identity(self._secrets, taken=listed).device
            # The keys first: whoever sees the device in the list asks for them.
            await self._renew_bundle(device)
            if device not in listed:
                await self._network.publish(wire.DEVICE_LIST, wire.write_device_list([*listed, device]))
            note_published(self._secrets)

    def removed(self, payload: Element) -> bool:
        """Whether the own device is to be published again, for it is not in this list any more."""
        identity = own_identity(self._secrets)
        if not identity.published or identity.device in wire.read_device_list(payload, wire.MAXIMUM_OWN_DEVICES):
            return False
        if self._returns <= 0:
            return False
        self._returns -= 1
        if self._returns == 0:
            _logger.warning("another client keeps removing this OMEMO device from the list; it is put back a last time")
        return True

    async def _renew_bundle(self, device: int) -> None:
        bundle = fresh_bundle(self._secrets)
        node = wire.bundle_node(device)
        try:
            there = wire.read_bundle(await self._network.fetch(self._account, node)) == bundle
        except OmemoFailed as failure:
            if failure.cause is not Cause.NO_BUNDLE:
                raise
            there = False
        if not there:
            await self._network.publish(node, wire.write_bundle(bundle))
