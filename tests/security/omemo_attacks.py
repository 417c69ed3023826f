"""What a server can do to the OMEMO keys of its people, which it keeps for them; see :mod:`tests.security.attacks`."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from openvoice import Address
from openvoice.jingle import namespaces as ns
from openvoice.signalling.xmpp.omemo import wire

from .attacks import DEVICE, Stage, offer_or_answer, swaps_fingerprints
from .impostor import Impostor
from .pep_watch import PepWatch, payload_of, with_payload


async def adds_a_device(stage: Stage, stanza: Element) -> list[Element]:
    """One of the attacker's is in the list, in ``proceed``, and seals what the victim gets."""
    impostor = stage.impostors[stage.peer]
    return await _impersonate(stage, stanza, impostor, impostor.id)


async def swaps_keys(stage: Stage, stanza: Element) -> list[Element]:
    """The peer's device has the attacker's keys, for whoever asks for them, and seals with them."""
    number = number_of(stage.watch, stage.peer)
    return [stanza] if number is None else await _impersonate(stage, stanza, stage.newcomers[stage.peer], number)


def number_of(watch: PepWatch, account: Address) -> int | None:
    """Of the device that somebody published."""
    prefix = wire.bundle_node(0)[:-1]
    numbers = [int(node.removeprefix(prefix)) for node in watch.nodes(account) if node.startswith(prefix)]
    return numbers[-1] if numbers else None


async def _impersonate(stage: Stage, stanza: Element, impostor: Impostor, number: int) -> list[Element]:
    """Be the peer, for the victim, by an OMEMO device that goes by this number."""
    assert stage.victim is not None
    await impostor.appear()
    subject = stage.watch.subject(stage.victim, stanza)
    if subject is not None:
        owner, node = subject
        if owner == stage.peer and node == wire.bundle_node(number):
            return [with_payload(stanza, node, impostor.bundle)]
        if owner == stage.peer and node == wire.DEVICE_LIST:
            listed = wire.read_device_list(payload_of(stanza))
            return [with_payload(stanza, node, wire.write_device_list({*listed, number}))]
        return [stanza]
    name_device(stanza, number)
    [stanza] = await swaps_fingerprints(stage, stanza)
    jingle, device = offer_or_answer(stanza), number_of(stage.watch, stage.victim)
    if jingle is not None and device is not None:
        stanza.remove(jingle)
        stanza.append(await impostor.seal(jingle, stage.victim, device, number))
    return [stanza]


def name_device(stanza: Element, number: int | str) -> None:
    """Let a ``proceed`` name another device."""
    for message in stanza.iter(ns.qualified(ns.JINGLE_MESSAGE, "proceed")):
        for device in message.findall(DEVICE):
            message.remove(device)
        SubElement(message, DEVICE, {"id": str(number)})
