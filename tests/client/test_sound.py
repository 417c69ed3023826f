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
    load_sound,
    parse_sink,
    parse_source,
    processing_missing,
    sound_devices,
)
from openvoice.client.sound import SOUND_FILES, ArraySource, audio_input, audio_output
from openvoice.devices import listing
from openvoice.devices.loudspeaker import Loudspeaker
from openvoice.devices.microphone import Microphone
from openvoice.devices.processing.voice import VoiceProcessor
from openvoice.media.files import FileSource
from openvoice.media.sinks import NullSink, StreamSink
from openvoice.media.sources import SilenceSource, StreamSource, ToneSource
from openvoice.ports import Frame
from openvoice.testing.fakes import RecordingSink, ScriptedSource
from tests.waiting import until


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
    monkeypatch.setattr(listing, "devices", lambda *, renew: [MICROPHONE])
    (device,) = sound_devices()
    assert device == SoundDevice(
        index=1, name="Headset", kind="input", channels=1, rate=44_100, default=True, host="ALSA"
    )
    assert type(device.kind) is str


def test_devices_are_made_when_the_gate_opens_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, Any, Any, bool]] = []

    def remember(kind: str) -> Any:
        return lambda self, selector, processor, insist: made.append((kind, selector, processor, insist))

    monkeypatch.setattr(Microphone, "__init__", remember("microphone"))
    monkeypatch.setattr(Loudspeaker, "__init__", remember("loudspeaker"))
    processor = VoiceProcessor(Processing())
    microphone, loudspeaker = audio_input(Device(), processor), audio_output(Device("usb"), processor)
    assert made == []
    microphone.make()
    loudspeaker.make(insist=True)
    assert made == [("microphone", None, processor, False), ("loudspeaker", "usb", processor, True)]
    microphone.close()


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
        audio_input(tmp_path / "none.wav")
    with pytest.raises(AudioFileError, match="there is no such file or folder"):
        audio_output(tmp_path / "none" / "x.wav")
    chosen = audio_output(tmp_path / "x.wav")
    assert (tmp_path / "x.wav").exists()
    chosen.close()
    audio_input(recording).close()


@pytest.mark.parametrize("source", [None, np.zeros(10, np.int16), ScriptedSource()], ids=["none", "array", "object"])
async def test_everything_else_is_read_at_our_pace(source: Any) -> None:
    delivered: list[Frame | None] = []
    taken = audio_input(source).make()
    taken.start(delivered.append, lambda _: None)
    await asyncio.sleep(0.05)
    taken.stop()
    # The array is one frame long, and the source of the test is empty.
    assert any(frame is None for frame in delivered) == (source is not None)


async def test_what_was_chosen_is_closed_by_whoever_chose_it() -> None:
    """The media of one call may stop and begin anew."""
    source, sink = ScriptedSource([np.full(960, number, np.int16) for number in (1, 2, 3, 4, 5)]), RecordingSink()
    chosen, place = audio_input(source), audio_output(sink)
    delivered: list[Frame | None] = []
    for count in (1, 2):
        taken, given = chosen.make(), place.make()
        taken.start(delivered.append, lambda _: None)
        given.start(lambda: np.zeros(960, np.int16), lambda _: None)
        await until(lambda count=count: len(delivered) >= count and len(sink.frames) >= count)  # type: ignore[misc]
        taken.stop()
        given.stop()
        assert await chosen.opened(taken) is None
    assert [frame[0] for frame in delivered[:2] if frame is not None] == [1, 2]
    assert (source.closed, sink.closed) == (False, False)
    for one in (chosen, place, chosen, place):
        one.close()
    assert (source.closed, sink.closed) == (True, True)


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
        audio_input(sound)


def test_a_whole_file_is_loaded(recording: Path, tmp_path: Path) -> None:
    sound = load_sound(recording)
    assert sound.dtype == np.int16
    assert len(sound) % 960 == 0
    np.testing.assert_array_equal(sound[:1000], np.arange(1000))
    with pytest.raises(AudioFileError):
        load_sound(tmp_path / "none.wav")
