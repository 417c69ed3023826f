from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from openvoice.errors import ConfigurationError
from openvoice.interop import vectors
from openvoice.interop.vectors import default_folder, read_vector, read_vectors
from tests.vectors.replay import ROOT
from tests.vectors.replay import vectors as folders


def test_all_are_read() -> None:
    found = read_vectors(default_folder())
    assert len(found) == len(folders())
    assert {vector.client for vector in found} >= {"conversations", "dino", "movim", "monal", "stanza", "gateway"}


@pytest.mark.parametrize(
    "written",
    ["", "title = 'x'", "title = 'x'\n[[step]]\nreceive = 'none.xml'", "title = 'x'\npeer = ''\n[[step]]", "<"],
)
def test_one_that_cannot_be_read_is_named(tmp_path: Path, written: str) -> None:
    folder = tmp_path / "dino" / "D-99"
    folder.mkdir(parents=True)
    (folder / "vector.toml").write_text(written)
    with pytest.raises(ConfigurationError, match="D-99"):
        read_vector(folder)


def test_a_folder_without_any(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no vectors"):
        read_vectors(tmp_path)


def test_what_is_built_has_every_folder() -> None:
    settings = tomllib.loads((ROOT.parents[1] / "pyproject.toml").read_text())
    included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included == {
        f"tests/vectors/{name}": f"openvoice/interop/vectors/{name}"
        for name in {path.parent.name for path in folders()}
    }


def test_an_installation_has_them_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_folder() == ROOT
    monkeypatch.setattr(vectors, "_INSIDE", tmp_path)
    assert default_folder() == tmp_path
    monkeypatch.setattr(vectors, "_INSIDE", tmp_path / "none")
    monkeypatch.setattr(vectors, "_CHECKOUT", tmp_path / "none")
    with pytest.raises(ConfigurationError, match="--vectors"):
        default_folder()
