"""SCRAM by the examples of its standards, and by what a hostile server could answer."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.errors import InsecureServer, LoginRefused
from openvoice.signalling.xmpp.sasl import Mechanism, Scram, choose

SHA_1 = Mechanism("SCRAM-SHA-1", "sha1", "n")
SHA_256 = Mechanism("SCRAM-SHA-256", "sha256", "n")


def test_rfc_5802_example() -> None:
    exchange = Scram(SHA_1, "user", "pencil", "fyko+d2lbbFgONRv9qkxdawL")
    assert exchange.first() == b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
    challenge = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
    assert exchange.final(challenge) == (
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    )
    exchange.verify(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")


def test_rfc_7677_example() -> None:
    exchange = Scram(SHA_256, "user", "pencil", "rOprNGfwEbeRWgbNEkqO")
    challenge = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    assert exchange.final(challenge).endswith(b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    exchange.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    for proof in (b"", b"v=", b"v=AAAA", b"e=other-error", b"\xff", b"v=***"):
        with pytest.raises(InsecureServer):
            exchange.verify(proof)


def test_no_proof_before_the_exchange() -> None:
    with pytest.raises(InsecureServer):
        Scram(SHA_256, "user", "pencil", "nonce").verify(b"v=")


def test_names_are_prepared_and_escaped() -> None:
    assert Scram(SHA_256, "a=b,\u00aa", "p", "n").first() == b"n,,n=a=3Db=2Ca,r=n"
    with pytest.raises(LoginRefused):
        Scram(SHA_256, "user", "bell\x07", "n")


@pytest.mark.parametrize(
    "challenge",
    [
        b"r=nonceX,s=c2FsdA==,i=4095",
        b"r=nonceX,s=c2FsdA==,i=1000001",
        b"r=nonceX,s=c2FsdA==,i=-4096",
        b"r=nonceX,s=c2FsdA==,i=many",
        b"r=nonceX,s=c2FsdA==",
        b"r=nonceX,s=***,i=4096",
        b"r=nonceX,s=,i=4096",
        b"r=nonce,s=c2FsdA==,i=4096",
        b"r=other,s=c2FsdA==,i=4096",
        b"m=mandatory,r=nonceX,s=c2FsdA==,i=4096",
        b"garbage",
        b"\xff\xfe",
        b"",
    ],
)
def test_hostile_challenges(challenge: bytes) -> None:
    with pytest.raises(InsecureServer):
        Scram(SHA_256, "user", "pencil", "nonce").final(challenge)


@given(st.binary(max_size=80))
def test_any_challenge_is_answered_or_refused(challenge: bytes) -> None:
    with contextlib.suppress(InsecureServer):
        Scram(SHA_256, "user", "pencil", "nonce").final(challenge)


BINDINGS = {"tls-exporter": b"exporter", "tls-server-end-point": b"end point"}


@pytest.mark.parametrize(
    ("offered", "bindings", "announced", "name", "flag"),
    [
        (["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"], {}, [], "SCRAM-SHA-512", "n"),
        (["SCRAM-SHA-1", "PLAIN"], {}, [], "SCRAM-SHA-1", "n"),
        # Bound to the channel before a stronger hash.
        (["SCRAM-SHA-512", "SCRAM-SHA-1-PLUS"], {"tls-unique": b"u"}, [], "SCRAM-SHA-1-PLUS", "p=tls-unique"),
        (
            ["SCRAM-SHA-256-PLUS"],
            BINDINGS,
            ["tls-exporter", "tls-server-end-point"],
            "SCRAM-SHA-256-PLUS",
            "p=tls-exporter",
        ),
        (["SCRAM-SHA-256-PLUS"], BINDINGS, ["tls-server-end-point"], "SCRAM-SHA-256-PLUS", "p=tls-server-end-point"),
        # We could, the server does not say that it can: it notices if somebody took that out.
        (["SCRAM-SHA-256"], BINDINGS, [], "SCRAM-SHA-256", "y"),
        # Both could, but no common way: not a lie that the server would refuse.
        (["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"], BINDINGS, ["tls-unique"], "SCRAM-SHA-256", "n"),
        (["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"], BINDINGS, [], "SCRAM-SHA-256", "n"),
    ],
)
def test_choice(offered: list[str], bindings: dict[str, bytes], announced: list[str], name: str, flag: str) -> None:
    mechanism = choose(offered, bindings, announced)
    assert (mechanism.name, mechanism.flag) == (name, flag)


@pytest.mark.parametrize("offered", [[], ["PLAIN"], ["EXTERNAL", "ANONYMOUS"], ["SCRAM-MD5"], ["SCRAM-SHA-256-PLUS"]])
def test_nothing_to_choose(offered: list[str]) -> None:
    with pytest.raises(InsecureServer):
        choose(offered, {}, [])


def test_the_binding_is_in_the_proof() -> None:
    mechanism = Mechanism("SCRAM-SHA-256-PLUS", "sha256", "p=tls-unique", "tls-unique", b"channel")
    final = Scram(mechanism, "user", "pencil", "nonce").final(b"r=nonceX,s=c2FsdA==,i=4096").decode()
    bound = base64.b64decode(final.removeprefix("c=").partition(",")[0])
    assert bound == b"p=tls-unique,,channel"
