"""docs/verification-words.md says what the code does: its vectors, its stanzas, its schema."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from openvoice.core.description import Fingerprint
from openvoice.core.types import Role
from openvoice.core.verification import EXCHANGE_WITHIN
from openvoice.core.words import PROTOCOL, Side, Step, WordsExchange, WordsMessage, commitment, derivation

DOCUMENT = (Path(__file__).parents[2] / "docs" / "verification-words.md").read_text()
ROWS = {
    cells[0]: cells[1:]
    for line in DOCUMENT.partition("### 7.1")[2].partition("## 8.")[0].splitlines()
    if line.startswith("|") and (cells := [cell.strip() for cell in line.strip("|").split("|")])
}
XML = re.findall(r"^```xml\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)


def octets(cell: str) -> bytes:
    """``00..1f``, written out."""
    first, last = cell.strip("`").split("..")
    return bytes(range(int(first, 16), int(last, 16) + 1))


def party(column: int, who: str) -> Side:
    algorithm, digest = ROWS[f"{who}'s fingerprint"][column].split()
    key = octets(ROWS[f"{who}'s identity key"][column])
    return Side(fingerprint=Fingerprint(algorithm.strip("`"), octets(digest)), key=key)


@pytest.mark.parametrize("column", [0, 1])
def test_the_vectors_are_those_of_the_code(column: int) -> None:
    session = ROWS["session id"][column].strip("`")
    initiator, responder = party(column, "initiator"), party(column, "responder")
    one, two = octets(ROWS["initiator's nonce"][column]), octets(ROWS["responder's nonce"][column])
    assert commitment(session, initiator, one).hex() == ROWS["commitment"][column].strip("`")
    assert derivation(session, initiator, responder, one, two).hex() == ROWS["transcript"][column].strip("`")
    caller = WordsExchange(Role.INITIATOR, session=session, own=initiator, peer=responder, nonce=one)
    caller.begin()
    caller.take(WordsMessage(Step.NONCE, two))
    assert " ".join(caller.words or ()) == ROWS["words"][column]


def test_the_stanzas_are_those_of_the_first_vector() -> None:
    stanzas = ElementTree.fromstring(f"<all>{XML[1]}</all>")
    expected = (
        (Step.COMMIT, bytes.fromhex(ROWS["commitment"][0].strip("`"))),
        (Step.NONCE, octets(ROWS["responder's nonce"][0])),
        (Step.REVEAL, octets(ROWS["initiator's nonce"][0])),
    )
    for stanza, (step, value) in zip(stanzas, expected, strict=True):
        jingle = stanza[0]
        assert jingle.get("sid") == ROWS["session id"][0].strip("`")
        assert jingle[0].tag == f"{{{PROTOCOL}}}{step}"
        assert base64.b64decode(jingle[0].text or "") == value


def test_the_schema_and_the_feature_name_what_the_code_sends() -> None:
    schema = ElementTree.fromstring(XML[-1].encode())
    assert schema.get("targetNamespace") == PROTOCOL
    names = {element.get("name") for element in schema if element.tag.endswith("}element")}
    assert names == {step.value for step in Step}
    assert ElementTree.fromstring(XML[0]).get("var") == PROTOCOL


def test_the_wait_is_the_one_of_the_code() -> None:
    assert f"for {EXCHANGE_WITHIN:.0f} seconds" in " ".join(DOCUMENT.split())


def test_every_row_is_there() -> None:
    assert len(ROWS) == 12
    assert all(len(cells) == 2 for cells in ROWS.values())
