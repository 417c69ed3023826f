"""From what a caller names to what the media engine needs: sources and sinks of sound.

The adapters are imported where they are made: FFmpeg and PortAudio are heavy, and many programs need neither.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from openvoice.core.inputs import DeviceChanged
from openvoice.core.processing import Processing
from openvoice.core.types import DeviceChange, SoundDirection
from openvoice.errors import AudioFileError
from openvoice.ports import FRAME_SAMPLES, AudioInput, AudioOutput, AudioSink, AudioSource, Frame

if TYPE_CHECKING:
    from openvoice.devices.processing.voice import VoiceProcessor

SOUND_FILES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".m4a", ".aac", ".aiff", ".au"})
"""File name endings that are read as files even where a sound device has such a name."""


@dataclass(frozen=True, slots=True)
class Device:
    """A sound device, by a part of its name or its number; ``default`` follows the system.

    ``processing`` is what is done to the sound of a microphone; for a loudspeaker it means nothing.
    """

    name: str = "default"
    processing: Processing = field(default_factory=Processing)

    @property
    def selector(self) -> str | None:
        """What ``openvoice.devices`` finds it by."""
        return None if self.name == "default" else self.name

    def check(self, kind: str) -> None:
        """See whether there is such a device now, without opening it; ``kind`` is ``input`` or ``output``.

        A call goes on without its devices. This is for saying so before it begins.

        Raises:
            DeviceFailed: there is none, or several have that in their name.
        """
        from openvoice.devices.listing import Kind, devices, find

        find(devices(), Kind(kind), self.selector)


@dataclass(frozen=True, kw_only=True, slots=True)
class SoundDevice:
    """A device of this machine: ``kind`` is ``input`` or ``output``, ``rate`` its favourite one in Hz."""

    index: int
    name: str
    kind: str
    channels: int
    rate: int
    default: bool
    host: str


def sound_devices() -> list[SoundDevice]:
    """All microphones, then all loudspeakers.

    Raises:
        DeviceFailed: PortAudio is missing or does not work.
    """
    from openvoice.devices.listing import devices

    return [SoundDevice(**{**asdict(device), "kind": device.kind.value}) for device in devices()]


Source = AudioSource | Device | Path | Frame | None
"""What a call may send: a source object, a device, a file, an ``int16`` array of 48 kHz mono sound, or silence."""
Sink = AudioSink | Device | Path | None
"""Where a call's sound may go: a sink object, a device, a WAV file, or nowhere."""


def parse_source(text: str, processing: Processing | None = None) -> Source:
    """Read the command line's word for a source: ``tone``, ``silence``, ``-``, a file, or a device that gets
    ``processing`` (all of it if that is not said).

    Raises:
        AudioFileError: the file is not one, or holds no sound.
    """
    from openvoice.media.files import FileSource
    from openvoice.media.sources import SilenceSource, StreamSource, ToneSource

    match text:
        case "tone":
            return ToneSource()
        case "silence":
            return SilenceSource()
        case "-":
            return StreamSource(sys.stdin.buffer)
    path = Path(text)
    if path.suffix.lower() in SOUND_FILES or "/" in text or path.exists():
        return FileSource(path)
    return Device(text) if processing is None else Device(text, processing)


def parse_sink(text: str) -> Sink:
    """Read the command line's word for a sink: ``null``, ``-``, a WAV file, or a device.

    A file is neither made nor emptied before sound comes for it.

    Raises:
        AudioFileError: it is named like a sound file of another kind.
    """
    from openvoice.media.sinks import NullSink, StreamSink

    match text:
        case "null":
            return NullSink()
        case "-":
            return StreamSink(sys.stdout.buffer)
    path = Path(text)
    ending = path.suffix.lower()
    if ending in SOUND_FILES and ending != ".wav":
        raise AudioFileError(f"recordings are WAV files: name it {str(path.with_suffix('.wav'))!r}")
    return path if ending == ".wav" or "/" in text else Device(text)


def load_sound(path: Path) -> Frame:
    """A whole sound file in memory: ``int16``, one dimension, mono, 48 kHz.

    Raises:
        AudioFileError: it is not one.
    """
    from openvoice.media.files import load

    return load(path)


_Made = TypeVar("_Made")


class Maker(Generic[_Made]):
    """Makes an input or an output when the gate opens, and closes what it would be made of if the gate never does."""

    def __init__(self, make: Callable[[], _Made], discard: Callable[[], None] | None = None) -> None:
        self._make = make
        self._discard = discard

    def __call__(self) -> _Made:
        self._discard = None
        return self._make()

    def close(self) -> None:
        discard, self._discard = self._discard, None
        if discard is not None:
            discard()


def processing_missing() -> str | None:
    """Why microphones of this machine are sent as they are, in words; ``None`` if all is there to process them."""
    from openvoice.devices.processing.webrtc import MISSING, installed

    return None if installed() else f"what takes care of echo, noise and level {MISSING}"


def voice_processor(source: Source) -> VoiceProcessor | None:
    """What a microphone's sound goes through, if ``source`` is one and wants it. Nothing is loaded yet."""
    from openvoice.devices.processing.voice import VoiceProcessor

    return VoiceProcessor(source.processing) if isinstance(source, Device) and source.processing else None


def audio_input(
    source: Source, listen: Callable[[Frame], None], processor: VoiceProcessor | None = None
) -> Maker[AudioInput]:
    """What makes the input when the gate opens; ``listen`` hears every frame captured, in the thread of the media.

    ``processor`` is for a microphone, and hears the loudspeaker that :func:`audio_output` makes with the same.
    Files are opened now, so that a bad one is known before the call.
    """
    from openvoice.devices.microphone import Microphone
    from openvoice.media.audio.clock import PacedInput
    from openvoice.media.files import FileSource
    from openvoice.media.sources import SilenceSource

    match source:
        case Device():
            return Maker(lambda: _Tapped(Microphone(source.selector, processor), listen))
        case None:
            paced: AudioSource = SilenceSource()
        case Path():
            paced = FileSource(source)
        case np.ndarray():
            paced = ArraySource(source)
        case _:
            paced = source
    return Maker(lambda: _Tapped(PacedInput(paced), listen), paced.close)


def audio_output(
    sink: Sink, listen: Callable[[Frame], None], processor: VoiceProcessor | None = None
) -> Maker[AudioOutput]:
    """What makes the output when the gate opens; ``listen`` hears every frame played, in the thread that plays."""
    from openvoice.devices.loudspeaker import Loudspeaker
    from openvoice.media.audio.clock import PacedOutput
    from openvoice.media.files import FileSink
    from openvoice.media.sinks import NullSink

    match sink:
        case Device():
            return Maker(lambda: _Overheard(Loudspeaker(sink.selector, processor), listen))
        case None:
            paced: AudioSink = NullSink()
        case Path():
            paced = FileSink(sink)
        case _:
            paced = sink
    return Maker(lambda: _Overheard(PacedOutput(paced), listen), paced.close)


class ArraySource:
    """An :class:`~openvoice.ports.AudioSource` of samples in memory: ``int16``, mono, 48 kHz, any length."""

    def __init__(self, samples: Frame) -> None:
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise ValueError("sound in memory is one row of int16 samples at 48 kHz")
        self._samples = samples
        self._position = 0

    def read(self) -> Frame | None:
        frame = self._samples[self._position : self._position + FRAME_SAMPLES]
        self._position += FRAME_SAMPLES
        if not frame.size:
            return None
        return np.pad(frame, (0, FRAME_SAMPLES - frame.size))

    def close(self) -> None:
        self._samples = self._samples[:0]


class _Tapped:
    """An input whose frames somebody else hears as well."""

    def __init__(self, input: AudioInput, listen: Callable[[Frame], None]) -> None:  # noqa: A002
        self._input = input
        self._listen = listen

    def start(self, deliver: Callable[[Frame | None], None], report: Callable[[DeviceChanged], None]) -> None:
        def tapped(frame: Frame | None) -> None:
            if frame is not None:
                self._listen(frame)
            deliver(frame)

        self._input.start(tapped, report)

    def stop(self) -> None:
        self._input.stop()


class _Overheard:
    """An output whose frames somebody else hears as well."""

    def __init__(self, output: AudioOutput, listen: Callable[[Frame], None]) -> None:
        self._output = output
        self._listen = listen

    def start(self, request: Callable[[], Frame], report: Callable[[DeviceChanged], None]) -> None:
        def overheard() -> Frame:
            frame = request()
            try:
                self._listen(frame)
            except AudioFileError as error:
                report(DeviceChanged(direction=SoundDirection.OUTPUT, what=DeviceChange.FAILED, text=str(error)))
            return frame

        self._output.start(overheard, report)

    def stop(self) -> None:
        self._output.stop()
