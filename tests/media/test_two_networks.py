"""A call between two devices with two real networks each: what of it is heard when they change.

How long it takes depends on the machine; the measurements are in docs/networks.md. Here it is only held that
the call moved before anybody would have called it interrupted, and that nothing is lost where both ways live.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from openvoice.core import inputs
from tests.media.homes import Device, Homes
from tests.namespaces import reason_against

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(bool(reason_against()), reason=reason_against() or "none"),
]


@pytest.fixture
def make() -> Iterator[Callable[..., Homes]]:
    made: list[Homes] = []

    def homes(*ways: tuple[str, ...]) -> Homes:
        made.append(Homes(*ways))
        made[-1].connect()
        return made[-1]

    yield homes
    for each in made:
        each.close()


def flows_again(homes: Homes, since: float, within: float = 5.0) -> None:
    """Wait until both hear each other by packets that were sent after a change."""
    end = time.monotonic() + within
    for device in homes.devices:
        while sum(at > since + 0.1 for at, _ in tuple(device.heard)) < 10:
            assert time.monotonic() < end, "the voices did not come back"
            time.sleep(0.01)


def uses(device: Device, local: str, remote: str, within: float = 5.0) -> None:
    """Wait until a device sends by this path."""
    end = time.monotonic() + within
    while device.path() != (local, remote):
        assert time.monotonic() < end, f"it uses {device.path()}"
        time.sleep(0.01)


def expect_path(homes: Homes, caller: str, callee: str) -> None:
    ours, theirs = homes.caller.address(caller), homes.callee.address(callee)
    uses(homes.caller, ours, theirs)
    uses(homes.callee, theirs, ours)


def test_a_way_that_goes_is_replaced_by_the_other_and_taken_again_when_it_returns(
    make: Callable[..., Homes],
) -> None:
    homes = make()
    expect_path(homes, "wifi", "wifi")
    gone = time.monotonic()
    homes.caller.down("wifi")
    expect_path(homes, "lte", "wifi")
    flows_again(homes, gone)
    back = time.monotonic()
    homes.caller.up("wifi")
    expect_path(homes, "wifi", "wifi")
    flows_again(homes, back)
    for device in homes.devices:
        assert device.missing(back) == 0
        assert device.count(inputs.MediaInterrupted) == 0
        assert device.count(inputs.NetworkChanged) == 0  # no address came that was not there at the beginning


def test_the_side_that_is_not_in_control_moves_too(make: Callable[..., Homes]) -> None:
    homes = make()
    expect_path(homes, "wifi", "wifi")
    gone = time.monotonic()
    homes.callee.unplug("wifi")
    expect_path(homes, "wifi", "lte")
    flows_again(homes, gone)
    assert homes.callee.count(inputs.MediaInterrupted) == homes.caller.count(inputs.MediaInterrupted) == 0


@pytest.mark.parametrize("trouble", ["no carrier", "nobody tells"])
def test_a_way_that_dies_at_its_far_end_is_left_before_it_is_an_interruption(
    make: Callable[..., Homes], trouble: str
) -> None:
    homes = make()
    expect_path(homes, "wifi", "wifi")
    gone = time.monotonic()
    if trouble == "no carrier":
        homes.caller.far_end("wifi", "down")
    else:
        homes.caller.swallow("wifi")
    expect_path(homes, "lte", "wifi")
    flows_again(homes, gone)
    assert homes.callee.count(inputs.MediaInterrupted) == homes.caller.count(inputs.MediaInterrupted) == 0


def test_a_better_way_is_made_before_the_old_one_is_left(make: Callable[..., Homes]) -> None:
    homes = make(("lte",))
    expect_path(homes, "lte", "wifi")
    homes.caller.restarts = True
    began = time.monotonic()
    homes.caller.plug("wifi")
    homes.caller.says(inputs.NetworkChanged)
    expect_path(homes, "wifi", "wifi")
    flows_again(homes, began)
    for device in homes.devices:
        assert device.missing(began) == 0
        assert device.count(inputs.MediaInterrupted) == 0


def test_one_network_after_the_other_needs_no_signalling(make: Callable[..., Homes]) -> None:
    """The peer learns the new address from the check itself."""
    homes = make(("wifi",))
    expect_path(homes, "wifi", "wifi")
    gone = time.monotonic()
    homes.caller.unplug("wifi")
    homes.caller.plug("lte")
    expect_path(homes, "lte", "wifi")
    flows_again(homes, gone)
    assert homes.caller.count(inputs.MediaFailed) == 0
