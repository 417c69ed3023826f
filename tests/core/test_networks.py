from __future__ import annotations

import pytest

from openvoice.core.networks import network_of


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "169.254.1.1", "fe80::1", "224.0.0.1", "0.0.0.0", "::"])
def test_some_addresses_lead_nowhere(address: str) -> None:
    assert network_of(address) == ""


def test_addresses_for_privacy_are_of_one_network_and_leases_are_not() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::abcd:1") != network_of("2001:db8:0:1::1")
    assert network_of("192.0.2.1") == "192.0.2.1"
