from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.certificates import CertificateFacts, KnownCertificate
from openvoice.core.security import Severity, certificate_finding

from .certificates import DAY, JULY, certificate, change

RENEWED = JULY + 61 * DAY


@pytest.mark.parametrize(
    ("old", "new", "severity", "words", "never"),
    [
        (
            certificate(),
            certificate(begins=RENEWED),
            Severity.NOTICE,
            ["was renewed, by Root as the one before, for the same key"],
            ["operator", "in between"],
        ),
        (
            certificate(),
            certificate(begins=RENEWED, key="bb"),
            Severity.NOTICE,
            ["was renewed", "for a new key"],
            ["operator", "in between"],
        ),
        (
            certificate(),
            certificate(begins=JULY + 10 * DAY, key="bb"),
            Severity.NOTICE,
            ["was renewed", "for a new key", "was good until 2026-09-29", "ask the operator"],
            ["in between"],
        ),
        (
            certificate(),
            certificate(begins=RENEWED, issuer="Other", key="bb"),
            Severity.WARNING,
            ["known since 2026-07-02", "Other issued it, not Root", "a new key", "in between"],
            ["renewed", "belongs"],
        ),
        (
            certificate(organization="Example Ltd"),
            certificate(begins=RENEWED),
            Severity.WARNING,
            ["belongs to nobody by name, not to Example Ltd", "the same key", "in between"],
            ["renewed", "issued it"],
        ),
        (
            certificate(),
            certificate(issuer="Other", organization="Mallory Inc"),
            Severity.WARNING,
            ["Other issued it, not Root", "belongs to Mallory Inc, not to nobody by name"],
            ["renewed"],
        ),
    ],
)
def test_a_change_is_told_as_loud_as_it_is(
    old: CertificateFacts, new: CertificateFacts, severity: Severity, words: list[str], never: list[str]
) -> None:
    found, text = certificate_finding(change(old, new))
    assert found is severity
    assert text.startswith("The certificate of example.org ")
    assert text.endswith(".")
    assert "\n" not in text
    assert all(word in text for word in words), text
    assert not any(word in text for word in never), text


texts = st.text(max_size=20)
times = st.floats(0, 4e9)


@given(
    facts=st.builds(
        CertificateFacts,
        subject=texts,
        issuer=texts,
        not_before=times,
        not_after=times,
        sha256=texts,
        public_key_sha256=texts,
        organization=texts,
    ),
    seen=times,
)
def test_what_is_remembered_is_what_was_seen(facts: CertificateFacts, seen: float) -> None:
    known = KnownCertificate(certificate=facts, first_seen=seen)
    assert KnownCertificate.decode(known.encode()) == known
    assert json.loads(json.dumps(change(facts, facts).as_dict()))["same_key"]


@pytest.mark.parametrize("kept", [b"", b"\xff", b"[]", b"3", b"{}", b'{"first_seen": 1}', b'{"first_seen": "x"}'])
def test_what_cannot_be_understood_is_refused(kept: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        KnownCertificate.decode(kept)


documents = st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps).map(str.encode)


@given(kept=st.binary(max_size=60) | documents)
def test_nothing_that_was_kept_does_more_than_be_refused(kept: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        KnownCertificate.decode(kept)
