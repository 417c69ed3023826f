"""Whom the account knows, who of them is online with which devices, and who may know that we are (RFC 6121)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.errors import InvalidAddress
from openvoice.signalling.xmpp.capabilities import Capabilities
from openvoice.signalling.xmpp.namespaces import ROSTER

MAXIMUM_CONTACTS = 20_000
MAXIMUM_PEOPLE = 4096
"""How many people's presence is kept; the contacts come first."""
MAXIMUM_DEVICES = 32
"""Of one person."""


@dataclass(frozen=True, slots=True)
class Presence:
    """One device that is online. A negative ``priority`` takes no messages to the person (RFC 6121, 4.7.2.3)."""

    address: Address
    priority: int
    capabilities: Capabilities | None


class Contacts:
    """The roster and the presence of one account, fed with stanzas whose sender the server vouches for."""

    def __init__(self, account: Address) -> None:
        self._account = account.bare
        self._subscriptions: dict[Address, str] = {}
        self._devices: OrderedDict[Address, dict[str, Presence]] = OrderedDict()
        self._told: set[Address] = set()

    @property
    def roster(self) -> frozenset[Address]:
        """The people in the contact list, by bare address."""
        return frozenset(self._subscriptions)

    def set_roster(self, query: Element) -> None:
        """The answer to the roster request: replaces what was known."""
        self._subscriptions.clear()
        self.update_roster(query)

    def update_roster(self, query: Element) -> None:
        """A roster push. Whether its sender may push is for the caller to know (RFC 6121, 2.1.6)."""
        for item in query.iterfind(f"{{{ROSTER}}}item"):
            try:
                person = Address.parse(item.get("jid", "")).bare
            except InvalidAddress:
                continue
            subscription = item.get("subscription", "none")
            if subscription == "remove":
                self._subscriptions.pop(person, None)
            elif person in self._subscriptions or len(self._subscriptions) < MAXIMUM_CONTACTS:
                self._subscriptions[person] = subscription

    def update_presence(self, presence: Element, sender: Address) -> None:
        """Somebody comes or goes. Requests to see our presence are for a person to answer, and pass by here."""
        kind = presence.get("type")
        devices = self._devices.get(sender.bare, {})
        if kind == "unavailable" or kind == "error":
            devices.pop(sender.resource, None)
            if not devices or sender.is_bare:
                self._devices.pop(sender.bare, None)
        elif kind is None and (sender.resource in devices or len(devices) < MAXIMUM_DEVICES) and sender.resource:
            devices[sender.resource] = Presence(sender, _priority(presence), Capabilities.of(presence))
            self._devices[sender.bare] = devices
            self._devices.move_to_end(sender.bare)
            if len(self._devices) > MAXIMUM_PEOPLE:
                self._forget_somebody()

    def everybody_gone(self) -> None:
        """A new session: whoever is online will say so again, and nobody was told of us."""
        self._devices.clear()
        self._told.clear()

    def devices(self, person: Address) -> tuple[Presence, ...]:
        """The devices of ``person`` that are online, the one with the highest priority first."""
        devices = self._devices.get(person.bare, {}).values()
        return tuple(sorted(devices, key=lambda device: -device.priority))

    def told(self, recipient: Address, available: bool) -> None:
        """Presence was sent to ``recipient`` alone (RFC 6121, 4.6)."""
        if available:
            self._told.add(recipient)
        else:
            self._told.discard(recipient)

    def may_see_us(self, sender: Address) -> bool:
        """Whether ``sender`` knows that we are online anyway, so that an answer gives nothing away."""
        if sender.bare == self._account or sender == Address("", self._account.domain):
            return True
        if self._subscriptions.get(sender.bare) in ("from", "both"):
            return True
        return sender in self._told or sender.bare in self._told

    def _forget_somebody(self) -> None:
        stranger = next((person for person in self._devices if person not in self._subscriptions), None)
        self._devices.pop(next(iter(self._devices)) if stranger is None else stranger)


def _priority(presence: Element) -> int:
    try:
        return max(-128, min(127, int(presence.findtext("{jabber:client}priority", "0"))))
    except ValueError:
        return 0
