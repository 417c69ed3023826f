"""What happened to calls while this device was away, from the archive of the server (XEP-0313, XEP-0353, 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.errors import MalformedStanza
from openvoice.jingle.envelope import Envelope
from openvoice.jingle.initiation import Key
from openvoice.jingle.messages import parse_message
from openvoice.jingle.model import JingleMessage, MessageKind

_OUTCOMES_OF_OWN_DEVICES = {
    MessageKind.ACCEPT: "answered-elsewhere",
    MessageKind.PROCEED: "answered-elsewhere",
    MessageKind.REJECT: "declined-elsewhere",
}


@dataclass(frozen=True, slots=True)
class ArchivedMessage:
    """A message from the server's archive. ``stamp`` is Unix time."""

    message: Element
    sender: Address
    stamp: float


@dataclass(slots=True)
class ArchivedCall:
    """A proposal of the peer that the archive holds. ``outcome`` is empty while nothing speaks against it."""

    said: JingleMessage
    envelope: Envelope
    outcome: str = ""


def read_archive(messages: Iterable[ArchivedMessage], own: Address) -> list[ArchivedCall]:
    """The incoming calls in the archive, in the order of their proposals, each with what became of it.

    The whole page set must be read at once: what ended a call may stand on the last page.
    """
    calls: dict[Key, ArchivedCall] = {}
    for said, envelope in _about_calls(messages, own):
        by_own_device = envelope.sender.bare == own.bare
        peer = envelope.to.bare if by_own_device else envelope.sender.bare
        if said.kind is MessageKind.PROPOSE:
            if not by_own_device:
                calls.setdefault((said.id, peer), ArchivedCall(said, envelope))
            continue
        for (sid, caller), call in calls.items():
            if sid != said.id or peer not in (caller, own.bare) or call.outcome not in ("", "missed"):
                continue
            if by_own_device:
                call.outcome = _OUTCOMES_OF_OWN_DEVICES.get(said.kind, call.outcome)
            elif said.kind in (MessageKind.RETRACT, MessageKind.FINISH):
                call.outcome = "missed"
    return list(calls.values())


def _about_calls(messages: Iterable[ArchivedMessage], own: Address) -> Iterator[tuple[JingleMessage, Envelope]]:
    for item in messages:
        envelope = Envelope.of(item.message, item.sender, own=own, stamp=item.stamp)
        try:
            said = parse_message(item.message)
        except MalformedStanza:
            continue
        if said is not None and envelope is not None:
            yield said, envelope
