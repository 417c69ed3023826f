"""Which addresses are offered and which are believed."""

from __future__ import annotations

import pytest

from openvoice.core.description import Candidate, CandidateType
from openvoice.media import candidates
from openvoice.media.candidates import acceptable, from_description, local_addresses, make_local, to_description


def candidate(address: str, **changes: object) -> Candidate:
    values: dict[str, object] = {"foundation": "1", "address": address, "port": 5000, "priority": 1} | changes
    return Candidate(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("address", ["192.0.2.1", "10.0.0.4", "2001:db8::1", "fd00::2"])
def test_ordinary_addresses_are_checked(address: str) -> None:
    assert acceptable(candidate(address), loopback=False)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"),
        *("169.254.1.1", "fe80::1"),
        *("224.0.0.251", "ff02::fb", "::ffff:224.0.0.1"),
        *("0.0.0.0", "::", "255.255.255.255", "240.0.0.1"),
    ],
)
def test_addresses_no_honest_peer_has_are_not_knocked_at(address: str) -> None:
    assert not acceptable(candidate(address), loopback=False)


@pytest.mark.parametrize("address", ["224.0.0.251", "0.0.0.0", "255.255.255.255"])
def test_not_even_from_loopback(address: str) -> None:
    assert acceptable(candidate("127.0.0.1"), loopback=True)
    assert not acceptable(candidate(address), loopback=True)


def test_component_2_and_peer_reflexive_candidates_are_dropped() -> None:
    assert not acceptable(candidate("192.0.2.1", component=2), loopback=False)
    assert not acceptable(candidate("192.0.2.1", type=CandidateType.PEER_REFLEXIVE), loopback=False)


def test_loopback_and_link_local_are_not_offered_and_families_alternate(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = ["127.0.0.1", "192.0.2.1", "169.254.0.7", "198.51.100.1", "2001:db8::1", "fe80::2", "::1"]
    monkeypatch.setattr(candidates, "get_host_addresses", lambda use_ipv4, use_ipv6: machine)
    assert local_addresses(()) == ("2001:db8::1", "192.0.2.1", "198.51.100.1")
    assert local_addresses(("127.0.0.1",)) == ("127.0.0.1",)


def test_each_address_has_a_priority_of_its_own_and_relays_rank_below() -> None:
    first, second = (make_local(CandidateType.HOST, ("192.0.2.1", 1), rank=rank, base=str(rank)) for rank in (0, 1))
    relay = make_local(CandidateType.RELAY, ("192.0.2.9", 1), rank=0)
    assert first.priority > second.priority > relay.priority
    assert first.foundation != second.foundation
    assert first.priority == 2130706431  # RFC 8445, 5.1.2.1: 126 << 24 | 65535 << 8 | 255


def test_candidates_translate_both_ways() -> None:
    told = candidate(
        "192.0.2.1", type=CandidateType.SERVER_REFLEXIVE, related_address="10.0.0.4", related_port=6, generation=0
    )
    assert to_description(from_description(told)) == told


def test_an_address_a_server_made_up_is_refused() -> None:
    with pytest.raises(ValueError, match="out of range"):
        to_description(make_local(CandidateType.RELAY, ("192.0.2.1", 0), rank=0))
