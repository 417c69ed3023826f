from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.address import Address
from openvoice.core.key_uri import MAXIMUM_URI, parse_key_uri, serialize_key_uri
from openvoice.errors import UsageError

BOB = Address.parse("bob@example.org")
KEY = bytes(range(32))


def test_the_form_is_that_of_the_other_clients() -> None:
    assert serialize_key_uri(BOB, [(12, KEY), (7, bytes(32))]) == (
        f"xmpp:bob@example.org?omemo-sid-12={KEY.hex()};omemo-sid-7={'00' * 32}"
    )


@pytest.mark.parametrize(
    "text",
    [
        f"xmpp:bob@example.org?omemo-sid-12={KEY.hex()}",
        f"XMPP:bob@example.org?message;omemo-sid-12={KEY.hex().upper()};body=hello",
        f"xmpp:bob@example.org?omemo-sid-12={KEY.hex()}&omemo-sid-x=1&omemo-sid-13=00",
        f"  xmpp:b%6fb@example.org?omemo-sid-12={KEY.hex()}\n",
    ],
)
def test_what_others_write_is_read(text: str) -> None:
    assert parse_key_uri(text) == (BOB, ((12, KEY),))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://example.org",
        "xmpp:bob@example.org",
        "xmpp:bob@example.org?message",
        "xmpp:example.org?omemo-sid-1=" + KEY.hex(),
        "xmpp:bob@example.org/phone?omemo-sid-1=" + KEY.hex(),
        "xmpp:?omemo-sid-1=" + KEY.hex(),
        "xmpp:%ff@example.org?omemo-sid-1=" + KEY.hex(),
        "xmpp:bob@example.org?omemo-sid-0=" + KEY.hex(),
        "xmpp:bob@example.org?omemo-sid-4294967296=" + KEY.hex(),
        f"xmpp:bob@example.org?omemo-sid-1={KEY.hex()};omemo-sid-1={'00' * 32}",
        f"xmpp:bob@example.org?omemo-sid-1={KEY.hex()};" + "x" * MAXIMUM_URI,
    ],
)
def test_what_is_no_code_with_keys_is_told_so(text: str) -> None:
    with pytest.raises(UsageError, match="code"):
        parse_key_uri(text)


@given(
    st.sampled_from(["bob@example.org", "d.artagnan@example.org", "ünï+x;y@example.org", "a=b?c@example.org"]),
    st.dictionaries(st.integers(1, 2**32 - 1), st.binary(min_size=32, max_size=32), min_size=1, max_size=8),
)
def test_what_is_written_is_read_again(owner: str, keys: dict[int, bytes]) -> None:
    written = serialize_key_uri(Address.parse(owner), keys.items())
    assert parse_key_uri(written) == (Address.parse(owner), tuple(keys.items()))


@given(st.text(max_size=300) | st.text(max_size=300).map("xmpp:bob@example.org?omemo-sid-1={}".format))
def test_nothing_but_a_usage_error_comes_out(text: str) -> None:
    try:
        owner, keys = parse_key_uri(text)
    except UsageError:
        return
    assert owner.local
    assert keys
