from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.errors import ConfigurationError
from openvoice.storage.cipher import Cipher, Entry

KEY = bytes(range(32))
ENTRY = Entry("secrets/alice@example.org", "trust/bob@example.org", b"verified")
SEALED_OVERHEAD = 12 + 16


def marks(cipher: Cipher, entry: Entry) -> tuple[bytes, bytes]:
    return cipher.shelf_mark(entry.shelf), cipher.name_mark(entry.shelf, entry.name)


@given(shelf=st.text(max_size=300), name=st.text(max_size=300), value=st.binary(max_size=2_000))
def test_what_was_sealed_opens(shelf: str, name: str, value: bytes) -> None:
    cipher, entry = Cipher(KEY), Entry(shelf, name, value)
    assert cipher.open(*marks(cipher, entry), cipher.seal(entry)) == entry


def test_sizes_tell_little() -> None:
    cipher = Cipher(KEY)
    sizes = {len(cipher.seal(Entry("shelf", "name", bytes(length)))) - SEALED_OVERHEAD for length in range(3_000)}
    assert sizes == {256, 512, 1024, 2048, 4096}


def test_equal_entries_look_different_and_say_nothing() -> None:
    cipher = Cipher(KEY)
    one, other = cipher.seal(ENTRY), cipher.seal(ENTRY)
    assert one != other
    for text in (b"alice", b"bob", b"verified", b"trust", b"secrets"):
        assert text not in one + b"".join(marks(cipher, ENTRY))


def test_marks_depend_on_the_key_the_shelf_and_the_name() -> None:
    cipher = Cipher(KEY)
    seen = {
        cipher.name_mark(shelf, name) for shelf, name in [("a", "b"), ("a", "c"), ("ab", ""), ("", "ab"), ("b", "b")]
    }
    assert len(seen) == 5
    assert marks(cipher, ENTRY) == marks(Cipher(KEY), ENTRY) != marks(Cipher(bytes(32)), ENTRY)


def test_what_was_changed_cut_or_moved_does_not_open() -> None:
    cipher = Cipher(KEY)
    sealed, (shelf, name) = cipher.seal(ENTRY), marks(cipher, ENTRY)
    flipped = [sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))]
    for broken in (*flipped, sealed[:-1], sealed[:11], b""):
        with pytest.raises(ConfigurationError, match="damaged"):
            cipher.open(shelf, name, broken)
    for moved in ((shelf, cipher.name_mark(ENTRY.shelf, "other")), (cipher.shelf_mark("other"), name)):
        with pytest.raises(ConfigurationError, match="damaged"):
            cipher.open(*moved, sealed)
    with pytest.raises(ConfigurationError, match="another key"):
        Cipher(bytes(32)).open(shelf, name, sealed)
