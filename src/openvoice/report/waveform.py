"""The loudness of a sound over time, as a picture."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from openvoice.report.sound import Sound

COLUMNS = 500
_HEIGHT = 100


def waveform(sound: Sound, label: str) -> str:
    """An SVG that stretches to the width it is given; its colour is the CSS ``color``. ``label`` must be escaped.

    Each of 500 columns spans from the lowest to the highest sample of its time.
    """
    edges = np.linspace(0, len(sound.samples), COLUMNS + 1).astype(int)
    pieces = [sound.samples[start:end] for start, end in pairwise(edges)]
    high = [int(piece.max(initial=0)) for piece in pieces]
    low = [int(piece.min(initial=0)) for piece in pieces]
    scale = _HEIGHT / 2 / 32768
    # A line at least one unit thick, so that silence is seen as well.
    upper = [f"{column},{_HEIGHT / 2 - max(value * scale, 0.5):.1f}" for column, value in enumerate(high)]
    lower = [f"{column},{_HEIGHT / 2 - min(value * scale, -0.5):.1f}" for column, value in enumerate(low)]
    return (
        f'<svg class="waveform" role="img" aria-label="{label}" viewBox="0 0 {COLUMNS - 1} {_HEIGHT}" '
        f'preserveAspectRatio="none"><polygon points="{" ".join(upper + lower[::-1])}"/></svg>'
    )
