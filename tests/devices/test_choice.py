from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.devices.choice import STABLE_SECONDS, Choice
from openvoice.devices.listing import Device, Kind
from openvoice.errors import DeviceFailed

LATER = STABLE_SECONDS + 0.1


def device(name: str, index: int = 0, *, default: bool = False, host: str = "Core Audio") -> Device:
    return Device(index=index, name=name, kind=Kind.INPUT, channels=1, rate=48_000, default=default, host=host)


BUILT_IN = device("Built-in", default=True)
HEADSET = device("Headset", 1)


def test_the_system_settings_are_followed_where_no_server_does_it() -> None:
    choice = Choice(Kind.INPUT, None)
    assert choice.first([BUILT_IN, HEADSET], 0) == [BUILT_IN]
    assert choice.may_improve(BUILT_IN)
    assert choice.better([BUILT_IN, HEADSET], BUILT_IN, 1) is None
    changed = [device("Built-in"), device("Headset", 1, default=True)]
    assert choice.better(changed, BUILT_IN, 2) == changed[1]


@pytest.mark.parametrize("host", ["ALSA", "JACK Audio Connection Kit"])
def test_what_the_server_moves_by_itself_is_left_alone(host: str) -> None:
    choice = Choice(Kind.INPUT, None)
    default = device("default", host=host, default=True)
    assert not choice.may_improve(default)
    assert choice.better([device("pulse", 3, host=host, default=True)], default, 5) is None


def test_a_device_that_works_is_not_left_because_it_is_not_listed() -> None:
    """Some sound systems do not list what is in use."""
    choice = Choice(Kind.INPUT, "headset")
    assert choice.first([BUILT_IN, HEADSET], 0) == [HEADSET, BUILT_IN]
    assert not choice.may_improve(HEADSET)
    assert choice.better([BUILT_IN], HEADSET, 1) is None
    assert Choice(Kind.INPUT, None).better([], BUILT_IN, 1) is None


def test_the_default_takes_over_and_the_chosen_one_is_taken_when_it_is_steady() -> None:
    choice = Choice(Kind.INPUT, "headset")
    choice.first([BUILT_IN, HEADSET], 0)
    choice.lose()
    assert choice.first([BUILT_IN], 1) == [BUILT_IN]
    assert not choice.is_meant(BUILT_IN)
    assert choice.may_improve(BUILT_IN)
    assert choice.better([BUILT_IN, HEADSET], BUILT_IN, 2) is None
    assert choice.better([BUILT_IN], BUILT_IN, 2.5) is None
    assert choice.better([BUILT_IN, HEADSET], BUILT_IN, 3) is None
    assert choice.better([BUILT_IN, HEADSET], BUILT_IN, 3 + LATER) == HEADSET
    assert choice.is_meant(HEADSET)


def test_what_died_and_is_still_listed_comes_last() -> None:
    choice = Choice(Kind.INPUT, "headset")
    choice.first([BUILT_IN, HEADSET], 0)
    choice.lose()
    assert choice.first([BUILT_IN, HEADSET], 1) == [BUILT_IN, HEADSET]
    assert choice.first([BUILT_IN, HEADSET], 1 + LATER) == [HEADSET, BUILT_IN]


def test_the_chosen_one_may_be_the_default() -> None:
    choice = Choice(Kind.INPUT, "built")
    assert choice.first([BUILT_IN, HEADSET], 0) == [BUILT_IN]
    choice.lose()
    assert choice.first([BUILT_IN, HEADSET], 0) == [BUILT_IN]


def test_a_number_is_the_name_it_had_when_it_was_found() -> None:
    choice = Choice(Kind.INPUT, 1)
    choice.first([BUILT_IN, HEADSET], 0)
    choice.lose()
    camera = device("Camera", 1)
    assert choice.first([BUILT_IN, camera], 1) == [BUILT_IN]
    moved = device("Headset", 4)
    choice.better([BUILT_IN, camera, moved], BUILT_IN, 2)
    assert choice.better([BUILT_IN, camera, moved], BUILT_IN, 2 + LATER) == moved


def test_a_part_of_a_name_means_no_other_device_later() -> None:
    choice = Choice(Kind.INPUT, "usb")
    choice.first([BUILT_IN, device("USB Headset", 1)], 0)
    choice.lose()
    other = [BUILT_IN, device("USB Camera", 1)]
    assert choice.first(other, 1) == [BUILT_IN]
    assert choice.better(other, BUILT_IN, 9) is None
    assert choice.better(other, BUILT_IN, 99) is None
    assert choice.name == "USB Headset"


def test_a_card_that_comes_back_under_another_number_is_known_again() -> None:
    choice = Choice(Kind.INPUT, "jabra")
    choice.first([BUILT_IN, device("Jabra: USB Audio (hw:1,0)", 1)], 0)
    choice.lose()
    assert choice.first([BUILT_IN, device("Jabra: USB Audio (hw:2,0)", 7)], LATER)[-1].index == 7
    assert choice.first([BUILT_IN, device("Jabra: USB Audio (hw:2,1)", 7)], LATER) == [BUILT_IN]
    twins = [BUILT_IN, device("Jabra: USB Audio (hw:2,0)", 7), device("Jabra: USB Audio (hw:3,0)", 8)]
    assert choice.first(twins, LATER) == [BUILT_IN]
    assert choice.first([*twins, device("Jabra: USB Audio (hw:1,0)", 9)], LATER)[-1].index == 9


def test_what_is_insisted_on_has_no_substitute() -> None:
    assert Choice(Kind.INPUT, None).meant([HEADSET, BUILT_IN]) == BUILT_IN
    choice = Choice(Kind.INPUT, "headset")
    with pytest.raises(DeviceFailed, match="there is no microphone 'headset'"):
        choice.meant([BUILT_IN])
    assert choice.meant([BUILT_IN, HEADSET]) == HEADSET


def test_why_the_chosen_one_is_not_used_is_known() -> None:
    choice = Choice(Kind.INPUT, "e")
    listed = [BUILT_IN, HEADSET, device("Camera", 2)]
    assert choice.first(listed, 0) == [BUILT_IN]
    assert "may be more than one microphone: 'Headset' (1), 'Camera' (2)" in choice.why
    with pytest.raises(DeviceFailed, match="no microphone was found"):
        choice.first([], 0)


@given(st.data())
def test_no_device_is_ever_used_but_the_chosen_one_and_the_default(data: st.DataObject) -> None:
    """Whatever comes and goes, under whichever number."""
    names = st.lists(st.sampled_from(["Built-in", "Headset", "Headset 2", "Camera"]), unique=True)
    choice = Choice(Kind.INPUT, "headset")
    used: Device | None = None
    now = 0.0
    for _ in range(data.draw(st.integers(1, 12))):
        now += data.draw(st.sampled_from([0.1, STABLE_SECONDS, 5.0]))
        order = data.draw(names)
        default = data.draw(st.sampled_from(order)) if order else ""
        listed = [device(name, index, default=name == default) for index, name in enumerate(order)]
        if used is not None and used.name not in order:
            choice.lose()
            used = None
        if used is None:
            try:
                candidates = choice.first(listed, now)
            except DeviceFailed:
                candidates = []
        else:
            candidates = [found] if (found := choice.better(listed, used, now)) else []
        for candidate in candidates:
            # Its number is that of this list.
            assert candidate in listed
            assert candidate.default or choice.is_meant(candidate)
            assert not choice.is_meant(candidate) or candidate.name == choice.name
        used = candidates[0] if candidates else used
        if used is not None and "Headset" in order and choice.name == "Headset":
            assert choice.may_improve(used) or used.name == "Headset"
