from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from openvoice.errors import AudioFileError, VideoFailed
from openvoice.media.video.sources.movie import MovieSource, Timeline
from openvoice.media.video.stamp import read_stamp
from openvoice.ports import FRAME_SECONDS, PictureFormat
from tests.media.video.films import make_film
from tests.media.video.sources.collecting import Collected


@pytest.mark.parametrize("name", ["film.mp4", "film.webm", "film.mkv", "film.avi"])
def test_a_film_is_shown_at_its_own_pace_and_ends(tmp_path: Path, name: str) -> None:
    path = make_film(tmp_path / name, 0.6, rate=25, codec="mpeg4" if name.endswith("avi") else "")
    source = MovieSource(path)
    collected = Collected(source)
    collected.wait(lambda it: it.over)
    stamps = [read_stamp(picture) for picture in collected.pictures]
    assert stamps[0] == 1
    assert len(stamps) > 10
    assert stamps == sorted(set(stamps), key=lambda stamp: stamp or 0)
    took = collected.pictures[-1].time - collected.pictures[0].time
    assert took == pytest.approx((stamps[-1] or 0) / 25, abs=0.15)


def test_it_goes_on_from_where_it_is_when_it_was_off_for_a_while(tmp_path: Path) -> None:
    now = [100.0]
    source = MovieSource(make_film(tmp_path / "film.mp4", 2.0), clock=lambda: now[0])
    assert [number for number, (at, _) in zip(range(3), source._positions(), strict=False) if at < 0.1] == [0, 1, 2]
    now[0] += 1.2
    at, frame = next(source._positions())
    assert at == pytest.approx(1.2, abs=0.05)
    assert frame.width == 320


def test_it_loops_with_its_sound(tmp_path: Path) -> None:
    now = [0.0]
    source = MovieSource(make_film(tmp_path / "film.mp4", 1.0), loop=True, clock=lambda: now[0])
    places = [at for _, (at, _) in zip(range(60), source._positions(), strict=False)]
    assert np.diff(places) == pytest.approx(np.full(59, 0.04), abs=0.06)
    now[0] = 2.5
    sound = source.sound()
    loud = [bool(frame is not None and np.abs(frame).max() > 1000) for frame in (sound.read() for _ in range(120))]
    assert sum(loud) > 110
    assert source.timeline.due(120 * FRAME_SECONDS) < 2.6 + 2.4
    sound.close()


def test_the_sound_ends_with_the_film(tmp_path: Path) -> None:
    sound = MovieSource(make_film(tmp_path / "film.webm", 0.5)).sound()
    frames = 0
    while sound.read() is not None:
        frames += 1
    assert frames == pytest.approx(25, abs=3)
    sound.close()


def test_pictures_wait_for_the_sound() -> None:
    now = [50.0]
    timeline = Timeline(lambda: now[0])
    assert timeline.position() == 0.0
    now[0] = 51.0
    timeline.hear(0.5)
    assert timeline.due(0.5) == 51.0
    now[0] = 51.025
    timeline.hear(0.52)
    assert timeline.due(0.52) == pytest.approx(51.02, abs=0.001), "what shakes is smoothed"
    assert timeline.position() == pytest.approx(0.525, abs=0.001)


def test_pictures_are_made_small_and_few_enough(tmp_path: Path) -> None:
    source = MovieSource(make_film(tmp_path / "film.mp4", 0.6, rate=50, size=(640, 360), sound=False))
    collected = Collected(source, PictureFormat(width=320, height=320, rate=10.0))
    collected.wait(lambda it: it.over)
    assert {(picture.width, picture.height) for picture in collected.pictures} == {(320, 180)}
    assert 3 <= len(collected.pictures) <= 9


def test_a_film_without_sound_says_so(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="no sound"):
        MovieSource(make_film(tmp_path / "film.mp4", 0.2, sound=False)).sound()


@pytest.mark.parametrize("content", [None, b"", b"text", b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n"])
def test_what_is_no_film_is_told_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "film.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(VideoFailed, match=r"film\.mp4"):
        MovieSource(path)


def test_a_film_of_no_pictures_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(VideoFailed, match="not a film"):
        MovieSource(make_film(tmp_path / "film.mp4", 0.2, pictures=0))


def test_a_damaged_film_is_shown_as_far_as_it_goes_or_refused(tmp_path: Path) -> None:
    whole = make_film(tmp_path / "film.mp4", 0.2, size=(64, 48)).read_bytes()
    outcomes: set[bool | None] = set()
    for seed in range(40):
        dice = random.Random(seed)
        damaged = bytearray(whole)
        for _ in range(dice.choice((1, 5, 50))):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        path = tmp_path / "damaged.mp4"
        path.write_bytes(damaged[: dice.randrange(len(damaged))] if dice.random() < 0.2 else damaged)
        try:
            outcomes.add(bool([at for at, _ in MovieSource(path)._positions()]))
        except VideoFailed:
            outcomes.add(None)
    assert outcomes >= {True, None}


def test_a_format_that_is_not_known_is_told_so(tmp_path: Path) -> None:
    path = make_film(tmp_path / "film.mp4", 0.2)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzzz"))
    with pytest.raises(VideoFailed, match=r"film\.mp4"):
        MovieSource(path)
