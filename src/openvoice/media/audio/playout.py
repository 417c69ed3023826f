"""The adaptive playout buffer: packets go in as the network brings them, 20 ms of sound come out whenever asked.

Time is an argument; there is no clock here. The output decides the pace by pulling, so its clock and the sender's may
drift apart: time-stretching makes up for it.

Let the *offset* of a moment be the receiver's time minus the sender's time of the sound played then. The buffer steers
the offset at which it decodes towards the one that :class:`~openvoice.media.audio.delay.DelayEstimate` needs, plus
what :class:`~openvoice.media.audio.reserve.RecoveryReserve` wants where packets get lost and later ones can replace
them: by a copy of the whole payload (RFC 2198), or by what the codec itself repeats of the frame before::

    offset below the wanted one      lengthen the sound     (``stretch``)
    a packet or more above it        shorten it
    a second above it                skip
    packet missing, copy there       play the copy
    packet missing, next one there   recover it from the next, else conceal
    nothing there                    conceal, ever more with the background noise of the talker alone, and wait
    what was due comes after all     play it and what follows
    something later comes            skip what was concealed, except what is needed to reach the wanted offset

Wherever what is played next does not follow what was played last, one is cross-faded into the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np

from openvoice.media.audio.background import Background
from openvoice.media.audio.codec import Decoder, PayloadFormat, Samples
from openvoice.media.audio.delay import DelayEstimate
from openvoice.media.audio.fates import PlayoutCounters
from openvoice.media.audio.pacing import Pacing
from openvoice.media.audio.reserve import RecoveryReserve
from openvoice.media.audio.stretch import OVERLAP, join
from openvoice.media.unwrap import Unwrapper
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE, Frame

CAPACITY = 200
"""Packets held at most, however short they are."""
_FURTHEST = 2.0
"""Seconds that an offset may differ from another before the stream is taken to have begun anew."""
_INSISTENCE = 3
"""Packets in a row that must be as far off for that: one alone is a stray."""
_SKIP = 1.0
"""Seconds above the wanted offset that are skipped instead of played faster."""
_FARTHEST = 2
"""Packets that are waited for to replace a lost one: more would delay speech more than it improves it."""
_PATIENCE = 5 * FRAME_SAMPLES
"""Samples concealed before the sender is taken to pause: 100 ms."""
_PAST = 1440


@dataclass(frozen=True, slots=True)
class _Packet:
    payload: bytes
    decoder: Decoder
    duration: int
    arrival: float
    behind: int = 0
    """How many samples later the packet began that carried this copy; 0 for no copy."""


class PlayoutBuffer:
    """One stream's buffer. ``formats`` are by RTP payload type."""

    def __init__(self, formats: Mapping[int, PayloadFormat]) -> None:
        self._formats = formats
        self._clock_rate: int | None = None
        self._estimate = DelayEstimate()
        self._reserve = RecoveryReserve()
        self.counters = PlayoutCounters()
        self._delay = 0.0
        self._packets: dict[int, _Packet] = {}
        self._ready: Samples = np.zeros(0, np.int16)
        self._past: Samples = np.zeros(_PAST, np.int16)
        self._tail: Samples = np.zeros(0, np.int16)
        self._background = Background()
        self._pacing = Pacing()
        self._decoder: Decoder | None = None
        self._paused = False
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._interrupt()
        self.counters.overflow += len(self._packets)
        self._packets.clear()
        self._seen: dict[int, None] = {}
        self._asked: dict[int, None] = {}
        self._timestamps = Unwrapper(32)
        self._estimate.reset()
        self._reserve.reset()
        self._background.reset()
        self._pacing.reset()
        self._position: int | None = None
        self._decoder = None
        self._paused = False
        self._missed = 0
        self._strays = 0

    def reset(self) -> None:
        """Forget everything but the counters: the sender began another stream."""
        self._begin_anew()
        for payload_format in self._formats.values():
            payload_format.decoder.reset()

    @property
    def held(self) -> int:
        """Packets that wait."""
        return len(self._packets)

    @property
    def pending(self) -> int:
        """Samples that were decoded and wait."""
        return len(self._ready)

    @property
    def position(self) -> int | None:
        """What is due next, in samples of the sender's time; ``None`` before the stream begins."""
        return self._position

    @property
    def played(self) -> int | None:
        """Where the frame that was pulled last ends, in samples of the sender's time; ``None`` if it is made up."""
        made_up = self._position is None or self._paused or self._missed
        return None if made_up or self._position is None else self._position - len(self._ready)

    @property
    def delay(self) -> float:
        """Seconds between the arrival of a packet and the playing of its sound, on a moving average."""
        return self._delay

    def insert(self, payload_type: int, timestamp: int, payload: bytes, arrival: float) -> None:
        """Take a packet; ``arrival`` in seconds, on the clock that :meth:`pull` uses. Never raises for its content."""
        self.counters.inserted += 1
        payload_format = self._formats.get(payload_type)
        duration = payload_format.decoder.duration(payload) if payload_format else 0
        if payload_format is None or duration == 0:
            self.counters.junk += 1
            return
        if payload_format.clock_rate != self._clock_rate:
            self._clock_rate = payload_format.clock_rate
            self.reset()
        start, offset = self._place(timestamp, arrival)
        if self._is_stray(offset):
            self._strays += 1
            if self._strays < _INSISTENCE:
                self.counters.overflow += 1
                return
            self.reset()
            start, offset = self._place(timestamp, arrival)
        self._strays = 0
        if start in self._seen:
            self.counters.duplicate += 1
            return
        self._seen[start] = None
        if len(self._seen) > CAPACITY:
            del self._seen[next(iter(self._seen))]
        asked = start in self._asked
        if not asked:
            self._estimate.add(offset)
        if self._position is not None and start < self._position:
            self.counters.late += 1
            if not asked:
                self._reserve.forget(start)
        else:
            self.counters.replaced += start in self._packets
            self._packets[start] = _Packet(payload, payload_format.decoder, duration, arrival)
            self._bound(arrival)

    def expect(self, timestamp: int, now: float) -> None:
        """The packet of ``timestamp`` was asked for again: it tells nothing of jitter, nor that it was only late."""
        start, _ = self._place(timestamp, now)
        self._asked[start] = None
        if len(self._asked) > CAPACITY:
            del self._asked[next(iter(self._asked))]

    def wait_for(self, timestamp: int, seconds: float, now: float) -> None:
        """The packet of ``timestamp`` is missing at ``now``; sound that waited ``seconds`` would have it again."""
        start, _ = self._place(timestamp, now)
        # Sound is pulled in frames: a wait of half a one would only make it swing.
        self._wait_for(start, ceil(seconds * SAMPLE_RATE / FRAME_SAMPLES) * FRAME_SAMPLES, FRAME_SAMPLES, now)

    def insert_copy(self, payload_type: int, timestamp: int, offset: int, payload: bytes, arrival: float) -> None:
        """Take a copy of an earlier payload out of the packet inserted last, ``offset`` ticks later than ``timestamp``.

        It is kept where that packet is missing. It tells nothing of jitter or loss.
        """
        payload_format = self._formats.get(payload_type)
        if payload_format is None or payload_format.clock_rate != self._clock_rate:
            return
        start, late = self._place(timestamp, arrival)
        duration = payload_format.decoder.duration(payload)
        if not duration or start in self._seen or start in self._packets or self._is_stray(late):
            return
        copy = _Packet(payload, payload_format.decoder, duration, arrival, offset * (SAMPLE_RATE // self._clock_rate))
        if self._position is not None and start < self._position:
            self._wait_for(start, copy.behind, duration, arrival)
            return
        self.counters.inserted += 1
        self._packets[start] = copy
        self._bound(arrival)

    def _place(self, timestamp: int, arrival: float) -> tuple[int, float]:
        """Where the sound of a packet begins, in samples of the sender's time, and the offset of its arrival."""
        start = self._timestamps.unwrap(timestamp) * (SAMPLE_RATE // (self._clock_rate or SAMPLE_RATE))
        return start, arrival - start / SAMPLE_RATE

    def _is_stray(self, offset: float) -> bool:
        """Whether a packet is off the timeline: it is ages old, or the sender paused its clock or began anew."""
        least = self._estimate.least
        return least is not None and abs(offset - least) > _FURTHEST

    def _bound(self, now: float) -> None:
        """Hold no more than can be played: nobody may be pulling."""
        if self._position is None:
            start = self._entry(now)
            self._discard_before(start - 5 * FRAME_SAMPLES)
        while len(self._packets) > CAPACITY:
            del self._packets[min(self._packets)]
            self.counters.overflow += 1

    def pull(self, now: float) -> Frame:
        """The next 20 ms; silence before the stream begins, background noise while it pauses. ``now`` in seconds."""
        while len(self._ready) < FRAME_SAMPLES:
            sound = self._next(now)
            if len(self._tail):
                sound, self._tail = join(self._tail, sound), self._tail[:0]
            self._ready = np.concatenate([self._ready, sound])
            self._past = np.concatenate([self._past, sound])[-_PAST:]
        frame, self._ready = self._ready[:FRAME_SAMPLES], self._ready[FRAME_SAMPLES:]
        return frame

    def _interrupt(self) -> None:
        """What is played next does not follow what was played last: keep how that would have gone on for a while."""
        if not len(self._tail):
            decoder = None if self._paused else self._decoder
            self._tail = decoder.conceal(OVERLAP) if decoder is not None else self._noise(OVERLAP)

    def _wanted(self, now: float) -> float:
        """The offset at which to decode."""
        needed = self._estimate.needed
        return (needed if needed is not None else now) + self._reserve.wanted(now) / SAMPLE_RATE

    def _entry(self, now: float, surplus: float = 0.0) -> int:
        """Where to begin: the latest packet that is not too early to play, or the first within ``surplus`` seconds."""
        latest = round((now - self._wanted(now)) * SAMPLE_RATE)
        if surplus:
            bound = latest - round(surplus * SAMPLE_RATE)
            return min((start for start in self._packets if start >= bound), default=max(self._packets))
        return max((start for start in self._packets if start <= latest), default=min(self._packets))

    def _discard_before(self, start: int) -> None:
        for old in [packet for packet in self._packets if packet < start]:
            del self._packets[old]
            self.counters.late += 1

    def _next(self, now: float) -> Samples:
        """At least one sample of sound, from ``_position`` on."""
        if self._position is not None:
            self._discard_before(self._position)
        if not self._packets:
            return self._bridge()
        if self._position is None or self._paused:
            return self._begin(now)
        self._note_loss(self._position, now)
        if self._missed:
            self._move_to(self._catch_up(now, self._position))
        if now - self._position / SAMPLE_RATE - self._wanted(now) > _SKIP:
            self._interrupt()
            self._move_to(self._entry(now))
        packet = self._packets.pop(self._position, None)
        if packet is None:
            return self._replace(self._position)
        return self._play(packet, now, self._position)

    def _note_loss(self, position: int, now: float) -> None:
        """Remember what is missing though something later came, if that replaces it."""
        start = min(self._packets)
        packet = self._packets[start]
        lasting = start - position > _FARTHEST * packet.duration
        if packet.behind:
            self._wait_for(start, packet.behind, packet.duration, now, lasting)
        if start > position and packet.decoder.recovers(packet.payload):
            distance = packet.behind + packet.duration
            self._wait_for(start - packet.duration, distance, packet.duration, now, lasting)

    def _wait_for(self, start: int, distance: int, duration: int, now: float, lasting: bool = False) -> None:
        """Be ready for the next loss like that at ``start``, unless what replaces it is too far behind."""
        if distance <= _FARTHEST * duration:
            self._reserve.note(start, distance, now, lasting)

    def _begin(self, now: float) -> Samples:
        # After a pause that the network made, what was said in it comes at once: it is worth being heard.
        start = self._entry(now, _SKIP if self._paused else 0.0)
        if now - start / SAMPLE_RATE < self._wanted(now):
            return self._silence()
        self._interrupt()
        self._paused = False
        self._missed = 0
        self._move_to(start)
        return self._play(self._packets.pop(start), now, start)

    def _move_to(self, start: int) -> None:
        self._discard_before(start)
        self._position = start

    def _silence(self) -> Samples:
        self.counters.silent += FRAME_SAMPLES
        return self._noise(FRAME_SAMPLES)

    def _noise(self, samples: int) -> Samples:
        return self._background.make(samples).astype(np.int16)

    def _bridge(self) -> Samples:
        """Nothing is there: lost, late, or not sent. The position stays until that is known."""
        if self._decoder is None or self._paused:
            return self._silence()
        if self._missed >= _PATIENCE:
            self._interrupt()
            self._paused = True
            return self._silence()
        rise = np.linspace(self._missed, self._missed + FRAME_SAMPLES, FRAME_SAMPLES, dtype=np.float32) / _PATIENCE
        concealed = self._decoder.conceal(FRAME_SAMPLES) + rise * self._background.make(FRAME_SAMPLES)
        self._missed += FRAME_SAMPLES
        self.counters.concealed += FRAME_SAMPLES
        return concealed.clip(-32768, 32767).astype(np.int16)

    def _catch_up(self, now: float, position: int) -> int:
        """Move over what was concealed while nothing was there, as far as the wanted offset allows."""
        missed, self._missed = self._missed, 0
        if position in self._packets:
            self._interrupt()
            return position
        duration = self._packets[min(self._packets)].duration
        surplus = round((now - position / SAMPLE_RATE - self._wanted(now)) * SAMPLE_RATE)
        concealed = min(missed, max(0, surplus)) // duration * duration
        return min(position + concealed, max(self._packets))

    def _replace(self, position: int) -> Samples:
        """The packet due is missing, but a later one is there."""
        following = min(self._packets)
        packet = self._packets[following]
        gap = following - position
        sound = packet.decoder.recover(packet.payload, gap) if gap <= packet.duration else None
        if sound is not None:
            self.counters.recovered += gap
        else:
            # What the next packet can recover is left to it.
            gap = min(FRAME_SAMPLES, gap - packet.duration if gap > packet.duration else gap)
            sound = packet.decoder.conceal(gap)
            self.counters.concealed += gap
        self._position = position + gap
        return sound

    def _play(self, packet: _Packet, now: float, position: int) -> Samples:
        if packet.decoder is not self._decoder:
            self._interrupt()
            self._decoder = packet.decoder
        sound = packet.decoder.decode(packet.payload)
        self.counters.played += 1
        self._position = position + len(sound)
        if packet.behind:
            self.counters.recovered += len(sound)
        else:
            self.counters.decoded += len(sound)
            self._background.hear(sound)
            waited = now - packet.arrival + len(self._ready) / SAMPLE_RATE
            self._delay += 0.05 * (waited - self._delay)
        surplus = now - position / SAMPLE_RATE - self._wanted(now)
        paced = self._pacing.adapt(self._past, sound, surplus, len(self._ready))
        self.counters.lengthened += max(0, len(paced) - len(sound))
        self.counters.shortened += max(0, len(sound) - len(paced))
        return paced
