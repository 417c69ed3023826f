"""Device lists, bundles and sealed fingerprints that no client makes, by what is wrong with them."""

from __future__ import annotations

import base64
import copy
import itertools
from collections.abc import Callable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from openvoice import Address
from openvoice.signalling.xmpp.omemo import wire

from .attacks import SEALED, Attack, Stage, offer_or_answer
from .omemo_attacks import name_device
from .pep_watch import with_payload

OMEMO_2 = "urn:xmpp:omemo:2"
_numbers = itertools.count(2**30)


def _tag(name: str) -> str:
    return f"{{{wire.NAMESPACE}}}{name}"


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


# --- device lists -----------------------------------------------------------------------------------------------------


def _list(*numbers: object) -> Element:
    made = Element(_tag("list"))
    for number in numbers:
        SubElement(made, _tag("device"), {"id": str(number)})
    return made


LISTS = {
    "a thousand devices": _list(*range(1, 1001)),
    "one device a thousand times": _list(*[7] * 1000),
    "gigantic numbers": _list(10**4000, 2**32, -1, 0, "1e3", " 5 ", "٣"),
    "no numbers": _list("", "x"),
    "nothing": _list(),
    "of another namespace": ElementTree.fromstring("<list xmlns='urn:example:other'><device id='1'/></list>"),
    "of another OMEMO": ElementTree.fromstring(f"<devices xmlns='{OMEMO_2}'><device id='1'/></devices>"),
    "no list": ElementTree.fromstring("<x xmlns='urn:example:other'/>"),
}


def lists(payload: Element) -> Attack:
    """Every list of devices is this one, and it is told at every occasion."""

    async def attack(stage: Stage, stanza: Element) -> list[Element]:
        assert stage.victim is not None
        subject = stage.watch.subject(stage.victim, stanza)
        if subject is not None and subject[1] == wire.DEVICE_LIST:
            return [with_payload(stanza, wire.DEVICE_LIST, copy.deepcopy(payload))]
        if subject is None and offer_or_answer(stanza) is not None:
            return [*(notification(stage.victim, owner, payload) for owner in (stage.peer, stage.victim)), stanza]
        return [stanza]

    return attack


def notification(to: Address, owner: Address, payload: Element) -> Element:
    """``owner`` published a list of devices."""
    event = "http://jabber.org/protocol/pubsub#event"
    message = Element("{jabber:client}message", {"from": str(owner.bare), "to": str(to), "type": "headline"})
    items = SubElement(SubElement(message, f"{{{event}}}event"), f"{{{event}}}items", {"node": wire.DEVICE_LIST})
    SubElement(items, f"{{{event}}}item", {"id": "current"}).append(copy.deepcopy(payload))
    return message


# --- bundles ----------------------------------------------------------------------------------------------------------


def _bundle(change: Callable[[Element], object]) -> Element:
    key = _text(b"\x05" + bytes(range(32)))
    made = Element(_tag("bundle"))
    SubElement(made, _tag("signedPreKeyPublic"), {"signedPreKeyId": "1"}).text = key
    SubElement(made, _tag("signedPreKeySignature")).text = _text(bytes(64))
    SubElement(made, _tag("identityKey")).text = key
    SubElement(SubElement(made, _tag("prekeys")), _tag("preKeyPublic"), {"preKeyId": "1"}).text = key
    change(made)
    return made


def _child(bundle: Element, name: str) -> Element:
    found = bundle.find(f".//{_tag(name)}")
    assert found is not None
    return found


def _set(name: str, octets: bytes) -> Callable[[Element], object]:
    return lambda bundle: setattr(_child(bundle, name), "text", _text(octets))


def _many(bundle: Element) -> None:
    pre_keys = _child(bundle, "prekeys")
    pre_keys[:] = [pre_keys[0]] * 5000


BUNDLES = {
    "a signature of nobody": _bundle(lambda bundle: None),
    "a short identity key": _bundle(_set("identityKey", b"\x05" + bytes(31))),
    "an empty identity key": _bundle(_set("identityKey", b"")),
    "an identity key of zeros": _bundle(_set("identityKey", b"\x05" + bytes(32))),
    "a long signature": _bundle(_set("signedPreKeySignature", bytes(65))),
    "no pre keys": _bundle(lambda bundle: _child(bundle, "prekeys").clear()),
    "pre keys of no octets": _bundle(_set("preKeyPublic", b"")),
    "five thousand pre keys": _bundle(_many),
    "gigantic numbers": _bundle(lambda bundle: _child(bundle, "preKeyPublic").set("preKeyId", "9" * 5000)),
    "no base64": _bundle(lambda bundle: setattr(_child(bundle, "identityKey"), "text", "\u00e4" * 44)),
    "of another namespace": ElementTree.fromstring("<bundle xmlns='urn:example:other'/>"),
    "of another OMEMO": ElementTree.fromstring(f"<bundle xmlns='{OMEMO_2}'><spk id='1'/></bundle>"),
    "nothing in it": Element(_tag("bundle")),
}


def bundles(payload: Element) -> Attack:
    """The callee names a device that nobody knows yet, and these are its keys."""
    number = next(_numbers)

    async def attack(stage: Stage, stanza: Element) -> list[Element]:
        assert stage.victim is not None
        subject = stage.watch.subject(stage.victim, stanza)
        if subject is not None and subject[1] == wire.bundle_node(number):
            return [with_payload(stanza, subject[1], copy.deepcopy(payload))]
        name_device(stanza, number)
        return [stanza]

    return attack


def keeps_bundles_back() -> Attack:
    """The callee names a device that nobody knows yet, and whoever asks for its keys hears nothing."""
    number = next(_numbers)

    async def attack(stage: Stage, stanza: Element) -> list[Element]:
        assert stage.victim is not None
        subject = stage.watch.subject(stage.victim, stanza)
        if subject is not None and subject[1] == wire.bundle_node(number):
            return []
        name_device(stanza, number)
        return [stanza]

    return attack


def speaks_only_omemo_2() -> Attack:
    """The callee names a device that has no keys but those of the newer OMEMO."""
    number = next(_numbers)

    async def attack(stage: Stage, stanza: Element) -> list[Element]:
        assert stage.victim is not None
        subject = stage.watch.subject(stage.victim, stanza)
        if subject is not None and subject[0] == stage.peer:
            if subject[1] == wire.OMEMO_2_DEVICE_LIST:
                return [with_payload(stanza, subject[1], LISTS["of another OMEMO"])]
            if subject[1] == wire.DEVICE_LIST:
                return [with_payload(stanza, subject[1], _list())]
        name_device(stanza, number)
        return [stanza]

    return attack


# --- sealed fingerprints ----------------------------------------------------------------------------------------------

Change = Callable[[Element], object]


def _keys(encrypted: Element) -> list[Element]:
    return encrypted.findall(f"{_tag('header')}/{_tag('key')}")


def _header(encrypted: Element) -> Element:
    return _child(encrypted, "header")


def _for_others(encrypted: Element) -> None:
    for number in range(1, 1001):
        key = copy.deepcopy(_keys(encrypted)[0])
        key.set("rid", str(number))
        _header(encrypted).append(key)
    _header(encrypted).remove(_keys(encrypted)[0])


def _without(name: str) -> Change:
    def change(encrypted: Element) -> None:
        for parent in list(encrypted.iter()):
            for child in parent.findall(_tag(name)):
                parent.remove(child)

    return change


def _begins(encrypted: Element) -> None:
    _set("key", b"\x33" + bytes(100))(encrypted)
    _keys(encrypted)[0].set("prekey", "true")


def _flip(name: str) -> Change:
    def change(encrypted: Element) -> None:
        item = _child(encrypted, name)
        octets = bytearray(base64.b64decode(item.text or ""))
        octets[-1] ^= 1
        item.text = _text(bytes(octets))

    return change


ENCRYPTED: dict[str, Change] = {
    "a thousand keys for others": _for_others,
    "no keys": _without("key"),
    "an empty key": _set("key", b""),
    "a key of junk": _set("key", bytes(200)),
    "a gigantic key": _set("key", bytes(200_000)),
    "a key that begins a session with junk": _begins,
    "another sender": lambda encrypted: _header(encrypted).set("sid", "4711"),
    "a gigantic sender": lambda encrypted: _header(encrypted).set("sid", "9" * 5000),
    "no sender": lambda encrypted: _header(encrypted).attrib.pop("sid"),
    "an empty payload": _set("payload", b""),
    "a payload of a megabyte": _set("payload", bytes(800_000)),
    "a changed payload": _flip("payload"),
    "a changed key": _flip("key"),
    "a changed vector": _flip("iv"),
    "a long vector": _set("iv", bytes(1000)),
    "no payload": _without("payload"),
    "no header": _without("header"),
    "another namespace": lambda encrypted: setattr(encrypted, "tag", "{urn:example:other}encrypted"),
    "another OMEMO": lambda encrypted: setattr(encrypted, "tag", f"{{{OMEMO_2}}}encrypted"),
}


def message(to: Address, sender: Address, number: int, device: int) -> Element:
    """What looks like a chat message, from device ``number`` for ``device``, and cannot be decrypted."""
    made = Element("{jabber:client}message", {"from": str(sender), "to": str(to), "type": "chat"})
    header = SubElement(SubElement(made, _tag("encrypted")), _tag("header"), {"sid": str(number)})
    SubElement(header, _tag("key"), {"rid": str(device)}).text = _text(b"\x33" + bytes(80))
    SubElement(header, _tag("iv")).text = _text(bytes(12))
    return made


def encrypted(change: Change) -> Attack:
    """Whatever is sealed is changed on its way."""

    async def attack(stage: Stage, stanza: Element) -> list[Element]:
        jingle = offer_or_answer(stanza)
        for fingerprint in jingle.iter(SEALED) if jingle is not None else ():
            change(fingerprint[0])
        return [stanza]

    return attack
