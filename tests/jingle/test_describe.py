from __future__ import annotations

from dataclasses import replace

import pytest

from openvoice.core.description import Setup
from openvoice.errors import MalformedStanza
from openvoice.jingle import namespaces as ns
from openvoice.jingle.describe import read_answer, read_fingerprint, read_offer, write_contents, write_transport
from openvoice.jingle.model import DtlsFingerprint, IceTransport
from tests.jingle.samples import DIGEST, HEX, content, description, fingerprint, parsed, transport

SHA512 = bytes(range(64)).hex(":")
OTHER = DIGEST[::-1].hex(":")


def condition(inner: str, *, answer: bool = False) -> str:
    read = read_answer if answer else read_offer
    with pytest.raises(MalformedStanza) as caught:
        read(parsed("session-accept" if answer else "session-initiate", inner))
    return caught.value.condition


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("", "failed-application"),
        (content() * 2, "failed-application"),
        (content(inner=""), "failed-application"),
        (f"<content name='0'>{transport(fingerprint())}</content>", "failed-application"),
        (content(inner=transport(fingerprint(), "", "p")), "failed-application"),
        (content(inner=transport(fingerprint(), "u", "")), "failed-application"),
        (content(media="application"), "unsupported-applications"),
        (content(codecs=""), "incompatible-parameters"),
        (content(senders="none"), "incompatible-parameters"),
        ("<content name='0'><description xmlns='urn:x'/></content>", "unsupported-applications"),
        (content(inner="<transport xmlns='urn:x'/>"), "unsupported-transports"),
        (content(inner=transport()), "security-error"),
    ],
)
def test_an_offer_that_cannot_be_answered_says_why(inner: str, expected: str) -> None:
    """GEN-05."""
    assert condition(inner) == expected


@pytest.mark.parametrize(
    "fingerprints",
    [
        fingerprint(algorithm="sha-1", value="00:" * 19 + "00"),
        fingerprint(algorithm="md5"),
        fingerprint(value="no hex"),
        fingerprint(value=HEX[:-3]),
        fingerprint(value=""),
        fingerprint() + fingerprint(value=OTHER),
        fingerprint() + fingerprint(setup="active"),
        fingerprint(setup=""),
        fingerprint(setup="holdconn"),
    ],
)
def test_a_fingerprint_that_does_not_protect_ends_the_call(fingerprints: str) -> None:
    """DT-01."""
    assert condition(content(inner=transport(fingerprints))) == "security-error"


@pytest.mark.parametrize(
    ("fingerprints", "algorithm"),
    [
        (fingerprint() + fingerprint(), "sha-256"),
        (fingerprint(algorithm="sha-512", value=SHA512), "sha-512"),
        (fingerprint(algorithm="sha-512", value=SHA512) + fingerprint(), "sha-256"),
        (fingerprint(algorithm="sha-1", value="00") + fingerprint(), "sha-256"),
    ],
)
def test_several_fingerprints_can_be_one(fingerprints: str, algorithm: str) -> None:
    offer = read_offer(parsed("session-initiate", content(inner=transport(fingerprints))))
    found = offer.contents[0].transport.fingerprint
    assert found is not None
    assert found.algorithm == algorithm


@pytest.mark.parametrize("setup", list(Setup))
def test_an_offer_may_name_any_role(setup: Setup) -> None:
    offer = read_offer(parsed("session-initiate", content(inner=transport(fingerprint(setup)))))
    assert offer.contents[0].transport.setup is setup


def test_an_answer_settles_the_role() -> None:
    """DT-01: the matrix of the answer."""
    names = "<content name='0'/><content name='1'/><content name='9'/>"
    group = f"<group xmlns='{ns.GROUPING}' semantics='BUNDLE'>{names}</group>"
    active = content("0", inner=transport(fingerprint("active")))
    passive = content("1", inner=transport(fingerprint("passive")))
    assert condition(content(inner=transport(fingerprint("actpass"))), answer=True) == "security-error"
    assert condition(group + active + passive, answer=True) == "security-error"
    apart = read_answer(parsed("session-accept", active + passive))
    assert [content.transport.setup for content in apart.contents] == [Setup.ACTIVE, Setup.PASSIVE]
    together = read_answer(parsed("session-accept", group + active))
    assert together.bundle == ("0",)


def test_what_is_written_holds_one_fingerprint() -> None:
    (written,) = write_contents(description())
    assert isinstance(written.transport, IceTransport)
    assert written.transport.fingerprints == (DtlsFingerprint("sha-256", HEX, "actpass"),)
    assert read_fingerprint(written.transport)[1] is Setup.ACTPASS


def test_a_transport_without_fingerprint_stays_one() -> None:
    bare = replace(description().contents[0].transport, fingerprint=None, setup=None)
    assert write_transport(bare).fingerprints == ()
