"""Two bundled sentences, spoken by a machine, for the demo and for tests. ``README.txt`` tells how they were made."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

SPEAKERS = ("alice", "bob")


def sample(speaker: str) -> Path:
    """The file with the sentence of ``alice`` or ``bob``: about five seconds of 16 kHz mono FLAC.

    Raises:
        ValueError: there is no such speaker.
    """
    if speaker not in SPEAKERS:
        raise ValueError(f"there is no sample of {speaker!r}, only of {' and '.join(SPEAKERS)}")
    return Path(str(files(__name__).joinpath(f"{speaker}.flac")))
