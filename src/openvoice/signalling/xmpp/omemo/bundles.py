"""The published keys of others' devices, by way of the network."""

from __future__ import annotations

from openvoice.core.address import Address
from openvoice.signalling.xmpp.omemo import wire
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed
from openvoice.signalling.xmpp.omemo.network import OmemoNetwork


async def fetch_bundle(network: OmemoNetwork, peer: Address, device: int) -> wire.Bundle:
    """The keys with which a session with a device of ``peer`` begins.

    Raises:
        OmemoFailed: there are none: ``no-device``, ``no-bundle``, ``other-omemo`` or ``unavailable``.
    """
    payload = await network.fetch(peer.bare, wire.bundle_node(device))
    if payload is not None:
        return wire.read_bundle(payload)
    devices = wire.read_device_list(await network.fetch(peer.bare, wire.DEVICE_LIST))
    if device in devices:
        raise OmemoFailed(Cause.NO_BUNDLE)
    if not devices and await network.fetch(peer.bare, wire.OMEMO_2_DEVICE_LIST) is not None:
        raise OmemoFailed(Cause.OTHER_OMEMO)
    raise OmemoFailed(Cause.NO_DEVICE)
