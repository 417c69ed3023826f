"""What a message that came in really is: whose words, by which way, how old. Wrappers count only from the own account.

Everybody can send a ``<forwarded/>`` with any sender inside. Believing one from anybody but the own account lets a
stranger speak in a friend's name (CVE-2017-5589).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.errors import InvalidAddress
from openvoice.signalling.xmpp.namespaces import ARCHIVE, CARBONS, CLIENT, DELAY, FORWARD, STANZA_ID

Carbon = Literal["received", "sent"]

_KINDS = ("chat", "normal", "error")
"""Of messages between people (RFC 6121, 5.2.2); rooms and headlines are not for calls."""


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message of ``sender``.

    ``carbon`` tells how it came if it is a copy (XEP-0280): ``received`` by, or ``sent`` from, another device of the
    own account. ``stamp`` is the Unix time at which a server began to keep it (XEP-0203), ``None`` if it came directly.
    """

    message: Element
    sender: Address
    carbon: Carbon | None = None
    stamp: float | None = None

    @property
    def origin_id(self) -> str | None:
        """The sender's own id of it (XEP-0359), the same however often it is sent."""
        origin = self.message.find(f"{{{STANZA_ID}}}origin-id")
        return None if origin is None else origin.get("id")


@dataclass(frozen=True, slots=True)
class ArchiveResult:
    """One message of the archive (XEP-0313), as the answer to the query named."""

    query: str
    received: ReceivedMessage


def sender_of(stanza: Element, account: Address) -> Address | None:
    """Who sent ``stanza``: the own account if it does not say (RFC 6120, 8.1.2.1), ``None`` if that is no address."""
    text = stanza.get("from")
    return account.bare if text is None else address_of(text)


def address_of(text: str) -> Address | None:
    """The address that ``text`` is, ``None`` if it is none."""
    try:
        return Address.parse(text)
    except InvalidAddress:
        return None


def unwrap(message: Element, account: Address) -> ReceivedMessage | ArchiveResult | None:
    """What ``message`` brings to the owner of ``account``; ``None`` if it is not to be believed, or not for calls."""
    sender = sender_of(message, account)
    if sender is None:
        return None
    wrapper = next((child for child in message if child.tag in _WRAPPERS), None)
    if wrapper is None:
        return _plain(message, sender, account)
    if sender != account.bare:
        return None
    inner = wrapper.find(f"{{{FORWARD}}}forwarded/{{{CLIENT}}}message")
    if inner is None or any(child.tag in _WRAPPERS for child in inner):
        return None
    inner_sender = sender_of(inner, account)
    if inner_sender is None:
        return None
    kept = _stamp(wrapper.find(f"{{{FORWARD}}}forwarded/{{{DELAY}}}delay"), account)
    if wrapper.tag == _RESULT:
        received = _plain(inner, inner_sender, account)
        if received is None:
            return None
        return ArchiveResult(wrapper.get("queryid", ""), ReceivedMessage(inner, inner_sender, None, kept))
    carbon: Carbon = "sent" if wrapper.tag == _SENT else "received"
    ours = inner_sender.bare == account.bare
    if not (ours if carbon == "sent" else _is_to(inner, account)):
        return None
    received = _plain(inner, inner_sender, account)
    if received is None:
        return None
    return ReceivedMessage(inner, inner_sender, carbon, received.stamp)


_SENT = f"{{{CARBONS}}}sent"
_RECEIVED = f"{{{CARBONS}}}received"
_RESULT = f"{{{ARCHIVE}}}result"
_WRAPPERS = {_SENT, _RECEIVED, _RESULT}


def _plain(message: Element, sender: Address, account: Address) -> ReceivedMessage | None:
    if message.get("type", "normal") not in _KINDS:
        return None
    stamps = [_stamp(delay, account) for delay in message.iterfind(f"{{{DELAY}}}delay")]
    return ReceivedMessage(message, sender, None, next((stamp for stamp in stamps if stamp is not None), None))


def _is_to(message: Element, account: Address) -> bool:
    recipient = address_of(message.get("to", ""))
    return recipient is not None and recipient.bare == account.bare


def _stamp(delay: Element | None, account: Address) -> float | None:
    """The time that the own server noted. Anybody else's note would let a caller choose how old a call is."""
    if delay is None or delay.get("from", account.domain) not in (account.domain, str(account.bare)):
        return None
    return parse_time(delay.get("stamp", ""))


def parse_time(text: str) -> float | None:
    """Unix time of a XEP-0082 DateTime, ``None`` if it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def format_time(moment: float) -> str:
    """The XEP-0082 DateTime of a Unix time."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
