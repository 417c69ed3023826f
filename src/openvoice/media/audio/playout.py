"""The adaptive playout buffer: packets go in as the network brings them, 20 ms of sound come out whenever asked.

Time is an argument; there is no clock here. The output decides the pace by pulling, so its clock and the sender's may
drift apart: time-stretching makes up for it.

Let the *offset* of a moment be the receiver's time minus the sender's time of the sound played then. The buffer steers
the offset at which it decodes towards the one that :class:`~openvoice.media.audio.delay.DelayEstimate` needs, plus
what :class:`~openvoice.media.audio.reserve.RecoveryReserve` wants where packets get lost and later ones can replace
them: by a copy of the whole payload (RFC 2198), or by what the codec itself repeats of the frame before::

    offset below the wanted one      lengthen the sound     (``stretch``)
    a packet or more above it        shorten it
    half a second above it           skip
    packet missing, copy there       play the copy
    packet missing, next one there   recover it from the next, else conceal
    nothing there                    conceal, then fall silent and wait
    something there again            skip what was concealed, except what is needed to reach the wanted offset
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import gcd

import numpy as np

from openvoice.media.audio.codec import Decoder, PayloadFormat, Samples
from openvoice.media.audio.delay import DelayEstimate
from openvoice.media.audio.reserve import RecoveryReserve
from openvoice.media.audio.similarity import loudness
from openvoice.media.audio.stretch import OVERLAP, lengthen, shorten
from openvoice.media.audio.unwrap import Unwrapper
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE, Frame

CAPACITY = 200
"""Packets held at most, however short they are."""
_FURTHEST = 2.0
"""Seconds that an offset may differ from another before the stream is taken to have begun anew."""
_INSISTENCE = 3
"""Packets in a row that must be as far off for that: one alone is a stray."""
_SKIP = 0.5
"""Seconds above the wanted offset that are skipped instead of played faster."""
_SLACK = 0.003
"""Seconds of offset beyond a whole packet before sound is shortened: without it the buffer would swing."""
_FARTHEST = 2
"""Packets that are waited for to replace a lost one: more would delay speech more than it improves it."""
LONGEST_WAIT = 0.045
"""Seconds that are waited for what was asked for again."""
_PATIENCE = 5 * FRAME_SAMPLES
"""Samples concealed before the sender is taken to pause: 100 ms."""
_PAST = 1440
_PATIENT_PACKETS, _PAUSES_ONLY = 25, 1.1
"""For so many packets only pauses are stretched: no sound is more like itself than 1."""
_LIKENESS, _IMPATIENCE = 0.98, 0.004
"""How alike the ends of a cut must be after that, and by how much less with each packet: noise is never alike."""
_SILENCE, _PAUSE, _DECAY = 40.0, 0.05, 0.998
"""What counts as a pause: a root mean square of -58 dBFS, or 26 dB below the speech of the last seconds."""
_URGENT = 0.06
"""Seconds of offset beyond the wanted one that justify a cut that may be heard, at once."""
_URGENT_LIKENESS = 0.7


@dataclass(slots=True)
class PlayoutCounters:
    """Packets by their fate, and samples by their origin.

    Packets inserted are those played, discarded and still held; a copy counts as one where it was needed when it came.
    Samples pulled are the sum of ``decoded``, ``recovered`` (from copies, too), ``concealed``, ``lengthened`` and
    ``silent``, minus ``shortened`` and those decoded but not yet pulled.
    """

    inserted: int = 0
    played: int = 0
    late: int = 0
    """Discarded because their time was over."""
    duplicate: int = 0
    junk: int = 0
    overflow: int = 0
    """Discarded because there were too many, or because they belong to another time of the stream."""
    replaced: int = 0
    """Copies discarded because the packet itself came after all."""
    decoded: int = 0
    recovered: int = 0
    concealed: int = 0
    lengthened: int = 0
    shortened: int = 0
    silent: int = 0

    @property
    def discarded(self) -> int:
        return self.late + self.duplicate + self.junk + self.overflow + self.replaced


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
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.counters.overflow += len(self._packets)
        self._packets.clear()
        self._seen: dict[int, None] = {}
        self._asked: dict[int, None] = {}
        self._timestamps = Unwrapper(32)
        self._estimate.reset()
        self._reserve.reset()
        self._position: int | None = None
        self._decoder: Decoder | None = None
        self._missed = 0
        self._strays = 0
        self._waiting = 0
        self._loudness = 0.0

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

    def expect(self, timestamp: int, distance: float, now: float) -> None:
        """The packet of ``timestamp`` was asked for again: it comes ``distance`` seconds after its time.

        It will tell nothing of jitter. The next one like it is waited for, if that is not too long.
        """
        if self._clock_rate is None:
            return
        start, _ = self._place(timestamp, now)
        self._asked[start] = None
        if len(self._asked) > CAPACITY:
            del self._asked[next(iter(self._asked))]
        if distance <= LONGEST_WAIT:
            self._reserve.note(start, round(distance * SAMPLE_RATE), now)

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
        """The next 20 ms; silence before the stream begins and while it pauses. ``now`` in seconds."""
        while len(self._ready) < FRAME_SAMPLES:
            sound = self._next(now)
            self._ready = np.concatenate([self._ready, sound])
            self._past = np.concatenate([self._past, sound])[-_PAST:]
        frame, self._ready = self._ready[:FRAME_SAMPLES], self._ready[FRAME_SAMPLES:]
        return frame

    def _wanted(self, now: float) -> float:
        """The offset at which to decode."""
        needed = self._estimate.needed
        return (needed if needed is not None else now) + self._reserve.wanted(now) / SAMPLE_RATE

    def _entry(self, now: float) -> int:
        """Where to begin: the latest packet that is not too early to play, or else the first of all."""
        latest = round((now - self._wanted(now)) * SAMPLE_RATE)
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
        if self._position is None:
            return self._begin(now)
        self._note_loss(self._position, now)
        if self._missed:
            self._move_to(self._catch_up(now, self._position))
        if now - self._position / SAMPLE_RATE - self._wanted(now) > _SKIP:
            self._move_to(self._entry(now))
        packet = self._packets.pop(self._position, None)
        if packet is None:
            return self._replace(self._position)
        return self._play(packet, now, self._position)

    def _note_loss(self, position: int, now: float) -> None:
        """Remember what is missing though something later came, if that replaces it."""
        start = min(self._packets)
        packet = self._packets[start]
        if packet.behind:
            self._wait_for(start, packet.behind, packet.duration, now)
        if start > position and packet.decoder.recovers(packet.payload):
            self._wait_for(start - packet.duration, packet.behind + packet.duration, packet.duration, now)

    def _wait_for(self, start: int, distance: int, duration: int, now: float) -> None:
        """Be ready for the next loss like that at ``start``, unless what replaces it is too far behind."""
        if distance <= _FARTHEST * duration:
            self._reserve.note(start, distance, now)

    def _begin(self, now: float) -> Samples:
        start = self._entry(now)
        if now - start / SAMPLE_RATE < self._wanted(now):
            return self._silence()
        self._move_to(start)
        return self._faded_in(self._play(self._packets.pop(start), now, start))

    def _faded_in(self, sound: Samples) -> Samples:
        rise = np.linspace(0, 1, min(OVERLAP, len(sound)), dtype=np.float32)
        return np.concatenate([(sound[: len(rise)] * rise).astype(np.int16), sound[len(rise) :]])

    def _move_to(self, start: int) -> None:
        self._discard_before(start)
        self._position = start

    def _silence(self) -> Samples:
        """Silence, into which what was played last falls without a click: the mirrored past is continuous with it."""
        self.counters.silent += FRAME_SAMPLES
        sound = np.zeros(FRAME_SAMPLES, np.int16)
        sound[:OVERLAP] = self._past[: -OVERLAP - 1 : -1] * np.linspace(1, 0, OVERLAP, dtype=np.float32)
        return sound

    def _bridge(self) -> Samples:
        """Nothing is there: lost, late, or not sent. The position stays until that is known."""
        if self._missed >= _PATIENCE:
            self._position = None
            self._missed = 0
        if self._position is None or self._decoder is None:
            return self._silence()
        self._missed += FRAME_SAMPLES
        self.counters.concealed += FRAME_SAMPLES
        return self._decoder.conceal(FRAME_SAMPLES)

    def _catch_up(self, now: float, position: int) -> int:
        """Move over what was concealed while nothing was there, as far as the wanted offset allows."""
        duration = self._packets[min(self._packets)].duration
        surplus = round((now - position / SAMPLE_RATE - self._wanted(now)) * SAMPLE_RATE)
        concealed = min(self._missed, max(0, surplus)) // duration * duration
        self._missed = 0
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
        self._decoder = packet.decoder
        sound = packet.decoder.decode(packet.payload)
        self.counters.played += 1
        self._position = position + len(sound)
        if packet.behind:
            self.counters.recovered += len(sound)
        else:
            self.counters.decoded += len(sound)
            waited = now - packet.arrival + len(self._ready) / SAMPLE_RATE
            self._delay += 0.05 * (waited - self._delay)
        return self._adapted(sound, now - position / SAMPLE_RATE - self._wanted(now))

    def _adapted(self, sound: Samples, surplus: float) -> Samples:
        """Stretch by the ``surplus`` of the offset, in seconds: in a pause if one comes soon, else in speech."""
        self._loudness = max(loudness(sound.astype(np.float32)), _DECAY * self._loudness)
        # Samples that wait decoded delay without protecting: the packet after them is needed no later for them.
        # Where packets and frames differ in length, some always wait, and the offset is not the same at each packet.
        step = gcd(len(sound), FRAME_SAMPLES)
        removable = len(self._ready) % step
        if surplus > (2 * FRAME_SAMPLES - step) / SAMPLE_RATE + _SLACK:
            removable += FRAME_SAMPLES
        pressing = surplus < 0 or removable >= FRAME_SAMPLES
        self._waiting = self._waiting + 1 if pressing else 0
        impatience = self._waiting - _PATIENT_PACKETS
        likeness = _LIKENESS - _IMPATIENCE * impatience if impatience >= 0 else _PAUSES_ONLY
        if abs(surplus) > _URGENT:
            likeness = min(likeness, _URGENT_LIKENESS)
        quiet = max(_SILENCE, _PAUSE * self._loudness)
        if surplus < 0:
            longer = lengthen(self._past, sound, likeness=likeness, quiet=quiet)
            self.counters.lengthened += len(longer) - len(sound)
            return longer
        shorter = shorten(sound, removable, likeness=likeness, quiet=quiet)
        self.counters.shortened += len(sound) - len(shorter)
        return shorter
