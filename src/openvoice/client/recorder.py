"""Both sides of a call, brought together for a recording."""

from __future__ import annotations

from collections import deque

import numpy as np

from openvoice.ports import FRAME_SAMPLES, Frame, RecordingSink

_APART = 4
"""Frames (80 ms) that this side may be ahead; the clocks of two devices drift."""
_SILENCE = np.zeros(FRAME_SAMPLES, np.int16)


class Recorder:
    """Pairs what is sent with what is played, frame by frame, at the pace of what is played.

    All methods but :meth:`close` are called in the thread of the media.
    """

    def __init__(self, recording: RecordingSink) -> None:
        self._recording = recording
        self._sent: deque[Frame] = deque(maxlen=_APART)

    def said(self, frame: Frame, *, silent: bool) -> None:
        """A frame of this side; ``silent`` if nobody hears it."""
        self._sent.append(_SILENCE if silent else frame.copy())

    def heard(self, frame: Frame) -> None:
        """A frame of the peer. Raises :class:`~openvoice.errors.AudioFileError` once, if it cannot be kept."""
        self._recording.write(self._sent.popleft() if self._sent else _SILENCE, frame)

    def close(self) -> None:
        """End the recording. Raises :class:`~openvoice.errors.ConfigurationError` if that cannot be kept."""
        self._recording.close()
