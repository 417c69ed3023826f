from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.types import EndReason
from openvoice.errors import MalformedStanza
from openvoice.jingle import namespaces as ns
from openvoice.jingle.messages import (
    parse_message,
    parse_receipt,
    serialize_message,
    serialize_receipt,
    serialize_unknown_session,
    wants_receipt,
)
from openvoice.jingle.model import JingleMessage, MessageKind
from tests.jingle.samples import PEER, VOICE, message

TOKENS = st.text("abcXYZ019+/=-%", min_size=1, max_size=20)
SAID = st.builds(
    JingleMessage,
    kind=st.sampled_from([kind for kind in MessageKind if kind is not MessageKind.PROPOSE]),
    id=TOKENS,
    reason=st.none() | st.sampled_from(EndReason),
    device=st.none() | st.integers(0, 2**31),
    tie_break=st.booleans(),
    migrated=st.just("") | TOKENS,
) | st.builds(
    JingleMessage,
    kind=st.just(MessageKind.PROPOSE),
    id=TOKENS,
    media=st.sampled_from([frozenset({"audio"}), frozenset({"audio", "video"})]),
)


@given(SAID)
def test_what_is_written_is_read_again(said: JingleMessage) -> None:
    assert parse_message(serialize_message(said, PEER)) == said


@pytest.mark.parametrize("kind", list(MessageKind))
def test_every_message_is_kept_by_the_server(kind: MessageKind) -> None:
    written = serialize_message(JingleMessage(kind=kind, id="a", media=frozenset({"audio"})), PEER, message_id="m")
    assert (written.get("type"), written.get("to"), written.get("id")) == ("chat", str(PEER), "m")
    assert ns.child(written, ns.HINTS, "store") is not None
    assert not wants_receipt(written)


def test_a_proposal_asks_for_a_receipt() -> None:
    said = JingleMessage(kind=MessageKind.PROPOSE, id="a", media=frozenset({"audio"}))
    assert wants_receipt(serialize_message(said, PEER, request_receipt=True))


@pytest.mark.parametrize("type_", ["chat", "normal"])
def test_types_that_speak_of_calls(type_: str) -> None:
    assert parse_message(message("ringing", type=type_)) is not None


@pytest.mark.parametrize("type_", ["groupchat", "headline", "error"])
def test_types_that_do_not(type_: str) -> None:
    assert parse_message(message("ringing", type=type_)) is None


def test_other_messages_are_none() -> None:
    assert parse_message(message("dance")) is None
    assert parse_message(message("ringing", beside=f"<x xmlns='{ns.MUC_USER}'/>")) is None
    assert parse_receipt(message("ringing")) is None
    assert parse_message(ElementTree.fromstring(f"<message xmlns='{ns.CLIENT}'/>")) is None


def test_the_first_that_is_said_counts_and_beats_call_invites() -> None:
    invite = "<invite xmlns='urn:xmpp:call-invites:0' id='x'/>"
    said = parse_message(message("propose", inner=VOICE, beside=invite))
    assert said is not None
    assert said.kind is MessageKind.PROPOSE


@pytest.mark.parametrize(
    "inner",
    [
        "",
        f"<description xmlns='{ns.RTP}' media='smell'/>",
        "<description xmlns='urn:xmpp:jingle:apps:file-transfer:5' media='audio'/>",
        VOICE + "<description xmlns='urn:xmpp:jingle:apps:file-transfer:5'/>",
        VOICE * 17,
    ],
)
def test_a_proposal_of_something_else_is_no_call(inner: str) -> None:
    with pytest.raises(MalformedStanza):
        parse_message(message("propose", inner=inner))


@pytest.mark.parametrize("sid", ["", "x" * 257])
def test_an_id_must_name_something(sid: str) -> None:
    with pytest.raises(MalformedStanza):
        parse_message(message("ringing", sid))


@pytest.mark.parametrize("namespace", [ns.JINGLE, ns.JINGLE_MESSAGE])
def test_migration_in_both_namespaces(namespace: str) -> None:
    said = parse_message(message("finish", inner=f"<migrated xmlns='{namespace}' to='new'/>"))
    assert said is not None
    assert said.migrated == "new"
    with pytest.raises(MalformedStanza):
        parse_message(message("finish", inner=f"<migrated xmlns='{namespace}'/>"))


@pytest.mark.parametrize(
    ("written", "device"),
    [("123", 123), ("", None), ("x", None), ("9" * 11, None), ("٣", None), ("0", None), (str(2**32), None)],
)
def test_devices(written: str, device: int | None) -> None:
    said = parse_message(message("proceed", inner=f"<device xmlns='{ns.OMEMO_DTLS}' id='{written}'/><other/>"))
    assert said is not None
    assert said.device == device


def test_receipts() -> None:
    written = serialize_receipt("m7", PEER)
    assert parse_receipt(written) == "m7"
    assert ns.child(written, ns.HINTS, "store") is not None


@pytest.mark.parametrize("message_id", ["m7", ""])
def test_the_answer_to_an_unknown_proceed(message_id: str) -> None:
    written = serialize_unknown_session(PEER, message_id)
    assert (written.get("type"), written.get("id", "")) == ("error", message_id)
    assert written[0][0].tag == ns.qualified(ns.STANZA_ERRORS, "item-not-found")
