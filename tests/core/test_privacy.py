from __future__ import annotations

from openvoice.core.privacy import Keeper, Kept, Reader


def test_what_is_kept_is_told_to_machines_by_its_fields() -> None:
    kept = Kept(
        keeper=next(iter(Keeper)),
        name="calls",
        what="whom you called",
        where="on this machine",
        how_long="until you erase it",
        reader=next(iter(Reader)),
        remove="openvoice privacy erase",
    )
    told = kept.as_dict()
    assert told["name"] == "calls"
    assert told["amount"] is None
    assert told.keys() == set(Kept.__slots__)


def test_each_keeper_has_a_heading_of_its_own() -> None:
    assert len({keeper.heading for keeper in Keeper}) == len(Keeper)
