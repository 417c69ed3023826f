"""The proof of speech proves something."""

from __future__ import annotations

import numpy as np
import pytest

from openvoice import SAMPLE_RATE, Frame
from tests.media.audio.sound import noise, tone

from .speech import found, said


def late(sound: Frame) -> Frame:
    return np.concatenate([np.zeros(SAMPLE_RATE // 3, np.int16), sound // 2])


def test_a_sentence_is_found_wherever_it_is() -> None:
    assert found("alice", late(said("alice"))).passed
    assert found("alice", late(np.concatenate([said("bob"), said("alice", 2)]))).passed


@pytest.mark.parametrize("sound", [said("bob", 2), noise(5.0), tone(440, 5.0), said("alice")[:SAMPLE_RATE]])
def test_nothing_else_is_taken_for_it(sound: Frame) -> None:
    assert not found("alice", sound).passed
