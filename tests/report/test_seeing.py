"""What the page of a call shows of its pictures."""

from __future__ import annotations

import io
from dataclasses import replace

import av
import numpy as np

from openvoice.core.statistics import CallStatistics
from openvoice.report import render
from openvoice.report.png import RGB, png_file
from tests.report.calls import ALICE, BOB, report, side

STILL = np.arange(48 * 64 * 3, dtype=np.uint32).astype(np.uint8).reshape(48, 64, 3)


def test_the_last_picture_and_its_numbers_are_on_the_page() -> None:
    page = render(report(), {}, {"a-saw.png": STILL})
    assert "showed and" in page
    assert "170 pictures of up to 640x480 (VP8)" in page
    assert "21 ms old when they were seen; frozen once, for 250 ms" in page
    assert page.count('class="still"') == 1
    for value in ("180, 0", "0x0", "812 kbit/s", "1 (0.2 s)"):
        assert f"<td>{value}</td>" in page


def test_a_call_without_pictures_says_nothing_of_any() -> None:
    plain = [side(f"{who}@example.org", ALICE, BOB, seen=None, statistics=CallStatistics()) for who in ("alice", "bob")]
    page = render(report(caller=plain[0], callee=plain[1]), {})
    assert "showed" not in page
    assert "Freezes" not in page


def test_one_who_saw_nothing_is_told_so() -> None:
    page = render(report(callee=replace(report().callee, seen=None)), {})
    assert page.count("No picture arrived.") == 1


def test_a_still_is_a_file_that_others_read() -> None:
    with av.open(io.BytesIO(png_file(STILL, RGB)), mode="r", format="png_pipe") as container:
        frame = next(container.decode(video=0))
    assert np.array_equal(frame.to_ndarray(format="rgb24"), STILL)
