"""Speech to send, and the proof that it arrived."""

from __future__ import annotations

from pathlib import Path

from openvoice import SAMPLE_RATE, load_sound
from openvoice.report import Similarity, similarity
from openvoice.samples import sample


def arrived(speaker: str, recording: Path) -> Similarity:
    """How much of what ``speaker`` says is in the recording."""
    return similarity(load_sound(sample(speaker)), load_sound(recording), SAMPLE_RATE)
