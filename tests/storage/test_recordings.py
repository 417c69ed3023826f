from __future__ import annotations

import errno
import multiprocessing
import os
import stat
import time
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from openvoice.core.protection import Protection
from openvoice.errors import AudioFileError, ConfigurationError
from openvoice.ports import FRAME_SAMPLES
from openvoice.storage import recordings as module
from openvoice.storage.vault import Vault

from .conftest import OpenVault

ABOUT = {"call": "c", "account": "alice@example.org", "peer": "bob@example.org", "direction": "outgoing", "time": 5.0}


def phrase(frames: int, seed: int = 1) -> npt.NDArray[np.int16]:
    """What was said: frames in rows."""
    return np.random.default_rng(seed).integers(-20_000, 20_000, (frames, FRAME_SAMPLES), np.int16)


def record(vault: Vault, frames: int) -> str:
    recording = vault.recordings.begin(ABOUT)
    for sent, received in zip(phrase(frames, 1), phrase(frames, 2), strict=True):
        recording.write(sent, received)
    recording.close()
    return recording.id


def exported(vault: Vault, recording: str, path: Path) -> npt.NDArray[np.int16]:
    """The sound: a row of (left, right) for each sample."""
    vault.recordings.export(recording, path)
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (2, 2, 48_000)
        return np.frombuffer(sound.readframes(10**9), "<i2").reshape(-1, 2)


@pytest.mark.parametrize("frames", [0, 1, 24, 25, 26, 75, 113])
def test_a_recording_of_any_length_comes_back(open_vault: OpenVault, tmp_path: Path, frames: int) -> None:
    with open_vault() as vault:
        name = record(vault, frames)
    vault = open_vault()
    (listed,) = vault.recordings.list()
    assert listed == {**ABOUT, "recording": name, "seconds": pytest.approx(frames / 50), "whole": True}
    sound = exported(vault, name, tmp_path / "call.wav")
    assert np.array_equal(sound[:, 0], phrase(frames, 1).ravel())
    assert np.array_equal(sound[:, 1], phrase(frames, 2).ravel())
    assert stat.S_IMODE((tmp_path / "call.wav").stat().st_mode) == 0o600


def test_no_sound_and_no_name_is_on_the_disk(vault: Vault, tmp_path: Path) -> None:
    vault.protect(Protection.PLAIN)
    record(vault, 60)
    files = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    everything = b"".join(path.read_bytes() for path in files)
    assert len(everything) > 60 * FRAME_SAMPLES * 4
    for side in (1, 2):
        for frame in phrase(60, side):
            assert frame[:8].tobytes() not in everything
    for word in (b"RIFF", b"WAVE", b"OggS", b"OpusHead", b"alice", b"bob@", b"example"):
        assert word not in everything
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_size_tells_how_long_it_was_and_nothing_else(vault: Vault, tmp_path: Path) -> None:
    loud = record(vault, 30)
    quiet = vault.recordings.begin(ABOUT)
    for _ in range(26):
        quiet.write(np.zeros(FRAME_SAMPLES, np.int16), np.zeros(FRAME_SAMPLES, np.int16))
    quiet.close()
    sizes = {(tmp_path / "home" / "recordings" / f"{name}.sealed").stat().st_size for name in (loud, quiet.id)}
    assert len(sizes) == 1


def test_the_newest_is_the_first_and_what_is_removed_is_gone(vault: Vault, tmp_path: Path) -> None:
    old, new = vault.recordings.begin(ABOUT), vault.recordings.begin({**ABOUT, "time": 6.0})
    for recording in (old, new):
        recording.close()
        recording.close()
    assert [listed["recording"] for listed in vault.recordings.list()] == [new.id, old.id]
    for _ in range(2):
        vault.recordings.remove(new.id)
    assert [listed["recording"] for listed in vault.recordings.list()] == [old.id]
    assert [path.stem for path in (tmp_path / "home" / "recordings").iterdir()] == [old.id]


def record_for_ever(folder: Path, state: Path) -> None:
    with Vault(folder, protection=Protection.PLAIN, state=state) as vault:
        recording = vault.recordings.begin(ABOUT)
        for frame in phrase(10_000):
            recording.write(frame, frame)
            time.sleep(0.02)


@pytest.mark.slow
def test_whoever_is_killed_loses_a_second_at_most(open_vault: OpenVault, tmp_path: Path) -> None:
    open_vault().close()
    process = multiprocessing.get_context("spawn").Process(
        target=record_for_ever, args=(tmp_path / "home", tmp_path / "state")
    )
    process.start()
    folder = tmp_path / "home" / "recordings"
    deadline = time.monotonic() + 30
    while not (folder.exists() and list(folder.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.01)
    begun = time.monotonic()
    time.sleep(2.0)
    took = time.monotonic() - begun
    process.kill()
    process.join()
    vault = open_vault()
    (listed,) = vault.recordings.list()
    assert not listed["whole"]
    # A frame takes a little more than 20 ms there, on a busy machine.
    assert listed["seconds"] > 0.8 * took - 1.0
    sound = exported(vault, listed["recording"], tmp_path / "call.wav")
    assert len(sound) == listed["seconds"] * 48_000
    assert np.array_equal(sound[:, 0], phrase(10_000).ravel()[: len(sound)])


def test_a_chunk_that_was_cut_off_is_left_out_and_a_changed_one_is_told(vault: Vault, tmp_path: Path) -> None:
    name = record(vault, 75)
    (file,) = (tmp_path / "home" / "recordings").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert len(exported(vault, name, tmp_path / "cut.wav")) == 50 * FRAME_SAMPLES
    third = len(whole) // 3
    file.write_bytes(whole[third:] + whole[:third])
    with pytest.raises(ConfigurationError, match="is damaged"):
        vault.recordings.export(name, tmp_path / "moved.wav")


def test_a_full_disk_ends_the_recording_and_not_the_call(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = vault.recordings.begin(ABOUT)
    for frame in phrase(25):
        recording.write(frame, frame)
    deadline = time.monotonic() + 10
    while recording._samples == 0 and time.monotonic() < deadline:
        time.sleep(0.01)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    told: list[str] = []
    for frame in phrase(100):
        try:
            recording.write(frame, frame)
        except AudioFileError as error:
            told.append(str(error))
        time.sleep(0.002)
    assert told == ["the recording ends here: no space left on device"]
    monkeypatch.undo()
    recording.close()
    (listed,) = vault.recordings.list()
    assert listed["seconds"] == 0.5
    assert len(exported(vault, recording.id, tmp_path / "call.wav")) >= 24_000


def test_a_disk_that_is_too_slow_ends_it_too(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING_FRAMES", 0)
    recording = vault.recordings.begin(ABOUT)
    with pytest.raises(AudioFileError, match="the disk is too slow"):
        recording.write(*phrase(2))
    recording.write(*phrase(2))
    recording.close()


def test_where_nothing_can_be_kept_or_taken_out(vault: Vault, tmp_path: Path) -> None:
    name = record(vault, 1)
    with pytest.raises(ConfigurationError, match="there is no recording nothing"):
        vault.recordings.export("nothing", tmp_path / "x.wav")
    assert not (tmp_path / "x.wav").exists()
    (tmp_path / "there.wav").write_text("mine")
    for path in (tmp_path / "there.wav", tmp_path / "no" / "folder.wav"):
        with pytest.raises(AudioFileError, match="cannot write"):
            vault.recordings.export(name, path)
    assert (tmp_path / "there.wav").read_text() == "mine"
    (tmp_path / "home" / "recordings" / f"{name}.sealed").unlink()
    assert vault.recordings.list()[0]["whole"]
    with pytest.raises(ConfigurationError, match="cannot be read"):
        vault.recordings.export(name, tmp_path / "x.wav")
    (tmp_path / "home" / "recordings").rmdir()
    (tmp_path / "home" / "recordings").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be kept"):
        vault.recordings.begin(ABOUT)


def test_recordings_outlive_a_change_of_the_key(vault: Vault, tmp_path: Path) -> None:
    name = record(vault, 30)
    vault.protect(Protection.PLAIN)
    assert len(exported(vault, name, tmp_path / "call.wav")) == 30 * FRAME_SAMPLES


def test_what_the_vault_does_not_take_leaves_no_file(vault: Vault, tmp_path: Path) -> None:
    vault.close()
    with pytest.raises(ConfigurationError):
        vault.recordings.begin(ABOUT)
    assert list((tmp_path / "home" / "recordings").iterdir()) == []
