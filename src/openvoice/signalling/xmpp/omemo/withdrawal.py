"""Taking an own device back: out of the list of devices, and its keys from the server."""

from __future__ import annotations

from openvoice.signalling.xmpp import pubsub
from openvoice.signalling.xmpp.connection import Connection
from openvoice.signalling.xmpp.failures import StanzaRefused, StanzaTimeout
from openvoice.signalling.xmpp.omemo import wire
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed
from openvoice.signalling.xmpp.omemo.pep import WITHIN, PepNetwork


async def withdraw(connection: Connection, device: int) -> None:
    """Remove the device with this number, and see that it is gone.

    Raises:
        OmemoFailed: the server does not do that, or says so and still has it (``unavailable``).
    """
    network = PepNetwork(connection)
    account = connection.address.bare
    node = wire.bundle_node(device)
    listed = wire.read_device_list(await network.fetch(account, wire.DEVICE_LIST), wire.MAXIMUM_OWN_DEVICES)
    if device in listed:
        others = [number for number in listed if number != device]
        await network.publish(wire.DEVICE_LIST, wire.write_device_list(others))
    try:
        await connection.request(pubsub.delete_query(node), kind="set", timeout=WITHIN)
    except StanzaRefused as refused:
        if refused.condition != "item-not-found":
            raise OmemoFailed(Cause.UNAVAILABLE) from refused
    except StanzaTimeout as timeout:
        raise OmemoFailed(Cause.UNAVAILABLE) from timeout
    left = wire.read_device_list(await network.fetch(account, wire.DEVICE_LIST), wire.MAXIMUM_OWN_DEVICES)
    if device in left or await network.fetch(account, node) is not None:
        raise OmemoFailed(Cause.UNAVAILABLE)
