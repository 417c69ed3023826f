"""Opus (RFC 6716, RFC 7587) by the libopus that the PyAV wheel carries, or else the system's.

FFmpeg's own wrapper of it, which PyAV offers, can neither conceal a lost packet nor use in-band forward error
correction, nor change its settings while it runs; hence ``ctypes``, which releases the GIL meanwhile.
"""

from __future__ import annotations

import ctypes
from functools import cache
from weakref import WeakSet

import numpy as np

from openvoice.errors import MediaFailed
from openvoice.media.audio.codec import MAXIMUM_SAMPLES, Samples
from openvoice.media.libraries import load
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE, Frame

DEFAULT_BITRATE = 48_000
"""bit/s: what PESQ gains above this is less than what redundancy gains."""
_EXPECTED_LOSS = 10
"""Percent. libopus protects with any; with more it takes more from the speech itself than it saves."""
BEST_COMPLEXITY, THRIFTY_COMPLEXITY = 9, 6
"""More than 8 changes nothing at these bitrates. With 6, protected speech takes a fifth less time, and loses 0.05 of
PESQ-WB."""
CROWD = 8
"""Encoders in one process from which on the next ones are thrifty: so many calls no person has at once."""
_LENGTHS = (FRAME_SAMPLES, 2 * FRAME_SAMPLES, 3 * FRAME_SAMPLES)
"""Samples in a packet that libopus encodes as one."""

_APPLICATION_VOIP = 2048
_SET_BITRATE = 4002
_SET_MAX_BANDWIDTH = 4004
_SET_VBR = 4006
_SET_COMPLEXITY = 4010
_SET_INBAND_FEC = 4012
_SET_PACKET_LOSS_PERCENTAGE = 4014
_RESET_STATE = 4028
_WIDEBAND, _FULLBAND = 1103, 1105
_PAYLOAD_OCTETS = 1275
"""The most that one frame can be (RFC 6716, 3.2.1)."""


@cache
def _library() -> ctypes.CDLL:
    if (library := load("opus")) is None:
        raise MediaFailed("The Opus codec is missing: install the libopus of your system, or the wheel of PyAV (av).")
    return _declare(library)


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    library.opus_encoder_create.restype = library.opus_decoder_create.restype = pointer
    library.opus_encoder_create.argtypes = [ctypes.c_int32, integer, integer, ctypes.POINTER(integer)]
    library.opus_decoder_create.argtypes = [ctypes.c_int32, integer, ctypes.POINTER(integer)]
    # Variadic: the declared types are the fixed ones, which the calling convention of Apple silicon has to know.
    library.opus_encoder_ctl.argtypes = library.opus_decoder_ctl.argtypes = [pointer, integer]
    library.opus_encode.argtypes = [pointer, pointer, integer, ctypes.c_char_p, ctypes.c_int32]
    library.opus_decode.argtypes = [pointer, ctypes.c_char_p, ctypes.c_int32, pointer, integer, integer]
    library.opus_packet_get_nb_samples.argtypes = [ctypes.c_char_p, ctypes.c_int32, ctypes.c_int32]
    if hasattr(library, "opus_packet_has_lbrr"):  # since libopus 1.5
        library.opus_packet_has_lbrr.argtypes = [ctypes.c_char_p, ctypes.c_int32]
    for destroy in (library.opus_encoder_destroy, library.opus_decoder_destroy):
        destroy.argtypes, destroy.restype = [pointer], None
    return library


class OpusEncoder:
    """Mono speech at a constant bitrate: neither the size nor the time of a packet tells what is said.

    Without a ``complexity`` (0 to 10) it depends on how many encoders there are, see :data:`CROWD`.

    Raises:
        MediaFailed: there is no libopus.
    """

    def __init__(self, *, bitrate: int = DEFAULT_BITRATE, complexity: int | None = None) -> None:
        if complexity is None:
            complexity = BEST_COMPLEXITY if len(_encoders) < CROWD else THRIFTY_COMPLEXITY
        self.complexity = complexity
        self._library = _library()
        error = ctypes.c_int()
        self._state = self._library.opus_encoder_create(SAMPLE_RATE, 1, _APPLICATION_VOIP, ctypes.byref(error))
        if not self._state:
            raise MediaFailed("The Opus codec did not start: there is not enough memory.")
        self._payload = ctypes.create_string_buffer(_PAYLOAD_OCTETS)
        self._set(_SET_VBR, 0)
        self._set(_SET_COMPLEXITY, complexity)
        self.set_bitrate(bitrate)
        _encoders.add(self)

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._library.opus_encoder_destroy(self._state)

    def _set(self, request: int, value: int) -> None:
        if self._library.opus_encoder_ctl(self._state, request, ctypes.c_int(value)) != 0:
            raise ValueError(f"Opus takes no such setting: {request} = {value}")

    def set_bitrate(self, bitrate: int) -> None:
        """Change the bitrate (bit/s, 6000 to 510000) of the packets to come."""
        if not 6000 <= bitrate <= 510_000:
            raise ValueError("bitrate out of range")
        self._set(_SET_BITRATE, bitrate)

    def set_protected(self, protected: bool) -> None:
        """Whether the packets to come repeat the frame before them, as far as their octets allow."""
        self._set(_SET_INBAND_FEC, int(protected))
        self._set(_SET_PACKET_LOSS_PERCENTAGE, _EXPECTED_LOSS if protected else 0)

    def set_wideband(self, wideband: bool) -> None:
        """Whether the packets to come leave out what is above 8 kHz."""
        self._set(_SET_MAX_BANDWIDTH, _WIDEBAND if wideband else _FULLBAND)

    def reset(self) -> None:
        """Forget the past: nothing of it is repeated in the packets to come."""
        self._library.opus_encoder_ctl(self._state, _RESET_STATE)

    def encode(self, frame: Frame) -> bytes:
        """20, 40 or 60 ms as one payload. Raises ``ValueError`` for a frame of another shape or type."""
        if frame.ndim != 1 or len(frame) not in _LENGTHS or frame.dtype != np.int16:
            raise ValueError("a frame is 960, 1920 or 2880 samples of int16")
        contiguous = np.ascontiguousarray(frame)
        size = self._library.opus_encode(
            self._state, contiguous.ctypes.data, len(frame), self._payload, _PAYLOAD_OCTETS
        )
        if size <= 0:
            raise MediaFailed("The Opus codec failed to encode.")
        return self._payload.raw[:size]


_encoders: WeakSet[OpusEncoder] = WeakSet()


class OpusDecoder:
    """Decodes, recovers from in-band redundancy (RFC 6716, 2.1.7) and conceals. Stereo is mixed down.

    Raises:
        MediaFailed: there is no libopus.
    """

    def __init__(self) -> None:
        self._library = _library()
        error = ctypes.c_int()
        self._state = self._library.opus_decoder_create(SAMPLE_RATE, 1, ctypes.byref(error))
        if not self._state:
            raise MediaFailed("The Opus codec did not start: there is not enough memory.")

    def __del__(self) -> None:
        if getattr(self, "_state", None):
            self._library.opus_decoder_destroy(self._state)

    def duration(self, payload: bytes) -> int:
        if not payload:  # which would ask libopus to conceal
            return 0
        samples = self._library.opus_packet_get_nb_samples(payload, len(payload), SAMPLE_RATE)
        return samples if 0 < samples <= MAXIMUM_SAMPLES else 0

    def decode(self, payload: bytes) -> Samples:
        samples = self.duration(payload) or FRAME_SAMPLES
        decoded = self._decode(payload, samples, recover=False)
        return self.conceal(samples) if decoded is None else decoded

    def recovers(self, payload: bytes) -> bool:
        if not self.duration(payload):
            return False
        if not hasattr(self._library, "opus_packet_has_lbrr"):
            return True
        return bool(self._library.opus_packet_has_lbrr(payload, len(payload)) == 1)

    def recover(self, payload: bytes, samples: int) -> Samples | None:
        return self._decode(payload, samples, recover=True) if self.recovers(payload) else None

    def conceal(self, samples: int) -> Samples:
        # libopus conceals whole steps of 2.5 ms only.
        steps = -(-samples // _STEP) * _STEP
        concealed = self._decode(b"", steps, recover=False)
        return np.zeros(samples, np.int16) if concealed is None else concealed[:samples]

    def reset(self) -> None:
        self._library.opus_decoder_ctl(self._state, _RESET_STATE)

    def _decode(self, payload: bytes, samples: int, *, recover: bool) -> Samples | None:
        """``None`` if libopus refuses, which says that the packet is corrupt."""
        sound: Samples = np.empty(samples, np.int16)
        decoded = self._library.opus_decode(
            self._state, payload or None, len(payload), sound.ctypes.data, samples, recover
        )
        return sound if decoded == samples else None


_STEP = SAMPLE_RATE // 400
