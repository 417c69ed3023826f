from __future__ import annotations

import contextlib
import copy
import random
from xml.etree import ElementTree
from xml.etree.ElementTree import Comment, Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.description import MAXIMUM_CONTENTS, Feedback, HeaderExtension, Senders, Source
from openvoice.core.types import EndReason, Role
from openvoice.errors import MalformedStanza
from openvoice.jingle import namespaces as ns
from openvoice.jingle.describe import read_answer, read_offer
from openvoice.jingle.messages import parse_message, parse_receipt
from openvoice.jingle.model import (
    Foreign,
    IceTransport,
    InformationKind,
    Jingle,
    JingleAction,
    RtpDescription,
    SessionInformation,
)
from openvoice.jingle.parse import (
    MAXIMUM_CANDIDATES,
    MAXIMUM_FINGERPRINTS,
    MAXIMUM_IDENTIFIER,
    MAXIMUM_PARAMETERS,
    MAXIMUM_PAYLOAD_TYPES,
    MAXIMUM_SEAL_CHARACTERS,
    MAXIMUM_SEAL_PARTS,
    parse_jingle,
    words,
)
from tests.jingle.samples import (
    CANDIDATE,
    HEX,
    captured_jingle,
    content,
    fingerprint,
    jingle,
    parsed,
    sealed,
    transport,
)
from tests.jingle.sealer import encrypted


def description_of(codecs: str) -> RtpDescription:
    found = parsed("session-initiate", content(codecs=codecs)).contents[0].description
    assert isinstance(found, RtpDescription)
    return found


def transport_of(inner: str) -> IceTransport:
    found = parsed("transport-info", content(inner=transport(inner))).contents[0].transport
    assert isinstance(found, IceTransport)
    return found


@pytest.mark.parametrize(
    "element",
    [
        Element("jingle", action="session-info", sid="a"),
        Element(ns.qualified(ns.JINGLE, "jingle"), sid="a"),
        jingle("no-such-action"),
        jingle("session-info", sid=""),
        jingle("session-info", sid="x" * (MAXIMUM_IDENTIFIER + 1)),
        jingle("session-initiate", "<content creator='initiator'/>"),
        jingle("session-initiate", "<content creator='initiator' name='0' senders='everybody'/>"),
        jingle("session-initiate", "".join(content(str(number)) for number in range(MAXIMUM_CONTENTS + 1))),
    ],
)
def test_what_holds_a_stanza_together_must_be_right(element: Element) -> None:
    with pytest.raises(MalformedStanza) as caught:
        parse_jingle(element)
    assert caught.value.condition == "bad-request"


def test_lists_are_bounded() -> None:
    codec = "<payload-type id='{}' name='opus' clockrate='48000'>{}</payload-type>"
    parameters = "<parameter name='a' value='b'/>" * 100
    found = description_of("".join(codec.format(number, parameters) for number in range(100)))
    assert len(found.codecs) == MAXIMUM_PAYLOAD_TYPES
    assert len(found.codecs[0].parameters) == MAXIMUM_PARAMETERS
    flood = transport_of(CANDIDATE * 1000 + fingerprint() * 100)
    assert len(flood.candidates) == MAXIMUM_CANDIDATES
    assert len(flood.fingerprints) == MAXIMUM_FINGERPRINTS


@pytest.mark.parametrize(
    "written",
    [
        "<payload-type id='128' name='opus' clockrate='48000'/>",
        "<payload-type id='x' name='opus' clockrate='48000'/>",
        "<payload-type id='²' name='opus' clockrate='48000'/>",
        "<payload-type id='111' name='opus'/>",
        "<payload-type id='111' name='op us' clockrate='48000'/>",
        "<payload-type id='111' clockrate='48000'/>",
        "<payload-type id='111' name='opus' clockrate='0'/>",
        "<payload-type id='111' name='opus' clockrate='48000' channels='99'/>",
        "<payload-type id='111' name='opus' clockrate='48000' channels='two'/>",
    ],
)
def test_an_unreadable_payload_type_is_left_out(written: str) -> None:
    assert [codec.name for codec in description_of(written + "<payload-type id='8'/>").codecs] == ["PCMA"]


def test_static_payload_types_need_no_words() -> None:
    codecs = description_of("<payload-type id='0'/><payload-type id='9'/>").codecs
    assert [(codec.name, codec.clock_rate) for codec in codecs] == [("PCMU", 8000), ("G722", 8000)]


def test_parameters_of_monal_and_nameless_ones() -> None:
    written = (
        "<parameter name='useinbandfec' value='true'/><parameter name='packetization_mode' value='1'/>"
        "<parameter name='usedtx' value='false'/><parameter value='111/111'/><parameter name='0-15'/>"
    )
    codec = description_of(f"<payload-type id='1' name='x' clockrate='8000'>{written}</payload-type>").codecs[0]
    assert codec.parameters == (
        ("useinbandfec", "1"),
        ("packetization-mode", "1"),
        ("usedtx", "0"),
        ("", "111/111"),
    )


def test_feedback_and_header_extensions() -> None:
    found = description_of(
        "<payload-type id='1' name='x' clockrate='8000'>"
        f"<rtcp-fb xmlns='{ns.RTCP_FEEDBACK}' type='nack' subtype='pli'/>"
        f"<rtcp-fb xmlns='{ns.RTCP_FEEDBACK}'/><other/></payload-type>"
        f"<rtp-hdrext xmlns='{ns.RTP_HEADER_EXTENSIONS}' id='3' uri='urn:x'/>"
        f"<rtp-hdrext xmlns='{ns.RTP_HEADER_EXTENSIONS}' id='0' uri='urn:x'/>"
        f"<rtp-hdrext xmlns='{ns.RTP_HEADER_EXTENSIONS}' id='4'/>"
    )
    assert found.codecs[0].feedback == (Feedback("nack", "pli"),)
    assert found.header_extensions == (HeaderExtension(3, "urn:x"),)
    assert found.mux


ME = Source(7, "me")


@pytest.mark.parametrize(
    ("attribute", "sources", "source"),
    [
        ("", "", None),
        ("", "<source ssrc='7'/><source ssrc='8'/>", Source(7)),
        ("", "<source/><source ssrc='4294967296'/><source ssrc='8'/>", Source(8)),
        ("", "<source ssrc='7'><parameter name='msid' value='x'/><parameter name='cname' value='me'/></source>", ME),
        ("", "<source ssrc='7'><parameter name='cname' value='two words'/></source>", Source(7)),
        (" ssrc='99'", "<source ssrc='7'><parameter name='cname' value='me'/></source>", Source(99)),
        (" ssrc='7'", "<source ssrc='8'/><source ssrc='7'><parameter name='cname' value='me'/></source>", ME),
        (" ssrc='4294967296'", "", None),
    ],
)
def test_the_source_of_a_content(attribute: str, sources: str, source: Source | None) -> None:
    sources = sources.replace("<source", f"<source xmlns='{ns.SOURCES}'")
    written = (
        f"<content name='0'><description xmlns='{ns.RTP}' media='audio'{attribute}>{sources}</description></content>"
    )
    found = parsed("session-initiate", written).contents[0].description
    assert isinstance(found, RtpDescription)
    assert found.source == source


class TestCandidates:
    """ICE-01."""

    @pytest.mark.parametrize(
        "change",
        [
            {"protocol": "tcp", "tcptype": "active"},
            {"type": "prflx"},
            {"type": ""},
            {"ip": "fe80::1"},
            {"ip": "4a3b.local"},
            {"ip": "host.example"},
            {"ip": "224.0.0.1"},
            {"ip": "0.0.0.0"},
            {"ip": "255.255.255.255"},
            {"component": "2"},
            {"port": "0"},
            {"port": "65536"},
            {"port": "-1"},
            {"priority": "4294967296"},
            {"foundation": ""},
            {"foundation": "f" * 33},
        ],
    )
    def test_one_that_cannot_be_used_is_left_out_and_the_next_is_not(self, change: dict[str, str]) -> None:
        element = ElementTree.fromstring(CANDIDATE)
        element.attrib.update(change)
        bad = ElementTree.tostring(element, encoding="unicode")
        assert [candidate.port for candidate in transport_of(bad + CANDIDATE).candidates] == [41000]

    @pytest.mark.parametrize("missing", ["generation", "id", "network", "protocol", "component"])
    def test_what_firefox_and_others_do_not_write(self, missing: str) -> None:
        element = ElementTree.fromstring(CANDIDATE)
        del element.attrib[missing]
        assert len(transport_of(ElementTree.tostring(element, encoding="unicode")).candidates) == 1

    @pytest.mark.parametrize("address", ["2001:db8::1", "127.0.0.1", "::1", "169.254.1.1"])
    def test_addresses(self, address: str) -> None:
        assert transport_of(CANDIDATE.replace("192.0.2.77", address)).candidates[0].address == address

    def test_related_addresses(self) -> None:
        def related(written: str) -> tuple[str | None, int | None]:
            candidate = transport_of(CANDIDATE.replace("type='host'", f"type='srflx' {written}")).candidates[0]
            return candidate.related_address, candidate.related_port

        assert related("rel-addr='192.0.2.1' rel-port='5'") == ("192.0.2.1", 5)
        assert related("rel-addr='192.0.2.1' rel_port='5'") == ("192.0.2.1", 5)
        assert related("rel-addr='nowhere' rel-port='5'") == (None, None)
        assert related("") == (None, None)


def test_fingerprints_are_read_without_case_and_white_space() -> None:
    """DT-01."""
    (found,) = transport_of(fingerprint("active", "SHA-256", f"\n {HEX.lower()} \n")).fingerprints
    assert (found.hash, found.value, found.setup) == ("sha-256", HEX, "active")
    (empty,) = transport_of(f"<fingerprint xmlns='{ns.DTLS}'/>").fingerprints
    assert (empty.hash, empty.value, empty.setup) == ("", "", "")


def test_the_seal_of_a_fingerprint_is_kept_as_it_came() -> None:
    """OM-01."""
    written = encrypted(HEX)
    (found,) = transport_of(sealed(written, "active", "SHA-256")).sealed
    assert (found.hash, found.setup) == ("sha-256", "active")
    assert found.encrypted is not None
    assert ElementTree.tostring(found.encrypted) == ElementTree.tostring(written)
    assert len(transport_of(sealed(written) * (MAXIMUM_FINGERPRINTS + 1)).sealed) == MAXIMUM_FINGERPRINTS


@pytest.mark.parametrize(
    "inner",
    [
        "",
        HEX,
        "<encrypted xmlns='urn:xmpp:omemo:2'/>",
        f"<encrypted xmlns='{ns.OMEMO}'/><encrypted xmlns='{ns.OMEMO}'/>",
        f"<encrypted xmlns='{ns.OMEMO}'/><encrypted xmlns='urn:xmpp:omemo:2'/>",
        f"<encrypted xmlns='{ns.OMEMO}'>{'<key/>' * MAXIMUM_SEAL_PARTS}</encrypted>",
        f"<encrypted xmlns='{ns.OMEMO}'><payload>{'A' * MAXIMUM_SEAL_CHARACTERS}</payload>A</encrypted>",
        f"<encrypted xmlns='{ns.OMEMO}'><key rid='{'1' * (MAXIMUM_SEAL_CHARACTERS + 1)}'/></encrypted>",
    ],
)
def test_a_seal_that_is_not_just_one_bounded_element(inner: str) -> None:
    """OM-01."""
    (found,) = transport_of(sealed(inner)).sealed
    assert found.encrypted is None


def test_a_namespace_that_is_no_name_is_not_echoed() -> None:
    with pytest.raises(MalformedStanza):
        parsed("content-add", "<content name='0'><description xmlns='urn:&lt;x'/></content>")


def test_over_long_credentials_are_none() -> None:
    found = parsed("transport-info", content(inner=transport("", "u" * 300, "p" * 300))).contents[0].transport
    assert found == IceTransport()


def test_foreign_contents_and_repeated_children() -> None:
    written = (
        "<content name='0'><description xmlns='urn:x'/><description xmlns='urn:y'/>"
        "<transport xmlns='urn:z'/><transport/><other/></content>"
    )
    (found,) = parsed("session-initiate", written).contents
    assert (found.description, found.transport) == (Foreign("urn:x"), Foreign("urn:z"))


@pytest.mark.parametrize(
    ("written", "sends"),
    [
        ("both", {Role.INITIATOR, Role.RESPONDER}),
        ("initiator", {Role.INITIATOR}),
        ("responder", {Role.RESPONDER}),
        ("none", set()),
        (None, {Role.INITIATOR, Role.RESPONDER}),
    ],
)
def test_who_sends(written: str | None, sends: set[Role]) -> None:
    """GEN-11: senders is absolute, whichever role reads it."""
    element = jingle("session-initiate", content())
    if written is None:
        del element[0].attrib["senders"]
    else:
        element[0].set("senders", written)
    senders = parse_jingle(element).contents[0].senders
    assert {role for role in Role if senders in (Senders.BOTH, role.value)} == sends


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ("", None),
        ("<reason/>", None),
        ("<reason><busy/></reason>", EndReason.BUSY),
        ("<reason><failed_transport/></reason>", EndReason.FAILED_TRANSPORT),
        ("<reason><application-error/></reason>", EndReason.FAILED_APPLICATION),
        ("<reason><boredom/></reason>", EndReason.GENERAL_ERROR),
        ("<reason><text>late</text><cancel/><busy/></reason>", EndReason.CANCEL),
    ],
)
def test_reasons(inner: str, reason: EndReason | None) -> None:
    assert parsed("session-terminate", inner).reason is reason


def test_words_cannot_lie_or_fill_the_memory() -> None:
    assert words("pay\u202etpeek\x00 me\n") == "paytpeek me"
    assert len(words("x" * 100_000)) == 256
    assert parsed("session-terminate", "<reason><busy/><text>a&#x202e;b</text></reason>").text == "ab"


def test_groups() -> None:
    grouped = "<group xmlns='{}' semantics='{}'><content name='0'/><content name='0'/><content name='1'/></group>"
    assert parsed("session-initiate", grouped.format(ns.GROUPING, "BUNDLE")).bundle == ("0", "1")
    assert parsed("session-initiate", grouped.format(ns.GROUPING, "LS")).bundle == ()


def test_session_information() -> None:
    def read(inner: str) -> Jingle:
        return parsed("session-info", inner)

    held = read(f"<reason><success/></reason><hold xmlns='{ns.RTP_INFORMATION}'/>").information
    assert held == SessionInformation(InformationKind.HOLD)
    muted = read(f"<mute xmlns='{ns.RTP_INFORMATION}' name='0'/>").information
    assert muted == SessionInformation(InformationKind.MUTE, "0")
    assert read("").information is None
    assert not read("").unsupported
    assert read(f"<dance xmlns='{ns.RTP_INFORMATION}'/>").unsupported
    assert not parsed("transport-info", "<dance/>").unsupported


def test_recorded_calls_are_understood() -> None:
    """GEN-10: what Dino, Firefox and Chromium really sent."""
    seen = set()
    for element in captured_jingle():
        found = parse_jingle(element)
        seen.add(found.action)
        if found.action is JingleAction.SESSION_INITIATE:
            offer = read_offer(found)
            assert [content.media.value for content in offer.contents] == ["audio", "video"]
            assert offer.contents[0].codecs[0].name == "opus"
        elif found.action is JingleAction.SESSION_ACCEPT:
            assert all(content.senders is Senders.BOTH for content in read_answer(found).contents)
    assert seen >= {JingleAction.SESSION_INITIATE, JingleAction.SESSION_ACCEPT, JingleAction.TRANSPORT_INFO}


# --- nothing but MalformedStanza comes out ----------------------------------------------------------------------------

NAMES = ["jingle", "content", "description", "transport", "payload-type", "parameter", "candidate", "fingerprint"]
NAMES += [
    "reason",
    "text",
    "group",
    "source",
    "rtcp-fb",
    "rtp-hdrext",
    "mute",
    "propose",
    "proceed",
    "received",
    "message",
    "encrypted",
    "header",
    "key",
    "payload",
]
SPACES = [
    "",
    ns.CLIENT,
    ns.JINGLE,
    ns.RTP,
    ns.ICE_UDP,
    ns.DTLS,
    ns.OMEMO_DTLS,
    ns.OMEMO,
    ns.GROUPING,
    ns.JINGLE_MESSAGE,
    ns.RECEIPTS,
    ns.SOURCES,
]
ATTRIBUTES = [
    "action",
    "sid",
    "name",
    "id",
    "senders",
    "media",
    "ip",
    "port",
    "priority",
    "type",
    "hash",
    "setup",
    "ssrc",
]
ATTRIBUTES += [
    "ufrag",
    "pwd",
    "clockrate",
    "channels",
    "value",
    "component",
    "foundation",
    "protocol",
    "rel-addr",
    "uri",
]
VALUES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["0", "1", "-1", "٣", "9" * 30, "audio", "udp", "host", "192.0.2.1", "::1", "sha-256", "both", HEX]
    ),
    st.sampled_from([action.value for action in JingleAction]),
)


def _element(space: str, name: str, attributes: dict[str, str], text: str, inner: list[Element]) -> Element:
    element = Element(ns.qualified(space, name) if space else name, attributes)
    element.text = text
    element.append(Comment(text))
    element.extend(inner)
    return element


TREES = st.recursive(
    st.builds(
        _element,
        st.sampled_from(SPACES),
        st.sampled_from(NAMES),
        st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES, max_size=6),
        st.text(max_size=12),
        st.just([]),
    ),
    lambda inner: st.builds(
        _element,
        st.sampled_from(SPACES),
        st.sampled_from(NAMES),
        st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES, max_size=6),
        st.text(max_size=12),
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


def swallow(element: Element) -> None:
    refusals = []
    for read in (read_offer, read_answer):
        try:
            read(parse_jingle(element))
        except MalformedStanza as error:
            refusals.append(error.condition)
    with contextlib.suppress(MalformedStanza):
        parse_message(element)
    parse_receipt(element)
    assert {"bad-request", *(reason.value for reason in EndReason)}.issuperset(refusals)


@given(TREES)
def test_any_tree_is_read_or_refused(tree: Element) -> None:
    swallow(tree)
    root = jingle("session-initiate")
    root.append(tree)
    swallow(root)


@given(st.integers(min_value=0, max_value=2**32), VALUES)
def test_any_change_of_a_recorded_call_is_read_or_refused(seed: int, value: str) -> None:
    chance = random.Random(seed)
    root = copy.deepcopy(chance.choice(captured_jingle()))
    for _ in range(chance.randint(1, 4)):
        element = chance.choice(list(root.iter()))
        match chance.randrange(5):
            case 0 if element.attrib:
                element.set(chance.choice(list(element.attrib)), value)
            case 1 if element.attrib:
                del element.attrib[chance.choice(list(element.attrib))]
            case 2 if len(element):
                element.remove(chance.choice(list(element)))
            case 3 if len(element):
                element.extend([chance.choice(list(element))] * chance.randint(1, 40))
            case _:
                element.text = value
                element.tag = ns.qualified(chance.choice(SPACES) or "urn:x", chance.choice(NAMES))
    swallow(root)
