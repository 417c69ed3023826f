"""Pictures on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from openvoice import Camera, CameraDevice, Screen, VideoLabel
from openvoice.core import effects as e
from openvoice.ports import Picture, PictureFormat
from openvoice.testing.fakes import FakeMediaSession
from tests.media.video.films import make_film

from .conftest import Run
from .world import BOB, Behaviour, World

QUIET = ("--input", "silence", "--output", "null")


def look(world: World) -> list[Picture | None]:
    """What is shown as soon as sound flows, and the peer's pictures, which come at the same time."""
    seen: list[Picture | None] = []

    def flow(session: FakeMediaSession) -> None:
        from openvoice.media.video.conversion import black

        source = session.settings.video_input(VideoLabel.CAMERA)
        source.start(seen.append, lambda *_: None, PictureFormat(width=64, height=48))
        output = session.settings.video_output(VideoLabel.CAMERA)
        assert output is not None
        output.write(black(160, 120, 0.0))

    world.flowing = flow
    world.behaviour = Behaviour.LEAVES
    return seen


@pytest.mark.parametrize("wanted", [("--video", "--camera", "pattern"), ("--camera", "pattern")])
def test_a_video_call_proposes_pictures_and_shows_them(alice: Run, world: World, wanted: tuple[str, ...]) -> None:
    seen = look(world)
    called = alice("call", BOB.bare, *QUIET, *wanted)
    assert called.code == 0, called.errors
    assert seen


def test_a_call_without_the_word_shows_nothing(alice: Run, world: World) -> None:
    opened: list[FakeMediaSession] = []
    world.flowing = opened.append
    world.behaviour = Behaviour.LEAVES
    assert alice("call", BOB.bare, *QUIET).code == 0
    with pytest.raises(Exception, match="no camera was chosen"):
        opened[0].settings.video_input(VideoLabel.CAMERA)


@pytest.mark.parametrize("options", [("--video-output", "{}"), ("--output", "{}")])
@pytest.mark.parametrize("name", ["talk.mp4", "talk.webm"])
def test_what_comes_is_kept_as_a_film(
    alice: Run, world: World, tmp_path: Path, options: tuple[str, str], name: str
) -> None:
    look(world)
    film = tmp_path / name
    quiet = ("--input", "silence") if options[0] == "--output" else QUIET
    called = alice("call", BOB.bare, *quiet, "--camera", "pattern", options[0], film)
    assert called.code == 0, called.errors
    assert film.stat().st_size > 300
    assert film.stat().st_mode & 0o777 == 0o600


def test_a_film_is_shown_with_its_sound(alice: Run, world: World, tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4", 0.3)
    seen = look(world)
    world.behaviour = Behaviour.TALKS
    options = ("--input", film, "--camera", film, "--output", "null", "--duration", "0.8")
    called = alice("call", BOB.bare, *options)
    assert called.code == 0, called.errors
    assert seen


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--video",), 7, "no camera was found"),
        (("--camera", "screen:1,2"), 2, "LEFT,TOP,WIDTHxHEIGHT"),
        (("--camera", "screen"), 7, "there is no screen here"),
        (("--camera", "missing.mp4"), 7, "there is no such file"),
        (("--video-output", "film.avi"), 2, "film.mp4"),
        (("--video-output", "no/where.mp4"), 2, "no such folder"),
    ],
)
def test_what_cannot_be_is_told_before_the_call(
    alice: Run, world: World, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], code: int, words: str
) -> None:
    monkeypatch.setattr("openvoice.media.video.sources.camera.cameras", list)
    monkeypatch.setattr("openvoice.client.pictures.screen_in_words", lambda: None)
    called = alice("call", BOB.bare, *QUIET, *options)
    assert called.code == code
    assert words in called.errors
    assert not world.sent(e.SendProposal)


def test_a_camera_is_found_by_a_part_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    from openvoice.media.video.sources import camera

    listed = [camera.CameraDevice(index=0, name="Front", file="x"), camera.CameraDevice(index=1, name="Rear", file="y")]
    monkeypatch.setattr(camera, "cameras", lambda: listed)
    Camera("rea").check()
    assert CameraDevice(index=1, name="Rear")


def test_an_answer_shows_nothing_unless_it_is_told_to(alice: Run, world: World) -> None:
    world.rings = [BOB]
    seen: list[FakeMediaSession] = []
    world.flowing = seen.append
    world.behaviour = Behaviour.LEAVES
    assert alice("answer", "--from", BOB.bare, "--once", *QUIET).code == 0
    with pytest.raises(Exception, match="no camera was chosen"):
        seen[0].settings.video_input(VideoLabel.CAMERA)
    pictures = look(world)
    world.rings = [BOB]
    assert alice("answer", "--from", BOB.bare, "--once", *QUIET, "--camera", "pattern").code == 0
    assert pictures


def test_nobody_shows_a_room_to_all_contacts_by_mistake(
    alice: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Camera, "check", lambda _: None)
    monkeypatch.setattr(Screen, "check", lambda _: None)
    for source in ("default", "screen"):
        answered = alice("answer", "--from-roster", *QUIET, "--camera", source)
        assert answered.code == 2
        assert "every contact" in answered.errors


def test_films_of_further_calls_get_numbers(alice: Run, world: World, tmp_path: Path) -> None:
    (tmp_path / "talk.mp4").write_bytes(b"before")
    look(world)
    world.rings = [BOB]
    film = tmp_path / "talk.mp4"
    assert (
        alice("answer", "--from", BOB.bare, "--once", *QUIET, "--camera", "pattern", "--video-output", film).code == 0
    )
    assert film.read_bytes() == b"before"
    assert (tmp_path / "talk-2.mp4").exists()


def test_a_call_that_nobody_takes_leaves_no_film(alice: Run, world: World, tmp_path: Path) -> None:
    world.behaviour = Behaviour.DECLINES
    film, silent = tmp_path / "talk.mp4", tmp_path / "seen.webm"
    options = ("--input", "silence", "--output", film, "--video-output", silent, "--camera", "pattern")
    assert alice("call", BOB.bare, *options).code == 4
    assert not film.exists()
    assert not silent.exists()


def test_a_sound_that_is_none_leaves_no_film(alice: Run, world: World, tmp_path: Path) -> None:
    (tmp_path / "sound.wav").write_bytes(b"text")
    film = tmp_path / "talk.mp4"
    assert alice("call", BOB.bare, "--input", tmp_path / "sound.wav", "--output", film).code == 2
    assert not film.exists()
