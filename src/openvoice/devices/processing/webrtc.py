"""The audio processing of libwebrtc (AEC3, NS, AGC2), out of the ``livekit`` wheel. Nothing else of that is used.

The library starts four threads that wait for work of other kinds; they end with the process. It opens no connection.
"""

from __future__ import annotations

import importlib.util
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from openvoice.core.processing import Processing
from openvoice.devices.processing.reference import BLOCK_SAMPLES
from openvoice.errors import DeviceFailed
from openvoice.ports import SAMPLE_RATE

Block = npt.NDArray[np.int16]
"""10 ms: shape ``(480,)``, mono, 48 kHz."""
MISSING = "is not installed: pip install 'openvoice[processing]'"


class Processor(Protocol):
    """What processes the blocks of one microphone."""

    def process(self, near: Block, far: Block | None, delay: float) -> Block:
        """The block ``near`` as it is to be sent. ``far`` is what the loudspeaker plays, ``delay`` seconds before the
        microphone hears it; ``None`` without echo cancellation. What is returned is good until the next call.

        Raises:
            DeviceFailed: it does not work any more.
        """
        ...


def installed() -> bool:
    """Whether there is such a library, without loading it."""
    return importlib.util.find_spec("livekit") is not None and importlib.util.find_spec("livekit.rtc") is not None


class WebRtcProcessor:
    """A :class:`Processor`. Loading the library takes a quarter of a second, so this is made off the media loop.

    Raises:
        DeviceFailed: the library is not installed, or does not load here.
    """

    def __init__(self, processing: Processing) -> None:
        if not installed():
            raise DeviceFailed(f"the library for it {MISSING}")
        try:
            from livekit.rtc import AudioFrame, AudioProcessingModule

            self._module: Any = AudioProcessingModule(
                echo_cancellation=processing.echo,
                noise_suppression=processing.noise,
                high_pass_filter=bool(processing),
                auto_gain_control=processing.level,
            )
        except Exception as error:
            raise DeviceFailed(f"the library for it does not load ({type(error).__name__})") from error
        # The module works on the memory of its frames.
        near, far = bytearray(2 * BLOCK_SAMPLES), bytearray(2 * BLOCK_SAMPLES)
        self._near_frame = AudioFrame(near, SAMPLE_RATE, 1, BLOCK_SAMPLES)
        self._far_frame = AudioFrame(far, SAMPLE_RATE, 1, BLOCK_SAMPLES)
        self._near: Block = np.frombuffer(near, np.int16)
        self._far: Block = np.frombuffer(far, np.int16)

    def process(self, near: Block, far: Block | None, delay: float) -> Block:
        self._near[:] = near
        try:
            if far is not None:
                self._far[:] = far
                self._module.process_reverse_stream(self._far_frame)
                self._module.set_stream_delay_ms(round(delay * 1000))
            self._module.process_stream(self._near_frame)
        except RuntimeError as error:
            raise DeviceFailed(f"the library for it fails ({type(error).__name__})") from error
        return self._near
