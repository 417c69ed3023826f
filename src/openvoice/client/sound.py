"""From what a caller names to what the media engine needs: sources and sinks of sound.

The adapters are imported where they are made: FFmpeg and PortAudio are heavy, and many programs need neither.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from openvoice.client.pictures import MOVIE_SINKS
from openvoice.core.processing import Processing
from openvoice.errors import AudioFileError
from openvoice.ports import FRAME_SAMPLES, AudioInput, AudioOutput, AudioSink, AudioSource, Frame

if TYPE_CHECKING:
    from openvoice.devices.processing.voice import VoiceProcessor
    from openvoice.media.video.sinks.movie import MovieFile

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


def sound_devices(*, renew: bool = False) -> list[SoundDevice]:
    """All microphones, then all loudspeakers. ``renew`` looks again for what was plugged in since; calls go on.

    Raises:
        DeviceFailed: PortAudio is missing or does not work.
    """
    from openvoice.devices.listing import devices

    return [SoundDevice(**{**asdict(device), "kind": device.kind.value}) for device in devices(renew=renew)]


Source = AudioSource | Device | Path | Frame | None
"""What a call may send: a source object, a device, a file, an ``int16`` array of 48 kHz mono sound, or silence."""
Sink = AudioSink | Device | Path | None
"""Where a call's sound may go: a sink object, a device, a WAV file, a film that takes the pictures too, or nowhere."""


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
    """Read the command line's word for a sink: ``null``, ``-``, a WAV file, a film (MP4 or WebM), or a device.

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
    return path if ending == ".wav" or ending in MOVIE_SINKS or "/" in text else Device(text)


def load_sound(path: Path) -> Frame:
    """A whole sound file in memory: ``int16``, one dimension, mono, 48 kHz.

    Raises:
        AudioFileError: it is not one.
    """
    from openvoice.media.files import load

    return load(path)


_End = TypeVar("_End", bound=AudioInput | AudioOutput)


class Chosen(Generic[_End]):
    """What was chosen for one direction of a call.

    ``make`` makes an input or an output of it, when the gate opens and not before, and again if the media of the call
    begin anew. What it is made of is closed here, when the choice is given up or the call is over.
    """

    def __init__(
        self,
        noun: str,
        make: Callable[[bool], _End],
        *,
        opened: Callable[[_End], Awaitable[str | None]] | None = None,
        close: Callable[[], None] | None = None,
    ) -> None:
        self.noun = noun
        """What a person calls it."""
        self._make = make
        self._opened = opened
        self._close = close

    def make(self, *, insist: bool = False) -> _End:
        """With ``insist`` nothing may stand in for it at first."""
        return self._make(insist)

    async def opened(self, made: _End) -> str | None:
        """Wait until sound flows; the name of the device, if it is one.

        Raises:
            DeviceFailed: none does.
        """
        return await self._opened(made) if self._opened is not None else None

    def close(self) -> None:
        """Twice is once."""
        close, self._close = self._close, None
        if close is not None:
            close()


def processing_missing() -> str | None:
    """Why microphones of this machine are sent as they are, in words; ``None`` if all is there to process them."""
    from openvoice.devices.processing.webrtc import MISSING, installed

    return None if installed() else f"what takes care of echo, noise and level {MISSING}"


def audio_input(source: Source, processor: VoiceProcessor | None = None) -> Chosen[AudioInput]:
    """What makes the input when the gate opens.

    ``processor`` is for a microphone, and hears the loudspeaker that :func:`audio_output` makes with the same.
    Files are opened now, so that a bad one is known before the call.
    """
    from openvoice.devices.microphone import Microphone
    from openvoice.media.audio.clock import PacedInput
    from openvoice.media.files import FileSource
    from openvoice.media.sources import SilenceSource

    match source:
        case Device():
            return Chosen(
                "microphone",
                lambda insist: Microphone(source.selector, processor, insist=insist),
                opened=_device_opened,
            )
        case None:
            paced: AudioSource = SilenceSource()
        case Path():
            paced = FileSource(source)
        case np.ndarray():
            paced = ArraySource(source)
        case _:
            paced = source
    return Chosen("sound to send", lambda _: PacedInput(_Lent(paced)), close=paced.close)


def audio_output(sink: Sink | MovieFile, processor: VoiceProcessor | None = None) -> Chosen[AudioOutput]:
    """What makes the output when the gate opens. Raises as :func:`audio_input`."""
    from openvoice.devices.loudspeaker import Loudspeaker
    from openvoice.media.audio.clock import PacedOutput
    from openvoice.media.files import FileSink
    from openvoice.media.sinks import NullSink
    from openvoice.media.video.sinks.movie import MovieFile

    match sink:
        case Device():
            return Chosen(
                "loudspeaker",
                lambda insist: Loudspeaker(sink.selector, processor, insist=insist),
                opened=_device_opened,
            )
        case None:
            paced: AudioSink = NullSink()
        case Path():
            paced = FileSink(sink)
        case MovieFile():
            return Chosen("film", lambda _: PacedOutput(_LentSink(sink.sound)), close=sink.close)
        case _:
            paced = sink
    return Chosen("place for the sound", lambda _: PacedOutput(_LentSink(paced)), close=paced.close)


async def _device_opened(made: AudioInput | AudioOutput) -> str:
    from openvoice.devices.endpoint import Endpoint

    assert isinstance(made, Endpoint)
    return await made.opened()


class _Lent:
    """A source that stays open when the media stop."""

    def __init__(self, source: AudioSource) -> None:
        self.read = source.read

    def close(self) -> None:
        """Whoever lends it closes it."""


class _LentSink:
    """A sink that stays open when the media stop."""

    def __init__(self, sink: AudioSink) -> None:
        self.write = sink.write

    def close(self) -> None:
        """Whoever lends it closes it."""


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
