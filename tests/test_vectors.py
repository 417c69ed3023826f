"""Every recorded exchange, replayed: interoperability without the peers."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.vectors.replay import ROOT, Replay, matches, vectors

FOLDERS = vectors()
MATRIX = {"GEN": 11, "JMI": 20, "C": 17, "D": 14, "M": 7, "N": 7, "S": 3, "G": 4, "ICE": 3, "XD": 1, "DT": 1, "OM": 2}
"""What is to be proved of each group, by number. Beyond that there may be more."""


@pytest.mark.parametrize("iq_delay", [0.0, 5.0], ids=["prompt", "delayed"])
@pytest.mark.parametrize("folder", FOLDERS, ids=[f"{folder.parent.name}-{folder.name}" for folder in FOLDERS])
def test_vector(folder: Path, iq_delay: float) -> None:
    replay = Replay(folder, iq_delay)
    for number, step in enumerate(replay.vector["step"], 1):
        replay.run(step)
        where = f"step {number} of {folder.parent.name}/{folder.name}"
        written = [ElementTree.tostring(stanza, encoding="unicode") for stanza in replay.sent]
        names = step.get("send", [])
        assert len(replay.sent) == len(names), f"{where} sent {written}"
        for name, stanza, text in zip(names, replay.sent, written, strict=True):
            expected = ElementTree.fromstring((folder / name).read_text())
            assert matches(expected, stanza), f"{where}, {name}: {text}"
        assert replay.heard == step.get("heard", []), where
        assert replay.media == step.get("media_told", []), where
        assert replay.missed == step.get("missed", []), where
        if "state" in step:
            assert replay.machines[replay.call].state == step["state"], where


@pytest.mark.parametrize("folder", FOLDERS, ids=[f"{folder.parent.name}-{folder.name}" for folder in FOLDERS])
def test_every_file_of_a_vector_is_used(folder: Path) -> None:
    steps = Replay(folder, 0.0).vector["step"]
    used = {name for step in steps for name in (*step.get("send", ()), *step.get("archive", ()))}
    used |= {step["receive"] for step in steps if "receive" in step}
    assert used == {path.name for path in folder.glob("*.xml")}


# --- where what is proved ---------------------------------------------------------------------------------------------

PLACES = {
    row[0]: row[1].split(", ")
    for row in re.findall(r"^\| ([A-Z]+-\d\d) \| [^|]+ \| ([^|]+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
}


def base(folder: Path) -> str:
    """The id that the name of a vector begins with."""
    return "-".join(folder.name.split("-")[:2])


def test_the_whole_matrix_is_proved_somewhere() -> None:
    wanted = {f"{group}-{number:02}" for group, last in MATRIX.items() for number in range(1, last + 1)}
    assert wanted <= PLACES.keys()


@pytest.mark.parametrize("identity", PLACES)
def test_what_is_named_as_a_proof_exists(identity: str) -> None:
    for place in PLACES[identity]:
        if "/" in place:
            assert (ROOT.parents[1] / place).exists(), place
        else:
            assert [folder for folder in FOLDERS if folder.parent.name == place and base(folder) == identity], place


def test_every_vector_is_named() -> None:
    assert {(base(folder), folder.parent.name) for folder in FOLDERS} == {
        (identity, place) for identity, places in PLACES.items() for place in places if "/" not in place
    }
