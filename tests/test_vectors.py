"""Every recorded exchange, replayed: interoperability without the peers."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.vectors.replay import Replay, matches, vectors

FOLDERS = vectors()


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
