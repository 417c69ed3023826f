"""Pictures to payloads, as many and as large as planned. To be used by one thread; time is an argument."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from openvoice.media.video.cadence import Cadence, OutputGuard
from openvoice.media.video.codec import Payloader, PictureEncoder
from openvoice.ports import Picture, PictureFormat

MAXIMUM_PAYLOAD = 1120
"""Octets. With the headers of RTP, its extensions, RTX, SRTP, UDP and IPv6 it passes where 1280 do (RFC 8200, 5)."""
_LONGEST_WAIT = 0.25
"""Seconds that what was coded may still wait to leave, before pictures are left out: none should be old then."""
_LARGEST_CHANGE = 0.03
"""Share of the bit rate that is not worth telling the encoder of."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What pictures are to be from now on: the format at most, and kbit/s of payload; with 0 none are made."""

    wanted: PictureFormat
    bitrate: float

    @property
    def pauses(self) -> bool:
        return self.bitrate <= 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Coded:
    """What became of a picture that was taken at ``time``: its payloads, in order; none if it was left out.

    ``source`` are the sides of the picture before it was scaled; ``seconds`` is what it took to encode it.
    """

    payloads: tuple[bytes, ...]
    key: bool
    time: float
    width: int
    height: int
    source: tuple[int, int]
    seconds: float


class PictureCoding:
    """Of one stream. ``make_encoder`` is called when the first picture comes, and again when an encoder gave up.

    ``stopwatch`` gives seconds, for how long encoding takes; ``waiting`` those until all that was coded has left.
    """

    def __init__(
        self,
        make_encoder: Callable[[], PictureEncoder],
        payloader: Payloader,
        stopwatch: Callable[[], float],
        waiting: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._make_encoder = make_encoder
        self._payloader = payloader
        self._stopwatch = stopwatch
        self._waiting = waiting
        self._encoder: PictureEncoder | None = None
        self._applied: Plan | None = None
        self._cadence = Cadence(PictureFormat().rate)
        self._guard = OutputGuard(1.0)

    def forgive(self) -> None:
        """What was coded and is not sent yet was thrown away: it stands in the way of nothing."""
        self._guard.forgive()

    def code(self, picture: Picture, plan: Plan, now: float, *, key: bool) -> Coded | None:
        """Code it, or leave it out; ``None`` if the plan has no place for it. A key picture is never left out.

        Raises:
            MediaFailed: the codec does not start, or gave up; the next picture tries again.
        """
        self._cadence.rate, self._guard.bitrate = plan.wanted.rate, max(plan.bitrate, 1.0)
        if not self._cadence.takes(picture.time) and not key:
            return None
        if not key and (not self._guard.allows(now) or self._waiting() > _LONGEST_WAIT):
            return _left_out(picture, 0.0)
        began = self._stopwatch()
        try:
            encoded = self._configured(plan).encode(picture, key=key)
        except BaseException:
            self.close()
            raise
        if encoded is None:
            return _left_out(picture, self._stopwatch() - began)
        payloads = tuple(self._payloader.packets(encoded, MAXIMUM_PAYLOAD))
        self._guard.add(sum(map(len, payloads)))
        return Coded(
            payloads=payloads,
            key=encoded.key,
            time=picture.time,
            width=encoded.width,
            height=encoded.height,
            source=(picture.width, picture.height),
            seconds=self._stopwatch() - began,
        )

    def close(self) -> None:
        """Let the encoder go. The next picture makes another one."""
        if self._encoder is not None:
            self._encoder.close()
        self._encoder = self._applied = None

    def _configured(self, plan: Plan) -> PictureEncoder:
        if self._encoder is None:
            self._encoder = self._make_encoder()
        if self._applied is None or _differ(self._applied, plan):
            self._encoder.configure(plan.wanted, max(1, round(plan.bitrate)))
            self._applied = plan
        return self._encoder


def _differ(applied: Plan, plan: Plan) -> bool:
    return applied.wanted != plan.wanted or abs(plan.bitrate - applied.bitrate) > _LARGEST_CHANGE * applied.bitrate


def _left_out(picture: Picture, seconds: float) -> Coded:
    return Coded(
        payloads=(),
        key=False,
        time=picture.time,
        width=0,
        height=0,
        source=(picture.width, picture.height),
        seconds=seconds,
    )
