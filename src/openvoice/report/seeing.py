"""What was shown in a call, and what arrived of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from openvoice.core.statistics import VideoStatistics
from openvoice.core.types import VideoLabel
from openvoice.report.call import CallReport, Side
from openvoice.report.png import RGB, image, png_file
from openvoice.report.text import milliseconds, name, percent, plain

Still = npt.NDArray[np.uint8]
"""A picture that arrived: RGB, shape (height, width, 3)."""


def seen(listener: Side, stills: Mapping[str, Still]) -> str:
    """The last picture that a side saw, and what its pictures were like."""
    video = next(iter(listener.statistics.video), None)
    if video is None or listener.seen is None:
        return '<p class="caption">No picture arrived.</p>'
    received = video.received
    often = {0: "never", 1: "once"}.get(received.freezes, f"{received.freezes} times")
    frozen = f"frozen {often}" + (f", for {milliseconds(received.freeze_seconds)}" if received.freezes else "")
    old = "" if listener.seen.age is None else f", {milliseconds(listener.seen.age)} old when they were seen"
    words = (
        f"{listener.seen.pictures} pictures of up to {listener.seen.width}x{listener.seen.height} "
        f"({plain(received.codec)}), {received.frames_per_second:.0f} a second in the end{old}; {frozen}."
    )
    still = stills.get(listener.seen.file or "")
    shown = "" if still is None else image(png_file(still, RGB), f"What {plain(listener.name, 40)} saw last", "still")
    return f'<p class="caption">{words}</p>{shown}'


def rows(call: CallReport) -> tuple[tuple[str, str, list[str]], ...]:
    """For the table of numbers: label, words, and a value for each direction, the caller's first."""
    if not (call.caller.statistics.video or call.callee.statistics.video):
        return ()
    directions = [(_video(call.caller), _video(call.callee)), (_video(call.callee), _video(call.caller))]
    return (
        (
            "Pictures",
            "sent, and seen",
            [f"{one.sent.frames}, {other.received.frames_decoded}" for one, other in directions],
        ),
        (
            "Size",
            "of the last picture",
            [f"{other.received.width}x{other.received.height}" for _, other in directions],
        ),
        ("Bit rate", "of the pictures", [f"{one.sent.bitrate:.0f} kbit/s" for one, _ in directions]),
        (
            "Lost",
            "packets of pictures that never came",
            [
                percent(other.received.lost / max(1, other.received.packets + other.received.lost))
                for _, other in directions
            ],
        ),
        (
            "Freezes",
            "pictures that stood still",
            [f"{other.received.freezes} ({other.received.freeze_seconds:.1f} s)" for _, other in directions],
        ),
    )


def title(shower: Side, watcher: Side) -> str:
    return f"What {name(shower.name)} showed and {name(watcher.name)} saw"


def _video(side: Side) -> VideoStatistics:
    return next(iter(side.statistics.video), VideoStatistics(content="", label=VideoLabel.CAMERA))
