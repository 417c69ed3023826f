"""How large pictures are, and how many are sent a second: what the path and the machine can bear. Pure.

A ladder of steps from what the source gives down to little; a camera loses size first, a screen loses pictures. Down
goes at once, up only after a while, and the machine is believed the less the more often it was asked too much.
"""

from __future__ import annotations

from dataclasses import dataclass

from openvoice.ports import PictureFormat

_CAMERA_SCALES = (1.0, 3 / 4, 1 / 2, 3 / 8, 1 / 4, 3 / 16)
_CAMERA_RATES = (1.0, 1 / 2, 1 / 3)
_SCREEN_RATES = (1.0, 1 / 2, 1 / 3, 1 / 6)
_SCREEN_SCALES = (1.0, 3 / 4, 1 / 2)
_LEAST_SIDE = 90
"""Pixels of the shorter side: with fewer nothing is recognised."""
_LEAST_RATE = 4.0
_ENOUGH, _RATE_EXPONENT, _USUAL_RATE = 0.0403, 0.6, 30.0
"""kbit/s = this times the pixels to the power of 3/4, at 30 a second: 66 for 160x120, 190 for 320x240, 530 for 640x480,
1200 for 1280x720. Fewer pictures a second differ more from each other: the rate falls less than their number."""
_SCREEN_SHARE = 0.5
"""Of that for a screen: most of it stands still."""
PLENTY = 3.0
"""Times what is enough: more improves nothing that anybody sees."""
_TOO_LITTLE, _COMFORTABLE = 0.75, 1.15
"""Of what a step needs: with less it is left, with more of what the next one needs that is taken."""
_UP_AFTER = 1.5
"""Seconds with enough for a better step before it is taken."""
_SAMPLE, _SETTLING = 1.0, 2.0
"""Seconds over which it is measured what the encoder takes and what it left out; and after a change, for which nothing
is: the key picture that comes with it takes the place of several others."""
_BUSY, _IDLE = 0.75, 0.5
"""The share of the time between two pictures that encoding one may take; and that it would take at the next step."""
_LEFT_OUT, _STANDSTILL = 0.3, 0.7
"""The share of pictures left out to hold the rate, and seconds with nothing but such, from which on they are harder to
code than was thought."""
_HARDER, _EASIER, _HARDEST = 2.0, 1.03, 8.0
"""By how much they are thought to be harder then at most, and easier after each second without any left out."""
_FIRST_PATIENCE, _LONGEST_PATIENCE = 8.0, 120.0
"""Seconds before a step that was too much for the machine is tried again; doubled each time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """A share of the sides and of the pictures a second of the source."""

    scale: float
    rate: float


CAMERA = tuple(
    [Step(scale=scale, rate=1.0) for scale in _CAMERA_SCALES]
    + [Step(scale=_CAMERA_SCALES[-1], rate=rate) for rate in _CAMERA_RATES[1:]]
)
SCREEN = tuple(
    [Step(scale=1.0, rate=rate) for rate in _SCREEN_RATES]
    + [Step(scale=scale, rate=_SCREEN_RATES[-1]) for scale in _SCREEN_SCALES[1:]]
)


class Adaptation:
    """Of one stream. ``source`` is what its pictures are at most; of other ones :meth:`resize` tells."""

    def __init__(self, source: PictureFormat, *, screen: bool = False) -> None:
        self._screen = screen
        self._ladder = SCREEN if screen else CAMERA
        self._source = source
        self._available = 0.0
        self._bandwidth_step = len(self._steps) - 1
        self._begun = False
        self._machine_step = 0
        self._better_since: float | None = None
        self._patience = _FIRST_PATIENCE
        self._eased: float | None = None
        self._hardness = 1.0
        """How many times as many octets as usual the present pictures take."""
        self._still_since: float | None = None
        self._measured = self.format
        self._sample_since: float | None = None
        self._spent = 0.0
        self._coded = self._left_out = 0

    @property
    def format(self) -> PictureFormat:
        """What pictures are to be now: even sides in pixels, pictures a second."""
        return self._format(max(self._bandwidth_step, self._machine_step))

    @property
    def most(self) -> float:
        """kbit/s of payload beyond which nothing is gained, whatever step is taken."""
        return PLENTY * self._needed(0)

    @property
    def useful(self) -> float:
        """The same of the present step."""
        return PLENTY * self._needed(max(self._bandwidth_step, self._machine_step))

    @property
    def limited_by(self) -> str:
        """What keeps pictures from being what the source gives (W3C ``qualityLimitationReason``)."""
        if self._machine_step > self._bandwidth_step:
            return "cpu"
        return "bandwidth" if self._bandwidth_step else "none"

    def resize(self, source: PictureFormat) -> None:
        """Pictures of the source are like this from now on."""
        if source == self._source:
            return
        self._source = source
        last = len(self._steps) - 1
        self._machine_step = min(self._machine_step, last)
        self._bandwidth_step = self._affordable(1.0)

    def allow(self, rate: float, now: float) -> None:
        """``rate`` kbit/s of payload are there."""
        self._available = rate
        self._bandwidth_step = min(self._bandwidth_step, len(self._steps) - 1)
        if rate < _TOO_LITTLE * self._needed(self._bandwidth_step):
            self._bandwidth_step = max(self._bandwidth_step, self._affordable(1.0))
            self._better_since = None
            return
        better = self._affordable(_COMFORTABLE)
        if not self._begun:
            self._bandwidth_step, self._begun = better, True
        elif better >= self._bandwidth_step:
            self._better_since = None
        elif self._better_since is None:
            self._better_since = now
        elif now - self._better_since >= _UP_AFTER:
            self._bandwidth_step, self._better_since = better, None

    def coded(self, seconds: float, now: float, *, left_out: bool = False) -> None:
        """To encode a picture took so many seconds; or it was left out, since those before it were too large."""
        self._heed_standstill(left_out, now)
        if self._measured != self.format or self._sample_since is None:
            settling = 0.0 if self._sample_since is None else _SETTLING
            self._measured = self.format
            self._begin_sample(now + settling)
        assert self._sample_since is not None
        if now < self._sample_since:
            return
        self._spent += seconds
        self._coded += not left_out
        self._left_out += left_out
        elapsed = now - self._sample_since
        if elapsed < _SAMPLE:
            return
        busy = self._spent / elapsed
        left_out_share = self._left_out / (self._coded + self._left_out)
        if busy > _BUSY:
            self._ease(now)
        else:
            self._recover(busy, now)
        if left_out_share > _LEFT_OUT:
            self._harden(1 / max(1 - left_out_share, 1 / _HARDER))
        elif not self._left_out:
            self._hardness = max(1.0, self._hardness / _EASIER)
        self._begin_sample(now)

    def _heed_standstill(self, left_out: bool, now: float) -> None:
        if not left_out:
            self._still_since = None
        elif self._still_since is None:
            self._still_since = now
        elif now - self._still_since > _STANDSTILL:
            self._still_since = None
            self._harden(_HARDER)

    def _harden(self, times: float) -> None:
        self._hardness = min(times * self._hardness, _HARDEST)

    def _begin_sample(self, now: float) -> None:
        self._spent, self._coded, self._left_out, self._sample_since = 0.0, 0, 0, now

    def _ease(self, now: float) -> None:
        present = max(self._bandwidth_step, self._machine_step)
        if present + 1 < len(self._steps):
            if self._eased is not None and now - self._eased < 2 * self._patience:
                self._patience = min(2 * self._patience, _LONGEST_PATIENCE)
            self._machine_step = present + 1
        self._eased = now

    def _recover(self, busy: float, now: float) -> None:
        if not self._machine_step or self._eased is None or now - self._eased < self._patience:
            return
        step = self._machine_step - 1
        more = self._effort(step) / self._effort(max(self._bandwidth_step, self._machine_step))
        if busy * more <= _IDLE:
            self._machine_step, self._eased = step, now

    @property
    def _steps(self) -> tuple[Step, ...]:
        """Those of the ladder that leave something to see."""
        shorter = min(self._source.width, self._source.height)
        return tuple(
            step
            for step in self._ladder
            if step == self._ladder[0]
            or (shorter * step.scale >= _LEAST_SIDE and self._source.rate * step.rate >= _LEAST_RATE)
        )

    def _affordable(self, margin: float) -> int:
        """The best step for which there is ``margin`` times what it needs, or the last."""
        count = len(self._steps)
        return next((step for step in range(count) if self._available >= margin * self._needed(step)), count - 1)

    def _needed(self, step: int) -> float:
        """kbit/s."""
        wanted = self._format(step)
        size: float = (wanted.width * wanted.height) ** 0.75
        pace: float = (wanted.rate / _USUAL_RATE) ** _RATE_EXPONENT
        return self._hardness * _ENOUGH * size * pace * (_SCREEN_SHARE if self._screen else 1.0)

    def _effort(self, step: int) -> float:
        wanted = self._format(step)
        return wanted.width * wanted.height * wanted.rate

    def _format(self, step: int) -> PictureFormat:
        steps = self._steps
        taken = steps[min(step, len(steps) - 1)]
        return PictureFormat(
            width=_even(self._source.width * taken.scale),
            height=_even(self._source.height * taken.scale),
            rate=self._source.rate * taken.rate,
        )


def _even(pixels: float) -> int:
    return max(2, int(pixels) // 2 * 2)
