from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.audio.redundancy import LONGEST_COPY, LONGEST_OFFSET, MOST_COPIES, Block, pack, unpack

TYPES = st.integers(0, 127)
COPIES = st.lists(
    st.builds(Block, TYPES, st.binary(min_size=1, max_size=LONGEST_COPY), st.integers(1, LONGEST_OFFSET)),
    max_size=MOST_COPIES,
)


def test_the_octets_are_those_of_the_standard() -> None:
    # RFC 2198, 3: F = 1, type 111, offset 960, length 3; F = 0, type 111; the copy; the packet's own.
    packed = pack(Block(111, b"own"), [Block(111, b"old", 960)])
    assert packed == bytes([0b1110_1111, 0b0000_1111, 0b0000_0000, 3, 0b0110_1111]) + b"oldown"


@given(own_type=TYPES, own=st.binary(max_size=1500), copies=COPIES)
def test_what_is_packed_is_unpacked(own_type: int, own: bytes, copies: list[Block]) -> None:
    assert unpack(pack(Block(own_type, own), copies)) == (*copies, Block(own_type, own))


@given(st.binary(max_size=200))
def test_any_octets_are_read_within_bounds(payload: bytes) -> None:
    blocks = unpack(payload)
    assert len(blocks) <= MOST_COPIES + 1
    assert sum(len(block.payload) for block in blocks) <= len(payload)
    assert all(block.offset and block.payload for block in blocks[:-1])
    assert all(block.offset == 0 for block in blocks[-1:])


@given(copies=COPIES, own=st.binary(min_size=1, max_size=50), cut=st.integers(1, 60))
def test_a_packet_cut_short_never_yields_more_than_it_has(copies: list[Block], own: bytes, cut: int) -> None:
    whole = pack(Block(111, own), copies)
    for block in unpack(whole[:-cut])[:-1]:
        assert block in copies


@pytest.mark.parametrize("payload", [b"", b"\xef\x0f\x00\x03", b"\xef\x0f\x00\x03\x6fol", b"\xef" * 9], ids=bytes.hex)
def test_what_is_malformed_has_no_blocks(payload: bytes) -> None:
    assert unpack(payload) == ()


def test_of_many_copies_the_latest_are_kept_and_empty_ones_are_not() -> None:
    headers = b"".join((0xEF << 24 | n * 960 << 10 | n % 2).to_bytes(4, "big") for n in range(9, 0, -1))
    blocks = unpack(headers + b"\x6f" + b"97531" + b"own")
    assert blocks == (Block(111, b"5", 4800), Block(111, b"3", 2880), Block(111, b"1", 960), Block(111, b"own"))


@pytest.mark.parametrize(("payload_type", "offset"), [(128, 0), (-1, 0), (111, LONGEST_OFFSET + 1), (111, -1)])
def test_a_block_that_the_header_cannot_name_does_not_exist(payload_type: int, offset: int) -> None:
    with pytest.raises(ValueError, match="range"):
        Block(payload_type, b"", offset)


@pytest.mark.parametrize(
    ("own", "copies"),
    [
        (Block(1, b"", 960), []),
        (Block(1, b""), [Block(1, b"x", 960)] * (MOST_COPIES + 1)),
        (Block(1, b""), [Block(1, bytes(LONGEST_COPY + 1), 960)]),
    ],
)
def test_what_does_not_fit_is_not_packed(own: Block, copies: list[Block]) -> None:
    with pytest.raises(ValueError, match="fits"):
        pack(own, copies)
