from __future__ import annotations

import asyncio
import io
import sys
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice import (
    AudioFileError,
    Device,
    DeviceFailed,
    Processing,
    SoundDevice,
    Source,
    load_sound,
    parse_sink,
    parse_source,
    processing_missing,
    sound_devices,
)
from openvoice.client.sound import SOUND_FILES, ArraySource, _Overheard, audio_input, audio_output, voice_processor
from openvoice.core.inputs import DeviceChanged
from openvoice.core.types import DeviceChange, SoundDirection
from openvoice.devices import listing
from openvoice.devices.loudspeaker import Loudspeaker
from openvoice.devices.microphone import Microphone
from openvoice.media.files import FileSource
from openvoice.media.sinks import NullSink, StreamSink
from openvoice.media.sources import SilenceSource, StreamSource, ToneSource
from openvoice.ports import Frame
from openvoice.testing.fakes import ManualOutput, RecordingSink, ScriptedSource


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "recording.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(np.arange(1000, dtype="<i2").tobytes())
    return path


# --- words ------------------------------------------------------------------------------------------------------------


def test_words_for_sources(monkeypatch: pytest.MonkeyPatch, recording: Path) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO()))
    assert isinstance(parse_source("tone"), ToneSource)
    assert isinstance(parse_source("silence"), SilenceSource)
    assert isinstance(parse_source("-"), StreamSource)
    assert parse_source("default") == Device()
    assert parse_source("USB Headset") == Device("USB Headset")
    source = parse_source(str(recording))
    assert isinstance(source, FileSource)
    source.close()


def test_words_for_sinks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=io.BytesIO()))
    assert isinstance(parse_sink("null"), NullSink)
    sink = parse_sink("-")
    assert isinstance(sink, StreamSink)
    sink.close()
    assert parse_sink("default") == Device()
    assert parse_sink("USB Headset") == Device("USB Headset")
    assert parse_sink(str(tmp_path / "x.wav")) == tmp_path / "x.wav"
    assert not (tmp_path / "x.wav").exists()


@pytest.mark.parametrize("ending", sorted(SOUND_FILES))
def test_what_looks_like_a_file_is_no_device(ending: str, tmp_path: Path) -> None:
    for text in (f"missing{ending}", f"missing{ending.upper()}", "./missing", "folder/x"):
        with pytest.raises(AudioFileError, match=r"missing|folder"):
            parse_source(text)


@pytest.mark.parametrize("text", ["missing.wav", "missing.WAV", "./missing", "folder/x"])
def test_what_looks_like_a_recording_is_no_device(text: str) -> None:
    assert parse_sink(text) == Path(text)


@pytest.mark.parametrize("ending", sorted(SOUND_FILES - {".wav"}))
def test_a_recording_does_not_pretend_to_be_another_kind_of_file(ending: str) -> None:
    for text in (f"heard{ending}", f"folder/heard{ending.upper()}"):
        with pytest.raises(AudioFileError, match=r"WAV files: name it .*heard\.wav"):
            parse_sink(text)


def test_a_file_that_is_there_needs_no_ending(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(recording.parent)
    recording.rename("headset")
    source = parse_source("headset")
    assert isinstance(source, FileSource)
    source.close()
    assert parse_sink("headset") == Device("headset")


# --- devices ----------------------------------------------------------------------------------------------------------

MICROPHONE = listing.Device(
    index=1, name="Headset", kind=listing.Kind.INPUT, channels=1, rate=44_100, default=True, host="ALSA"
)


def test_a_device_can_be_looked_for_before_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "devices", lambda: [MICROPHONE])
    Device().check("input")
    Device("head").check("input")
    Device("1").check("input")
    with pytest.raises(DeviceFailed, match="no loudspeaker"):
        Device().check("output")
    with pytest.raises(DeviceFailed, match="there is no microphone 'webcam'; there is 'Headset'"):
        Device("webcam").check("input")


def test_devices_are_listed_in_plain_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "devices", lambda: [MICROPHONE])
    (device,) = sound_devices()
    assert device == SoundDevice(
        index=1, name="Headset", kind="input", channels=1, rate=44_100, default=True, host="ALSA"
    )
    assert type(device.kind) is str


def test_devices_are_made_when_the_gate_opens_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, Any, Any]] = []

    def remember(kind: str) -> Any:
        return lambda self, selector, processor: made.append((kind, selector, processor))

    monkeypatch.setattr(Microphone, "__init__", remember("microphone"))
    monkeypatch.setattr(Loudspeaker, "__init__", remember("loudspeaker"))
    processor = voice_processor(Device())
    assert processor is not None
    make_input = audio_input(Device(), lambda frame: None, processor)
    make_output = audio_output(Device("usb"), lambda frame: None, processor)
    assert made == []
    make_input()
    make_output()
    assert made == [("microphone", None, processor), ("loudspeaker", "usb", processor)]
    make_input.close()


@pytest.mark.parametrize(
    "source",
    [None, Path("x.wav"), np.zeros(10, np.int16), Device("usb", Processing(echo=False, noise=False, level=False))],
)
def test_only_a_microphone_that_wants_it_is_processed(source: Source) -> None:
    assert voice_processor(source) is None


def test_a_microphone_named_on_the_command_line_gets_what_the_settings_say() -> None:
    processing = Processing(noise=False)
    assert parse_source("headset", processing) == Device("headset", processing)
    assert parse_source("headset") == Device("headset", Processing())


def test_it_is_told_what_to_install_for_processing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvoice.devices.processing.webrtc.installed", lambda: False)
    assert "pip install 'openvoice[processing]'" in str(processing_missing())
    monkeypatch.setattr("openvoice.devices.processing.webrtc.installed", lambda: True)
    assert processing_missing() is None


# --- files, arrays, objects -------------------------------------------------------------------------------------------


def test_files_are_opened_before_the_call(tmp_path: Path, recording: Path) -> None:
    with pytest.raises(AudioFileError, match="there is no such file"):
        audio_input(tmp_path / "none.wav", lambda frame: None)
    with pytest.raises(AudioFileError, match="there is no such file or folder"):
        audio_output(tmp_path / "none" / "x.wav", lambda frame: None)
    make = audio_output(tmp_path / "x.wav", lambda frame: None)
    assert (tmp_path / "x.wav").exists()
    make.close()
    audio_input(recording, lambda frame: None).close()


@pytest.mark.parametrize("source", [None, np.zeros(10, np.int16), ScriptedSource()], ids=["none", "array", "object"])
async def test_everything_else_is_read_at_our_pace(source: Any) -> None:
    heard: list[Frame] = []
    delivered: list[Frame | None] = []
    taken = audio_input(source, heard.append)()
    taken.start(delivered.append, lambda _: None)
    await asyncio.sleep(0.05)
    taken.stop()
    sounds = [frame for frame in delivered if frame is not None]
    assert len(heard) == len(sounds)
    assert all(one is other for one, other in zip(heard, sounds, strict=True))
    # The array is one frame long, and the source of the test is empty.
    assert any(frame is None for frame in delivered) == (source is not None)


def test_a_recording_that_ends_is_told_and_the_sound_goes_on() -> None:
    def full(_: Frame) -> None:
        raise AudioFileError("the recording ends here: the disk is full")

    told: list[DeviceChanged] = []
    manual = ManualOutput()
    _Overheard(manual, full).start(lambda: np.ones(960, np.int16), told.append)
    assert manual.request is not None
    assert manual.request()[0] == 1
    assert [one.text for one in told] == ["the recording ends here: the disk is full"]
    assert (told[0].direction, told[0].what) == (SoundDirection.OUTPUT, DeviceChange.FAILED)


def test_what_no_input_was_made_of_is_closed_and_only_then() -> None:
    unused, used, sink = ScriptedSource(), ScriptedSource(), RecordingSink()
    make_unused, make_used, make_sink = (
        audio_input(unused, lambda frame: None),
        audio_input(used, lambda frame: None),
        audio_output(sink, lambda frame: None),
    )
    make_used()
    for maker in (make_unused, make_used, make_sink):
        maker.close()
        maker.close()
    assert (unused.closed, used.closed, sink.closed) == (True, False, True)


@given(st.integers(0, 3000))
def test_an_array_is_sent_whole_and_filled_up_with_silence(length: int) -> None:
    sound = np.arange(1, length + 1, dtype=np.int16)
    source = ArraySource(sound)
    frames: list[Frame] = []
    while (frame := source.read()) is not None:
        assert frame.shape == (960,)
        assert frame.dtype == np.int16
        frames.append(frame)
    assert source.read() is None
    joined = np.concatenate(frames) if frames else np.zeros(0, np.int16)
    assert len(frames) == -(-length // 960)
    np.testing.assert_array_equal(joined[:length], sound)
    assert not joined[length:].any()


def test_an_array_that_was_closed_is_over() -> None:
    source = ArraySource(np.ones(960, np.int16))
    source.close()
    assert source.read() is None


@pytest.mark.parametrize("sound", [np.zeros(10, np.float32), np.zeros((2, 10), np.int16)], ids=["float", "stereo"])
def test_other_arrays_are_refused(sound: Any) -> None:
    with pytest.raises(ValueError, match="one row of int16"):
        audio_input(sound, lambda frame: None)


def test_what_is_played_is_heard_by_those_who_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    loudspeaker = ManualOutput()
    monkeypatch.setattr("openvoice.devices.loudspeaker.Loudspeaker", lambda selector, processor: loudspeaker)
    heard: list[Frame] = []
    output = audio_output(Device(), heard.append)()
    output.start(lambda: np.full(960, 7, np.int16), lambda text: None)
    assert loudspeaker.request is not None
    played = loudspeaker.request()
    assert played[0] == heard[0][0] == 7
    output.stop()
    assert loudspeaker.request is None


async def test_a_sink_is_written_at_our_pace() -> None:
    sink = RecordingSink()
    output = audio_output(sink, lambda frame: None)()
    output.start(lambda: np.zeros(960, np.int16), lambda text: None)
    output.stop()
    assert sink.closed


def test_a_whole_file_is_loaded(recording: Path, tmp_path: Path) -> None:
    sound = load_sound(recording)
    assert sound.dtype == np.int16
    assert len(sound) % 960 == 0
    np.testing.assert_array_equal(sound[:1000], np.arange(1000))
    with pytest.raises(AudioFileError):
        load_sound(tmp_path / "none.wav")
