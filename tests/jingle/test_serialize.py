from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.description import (
    Candidate,
    CandidateType,
    Codec,
    Feedback,
    HeaderExtension,
    Senders,
    SessionDescription,
    Source,
)
from openvoice.core.types import EndReason
from openvoice.jingle import namespaces as ns
from openvoice.jingle.describe import read_answer, read_offer, write_contents
from openvoice.jingle.model import (
    DtlsFingerprint,
    Foreign,
    IceTransport,
    InformationKind,
    Jingle,
    JingleAction,
    JingleContent,
    RtpDescription,
    SealedFingerprint,
    SessionInformation,
)
from openvoice.jingle.parse import parse_jingle
from openvoice.jingle.serialize import serialize_jingle
from tests.jingle.samples import captured_jingle

TOKENS = st.text("abcXYZ019+/=:.-", min_size=1, max_size=20)
CODECS = st.builds(
    Codec,
    payload_type=st.integers(0, 127),
    name=TOKENS,
    clock_rate=st.integers(1, 1_000_000),
    channels=st.integers(1, 8),
    parameters=st.lists(st.tuples(st.just("") | TOKENS, TOKENS), max_size=4).map(tuple),
    feedback=st.lists(st.builds(Feedback, TOKENS, st.just("") | TOKENS), max_size=3).map(tuple),
)
ADDRESSES = st.sampled_from(["192.0.2.1", "2001:db8::7", "127.0.0.1", "10.0.0.1"])
CANDIDATES = st.builds(
    lambda related, **rest: Candidate(related_address=related[0], related_port=related[1], **rest),
    related=st.just((None, None)) | st.tuples(ADDRESSES, st.integers(0, 65535)),
    foundation=TOKENS,
    address=ADDRESSES,
    port=st.integers(1, 65535),
    priority=st.integers(0, 2**32 - 1),
    type=st.sampled_from([CandidateType.HOST, CandidateType.SERVER_REFLEXIVE, CandidateType.RELAY]),
    generation=st.integers(0, 9),
)
FINGERPRINTS = st.builds(
    DtlsFingerprint, st.sampled_from(["sha-256", "sha-1"]), TOKENS.map(str.upper), st.sampled_from(["active", ""])
)
UNREADABLE = st.builds(
    SealedFingerprint, st.sampled_from(["sha-256", "sha-1"]), st.none(), st.sampled_from(["active", ""])
)
TRANSPORTS = st.builds(
    IceTransport,
    ufrag=st.just("") | TOKENS,
    pwd=st.just("") | TOKENS,
    fingerprints=st.lists(FINGERPRINTS, max_size=2).map(tuple),
    sealed=st.lists(UNREADABLE, max_size=2).map(tuple),
    candidates=st.lists(CANDIDATES, max_size=4).map(tuple),
)
DESCRIPTIONS = st.builds(
    RtpDescription,
    media=TOKENS,
    codecs=st.lists(CODECS, max_size=4, unique_by=lambda codec: codec.payload_type).map(tuple),
    header_extensions=st.lists(
        st.builds(HeaderExtension, st.integers(1, 255), TOKENS), max_size=3, unique_by=lambda extension: extension.id
    ).map(tuple),
    mux=st.booleans(),
    source=st.none() | st.builds(Source, st.integers(0, 2**32 - 1), st.just("") | TOKENS),
)
FOREIGN = st.builds(Foreign, TOKENS.map("urn:{}".format))
CONTENTS = st.builds(
    JingleContent,
    name=TOKENS,
    senders=st.none() | st.sampled_from(Senders),
    description=st.none() | FOREIGN | DESCRIPTIONS,
    transport=st.none() | FOREIGN | TRANSPORTS,
)
STANZAS = st.builds(
    Jingle,
    action=st.sampled_from([action for action in JingleAction if action is not JingleAction.SESSION_INFO]),
    sid=TOKENS,
    contents=st.lists(CONTENTS, max_size=3).map(tuple),
    bundle=st.lists(TOKENS, unique=True, max_size=3).map(tuple),
    initiator=st.just("") | TOKENS,
) | st.builds(
    Jingle,
    action=st.just(JingleAction.SESSION_INFO),
    sid=TOKENS,
    information=st.none() | st.builds(SessionInformation, st.sampled_from(InformationKind), st.none() | TOKENS),
)


@given(STANZAS)
def test_what_is_written_is_read_again(stanza: Jingle) -> None:
    assert parse_jingle(serialize_jingle(stanza)) == stanza
    text = ElementTree.tostring(serialize_jingle(stanza))
    assert parse_jingle(ElementTree.fromstring(text)) == stanza


@given(st.sampled_from(EndReason), TOKENS | st.just(""))
def test_reasons_are_read_again(reason: EndReason, text: str) -> None:
    stanza = Jingle(action=JingleAction.SESSION_TERMINATE, sid="s", reason=reason, text=text)
    assert parse_jingle(serialize_jingle(stanza)) == stanza


def test_recorded_descriptions_survive_a_round_trip() -> None:
    """GEN-10: one sha-256 fingerprint for each transport, and no white space in it."""
    for element in captured_jingle():
        found = parse_jingle(element)
        if found.action not in (JingleAction.SESSION_INITIATE, JingleAction.SESSION_ACCEPT):
            continue
        read = read_offer if found.action is JingleAction.SESSION_INITIATE else read_answer
        before: SessionDescription = read(found)
        written = serialize_jingle(
            Jingle(action=found.action, sid="s", contents=write_contents(before), bundle=before.bundle)
        )
        assert read(parse_jingle(written)) == before
        fingerprints = list(written.iter(ns.qualified(ns.DTLS, "fingerprint")))
        assert len(fingerprints) == len(before.contents)
        assert {fingerprint.get("hash") for fingerprint in fingerprints} == {"sha-256"}
        assert all(not any(letter.isspace() for letter in fingerprint.text or " ") for fingerprint in fingerprints)


def test_nothing_that_peers_stumble_over_is_written() -> None:
    for element in captured_jingle():
        written = ElementTree.tostring(serialize_jingle(parse_jingle(element)), encoding="unicode")
        assert "encryption" not in written
        assert "crypto" not in written
        assert "tcp" not in written.replace("rtcp", "")


def test_a_source_is_named_as_browsers_want_it() -> None:
    """Two contents in a bundle: Chromium drops the packets of a source that it knows from the attribute only."""
    source = Source(7, "me")
    description = RtpDescription(media="audio", source=source)
    written = serialize_jingle(
        Jingle(
            action=JingleAction.SESSION_ACCEPT, sid="s", contents=(JingleContent(name="0", description=description),)
        )
    )
    (found,) = written.iter(ns.qualified(ns.SOURCES, "source"))
    (parameter,) = found
    assert (found.get("ssrc"), parameter.get("name"), parameter.get("value")) == ("7", "cname", "me")
