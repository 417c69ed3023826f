"""From :class:`~openvoice.jingle.model.Jingle` to a ``jingle`` element, in the form that every known client reads."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from openvoice.core.description import Candidate, Codec, Senders
from openvoice.core.types import EndReason
from openvoice.core.words import WordsMessage
from openvoice.jingle import namespaces as ns
from openvoice.jingle.model import (
    Foreign,
    IceTransport,
    Jingle,
    JingleAction,
    JingleContent,
    RtpDescription,
    SessionInformation,
)
from openvoice.jingle.sources import serialize_sources
from openvoice.jingle.words import serialize_words


def serialize_jingle(jingle: Jingle) -> Element:
    """Write a ``jingle`` element (XEP-0166, 7)."""
    element = Element(ns.qualified(ns.JINGLE, "jingle"), action=jingle.action, sid=jingle.sid)
    if jingle.initiator:
        element.set("initiator", jingle.initiator)
    if jingle.bundle:
        group = SubElement(element, ns.qualified(ns.GROUPING, "group"), semantics="BUNDLE")
        for name in jingle.bundle:
            SubElement(group, ns.qualified(ns.GROUPING, "content"), name=name)
    for content in jingle.contents:
        written = _content(content)
        if jingle.action is JingleAction.CONTENT_MODIFY and content.senders is not None:
            written.set("senders", content.senders)
        element.append(written)
    match jingle.information:
        case SessionInformation(kind, content_name):
            information = SubElement(element, ns.qualified(ns.RTP_INFORMATION, kind))
            if content_name is not None:
                information.set("creator", "initiator")
                information.set("name", content_name)
        case WordsMessage() as message:
            element.append(serialize_words(message))
    if jingle.reason is not None:
        element.append(serialize_reason(jingle.reason, jingle.text))
    return element


def serialize_reason(reason: EndReason, text: str = "") -> Element:
    """Write a ``reason`` element (XEP-0166, 7.4)."""
    element = Element(ns.qualified(ns.JINGLE, "reason"))
    SubElement(element, ns.qualified(ns.JINGLE, reason))
    if text:
        SubElement(element, ns.qualified(ns.JINGLE, "text")).text = text
    return element


def _content(content: JingleContent) -> Element:
    # Every client in use names the initiator as the creator, of the responder's contents too; Dino insists on it.
    element = Element(ns.qualified(ns.JINGLE, "content"), creator="initiator", name=content.name)
    if content.senders is None:
        element.set("senders", "none")
    elif content.description is not None or content.senders is not Senders.BOTH:
        element.set("senders", content.senders)
    if content.category:
        SubElement(element, ns.qualified(ns.CATEGORY, "category"), name=content.category)
    match content.description:
        case RtpDescription() as description:
            element.append(_description(description))
        case Foreign(namespace):
            SubElement(element, ns.qualified(namespace, "description"))
    match content.transport:
        case IceTransport() as transport:
            element.append(_transport(transport))
        case Foreign(namespace):
            SubElement(element, ns.qualified(namespace, "transport"))
    return element


def _description(description: RtpDescription) -> Element:
    element = Element(ns.qualified(ns.RTP, "description"), media=description.media)
    source = description.source
    if source is not None:
        element.set("ssrc", str(source.ssrc))
    for codec in description.codecs:
        element.append(_codec(codec))
    for extension in description.header_extensions:
        name = ns.qualified(ns.RTP_HEADER_EXTENSIONS, "rtp-hdrext")
        SubElement(element, name, id=str(extension.id), uri=extension.uri)
    if description.mux:
        SubElement(element, ns.qualified(ns.RTP, "rtcp-mux"))
    if source is not None:
        element.extend(serialize_sources(source, description.repair))
    return element


def _codec(codec: Codec) -> Element:
    element = Element(
        ns.qualified(ns.RTP, "payload-type"),
        id=str(codec.payload_type),
        name=codec.name,
        clockrate=str(codec.clock_rate),
    )
    if codec.channels != 1:
        element.set("channels", str(codec.channels))
    for name, value in codec.parameters:
        parameter = SubElement(element, ns.qualified(ns.RTP, "parameter"))
        if name:
            parameter.set("name", name)
        parameter.set("value", value)
    for feedback in codec.feedback:
        item = SubElement(element, ns.qualified(ns.RTCP_FEEDBACK, "rtcp-fb"), type=feedback.type)
        if feedback.subtype:
            item.set("subtype", feedback.subtype)
    return element


def _transport(transport: IceTransport) -> Element:
    element = Element(ns.qualified(ns.ICE_UDP, "transport"))
    if transport.ufrag:
        element.set("ufrag", transport.ufrag)
    if transport.pwd:
        element.set("pwd", transport.pwd)
    for fingerprint in transport.fingerprints:
        item = SubElement(element, ns.qualified(ns.DTLS, "fingerprint"), hash=fingerprint.hash, setup=fingerprint.setup)
        item.text = fingerprint.value
    for sealed in transport.sealed:
        name = ns.qualified(ns.OMEMO_DTLS, "fingerprint")
        item = SubElement(element, name, hash=sealed.hash, setup=sealed.setup)
        if sealed.encrypted is not None:
            item.append(sealed.encrypted)
    for number, candidate in enumerate(transport.candidates, 1):
        element.append(_candidate(candidate, number))
    return element


def _candidate(candidate: Candidate, number: int) -> Element:
    # Monal wants generation, Movim wants id and network: all three are written though nobody uses them.
    element = Element(
        ns.qualified(ns.ICE_UDP, "candidate"),
        component=str(candidate.component),
        foundation=candidate.foundation,
        generation=str(candidate.generation),
        id=f"{candidate.foundation}-{candidate.port}-{number}",
        network="0",
        ip=candidate.address,
        port=str(candidate.port),
        priority=str(candidate.priority),
        protocol="udp",
        type=candidate.type,
    )
    if candidate.related_address is not None:
        element.set("rel-addr", candidate.related_address)
        element.set("rel-port", str(candidate.related_port or 0))
    return element
