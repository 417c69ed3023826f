from __future__ import annotations

import pytest

from openvoice.testing.nat import Nat, Permissions

ASKED = ("127.0.0.1", 1000)
SAME_HOST = ("127.0.0.1", 2000)
STRANGER = ("127.0.0.2", 1000)


@pytest.mark.parametrize(
    ("nat", "before", "asked", "same_host", "stranger"),
    [
        (Nat.NONE, True, True, True, True),
        (Nat.FULL_CONE, False, True, True, True),
        (Nat.RESTRICTED_CONE, False, True, True, False),
        (Nat.PORT_RESTRICTED_CONE, False, True, False, False),
        (Nat.SYMMETRIC, False, True, False, False),
    ],
)
def test_who_may_come_in(nat: Nat, before: bool, asked: bool, same_host: bool, stranger: bool) -> None:
    permissions = Permissions(nat)
    assert permissions.admits(ASKED) is before
    permissions.sent_to.add(ASKED)
    assert permissions.admits(ASKED) is asked
    assert permissions.admits(SAME_HOST) is same_host
    assert permissions.admits(STRANGER) is stranger


def test_only_a_symmetric_one_maps_by_destination() -> None:
    assert [nat for nat in Nat if nat.maps_by_destination] == [Nat.SYMMETRIC]
