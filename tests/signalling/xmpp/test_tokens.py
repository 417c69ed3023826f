"""Whole tags and references, and nothing of those whose end has not come."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.signalling.xmpp.tokens import WholeTokens

WHOLE = (
    b"<?xml version='1.0'?><a b='>' c=\"/>'\">x &amp; y &#x26;</a>",
    b"<d><![CDATA[ it's > & < ]] ]]>z</d>",
    b"<e f='&lt;\"' /> \xc3\xa9",
)


def test_what_is_whole_goes_on_with_its_last_octet() -> None:
    tokens = WholeTokens()
    for octets in WHOLE:
        assert tokens.feed(octets) == octets


@given(st.lists(st.integers(0, len(b"".join(WHOLE))), max_size=20))
def test_every_octet_goes_on_once_and_in_order(cuts: list[int]) -> None:
    octets = b"".join(WHOLE)
    tokens = WholeTokens()
    places = [0, *sorted(cuts), len(octets)]
    assert b"".join(tokens.feed(octets[begin:end]) for begin, end in pairwise(places)) == octets


@pytest.mark.parametrize(
    ("octets", "whole"),
    [
        (b"text<", b"text"),
        (b"<a/><b c='d>", b"<a/>"),
        (b"<a/><b c=\"d>'", b"<a/>"),
        (b"<a>&am", b"<a>"),
        (b"<a>&#x2", b"<a>"),
        (b"<a><![CD", b"<a>"),
        (b"<a><![CDATA[<b/>]]", b"<a>"),
        (b"<a><!", b"<a>"),
    ],
)
def test_the_beginning_of_a_token_is_held_back(octets: bytes, whole: bytes) -> None:
    assert WholeTokens().feed(octets) == whole
    tokens = WholeTokens()
    assert b"".join(tokens.feed(bytes([octet])) for octet in octets) == whole


@pytest.mark.parametrize("octets", [b"<a <b", b"<a b='<", b'<a b="<', b"<a>& ", b"<a>&b<", b"<<", b"\x00\xff"])
def test_what_is_malformed_is_not_held_back(octets: bytes) -> None:
    assert WholeTokens().feed(octets) == octets


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_nothing_is_lost_or_changed_whatever_comes(pieces: list[bytes]) -> None:
    tokens = WholeTokens()
    given = b"".join(tokens.feed(piece) for piece in pieces)
    assert b"".join(pieces).startswith(given)


def test_a_tag_without_end_is_not_looked_at_again_and_again() -> None:
    tokens = WholeTokens()
    tokens.feed(b"<a b='")
    begun = time.process_time()
    for _ in range(20_000):
        assert tokens.feed(b"x" * 50) == b""
    assert time.process_time() - begun < 2
