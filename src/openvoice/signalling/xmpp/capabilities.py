"""Service discovery and the hash of its answer (XEP-0030, XEP-0115), pure."""

from __future__ import annotations

import base64
import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.errors import MalformedStanza
from openvoice.signalling.xmpp.elements import element
from openvoice.signalling.xmpp.namespaces import CAPS, DATA_FORM, DISCO_INFO, XML

NODE = "urn:openvoice:client"
"""What names this program in its capabilities (XEP-0115, 4)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """What a program calls itself: ``node`` in its capabilities (XEP-0115, 4), ``name`` in its identity (XEP-0030)."""

    node: str = NODE
    name: str = "openvoice"


OPENVOICE = Program()

_HASHES = {"sha-1": "sha1", "sha-256": "sha256", "sha-512": "sha512"}
_MAXIMUM_ITEMS = 512
"""Features, identities and form fields of one answer, each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A device of somebody that is online, and what its client says that it can."""

    address: Address
    priority: int
    node: str
    """Names the client (XEP-0115, 4); empty if it does not say."""
    features: frozenset[str]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a presence says about the client's abilities: a name for them, and a hash to check the answer against."""

    node: str
    version: str
    algorithm: str

    @classmethod
    def of(cls, presence: Element) -> Capabilities | None:
        """The capabilities that ``presence`` announces, if any that can be checked."""
        announced = presence.find(f"{{{CAPS}}}c")
        if announced is None:
            return None
        found = cls(announced.get("node", ""), announced.get("ver", ""), announced.get("hash", ""))
        return found if found.algorithm in _HASHES and found.node and 0 < len(found.version) <= 128 else None


def information(features: Iterable[str], node: str | None = None, program: Program = OPENVOICE) -> Element:
    """The answer of ``program`` to ``disco#info``."""
    content = [element(DISCO_INFO, "identity", category="client", type="pc", name=program.name)]
    content += [element(DISCO_INFO, "feature", var=feature) for feature in sorted(features)]
    return element(DISCO_INFO, "query", *content, node=node)


def announcement(features: Iterable[str], program: Program = OPENVOICE) -> Element:
    """The ``<c/>`` of the presence of ``program``."""
    version = verification(information(features, program=program), "sha-1")
    return element(CAPS, "c", hash="sha-1", node=program.node, ver=version)


def features_of(answer: Element) -> frozenset[str]:
    """The features that an answer to ``disco#info`` lists."""
    return frozenset(item.get("var", "") for item in answer.findall(f"{{{DISCO_INFO}}}feature")[:_MAXIMUM_ITEMS]) - {""}


def verification(answer: Element, algorithm: str) -> str:
    """The verification string of an answer to ``disco#info`` (XEP-0115, 5.1).

    Raises:
        MalformedStanza: something is listed twice, or without end, so that no hash can stand for it (5.4).
    """
    identities = [
        "/".join(item.get(key, "") for key in ("category", "type", f"{{{XML}}}lang", "name"))
        for item in answer.iterfind(f"{{{DISCO_INFO}}}identity")
    ]
    features = [item.get("var", "") for item in answer.iterfind(f"{{{DISCO_INFO}}}feature")]
    forms = [form for form in map(_form, answer.iterfind(f"{{{DATA_FORM}}}x")) if form]
    for items in (identities, features, [form[0] for form in forms]):
        if len(set(items)) != len(items) or len(items) > _MAXIMUM_ITEMS:
            raise MalformedStanza("capabilities that are listed twice, or are too many")
    parts = sorted(identities) + sorted(features) + [part for form in sorted(forms) for part in form]
    octets = "".join(f"{part}<" for part in parts).encode()
    return base64.b64encode(hashlib.new(_HASHES[algorithm], octets, usedforsecurity=False).digest()).decode()


def _form(form: Element) -> list[str]:
    """The strings of an extension form (XEP-0128), the form's type first; empty for a form that does not count."""
    kind, fields = "", []
    for item in form.iterfind(f"{{{DATA_FORM}}}field"):
        values = sorted(value.text or "" for value in item.iterfind(f"{{{DATA_FORM}}}value"))
        if item.get("var") != "FORM_TYPE":
            fields.append([item.get("var", ""), *values])
        elif item.get("type") == "hidden" and len(values) == 1:
            kind = values[0]
    if len(fields) > _MAXIMUM_ITEMS:
        raise MalformedStanza("a form with too many fields")
    return [kind, *(part for entry in sorted(fields) for part in entry)] if kind else []


class VerifiedCapabilities:
    """Features by their hash, kept only if the hash is theirs.

    What one person's client answers is used for that person alone. The hash separates its parts badly (XEP-0115, 8.1):
    shared between people, one could take features away from another's client by listing them as something else.
    """

    def __init__(self, limit: int = 4096) -> None:
        self._limit = limit
        self._known: OrderedDict[tuple[Address, Capabilities], frozenset[str]] = OrderedDict()

    def get(self, person: Address, capabilities: Capabilities) -> frozenset[str] | None:
        return self._known.get((person.bare, capabilities))

    def learn(self, person: Address, capabilities: Capabilities, answer: Element) -> bool:
        """Keep what ``answer`` lists, if it is what ``capabilities`` stand for; whether it is."""
        try:
            genuine = verification(answer, capabilities.algorithm) == capabilities.version
        except MalformedStanza:
            return False
        if genuine:
            self._known[person.bare, capabilities] = features_of(answer)
            while len(self._known) > self._limit:
                self._known.popitem(last=False)
        return genuine
