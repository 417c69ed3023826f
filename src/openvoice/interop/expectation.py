"""Whether what a client said is what the vector expects, with tolerance for all that the standards leave open.

Open are the order of candidates, codecs and attributes, extra elements, own ids, names and credentials, whether
candidates are trickled, receipts, ``ringing`` and ``finish``, and which of several fitting reasons is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.interop.names import Names
from openvoice.interop.ports import Arrival, Message, Reply, Request
from openvoice.jingle import namespaces as ns

Offered = Mapping[str, frozenset[str]]
"""The payload types that the played client offered, by content."""

_IQ = ns.qualified(ns.CLIENT, "iq")
_DESCRIPTION = ns.qualified(ns.RTP, "description")
_TRANSPORT = ns.qualified(ns.ICE_UDP, "transport")
_CONTENT = ns.qualified(ns.JINGLE, "content")
_FINGERPRINTS = (ns.qualified(ns.DTLS, "fingerprint"), ns.qualified(ns.OMEMO_DTLS, "fingerprint"))
_REASON = ns.qualified(ns.JINGLE, "reason")

_OPTIONAL_MESSAGES = {"ringing", "finish", "received"}
_OPTIONAL_ACTIONS = {"transport-info", "session-info", "content-modify"}
"""Who begins to send pictures may ask for that, or only send them; who sends none may say so."""
_DESCRIBING = {"session-initiate", "session-accept", "content-add", "content-accept"}
_REASONS = (
    {"success"},
    {"security-error"},
    {"decline", "busy", "cancel", "gone", "timeout", "expired"},
    {
        "failed-application",
        "failed-transport",
        "incompatible-parameters",
        "unsupported-applications",
        "unsupported-transports",
        "media-error",
        "general-error",
    },
)
"""Reasons of one row say the same to a person; the standards do not choose among them (XEP-0166, 7.4)."""


def kind_of(stanza: Element | Arrival) -> str:
    """What a stanza is, in a word or two: ``propose``, ``session-accept``, ``result``, ``item-not-found``."""
    match stanza:
        case Reply(_, condition, extra):
            return " ".join(filter(None, [condition, ns.split(extra)[1]])) if condition else "result"
        case Request(_, payload):
            return payload.get("action", "")
        case Message(element):
            return _message_kind(element)
        case Element() if stanza.tag == _IQ:
            if stanza.get("type") != "set":
                return " ".join(_conditions(stanza)) or "result"
            return stanza[0].get("action", "")
        case _:
            return _message_kind(stanza)


def is_optional(expected: Element) -> bool:
    """Whether a client may leave this out, or have sent it in another way."""
    kind = kind_of(expected)
    return kind in _OPTIONAL_MESSAGES or kind in _OPTIONAL_ACTIONS


def is_seen(expected: Element, played: Address) -> bool:
    """Whether the played client gets this: what goes to the tested client's own account is not seen by others."""
    return Address.parse(expected.get("to", "")).bare == played


def ends_call(arrival: Arrival) -> bool:
    return kind_of(arrival) in ("session-terminate", "reject", "retract")


def is_about_calls(arrival: Arrival) -> bool:
    """Whether it says something of a call that counts, if nobody expected it."""
    kind = kind_of(arrival)
    if isinstance(arrival, Reply):
        return arrival.condition not in ("", "timeout")
    return kind not in ("", *_OPTIONAL_ACTIONS, *_OPTIONAL_MESSAGES)


def difference(expected: Element, arrival: Arrival, names: Names, offered: Offered) -> str:
    """In what ``arrival`` is not what is expected, in words; empty if it is."""
    match arrival:
        case Reply():
            return _reply_difference(expected, arrival, names)
        case Request(_, payload) if expected.tag == _IQ and expected.get("type") == "set":
            return _jingle_difference(expected[0], payload, names, offered)
        case Message(element) if expected.tag != _IQ:
            return _message_difference(expected, element, names)
        case _:
            return f"it is a {kind_of(arrival)}"


def _reply_difference(expected: Element, reply: Reply, names: Names) -> str:
    if expected.tag != _IQ or expected.get("type") == "set" or not names.agree(expected.get("id", ""), reply.id):
        return "it is a reply"
    wanted = " ".join(_conditions(expected)) or "result"
    return "" if kind_of(reply) == wanted else f"it is a {kind_of(reply)}"


def _message_difference(expected: Element, heard: Element, names: Names) -> str:
    kind = _message_kind(expected)
    if kind != _message_kind(heard):
        return f"it is a {_message_kind(heard)}"
    wanted, said = _about_call(expected), _about_call(heard)
    if wanted is None or said is None:
        return ""
    if not names.agree(wanted.get("id", ""), said.get("id", "")):
        return "it is about another call"
    if kind == "propose" and _media(wanted) != _media(said):
        return f"it proposes {' and '.join(sorted(_media(said))) or 'nothing'}"
    names.learn(expected.get("id", "") or "*", heard.get("id", ""))
    return ""


def _jingle_difference(expected: Element, heard: Element, names: Names, offered: Offered) -> str:
    action = expected.get("action", "")
    if action != heard.get("action"):
        return f"it is a {heard.get('action')}"
    if not names.agree(expected.get("sid", ""), heard.get("sid", "")):
        return "it is about another session"
    if action == "session-terminate":
        return _reason_difference(expected, heard)
    if action == "session-info":
        wanted, said = ({ns.split(child.tag)[1] for child in element} for element in (expected, heard))
        return "" if wanted <= said else f"it says {' and '.join(sorted(said)) or 'nothing'}"
    contents, heard_contents = expected.findall(_CONTENT), heard.findall(_CONTENT)
    if len(contents) != len(heard_contents):
        return f"it has {len(heard_contents)} contents instead of {len(contents)}"
    own_names = action in ("session-initiate", "content-add")
    for wanted_content, content in zip(contents, heard_contents, strict=True):
        found = _content_difference(action, wanted_content, content, offered, names, own_names=own_names)
        if found:
            return found
    return _group_difference(expected, heard)


def _content_difference(
    action: str, expected: Element, heard: Element, offered: Offered, names: Names, *, own_names: bool
) -> str:
    name = expected.get("name", "")
    if own_names:
        names.learn_content(name, heard.get("name", ""))
    elif names.content(name) != heard.get("name"):
        return f"a content is named {heard.get('name')!r} instead of {names.content(name)!r}"
    wanted, said = expected.find(_DESCRIPTION), heard.find(_DESCRIPTION)
    said_by, wanted_by = heard.get("senders", "both"), expected.get("senders", "both")
    # Who has no camera, or adds one, may mean to receive or to send alone.
    if said_by != wanted_by and not (wanted_by == "both" and wanted is not None and wanted.get("media") == "video"):
        return f"senders of content {name} is {said_by!r} instead of {wanted_by!r}"
    if wanted is not None:
        if said is None or said.get("media") != wanted.get("media"):
            return f"content {name} is not {wanted.get('media')}"
        if said.find(ns.qualified(ns.RTP, "encryption")) is not None:
            return f"content {name} has SDES keys"
        payload_types = {item.get("id", "") for item in said.findall(ns.qualified(ns.RTP, "payload-type"))}
        if wanted.find(ns.qualified(ns.RTP, "payload-type")) is not None and not payload_types:
            return f"content {name} has no codec"
        if name in offered and action.endswith("accept") and not payload_types <= offered[name]:
            return f"content {name} has payload types that were not offered"
    if action not in _DESCRIBING:
        return ""
    return _transport_difference(name, expected.find(_TRANSPORT), heard.find(_TRANSPORT))


def _transport_difference(name: str, expected: Element | None, heard: Element | None) -> str:
    if expected is None or not expected.get("ufrag"):
        return ""
    if heard is None or not heard.get("ufrag") or not heard.get("pwd"):
        return f"content {name} has no ICE credentials"
    wanted = [child for child in expected if child.tag in _FINGERPRINTS]
    said = [child for child in heard if child.tag in _FINGERPRINTS]
    if not wanted:
        return ""
    if not said:
        return f"content {name} has no fingerprint"
    if not {child.get("setup") for child in said} <= _setups(wanted[0].get("setup", "")):
        return f"setup of content {name} is {said[0].get('setup')!r} instead of {wanted[0].get('setup')!r}"
    return ""


def _setups(wanted: str) -> set[str | None]:
    # Who answers an actpass may choose either role (RFC 5763, 5).
    return {"actpass"} if wanted == "actpass" else {"active", "passive"}


def _group_difference(expected: Element, heard: Element) -> str:
    group = ns.qualified(ns.GROUPING, "group")
    if heard.get("action", "").endswith("accept") and heard.find(group) is not None and expected.find(group) is None:
        return "it bundles, though the offer did not"
    return ""


def _reason_difference(expected: Element, heard: Element) -> str:
    wanted, said = _reason(expected), _reason(heard)
    same = wanted == said or any({wanted, said} <= row for row in _REASONS)
    return "" if same else f"the reason is {said or 'missing'} instead of {wanted}"


def _reason(jingle: Element) -> str:
    reason = jingle.find(_REASON)
    names = [name for _, name, _ in ns.children(reason)] if reason is not None else []
    return next((name for name in names if name != "text"), "")


def _message_kind(message: Element) -> str:
    if message.get("type") == "error":
        return " ".join(_conditions(message))
    about = _about_call(message)
    if about is not None:
        return ns.split(about.tag)[1]
    return "received" if ns.child(message, ns.RECEIPTS, "received") is not None else ""


def _about_call(message: Element) -> Element | None:
    prefix = f"{{{ns.JINGLE_MESSAGE}}}"
    return next((child for _, _, child in ns.children(message) if child.tag.startswith(prefix)), None)


def _media(proposal: Element) -> set[str]:
    return {child.get("media", "") for child in proposal.findall(_DESCRIPTION)}


def _conditions(stanza: Element) -> list[str]:
    """The defined condition of an error, and the application's own one."""
    error = ns.child(stanza, ns.CLIENT, "error")
    return [name for _, name, _ in ns.children(error) if name != "text"] if error is not None else []
