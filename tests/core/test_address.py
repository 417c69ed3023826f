from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.address import Address
from openvoice.errors import InvalidAddress


def test_parts_are_read_and_folded() -> None:
    address = Address.parse("Alice@Example.ORG./Phone 1")
    assert address == Address("alice", "example.org", "Phone 1")
    assert str(address) == "alice@example.org/Phone 1"
    assert address.bare == Address.parse("alice@example.org")
    assert address.bare.is_bare
    assert not address.is_bare
    assert Address.parse("example.org") == Address("", "example.org")
    assert str(Address.parse("example.org/x")) == "example.org/x"
    assert address.bare.bare is not address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@example.org",
        "alice@",
        "alice@/x",
        "a b@example.org",
        "alice@exam ple.org",
        "alice@example.org/",
        "a\0@b",
        "a@b@c",
        "x" * 1024 + "@example.org",
        "a@b/\ud800",
        'a"@b',
    ],
)
def test_what_is_not_an_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidAddress):
        Address.parse(text)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused_and_printing_is_stable(text: str) -> None:
    try:
        address = Address.parse(text)
    except InvalidAddress:
        return
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    ("text", "scripts"),
    [
        ("alice@example.org/телефон", set()),
        ("müller@münchen.example", set()),
        ("\u0430lice@example.org", {"Cyrillic"}),
        ("alice@ex\u03b1mple.org", {"Greek"}),
        ("алиса@пример.рф", {"Cyrillic"}),
    ],
)
def test_letters_that_may_imitate_others_are_named(text: str, scripts: set[str]) -> None:
    """Threat 19: one Cyrillic letter makes another person of an address that looks the same."""
    assert Address.parse(text).foreign_scripts == scripts
