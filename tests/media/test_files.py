from __future__ import annotations

import os
import resource
import subprocess
import sys
import wave
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from openvoice.errors import AudioFileError
from openvoice.media.files import FileSink, FileSource, load
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE
from openvoice.samples import SPEAKERS, sample


def tone(rate: int, seconds: float, hertz: float = 500.0) -> npt.NDArray[np.int16]:
    phases = 2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate
    return np.asarray(np.rint(10_000 * np.sin(phases)), np.int16)


def write_wav(path: Path, samples: npt.NDArray[np.int16], rate: int, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(samples, channels).tobytes())
    return path


def encode(path: Path, codec: str, rate: int) -> Path:
    with av.open(path, mode="w") as container:
        stream = container.add_stream(codec, rate=rate)
        assert isinstance(stream, av.AudioStream)
        stream.layout = "mono"
        fifo = av.AudioFifo()
        source = av.AudioFrame.from_ndarray(tone(rate, 1.0)[np.newaxis], "s16", "mono")
        source.rate = rate
        resampler = av.AudioResampler(stream.format, "mono", rate)
        for piece in resampler.resample(source) + resampler.resample(None):
            piece.pts = None
            fifo.write(piece)
        size = stream.frame_size or 1024
        while fifo.samples:
            container.mux(stream.encode(fifo.read(min(size, fifo.samples))))
        container.mux(stream.encode(None))
    return path


def loudest_hertz(samples: npt.NDArray[np.int16]) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * SAMPLE_RATE / len(samples))


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_rate_and_channels_become_48_khz_mono(tmp_path: Path, rate: int, channels: int) -> None:
    sound = load(write_wav(tmp_path / "tone.wav", tone(rate, 0.5), rate, channels))
    assert sound.dtype == np.int16
    assert len(sound) % FRAME_SAMPLES == 0
    assert len(sound) == pytest.approx(SAMPLE_RATE / 2, abs=FRAME_SAMPLES)
    assert loudest_hertz(sound) == pytest.approx(500, abs=3)
    assert np.sqrt(np.mean(sound[4800:-4800].astype(float) ** 2)) == pytest.approx(10_000 / np.sqrt(2), rel=0.05)


@pytest.mark.parametrize(
    ("name", "codec"), [("x.flac", "flac"), ("x.ogg", "libopus"), ("x.m4a", "aac"), ("x.mp3", "libmp3lame")]
)
def test_reads_what_people_have(tmp_path: Path, name: str, codec: str) -> None:
    sound = load(encode(tmp_path / name, codec, 48_000))
    assert len(sound) == pytest.approx(SAMPLE_RATE, abs=3000)
    assert loudest_hertz(sound[4800:-9600]) == pytest.approx(500, abs=3)


def test_last_frame_is_filled_up_with_silence(tmp_path: Path) -> None:
    source = FileSource(write_wav(tmp_path / "x.wav", np.full(1000, 7, np.int16), SAMPLE_RATE))
    first, second = source.read(), source.read()
    assert first is not None
    assert second is not None
    assert first.tolist() == [7] * 960
    assert second.tolist() == [7] * 40 + [0] * 920
    assert source.read() is None
    assert source.read() is None
    source.close()


def test_a_long_file_costs_no_memory(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "long.wav", np.zeros(SAMPLE_RATE * 600, np.int16), SAMPLE_RATE)
    program = (
        "import resource, sys; from pathlib import Path; from openvoice.media.files import FileSource\n"
        "source = FileSource(Path(sys.argv[1])); used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before, frames = used(), 1\n"
        "while source.read() is not None: frames += 1\n"
        "print(frames, used() - before)"
    )
    output = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    frames, kibibytes = map(int, output.stdout.split())
    assert frames == 30_001
    assert kibibytes < 8 * 1024


def test_a_cut_file_is_played_as_far_as_it_goes(tmp_path: Path) -> None:
    for whole in (write_wav(tmp_path / "whole.wav", tone(48_000, 1), 48_000), sample("alice")):
        cut = tmp_path / f"cut{whole.suffix}"
        cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        assert 0.3 < len(load(cut)) / len(load(whole)) < 0.7


def test_damage_in_the_middle_is_left_out(tmp_path: Path) -> None:
    path = encode(tmp_path / "x.mp3", "libmp3lame", 48_000)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(range(200))
    path.write_bytes(data)
    assert len(load(path)) > SAMPLE_RATE * 0.7


def test_load_stops_where_it_is_told(tmp_path: Path) -> None:
    assert len(load(write_wav(tmp_path / "x.wav", tone(48_000, 2), 48_000), seconds=0.5)) == SAMPLE_RATE // 2


def test_says_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    for name, content in (
        ("text.wav", b"hello" * 100),
        ("empty.wav", b""),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\nx.wav\n"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(AudioFileError, match=rf"{name}' is not a sound file"):
            FileSource(tmp_path / name)
    with pytest.raises(AudioFileError, match="there is no such file"):
        FileSource(tmp_path / "missing.wav")
    with pytest.raises(AudioFileError, match="it is a folder"):
        FileSource(tmp_path)
    with pytest.raises(AudioFileError, match="holds no sound"):
        FileSource(write_wav(tmp_path / "no.wav", np.zeros(0, np.int16), 48_000))


def test_says_that_a_film_is_silent(tmp_path: Path) -> None:
    with av.open(tmp_path / "film.mp4", mode="w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width = stream.height = 64
        container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    with pytest.raises(AudioFileError, match="holds no sound"):
        FileSource(tmp_path / "film.mp4")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_says_that_a_file_may_not_be_read(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "x.wav", tone(48_000, 1), 48_000)
    path.chmod(0)
    with pytest.raises(AudioFileError, match="not allowed"):
        FileSource(path)


def test_a_path_is_never_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AudioFileError, match="no such file"):
        FileSource(Path("tcp://127.0.0.1:9/x.wav"))


def read_wav(path: Path) -> npt.NDArray[np.int16]:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, SAMPLE_RATE)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def frame_of(value: int) -> npt.NDArray[np.int16]:
    return np.full(FRAME_SAMPLES, value, np.int16)


def test_recording_holds_what_was_written_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(b"x" * 1_000_000)
    path.chmod(0o644)
    sink = FileSink(path)
    for value in range(3):
        sink.write(frame_of(value))
    sink.close()
    sink.close()
    assert read_wav(path).tolist() == np.repeat([0, 1, 2], FRAME_SAMPLES).tolist()
    assert path.stat().st_size == 44 + 3 * 2 * FRAME_SAMPLES
    assert path.stat().st_mode & 0o777 == 0o600
    sink.write(frame_of(4))
    assert path.stat().st_size == 44 + 3 * 2 * FRAME_SAMPLES


def test_a_recording_without_sound_leaves_everything_as_it_was(tmp_path: Path) -> None:
    old, new = tmp_path / "old.wav", tmp_path / "new.wav"
    old.write_bytes(b"the call before")
    for path in (old, new):
        sink = FileSink(path)
        assert path.exists(), "nobody else may take the name"
        sink.close()
        sink.close()
    assert old.read_bytes() == b"the call before"
    assert not new.exists()


def test_a_recording_that_vanished_is_no_trouble(tmp_path: Path) -> None:
    sink = FileSink(tmp_path / "x.wav")
    (tmp_path / "x.wav").unlink()
    sink.close()


def test_recording_is_a_wav_file_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    sink = FileSink(path)
    for value in range(160):
        sink.write(frame_of(value))
        assert value - len(read_wav(path)) // FRAME_SAMPLES < 50
        assert path.stat().st_size == 44 + (value + 1) * 2 * FRAME_SAMPLES
    sink.close()


def test_recording_survives_the_death_of_the_program(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; import numpy; from pathlib import Path; from openvoice.media.files import FileSink\n"
        "sink = FileSink(Path(sys.argv[1]))\n"
        "for value in range(120): sink.write(numpy.full(960, value, numpy.int16))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "x.wav")], check=False)
    assert len(read_wav(tmp_path / "x.wav")) == 100 * FRAME_SAMPLES


def test_a_full_disk_is_told_once_and_keeps_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    sink = FileSink(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (44 + 10 * 2 * FRAME_SAMPLES + 100, before[1]))
    try:
        for value in range(10):
            sink.write(frame_of(value))
        with pytest.raises(AudioFileError, match=r"x\.wav' ends here: the file may not grow further"):
            sink.write(frame_of(10))
        sink.write(frame_of(11))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    sink.close()
    assert read_wav(path).tolist() == np.repeat(np.arange(10), FRAME_SAMPLES).tolist()


def test_says_where_it_cannot_record(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="no such file or folder"):
        FileSink(tmp_path / "missing" / "x.wav")
    for special in (tmp_path, Path("/dev/full")):
        with pytest.raises(AudioFileError, match="not an ordinary file"):
            FileSink(special)


def test_bundled_samples_are_speech_of_five_seconds() -> None:
    sounds = [load(sample(speaker)) for speaker in SPEAKERS]
    for sound in sounds:
        assert 4.5 < len(sound) / SAMPLE_RATE < 6.5
        assert np.abs(sound).max() == pytest.approx(32768 * 10 ** (-3 / 20), rel=0.05)
        loud = np.flatnonzero(np.abs(sound) > 300)
        assert loud[0] < 0.25 * SAMPLE_RATE
        assert len(sound) - loud[-1] < 0.25 * SAMPLE_RATE
    assert sum(sample(speaker).stat().st_size for speaker in SPEAKERS) < 300_000
    with pytest.raises(ValueError, match="carol"):
        sample("carol")
