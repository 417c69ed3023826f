"""Between what a stanza says and a description that can be used. Here Jingle's offers and answers are judged.

Refusals carry the XEP-0166 reason that the session ends with.
"""

from __future__ import annotations

from dataclasses import replace

from openvoice.core.description import (
    FINGERPRINT_OCTETS,
    Content,
    Fingerprint,
    Media,
    Senders,
    SessionDescription,
    Setup,
    TransportDescription,
)
from openvoice.core.trust import Voucher
from openvoice.errors import MalformedStanza
from openvoice.jingle.model import (
    DtlsFingerprint,
    Foreign,
    IceTransport,
    Jingle,
    JingleContent,
    RtpDescription,
)


def read_offer(jingle: Jingle, voucher: Voucher | None = None) -> SessionDescription:
    """The offer in a session-initiate, whose fingerprints ``voucher`` vouches for.

    Raises:
        MalformedStanza: it cannot be answered; the condition is the reason to terminate with.
    """
    return _read(jingle, voucher, Senders.INITIATOR)


def read_answer(jingle: Jingle, voucher: Voucher | None = None) -> SessionDescription:
    """The answer in a session-accept: as an offer, and with one settled DTLS role for each bundle (RFC 5763, 5).

    Raises:
        MalformedStanza: it does not answer; the condition is the reason to terminate with.
    """
    answer = _read(jingle, voucher, Senders.RESPONDER)
    bundled = {content.transport.setup for content in answer.contents if content.name in answer.bundle}
    if len(bundled) > 1 or any(content.transport.setup is Setup.ACTPASS for content in answer.contents):
        raise MalformedStanza("the answer leaves the DTLS role open", "security-error")
    return answer


def read_fingerprint(transport: IceTransport) -> tuple[Fingerprint, Setup]:
    """The one fingerprint that counts, and the DTLS role beside it (XEP-0320).

    Several are one if each hash function gives one digest; sha-256 is preferred, for that is what everybody checks.

    Raises:
        MalformedStanza: none, only weak ones, contradicting ones, or no role.
    """
    found: dict[str, Fingerprint] = {}
    setups: set[str] = set()
    for element in transport.fingerprints:
        if element.hash not in FINGERPRINT_OCTETS:
            continue
        try:
            fingerprint = Fingerprint(element.hash, bytes.fromhex(element.value.replace(":", "")))
        except ValueError:
            raise MalformedStanza("a fingerprint that cannot be read", "security-error") from None
        if not found.setdefault(element.hash, fingerprint).matches(fingerprint):
            raise MalformedStanza("two fingerprints that contradict each other", "security-error")
        setups.add(element.setup)
    if not found:
        raise MalformedStanza("no fingerprint that protects", "security-error")
    if len(setups) != 1 or not setups <= set(Setup):
        raise MalformedStanza("the fingerprint says no DTLS role", "security-error")
    algorithm = next(name for name in FINGERPRINT_OCTETS if name in found)
    return found[algorithm], Setup(setups.pop())


def changed_fingerprint(jingle: Jingle, agreed: SessionDescription) -> str | None:
    """Why a request must end the session: it brings another fingerprint than the one agreed on.

    A sealed one counts as another: no client repeats it, and to compare it the ratchets would have to turn.
    """
    for content in jingle.contents:
        known, transport = agreed.content(content.name), content.transport
        if known is None or not isinstance(transport, IceTransport):
            continue
        if transport.sealed:
            return "the peer's key was sealed anew during the call"
        if not transport.fingerprints:
            continue
        try:
            fingerprint, _ = read_fingerprint(transport)
        except MalformedStanza as error:
            return str(error)
        if known.transport.fingerprint is None or not known.transport.fingerprint.matches(fingerprint):
            return "the peer's key changed during the call"
    return None


def read_addition(
    content: JingleContent,
    agreed: SessionDescription,
    *,
    bundled: bool,
    answering: bool,
    voucher: Voucher | None = None,
) -> Content:
    """The peer's half of a content that comes to a session: it begins it, or is ``answering`` this side.

    One that is ``bundled`` with the voice has the transport that the voice has in ``agreed``, the peer's half of the
    session: it must have its key, or say none.

    Raises:
        MalformedStanza: it cannot be used. With the condition ``security-error`` and in a bundle: the session must end.
    """
    voice = agreed.content(agreed.voice)
    assert voice is not None
    if bundled and isinstance(content.transport, IceTransport) and not content.transport.fingerprints:
        fingerprint = voice.transport.fingerprint
        inherited = replace(voice.transport, candidates=content.transport.candidates)
        plain = write_transport(inherited)
        read = _content(replace(content, transport=plain), fingerprint.voucher if fingerprint is not None else None)
        return replace(read, transport=inherited)
    read = _content(content, voucher)
    if bundled and not _same_key(read.transport, voice.transport):
        raise MalformedStanza("an added content has another key than the transport that it shares", "security-error")
    if answering and read.transport.setup is Setup.ACTPASS:
        raise MalformedStanza("the answer leaves the DTLS role open", "security-error")
    return read


def _same_key(one: TransportDescription, other: TransportDescription) -> bool:
    return one.fingerprint is not None and other.fingerprint is not None and one.fingerprint.matches(other.fingerprint)


def settled_transport(content: Content, remote: SessionDescription) -> TransportDescription:
    """The transport of a content of this side in an answer, where ``remote`` is the peer's half of a session.

    Either the peer's answer settled the DTLS roles, or this side's answer did.
    """
    setup = Setup.PASSIVE if remote.contents[0].transport.setup is Setup.ACTIVE else Setup.ACTIVE
    return replace(content.transport, setup=setup, candidates=())


def write_contents(description: SessionDescription) -> tuple[JingleContent, ...]:
    """The contents of an offer or an answer, as they stand on the wire."""
    return tuple(write_content(content) for content in description.contents)


def write_content(content: Content) -> JingleContent:
    """One content, as it stands on the wire."""
    return JingleContent(
        name=content.name,
        senders=content.senders,
        category=content.category,
        description=RtpDescription(
            media=content.media,
            codecs=content.codecs,
            header_extensions=content.header_extensions,
            mux=content.mux,
            source=content.source,
            repair=content.repair,
        ),
        transport=write_transport(content.transport),
    )


def write_transport(transport: TransportDescription) -> IceTransport:
    """One side of a transport, as it stands on the wire."""
    fingerprint = transport.fingerprint
    return IceTransport(
        ufrag=transport.ufrag,
        pwd=transport.pwd,
        fingerprints=(DtlsFingerprint(fingerprint.algorithm, str(fingerprint), transport.setup or ""),)
        if fingerprint is not None
        else (),
        candidates=transport.candidates,
    )


def _read(jingle: Jingle, voucher: Voucher | None, peer: Senders) -> SessionDescription:
    contents = tuple(_content(_idle(content, peer), voucher) for content in jingle.contents)
    names = {content.name for content in contents}
    try:
        return SessionDescription(contents=contents, bundle=tuple(name for name in jingle.bundle if name in names))
    except ValueError:
        raise MalformedStanza("no contents, or two of one name", "failed-application") from None


def _idle(content: JingleContent, peer: Senders) -> JingleContent:
    """Pictures that nobody sends are as if this side were not allowed to: the voice is worth the call all the same."""
    description = content.description
    if content.senders is None and isinstance(description, RtpDescription) and description.media == Media.VIDEO:
        return replace(content, senders=peer)
    return content


def _content(content: JingleContent, voucher: Voucher | None) -> Content:
    description, transport = content.description, content.transport
    if isinstance(description, Foreign):
        raise MalformedStanza("a content that is not RTP", "unsupported-applications")
    if isinstance(transport, Foreign):
        raise MalformedStanza("a transport that is not ICE over UDP", "unsupported-transports")
    if description is None or transport is None:
        raise MalformedStanza("a content without description or transport", "failed-application")
    if description.media not in Media.__members__.values():
        raise MalformedStanza("neither audio nor video", "unsupported-applications")
    if not transport.ufrag or not transport.pwd:
        raise MalformedStanza("a transport without ICE credentials", "failed-application")
    if not description.codecs or content.senders is None:
        raise MalformedStanza("a content without codecs or without senders", "incompatible-parameters")
    fingerprint, setup = read_fingerprint(transport)
    return Content(
        name=content.name,
        media=Media(description.media),
        codecs=description.codecs,
        transport=TransportDescription(
            ufrag=transport.ufrag,
            pwd=transport.pwd,
            fingerprint=replace(fingerprint, voucher=voucher),
            setup=setup,
            candidates=transport.candidates,
        ),
        senders=content.senders,
        header_extensions=description.header_extensions,
        mux=description.mux,
        source=description.source,
        category=content.category,
        repair=description.repair,
    )
