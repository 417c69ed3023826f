from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from openvoice.errors import UsageError, VideoFailed
from openvoice.media.video.conversion import black
from openvoice.media.video.sinks.movie import MovieFile
from openvoice.media.video.sinks.muxer import LONGEST_GAP, Timing, film_size
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS, SAMPLE_RATE, Picture

TONE = (8000 * np.sin(2 * np.pi * 400 * np.arange(FRAME_SAMPLES) / SAMPLE_RATE)).astype(np.int16)
SILENCE = np.zeros(FRAME_SAMPLES, np.int16)
WHITE = Picture(np.concatenate([np.full((240, 320), 235), np.full((120, 320), 128)]).astype(np.uint8), 0.0)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def record(
    path: Path, seconds: float, *, flash_at: float, begin: float = 0.0, size: tuple[int, int] = (320, 240)
) -> Path:
    """A film in which a tone and white pictures begin at the same moment, with pictures from ``begin`` on."""
    clock = Clock()
    movie = MovieFile(path, clock=clock)
    for number in range(round(seconds / FRAME_SECONDS)):
        at = number * FRAME_SECONDS
        clock.now = 1000.0 + at
        movie.sound.write(TONE if at >= flash_at else SILENCE)
        if at >= begin and number % 2 == 0:
            shown = WHITE.data if at >= flash_at else black(*size, 0.0).data
            movie.pictures.write(Picture(shown, clock.now))
            while movie._pictures_waiting > 4:
                time.sleep(0.001)
    movie.close()
    movie.close()
    return path


def first_light_and_sound(path: Path) -> tuple[float, float]:
    with av.open(str(path)) as container:
        light = next(frame.time for frame in container.decode(video=0) if frame.to_ndarray()[200:500].mean() > 120)
    with av.open(str(path)) as container:
        heard = []
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(np.float64)).reshape(-1)
            loud = np.flatnonzero(samples > samples.dtype.type(0.05 if frame.format.name.startswith("flt") else 1600))
            if loud.size:
                heard.append(frame.time + loud[0] / SAMPLE_RATE)
                break
    return light, heard[0]


@pytest.mark.parametrize("name", ["film.mp4", "film.webm"])
@pytest.mark.parametrize("begin", [0.0, 1.0])
def test_what_was_at_the_same_time_is_at_the_same_time(tmp_path: Path, name: str, begin: float) -> None:
    path = record(tmp_path / name, 2.0, flash_at=1.5, begin=begin)
    light, sound = first_light_and_sound(path)
    assert light == pytest.approx(1.5, abs=0.05)
    assert sound == pytest.approx(light, abs=0.06)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["film.mp4", "film.webm"])
def test_a_call_without_pictures_is_a_film_all_the_same(tmp_path: Path, name: str) -> None:
    path = record(tmp_path / name, 3.0, flash_at=0.0, begin=9.0)
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == 1
        assert (container.duration or 0) / av.time_base == pytest.approx(3.0, abs=0.2)


def test_pictures_of_another_size_are_made_to_fit(tmp_path: Path) -> None:
    clock = Clock()
    movie = MovieFile(tmp_path / "film.mp4", clock=clock)
    for number, size in enumerate([(320, 240), (640, 360), (160, 120)]):
        movie.pictures.write(black(*size, 1000.0 + number))
    movie.close()
    with av.open(str(tmp_path / "film.mp4")) as container:
        frames = list(container.decode(video=0))
    assert {(frame.width, frame.height) for frame in frames} == {(960, 720)}
    assert [frame.time for frame in frames] == pytest.approx([0, 1, 2])


def test_little_is_lost_when_the_program_is_killed(tmp_path: Path) -> None:
    program = """
import sys, time, numpy as np
from pathlib import Path
from openvoice.media.video.sinks.movie import MovieFile
from openvoice.media.video.conversion import black
now = 0.0
movies = [MovieFile(Path(name), clock=lambda: now) for name in sys.argv[1:]]
for number in range(200):
    now = number * 0.02
    for movie in movies:
        movie.sound.write(np.zeros(960, np.int16))
        if number % 4 == 0:
            movie.pictures.write(black(160, 120, now))
        while movie._waiting.qsize() > 3:
            time.sleep(0.001)
print("written", flush=True)
time.sleep(60)
"""
    paths = [tmp_path / "film.mp4", tmp_path / "film.webm"]
    arguments = [sys.executable, "-c", program, *map(str, paths)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
    for path in paths:
        with av.open(str(path)) as container:
            last = max(frame.time for frame in container.decode(video=0))
        assert last > 4 - 2.5, path


def test_a_full_disk_ends_the_film_with_one_word(tmp_path: Path) -> None:
    program = """
import resource, signal, sys, time, numpy as np
from pathlib import Path
from openvoice.errors import OpenVoiceError
from openvoice.media.video.sinks.movie import MovieFile
from openvoice.ports import Picture
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
now, random = 0.0, np.random.default_rng(1)
movie = MovieFile(Path(sys.argv[1]), clock=lambda: now)
for number in range(50):
    now = number * 0.04
    noise = Picture(random.integers(16, 235, (360, 320), np.uint8), now)
    for face, content in ((movie.sound, np.zeros(960, np.int16)), (movie.pictures, noise)):
        try:
            face.write(content)
        except OpenVoiceError as error:
            print(error)
    while movie._thread.is_alive() and movie._waiting.qsize() > 3:
        time.sleep(0.001)
movie.close()
"""
    path = tmp_path / "film.mp4"
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [f"the film {str(path)!r} ends here: the file may not grow further"]
    assert done.stderr == ""
    assert path.stat().st_size == 100_000


def test_a_call_that_nobody_answers_leaves_no_film_and_costs_none(tmp_path: Path) -> None:
    MovieFile(tmp_path / "new.mp4").close()
    assert not (tmp_path / "new.mp4").exists()
    (tmp_path / "old.mp4").write_bytes(b"what was there before")
    MovieFile(tmp_path / "old.mp4").close()
    assert (tmp_path / "old.mp4").read_bytes() == b"what was there before"


def test_a_film_says_what_it_is_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"film\.mp4"):
        MovieFile(tmp_path / "film.avi")
    with pytest.raises(VideoFailed, match="no such file or folder"):
        MovieFile(tmp_path / "nowhere" / "film.mp4")
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(VideoFailed, match="not an ordinary file"):
        MovieFile(tmp_path / "folder.mp4")


def test_gaps_in_the_sound_are_filled_with_silence() -> None:
    timing = Timing()
    assert timing.sound(10.0) == 0
    assert timing.sound(10.02) == 0
    assert timing.sound(11.04) == 50
    assert timing.picture(11.06) == pytest.approx(1.06, abs=0.01)
    assert timing.sound(11.06 + LONGEST_GAP + 1) == 0
    assert timing.picture(11.06 + LONGEST_GAP + 1) == pytest.approx(1.06, abs=0.01)


def test_sound_that_begins_after_the_pictures_is_that_late() -> None:
    timing = Timing()
    assert timing.picture(10.0) == 0.0
    assert timing.sound(12.0) == 100
    assert timing.picture(12.02) == pytest.approx(2.02, abs=0.01)


def test_a_silent_film_is_closed_by_its_face(tmp_path: Path) -> None:
    pictures = MovieFile(tmp_path / "film.webm", silent=True).pictures
    for number in range(3):
        pictures.write(black(160, 120, float(number)))
    pictures.close()
    pictures.close()
    with av.open(str(tmp_path / "film.webm")) as container:
        assert not container.streams.audio
        assert len(list(container.decode(video=0))) == 3


@pytest.mark.parametrize(
    ("first", "film"),
    [((160, 120), (960, 720)), ((320, 180), (960, 540)), ((180, 320), (540, 960)), ((1280, 720), (1280, 720))],
)
def test_a_film_is_large_enough_for_the_pictures_that_follow(first: tuple[int, int], film: tuple[int, int]) -> None:
    assert film_size(*first) == film
