"""What a server can do to the calls of its people, each trick by a name.

A trick is given what a victim is about to get, one stanza after another, and gives back what the victim gets instead.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from openvoice import Address
from openvoice.jingle import namespaces as ns

from .hostile_server import HostileServer, Toward
from .impostor import Impostor
from .media_middleman import TRANSPORT, MediaMiddleman
from .pep_watch import PepWatch

JINGLE = ns.qualified(ns.JINGLE, "jingle")
PLAIN = ns.qualified(ns.DTLS, "fingerprint")
SEALED = ns.qualified(ns.OMEMO_DTLS, "fingerprint")
DEVICE = ns.qualified(ns.OMEMO_DTLS, "device")
FORGED = bytes(range(32)).hex(":").upper()


@dataclass(kw_only=True)
class Stage:
    """One call that is attacked. A ``middleman`` needs both to be victims."""

    server: HostileServer
    caller: Address
    callee: Address
    victims: frozenset[Address]
    middleman: MediaMiddleman | None = None
    watch: PepWatch
    impostors: Mapping[Address, Impostor]
    """By whom they pass for; the same in every call."""
    newcomers: Mapping[Address, Impostor]
    """The same, but others in every call."""
    earlier: dict[str, Element] = field(default_factory=dict)
    """The offer and the answer of a call that was honest, by action."""
    victim: Address | None = None
    """Who is about to get the stanza."""

    @property
    def peer(self) -> Address:
        """The other one."""
        return self.callee if self.victim == self.caller else self.caller

    async def hook(self, attack: Attack, toward: Toward, account: Address, stanza: Element) -> list[Element]:
        """``attack`` as the server knows it."""
        if toward is Toward.SERVER or account not in self.victims:
            return [stanza]
        return await attack(replace(self, victim=account), stanza)

    def later(self, seconds: float, stanza: Element) -> None:
        """Let the victim have a stanza, if it is still there then."""
        assert self.victim is not None
        asyncio.get_running_loop().call_later(seconds, self.server.inject, self.victim, Toward.CLIENT, stanza)


Attack = Callable[[Stage, Element], Awaitable[list[Element]]]
Change = Callable[[Element], None]


def offer_or_answer(stanza: Element) -> Element | None:
    jingle = stanza.find(JINGLE)
    if jingle is None or jingle.get("action") not in ("session-initiate", "session-accept"):
        return None
    return jingle


def fingerprints(jingle: Element) -> list[tuple[Element, Element]]:
    """Every fingerprint, sealed or not, after the transport that it is in."""
    return [(parent, child) for parent in jingle.iter(TRANSPORT) for child in parent if child.tag in (PLAIN, SEALED)]


def plain(setup: str, text: str = FORGED) -> Element:
    made = Element(PLAIN, {"hash": "sha-256", "setup": setup})
    made.text = text
    return made


async def in_the_middle(stage: Stage, stanza: Element) -> Element:
    """The stanza with the media led to the middleman, if there is one and it is about media."""
    jingle = stanza.find(JINGLE)
    if stage.middleman is None or jingle is None:
        return stanza
    changed = copy.copy(stanza)
    match jingle.get("action"):
        case "session-initiate":
            changed[list(stanza).index(jingle)] = await stage.middleman.offered(jingle)
        case "session-accept":
            changed[list(stanza).index(jingle)] = await stage.middleman.answered(jingle)
        case "transport-info":
            for transport in jingle.iter(TRANSPORT):
                _forget_addresses(transport)
    return changed


def _forget_addresses(transport: Element) -> None:
    for candidate in list(transport):
        transport.remove(candidate)
    for name in ("ufrag", "pwd"):
        transport.attrib.pop(name, None)


# --- fingerprints -----------------------------------------------------------------------------------------------------


async def swaps_fingerprints(stage: Stage, stanza: Element) -> list[Element]:
    """Its own in place of those that the peers sent, sealed or not; and its own media, if both are victims."""
    stanza = await in_the_middle(stage, stanza)
    if stage.middleman is None and (jingle := offer_or_answer(stanza)) is not None:
        for transport, fingerprint in fingerprints(jingle):
            transport.remove(fingerprint)
            transport.append(plain(fingerprint.get("setup", "")))
    return [stanza]


async def strips_the_device(stage: Stage, stanza: Element) -> list[Element]:
    """The caller does not learn that the callee could unseal anything. Then it is in the middle as before."""
    for message in stanza.iter(ns.qualified(ns.JINGLE_MESSAGE, "proceed")):
        for device in message.findall(DEVICE):
            message.remove(device)
    return await swaps_fingerprints(stage, stanza)


async def names_another_device(stage: Stage, stanza: Element) -> list[Element]:
    """A device that does not exist."""
    for device in stanza.iter(DEVICE):
        device.set("id", "4711")
    return [stanza]


async def invents_a_device(stage: Stage, stanza: Element) -> list[Element]:
    """The callee names none that it has."""
    for message in stanza.iter(ns.qualified(ns.JINGLE_MESSAGE, "proceed")):
        if message.find(DEVICE) is None:
            SubElement(message, DEVICE, {"id": "4711"})
    return await names_another_device(stage, stanza)


async def removes_fingerprints(stage: Stage, stanza: Element) -> list[Element]:
    jingle = offer_or_answer(stanza)
    for transport, fingerprint in fingerprints(jingle) if jingle is not None else ():
        transport.remove(fingerprint)
    return [stanza]


async def replays_fingerprints(stage: Stage, stanza: Element) -> list[Element]:
    """Those of an earlier call, with the seals that they had."""
    jingle = offer_or_answer(stanza)
    if jingle is not None and (earlier := stage.earlier.get(jingle.get("action", ""))) is not None:
        old = [fingerprint for _, fingerprint in fingerprints(earlier)]
        for (transport, fingerprint), replacement in zip(fingerprints(jingle), old, strict=True):
            transport.remove(fingerprint)
            transport.append(copy.deepcopy(replacement))
    return [stanza]


async def adds_a_plain_fingerprint(stage: Stage, stanza: Element) -> list[Element]:
    """Its own, beside the one that is there."""
    jingle = offer_or_answer(stanza)
    for transport, fingerprint in fingerprints(jingle) if jingle is not None else ():
        transport.append(plain(fingerprint.get("setup", "")))
    return [stanza]


async def adds_a_plain_content(stage: Stage, stanza: Element) -> list[Element]:
    """A second content, like the first, with a fingerprint of its own."""
    jingle = offer_or_answer(stanza)
    if jingle is not None:
        content = copy.deepcopy(jingle.find(ns.qualified(ns.JINGLE, "content")))
        assert content is not None
        content.set("name", f"of the {jingle.get('action')}")
        for transport, fingerprint in fingerprints(content):
            transport.remove(fingerprint)
            transport.append(plain(fingerprint.get("setup", "")))
        jingle.append(content)
    return [stanza]


def on_fingerprints(change: Change) -> Attack:
    async def attack(stage: Stage, stanza: Element) -> list[Element]:
        jingle = offer_or_answer(stanza)
        for _, fingerprint in fingerprints(jingle) if jingle is not None else ():
            change(fingerprint)
        return [stanza]

    return attack


weakens_the_hash = on_fingerprints(lambda fingerprint: fingerprint.set("hash", "sha-1"))
renames_the_hash = on_fingerprints(lambda fingerprint: fingerprint.set("hash", "sha-512"))
forgets_the_role = on_fingerprints(lambda fingerprint: fingerprint.set("setup", ""))


@on_fingerprints
def turns_the_role_around(fingerprint: Element) -> None:
    turned = {"actpass": "passive", "active": "passive", "passive": "active"}
    fingerprint.set("setup", turned.get(fingerprint.get("setup", ""), "active"))


# --- time -------------------------------------------------------------------------------------------------------------


def _is_about_calls(stanza: Element) -> bool:
    return stanza.find(JINGLE) is not None or any(ns.split(child.tag)[0] == ns.JINGLE_MESSAGE for child in stanza)


async def delays(stage: Stage, stanza: Element) -> list[Element]:
    """Everything about calls, and all that is behind it."""
    if _is_about_calls(stanza):
        await asyncio.sleep(0.05)
    return [stanza]


async def reorders(stage: Stage, stanza: Element) -> list[Element]:
    """Offers, answers, ``proceed`` and candidates overtake each other: the earlier they were said, the later."""
    if not _is_about_calls(stanza):
        return [stanza]
    jingle = stanza.find(JINGLE)
    stage.later(0.02 if jingle is not None and jingle.get("action") == "transport-info" else 0.1, stanza)
    return []


async def repeats(stage: Stage, stanza: Element) -> list[Element]:
    """Everything about calls comes twice."""
    return [stanza, copy.deepcopy(stanza)] if _is_about_calls(stanza) else [stanza]


def text_of(stanza: Element) -> str:
    return ElementTree.tostring(stanza, encoding="unicode")
