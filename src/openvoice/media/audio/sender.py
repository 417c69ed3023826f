"""Frames to RTP packets (RFC 3550, 5.1), at times and of a size that what is said does not change."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable

import numpy as np
from aiortc.rtp import RtpPacket

from openvoice.core.bandwidth import DEFAULT_BANDWIDTH
from openvoice.core.description import Codec
from openvoice.media.audio.dtmf import DigitSender, Tick, event_payload, tone
from openvoice.media.audio.encoding import Payload, VoiceEncoder
from openvoice.media.audio.level import LevelMeter
from openvoice.media.audio.protection import Protection
from openvoice.media.reports import PeerReport
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS, SAMPLE_RATE, Frame

SILENCE: Frame = np.zeros(FRAME_SAMPLES, np.int16)
SILENCE.flags.writeable = False


class AudioSender:
    """One stream. ``redundancy`` and ``events`` are the codecs of copies and telephone events that were negotiated.

    ``bandwidth`` is the most that it may take, in kbit/s on the wire.

    Raises:
        MediaFailed: a codec does not start.
    """

    def __init__(
        self,
        *,
        codec: Codec,
        redundancy: Codec | None,
        events: Codec | None,
        ssrc: int,
        send: Callable[[bytes], None],
        bandwidth: float = DEFAULT_BANDWIDTH,
    ) -> None:
        self._codec = codec
        self._encoder = VoiceEncoder(codec, redundancy, bandwidth)
        self._events = events
        self._ssrc = ssrc
        self._transmit = send
        self._ticks_per_frame = FRAME_SAMPLES * codec.clock_rate // SAMPLE_RATE
        # Both begin at random (RFC 3550, 5.1); the sequence low enough that SRTP's first packets do not wrap.
        self._sequence = secrets.randbelow(2**15)
        self._timestamp = secrets.randbits(32)
        self._event_timestamp = 0
        self._sent_at = 0.0
        self._recent: deque[tuple[float, int]] = deque(maxlen=100)
        self._level = LevelMeter()
        self.digits = DigitSender()
        self.muted = False
        self.packets = 0
        self.octets = 0

    def send(self, frame: Frame, now: float) -> None:
        """Send 20 ms: the frame, or silence when muted, or the digit that is being dialled. ``now`` in seconds."""
        self._sent_at = now
        sound = SILENCE if self.muted else frame
        self._level.add(sound)
        tick = self.digits.next()
        if tick is not None and self._events is not None:
            self._encoder.skip()
            self._send_event(self._events, tick, now)
        else:
            payload = self._encoder.encode(sound if tick is None else tone(tick), self._timestamp)
            if payload is not None:
                self._send(payload, now, marker=not self.packets)
        self._timestamp = self._timestamp + self._ticks_per_frame & 0xFFFFFFFF

    def resume(self, now: float) -> None:
        """Go on after a pause, in which time passed on the RTP clock as well."""
        self._encoder.skip()
        if self._sent_at:
            missed = max(0, round((now - self._sent_at) / FRAME_SECONDS) - 1)
            self._timestamp = self._timestamp + missed * self._ticks_per_frame & 0xFFFFFFFF

    def report(self, report: PeerReport, *, others_yield: bool = False) -> None:
        """Adapt to what the peer reports; ``others_yield``: others make room if the path is too full."""
        self._encoder.report(report, others_yield)

    @property
    def protection(self) -> Protection:
        """The present step of protection against loss."""
        return self._encoder.protection

    @property
    def remote_burst(self) -> float:
        """The mean length of a run of packets that the peer missed, by its reports."""
        return self._encoder.remote_burst

    def timestamp_at(self, now: float) -> int:
        """The RTP time of ``now``, for a sender report."""
        elapsed = now - self._sent_at - FRAME_SECONDS if self.packets else 0.0
        return round(self._timestamp + elapsed * self._codec.clock_rate) & 0xFFFFFFFF

    def bitrate(self, now: float) -> float:
        """kbit/s of payload over the second before ``now``."""
        return sum(octets for moment, octets in self._recent if moment > now - 1) * 8 / 1000

    @property
    def level(self) -> float:
        """dBFS of what was sent last, before it was encoded."""
        return self._level.level

    def _send_event(self, events: Codec, tick: Tick, now: float) -> None:
        if tick.first:
            self._event_timestamp = self._timestamp
        data = event_payload(tick, events.clock_rate)
        self._send(Payload(events.payload_type, data, self._event_timestamp), now, marker=tick.first)

    def _send(self, payload: Payload, now: float, *, marker: bool = False) -> None:
        packet = RtpPacket(
            payload_type=payload.payload_type,
            marker=int(marker),
            sequence_number=self._sequence,
            timestamp=payload.timestamp,
            ssrc=self._ssrc,
            payload=payload.data,
        )
        self._sequence = self._sequence + 1 & 0xFFFF
        self.packets += 1
        self.octets += len(payload.data)
        self._recent.append((now, len(payload.data)))
        self._transmit(packet.serialize())
