"""What the protocol logic wants done. The adapter does these, in their order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.core.inputs import PeerInput
from openvoice.core.types import CallId
from openvoice.ports import IncomingCall


@dataclass(frozen=True, slots=True)
class SendIq:
    """Send an IQ of type ``set``. Its outcome comes back through ``JingleEndpoint.iq_finished``."""

    id: str
    to: Address
    payload: Element


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Send a message. After ``expires`` (Unix time) it would only confuse: drop it if it still waits then."""

    message: Element
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class ReplyResult:
    """Answer an IQ with an empty result."""

    id: str
    to: Address


@dataclass(frozen=True, slots=True)
class ReplyError:
    """Answer an IQ with an error (RFC 6120, 8.3); ``jingle_condition`` is the child that XEP-0166, 10 adds."""

    id: str
    to: Address
    condition: str
    type: str
    jingle_condition: str = ""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Give this to the machine of the call."""

    call: CallId
    message: PeerInput


@dataclass(frozen=True, slots=True)
class Incoming:
    """Somebody calls, and the policy lets it ring."""

    incoming: IncomingCall
    first: PeerInput


@dataclass(frozen=True, slots=True)
class Missed:
    """Somebody called and it never rang: ``missed``, ``busy``, ``answered-elsewhere`` or ``declined-elsewhere``."""

    incoming: IncomingCall
    outcome: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing more will come of this call."""

    call: CallId


@dataclass(frozen=True, slots=True)
class Seal:
    """Seal the fingerprint of each content, by name, for one OMEMO device of ``peer``, a full address.

    The outcome comes back through ``JingleEndpoint.sealed``, always.
    """

    call: CallId
    peer: Address
    device: int
    texts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Unseal:
    """Open the ``encrypted`` element of each content, by name, that came from ``peer``, a full address.

    The outcome comes back through ``JingleEndpoint.unsealed``, always.
    """

    call: CallId
    peer: Address
    elements: Mapping[str, Element]


@dataclass(frozen=True, slots=True)
class Doubt:
    """The OMEMO session with one device of ``peer``, a full address, may be broken: begin anew when it is next used."""

    peer: Address
    device: int


Output = SendIq | SendMessage | ReplyResult | ReplyError | Deliver | Incoming | Missed | Forget | Seal | Unseal | Doubt
