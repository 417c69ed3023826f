from __future__ import annotations

import itertools

import pytest

from openvoice.errors import MediaFailed
from openvoice.media.video.coding import MAXIMUM_PAYLOAD, PictureCoding, Plan
from openvoice.ports import PictureFormat
from tests.media.video.fake_codec import FakeEncoder, FakePayloader, grey

PLAN = Plan(wanted=PictureFormat(width=64, height=48, rate=30), bitrate=600)


def coding(encoder: FakeEncoder) -> PictureCoding:
    ticks = itertools.count()
    return PictureCoding(lambda: encoder, FakePayloader(), lambda: next(ticks) / 100)


def test_pictures_are_cut_into_payloads() -> None:
    made = coding(FakeEncoder()).code(grey(1.0), PLAN, 1.0, key=True)
    assert made is not None
    assert made.key
    assert [len(payload) for payload in made.payloads] == [MAXIMUM_PAYLOAD] * 6 + [7500 - 6 * MAXIMUM_PAYLOAD]
    assert (made.time, made.width, made.height, made.source) == (1.0, 64, 48, (64, 48))
    assert made.seconds == pytest.approx(0.01)


def test_the_encoder_is_told_of_every_change_worth_it_and_never_made_anew() -> None:
    encoder = FakeEncoder()
    coder = coding(encoder)
    smaller = PictureFormat(width=32, height=24, rate=30)
    for number, (wanted, bitrate) in enumerate(
        [(PLAN.wanted, 600), (PLAN.wanted, 605), (PLAN.wanted, 300), (smaller, 300), (smaller, 300)]
    ):
        coder.code(grey(number / 30), Plan(wanted=wanted, bitrate=bitrate), number / 30, key=number == 0)
    assert encoder.configured == [(PLAN.wanted, 600), (PLAN.wanted, 300), (smaller, 300)]
    assert encoder.closed == 0


def test_pictures_beyond_the_rate_of_the_plan_are_passed_over() -> None:
    coder = coding(FakeEncoder())
    slow = Plan(wanted=PictureFormat(width=64, height=48, rate=10), bitrate=600)
    made = [coder.code(grey(number / 30), slow, number / 30, key=False) for number in range(90)]
    assert sum(each is not None for each in made) == pytest.approx(30, abs=1)


@pytest.mark.parametrize("factor", [1.0, 5.0, 30.0])
def test_an_encoder_that_makes_too_much_is_held_to_the_rate(factor: float) -> None:
    coder = coding(FakeEncoder(factor))
    octets = left_out = 0
    for number in range(300):
        made = coder.code(grey(number / 30), PLAN, number / 30, key=number == 0)
        assert made is not None
        octets += sum(map(len, made.payloads))
        left_out += not made.payloads
    # The first one is a key picture: it may be whatever it is.
    first = factor * 2500 * 3
    assert (octets - first) * 8 / 1000 / 10 < 1.15 * PLAN.bitrate
    assert (left_out > 0) is (factor > 1)


def test_a_key_picture_is_never_held_back() -> None:
    coder = coding(FakeEncoder(50))
    coder.code(grey(0.0), PLAN, 0.0, key=True)
    held = coder.code(grey(0.04), PLAN, 0.04, key=False)
    assert held is not None
    assert not held.payloads
    wanted = coder.code(grey(0.05), PLAN, 0.05, key=True)
    assert wanted is not None
    assert wanted.key
    coder.forgive()
    free = coder.code(grey(0.1), PLAN, 0.1, key=False)
    assert free is not None
    assert free.payloads


def test_what_the_encoder_leaves_out_is_told() -> None:
    encoder = FakeEncoder()
    coder = coding(encoder)
    coder.code(grey(0.0), PLAN, 0.0, key=True)
    encoder.leaving_out = True
    made = coder.code(grey(0.2), PLAN, 0.2, key=False)
    assert made is not None
    assert not made.payloads


def test_an_encoder_that_gave_up_is_replaced() -> None:
    encoder = FakeEncoder()
    coder = coding(encoder)
    coder.code(grey(0.0), PLAN, 0.0, key=True)
    encoder.failing = MediaFailed("broken")
    with pytest.raises(MediaFailed):
        coder.code(grey(0.2), PLAN, 0.2, key=False)
    assert encoder.closed == 1
    encoder.failing = None
    assert coder.code(grey(0.4), PLAN, 0.4, key=True) is not None
    assert len(encoder.configured) == 2
    coder.close()
    coder.close()
    assert encoder.closed == 2
