from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.video.adaptation import Adaptation
from openvoice.ports import PictureFormat

HD = PictureFormat(width=1280, height=720, rate=30)
VGA = PictureFormat()


def settle(adaptation: Adaptation, rate: float, begin: float = 0.0, seconds: float = 20.0) -> PictureFormat:
    """Ten times a second for so long."""
    for tenth in range(round(10 * seconds)):
        adaptation.allow(rate, begin + tenth / 10)
    return adaptation.format


@pytest.mark.parametrize(
    ("rate", "width"), [(3000, 1280), (1500, 1280), (1000, 960), (500, 640), (250, 320), (175, 320), (115, 240)]
)
def test_a_camera_loses_size_first(rate: float, width: int) -> None:
    adaptation = Adaptation(HD)
    found = settle(adaptation, rate)
    assert (found.width, found.rate) == (width, 30)
    assert found.height * 16 == pytest.approx(found.width * 9, abs=32)
    assert adaptation.limited_by == ("none" if width == 1280 else "bandwidth")


def test_a_camera_loses_pictures_only_when_it_is_small() -> None:
    found = settle(Adaptation(HD), 40)
    assert (found.width, found.rate) == (240, 10)


def test_a_screen_keeps_its_size() -> None:
    found = settle(Adaptation(HD, screen=True), 300)
    assert (found.width, found.height) == (1280, 720)
    assert found.rate < 30
    assert settle(Adaptation(HD, screen=True), 40).width < 1280


def test_the_first_step_is_taken_at_once_and_a_better_one_after_a_while() -> None:
    adaptation = Adaptation(VGA)
    adaptation.allow(200, 0.0)
    assert adaptation.format.width == 240
    adaptation.allow(2000, 0.1)
    adaptation.allow(2000, 1.0)
    assert adaptation.format.width == 240
    adaptation.allow(2000, 2.0)
    assert adaptation.format.width == 640


def test_too_little_is_heeded_at_once() -> None:
    adaptation = Adaptation(VGA)
    settle(adaptation, 2000)
    adaptation.allow(150, 30.0)
    assert adaptation.format.width < 320


def test_a_rate_that_swings_a_little_changes_nothing() -> None:
    adaptation = Adaptation(VGA)
    settle(adaptation, 560)
    before = adaptation.format
    formats = set()
    for tenth in range(600):
        adaptation.allow(560 * (1.15 if tenth // 10 % 2 else 0.85), 20 + tenth / 10)
        formats.add(adaptation.format)
    assert formats == {before}


def encode(adaptation: Adaptation, effort: float, begin: float, seconds: float) -> set[int]:
    """A machine on which a whole picture of 720p takes ``effort`` seconds; the widths that were coded."""
    widths = set()
    now = begin
    while now < begin + seconds:
        wanted = adaptation.format
        widths.add(wanted.width)
        adaptation.coded(effort * wanted.width * wanted.height / (1280 * 720), now)
        now += 1 / wanted.rate
        adaptation.allow(3000, now)
    return widths


def test_a_slow_machine_gets_smaller_pictures_and_says_why() -> None:
    adaptation = Adaptation(HD)
    settle(adaptation, 3000)
    encode(adaptation, 0.045, 20, 1.5)
    assert adaptation.format.width == 960
    assert adaptation.limited_by == "cpu"
    # 960x540 takes 76 % of the time still: one step more.
    encode(adaptation, 0.045, 25, 10)
    assert adaptation.format.width == 640
    assert encode(adaptation, 0.045, 40, 300) == {640}


def test_a_machine_that_was_busy_for_a_moment_is_asked_again() -> None:
    adaptation = Adaptation(HD)
    settle(adaptation, 3000)
    encode(adaptation, 0.028, 20, 3)
    assert adaptation.format.width < 1280
    encode(adaptation, 0.012, 23, 60)
    assert adaptation.format.width == 1280
    assert adaptation.limited_by == "none"


def test_what_is_too_hard_for_the_rate_gets_smaller() -> None:
    adaptation = Adaptation(VGA)
    settle(adaptation, 600)
    for number in range(120):
        adaptation.coded(0.001, 20 + number / 30, left_out=number % 2 == 0)
    assert adaptation.format.width < 640
    assert adaptation.limited_by == "bandwidth"


def test_what_stands_still_gets_smaller_at_once() -> None:
    adaptation = Adaptation(VGA)
    settle(adaptation, 700)
    widths = []
    for number in range(48):
        adaptation.coded(0.0, 20 + number / 30, left_out=True)
        adaptation.allow(700, 20 + number / 30)
        widths.append(adaptation.format.width)
    assert widths[20] == 640
    assert widths[24] == 480
    assert widths[47] < 400


def test_a_source_of_another_size_is_followed() -> None:
    adaptation = Adaptation(VGA)
    settle(adaptation, 1500)
    adaptation.resize(PictureFormat(width=1280, height=720))
    assert settle(adaptation, 1500, 20).width == 1280
    adaptation.resize(PictureFormat(width=100, height=60))
    assert (adaptation.format.width, adaptation.format.height) == (100, 60)


@given(
    st.integers(1, 4096),
    st.integers(1, 4096),
    st.floats(0.5, 120),
    st.booleans(),
    st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 5), st.floats(0, 2), st.booleans()), max_size=60),
)
def test_whatever_happens_pictures_are_even_and_no_larger_than_the_source(
    width: int, height: int, rate: float, screen: bool, happenings: list[tuple[float, float, float, bool]]
) -> None:
    adaptation = Adaptation(PictureFormat(width=width, height=height, rate=rate), screen=screen)
    now = 0.0
    for available, step, seconds, left_out in happenings:
        now += step
        adaptation.allow(available, now)
        adaptation.coded(seconds, now, left_out=left_out)
        found = adaptation.format
        assert found.width % 2 == found.height % 2 == 0
        assert 2 <= found.width <= max(2, width)
        assert 2 <= found.height <= max(2, height)
        assert 0 < found.rate <= rate
        assert 0 < adaptation.useful <= adaptation.most
        assert adaptation.limited_by in ("none", "bandwidth", "cpu")
