from __future__ import annotations

import itertools

import pytest

from openvoice.media.audio.protection import Protection
from openvoice.media.audio.rate import RATES
from openvoice.media.audio.shape import shape, useful

ALL = list(itertools.product(range(len(RATES)), Protection))


@pytest.mark.parametrize(("level", "protection"), ALL)
def test_no_shape_takes_more_than_its_rate_and_none_wastes_it(level: int, protection: Protection) -> None:
    found = shape(level, protection)
    assert found.wire_rate <= RATES[level]
    assert found.wire_rate > 0.98 * RATES[min(level, useful(protection))]


@pytest.mark.parametrize(("level", "protection"), ALL)
def test_opus_can_speak_in_every_shape(level: int, protection: Protection) -> None:
    found = shape(level, protection)
    assert 6000 <= found.bitrate <= 48_000 + 20_000
    assert not found.copy_octets or found.copy_bitrate >= 12_000
    assert found.frames in (1, 2, 3)


@pytest.mark.parametrize("protection", Protection)
def test_more_rate_is_better_speech(protection: Protection) -> None:
    rates = [shape(level, protection).bitrate + shape(level, protection).copy_bitrate for level in range(len(RATES))]
    assert rates == sorted(rates)


def test_all_sound_is_heard_where_nothing_is_lost() -> None:
    assert not shape(useful(Protection.NONE), Protection.NONE).wideband
    assert shape(useful(Protection.NONE), Protection.NONE) == shape(len(RATES) - 1, Protection.NONE)
    assert useful(Protection.COPIES) == len(RATES) - 1
