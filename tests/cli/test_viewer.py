from __future__ import annotations

from openvoice.cli.viewer import Viewer
from openvoice.media.video.conversion import black
from openvoice.media.video.sources.pattern import Pattern
from openvoice.ports import Picture, PictureFormat


def test_a_viewer_measures_what_it_sees() -> None:
    viewer = Viewer()
    assert viewer.seen("x.png") is None
    viewer.write(black(320, 240, 0.0))
    seen = viewer.seen("x.png")
    assert seen is not None
    assert (seen.pictures, seen.width, seen.height, seen.age, seen.file) == (1, 320, 240, None, "x.png")
    viewer.write(Picture(Pattern(PictureFormat()).draw(1, 5), 0.0))
    viewer.close()
    seen = viewer.seen("x.png")
    assert seen is not None
    assert (seen.pictures, seen.width, seen.height) == (2, 640, 480)
    assert seen.age is not None
    assert viewer.last is not None
