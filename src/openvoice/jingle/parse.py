"""From a ``jingle`` element to :class:`~openvoice.jingle.model.Jingle`: total and bounded.

Whatever the element holds, the outcome is a model or :class:`~openvoice.errors.MalformedStanza`. What is over a limit
or unreadable in a list (candidates, payload types, parameters) is left out one by one; what holds a stanza together
(action, sid, content names) must be right.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from dataclasses import replace
from xml.etree.ElementTree import Element

from openvoice.core.description import (
    MAXIMUM_CONTENTS,
    Candidate,
    CandidateType,
    Codec,
    Feedback,
    HeaderExtension,
    Senders,
)
from openvoice.core.types import EndReason
from openvoice.errors import MalformedStanza
from openvoice.jingle import namespaces as ns
from openvoice.jingle.model import (
    DtlsFingerprint,
    Foreign,
    IceTransport,
    InformationKind,
    InformationPayload,
    Jingle,
    JingleAction,
    JingleContent,
    RtpDescription,
    SealedFingerprint,
    SessionInformation,
)
from openvoice.jingle.sources import parse_sources
from openvoice.jingle.words import parse_words

MAXIMUM_PAYLOAD_TYPES = 64
MAXIMUM_CANDIDATES = 64
MAXIMUM_PARAMETERS = 32
MAXIMUM_FEEDBACK = 16
MAXIMUM_HEADER_EXTENSIONS = 32
MAXIMUM_FINGERPRINTS = 8
MAXIMUM_SEAL_PARTS = 512
MAXIMUM_SEAL_CHARACTERS = 65536
"""Elements, and characters in all, of one ``encrypted``: it may have a key for every device that a person ever had."""
MAXIMUM_IDENTIFIER = 256
"""Characters of a session id, a content name, a credential."""
MAXIMUM_TEXT = 256
"""Characters of what a peer says in words."""

_STATIC_CODECS = {"0": ("PCMU", "8000"), "8": ("PCMA", "8000"), "9": ("G722", "8000")}
"""Payload types whose meaning needs no words (RFC 3551, 6)."""
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)
_TOKEN = re.compile(r"[!-~]{1,256}", re.ASCII)
_NAMESPACE = re.compile(r"[!#-%(-;=?-~]{0,256}", re.ASCII)
"""Without the characters of markup."""
_BOOLEANS = {"true": "1", "false": "0"}
_REASONS = {"application-error": EndReason.FAILED_APPLICATION}
"""What Monal says beyond XEP-0166, 7.4."""


def parse_jingle(element: Element) -> Jingle:
    """Read a ``jingle`` element (XEP-0166, 7).

    Raises:
        MalformedStanza: no known action, no usable session id, or contents that cannot be told apart.
    """
    if element.tag != ns.qualified(ns.JINGLE, "jingle"):
        raise MalformedStanza("not a jingle element")
    try:
        action = JingleAction(element.get("action", ""))
    except ValueError:
        raise MalformedStanza("an unknown Jingle action") from None
    sid = identifier(element.get("sid", ""), "the session id")
    contents = [_content(child) for child in element.iterfind(ns.qualified(ns.JINGLE, "content"))]
    if len(contents) > MAXIMUM_CONTENTS:
        raise MalformedStanza(f"more than {MAXIMUM_CONTENTS} contents")
    reason, text = parse_reason(element)
    information, unsupported = _information(element) if action is JingleAction.SESSION_INFO else (None, False)
    return Jingle(
        action=action,
        sid=sid,
        contents=tuple(contents),
        bundle=_bundle(element),
        reason=reason,
        text=text,
        information=information,
        unsupported=unsupported,
        initiator=words(element.get("initiator", "")),
    )


def parse_reason(element: Element) -> tuple[EndReason | None, str]:
    """The ``reason`` child (XEP-0166, 7.4) and its words. An unknown condition counts as a general error."""
    reason = ns.child(element, ns.JINGLE, "reason")
    condition: EndReason | None = None
    text = ""
    for _, name, child in ns.children(reason) if reason is not None else ():
        if name == "text":
            text = words(child.text or "")
        elif condition is None:
            # Dino writes failed_application for failed-application.
            name = name.replace("_", "-")
            known = name in EndReason.__members__.values()
            condition = EndReason(name) if known else _REASONS.get(name, EndReason.GENERAL_ERROR)
    return condition, text


def identifier(text: str, what: str) -> str:
    """``text``, if it can name something.

    Raises:
        MalformedStanza: it is empty or over-long.
    """
    if not 0 < len(text) <= MAXIMUM_IDENTIFIER:
        raise MalformedStanza(f"{what} is missing or too long")
    return text


def words(text: str) -> str:
    """What a peer wrote for people: one line, without the invisible characters that make text lie, and bounded."""
    return "".join(character for character in text[: 4 * MAXIMUM_TEXT] if character.isprintable())[:MAXIMUM_TEXT]


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and _NUMBER.fullmatch(text) else None


def _bundle(element: Element) -> tuple[str, ...]:
    for namespace, name, child in ns.children(element):
        if (namespace, name, child.get("semantics")) == (ns.GROUPING, "group", "BUNDLE"):
            grouped = (content.get("name", "") for content in child.iterfind(ns.qualified(ns.GROUPING, "content")))
            return tuple(dict.fromkeys(itertools.islice(grouped, MAXIMUM_CONTENTS)))
    return ()


def _information(element: Element) -> tuple[InformationPayload | None, bool]:
    for namespace, name, child in ns.children(element):
        if (namespace, name) in ((ns.JINGLE, "content"), (ns.JINGLE, "reason"), (ns.GROUPING, "group")):
            continue
        if namespace == ns.VERIFICATION_WORDS:
            return parse_words(child), False
        if namespace != ns.RTP_INFORMATION or name not in InformationKind.__members__.values():
            return None, True
        content = child.get("name")
        return SessionInformation(InformationKind(name), None if content is None else words(content)), False
    return None, False


def _content(element: Element) -> JingleContent:
    senders = element.get("senders", "both")
    if senders not in ("both", "initiator", "responder", "none"):
        raise MalformedStanza("an unknown value of senders")
    description: RtpDescription | Foreign | None = None
    transport: IceTransport | Foreign | None = None
    category = _category(element)
    for namespace, name, child in ns.children(element):
        if name == "description" and description is None:
            description = _description(child) if namespace == ns.RTP else _foreign(namespace)
            category = category or _category(child)
        elif name == "transport" and transport is None:
            transport = _transport(child) if namespace == ns.ICE_UDP else _foreign(namespace)
    return JingleContent(
        name=identifier(element.get("name", ""), "the name of a content"),
        senders=None if senders == "none" else Senders(senders),
        category=category,
        description=description,
        transport=transport,
    )


def _category(element: Element) -> str:
    """What the pictures show (XEP-0507), which stands in a content, or in its description."""
    category = ns.child(element, ns.CATEGORY, "category")
    name = category.get("name", "") if category is not None else ""
    return name if _TOKEN.fullmatch(name) else ""


def _foreign(namespace: str) -> Foreign:
    """An application or transport that is only echoed in a refusal: no more than a name may come back in it."""
    if not _NAMESPACE.fullmatch(namespace):
        raise MalformedStanza("a namespace that is no name")
    return Foreign(namespace)


def _description(element: Element) -> RtpDescription:
    codecs: list[Codec] = []
    extensions: list[HeaderExtension] = []
    feedback: list[Feedback] = []
    mux = False
    for namespace, name, child in ns.children(element):
        match namespace, name:
            case ns.RTP, "payload-type" if len(codecs) < MAXIMUM_PAYLOAD_TYPES:
                codecs.extend(_codec(child))
            case ns.RTP, "rtcp-mux":
                mux = True
            case ns.RTCP_FEEDBACK, "rtcp-fb" if len(feedback) < MAXIMUM_FEEDBACK:
                feedback.extend(_feedback(child))
            case ns.RTP_HEADER_EXTENSIONS, "rtp-hdrext" if len(extensions) < MAXIMUM_HEADER_EXTENSIONS:
                number, uri = _number(child.get("id")), child.get("uri", "")
                if number is not None and 1 <= number <= 255 and _TOKEN.fullmatch(uri):
                    extensions.append(HeaderExtension(number, uri))
    source, repair = parse_sources(element)
    # A number that comes twice would stand for two things: the first counts.
    by_number = {codec.payload_type: codec for codec in reversed(codecs)}
    numbered = {extension.id: extension for extension in reversed(extensions)}
    return RtpDescription(
        media=words(element.get("media", "")),
        # What stands in the description is of every payload type (XEP-0293, 4).
        codecs=tuple(replace(codec, feedback=(*codec.feedback, *feedback)) for codec in reversed(by_number.values())),
        header_extensions=tuple(reversed(numbered.values())),
        mux=mux,
        source=source,
        repair=repair,
    )


def _codec(element: Element) -> tuple[Codec, ...]:
    """One codec, or none if it cannot be read."""
    number = element.get("id", "")
    static_name, static_rate = _STATIC_CODECS.get(number, ("", ""))
    name = element.get("name") or static_name
    payload_type, rate = _number(number), _number(element.get("clockrate") or static_rate)
    channels = _number(element.get("channels", "1"))
    if payload_type is None or rate is None or channels is None or not _TOKEN.fullmatch(name):
        return ()
    parameters: list[tuple[str, str]] = []
    feedback: list[Feedback] = []
    for namespace, child_name, child in ns.children(element):
        match namespace, child_name:
            case ns.RTP, "parameter" if len(parameters) < MAXIMUM_PARAMETERS:
                # Monal writes names with underscores and booleans as words.
                key, value = words(child.get("name", "")).replace("_", "-"), words(child.get("value", ""))
                if value:
                    parameters.append((key, _BOOLEANS.get(value, value)))
            case ns.RTCP_FEEDBACK, "rtcp-fb" if len(feedback) < MAXIMUM_FEEDBACK:
                feedback.extend(_feedback(child))
    try:
        codec = Codec(
            payload_type=payload_type,
            name=name,
            clock_rate=rate,
            channels=channels,
            parameters=tuple(parameters),
            feedback=tuple(feedback),
        )
    except ValueError:
        return ()
    return (codec,)


def _feedback(element: Element) -> tuple[Feedback, ...]:
    """What one ``rtcp-fb`` says (XEP-0293), or nothing."""
    kind = words(element.get("type", ""))
    return (Feedback(kind, words(element.get("subtype", ""))),) if kind else ()


def fingerprint_text(text: str) -> str:
    """A fingerprint as it is compared: without white space, in upper case, bounded."""
    return "".join(text[: 4 * MAXIMUM_TEXT].split()).upper()


def _transport(element: Element) -> IceTransport:
    candidates: list[Candidate] = []
    fingerprints: list[DtlsFingerprint] = []
    sealed: list[SealedFingerprint] = []
    for namespace, name, child in ns.children(element):
        match namespace, name:
            case ns.ICE_UDP, "candidate" if len(candidates) < MAXIMUM_CANDIDATES:
                candidates.extend(_candidate(child))
            case ns.DTLS, "fingerprint" if len(fingerprints) < MAXIMUM_FINGERPRINTS:
                function, setup = words(child.get("hash", "")).lower(), words(child.get("setup", ""))
                fingerprints.append(DtlsFingerprint(function, fingerprint_text(child.text or ""), setup))
            case ns.OMEMO_DTLS, "fingerprint" if len(sealed) < MAXIMUM_FINGERPRINTS:
                function, setup = words(child.get("hash", "")).lower(), words(child.get("setup", ""))
                sealed.append(SealedFingerprint(function, _encrypted(child), setup))
    ufrag, pwd = element.get("ufrag", ""), element.get("pwd", "")
    return IceTransport(
        ufrag=ufrag if len(ufrag) <= MAXIMUM_IDENTIFIER else "",
        pwd=pwd if len(pwd) <= MAXIMUM_IDENTIFIER else "",
        fingerprints=tuple(fingerprints),
        sealed=tuple(sealed),
        candidates=tuple(candidates),
    )


def _encrypted(element: Element) -> Element | None:
    """The one OMEMO element in a sealed fingerprint, or ``None`` if there is none, another beside it, or no bound."""
    found = [child for _, name, child in ns.children(element) if name == "encrypted"]
    if len(found) != 1 or found[0].tag != ns.qualified(ns.OMEMO, "encrypted"):
        return None
    parts = list(itertools.islice(found[0].iter(), MAXIMUM_SEAL_PARTS + 1))
    texts = (text for part in parts for text in (part.text, part.tail, *part.attrib.values()) if text)
    bounded = len(parts) <= MAXIMUM_SEAL_PARTS and sum(map(len, texts)) <= MAXIMUM_SEAL_CHARACTERS
    return found[0] if bounded else None


def _candidate(element: Element) -> tuple[Candidate, ...]:
    """One candidate, or none if it is not a UDP address of the first component that packets can be sent to."""
    port, priority = _number(element.get("port")), _number(element.get("priority"))
    component = _number(element.get("component", "1"))
    address = _address(element.get("ip", ""))
    kind = element.get("type", "")
    if element.get("protocol", "udp").lower() != "udp" or kind not in ("host", "srflx", "relay"):
        return ()
    if port is None or priority is None or component != 1 or address is None:
        return ()
    related_address = _address(element.get("rel-addr", ""))
    # Monal writes rel_port.
    related_port = _number(element.get("rel-port") or element.get("rel_port"))
    try:
        candidate = Candidate(
            foundation=element.get("foundation", ""),
            address=address,
            port=port,
            priority=priority,
            type=CandidateType(kind),
            generation=_number(element.get("generation")) or 0,
            related_address=related_address,
            related_port=related_port if related_address is not None else None,
        )
    except ValueError:
        return ()
    return (candidate,)


def _address(text: str) -> str | None:
    """An IP literal of one device that is reachable from elsewhere. Names, mDNS ones too, are not looked up."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.is_loopback:
        return str(address)
    if address.is_multicast or address.is_unspecified or address.is_reserved:
        return None
    if address.version == 6 and address.is_link_local:
        return None
    return str(address)
