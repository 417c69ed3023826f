"""When the peer counts as gone, on a clock of the test's own."""

from __future__ import annotations

import pytest

from openvoice.media.liveness import CONSENT_LIFETIME, INTERRUPTED_AFTER, Liveness


def watch() -> Liveness:
    return Liveness(100.0, spread=lambda: 0.5)


def test_silence_of_two_seconds_breaks_once() -> None:
    liveness = watch()
    assert not liveness.breaks(100.0 + INTERRUPTED_AFTER - 0.01)
    assert liveness.breaks(100.0 + INTERRUPTED_AFTER)
    assert not liveness.breaks(110.0)
    assert liveness.interrupted


def test_anything_authenticated_restores() -> None:
    liveness = watch()
    assert not liveness.heard(101.0)
    assert liveness.breaks(103.0)
    assert liveness.consented(104.0)
    assert not liveness.heard(104.1)
    assert liveness.breaks(106.2)
    assert liveness.heard(107.0)


def test_a_quiet_peer_is_asked_twice_a_second() -> None:
    liveness = watch()
    asked = [step / 4 for step in range(1, 9) if liveness.asks_consent(100.0 + step / 4)]
    assert asked == [0.5, 1.0, 1.5, 2.0]


def test_a_talking_peer_is_asked_every_five_seconds() -> None:
    liveness = watch()
    asked = []
    for step in range(1, 81):
        now = 100.0 + step / 4
        liveness.heard(now)
        if liveness.asks_consent(now):
            asked.append(now - 100.0)
    assert asked == [5.0, 10.0, 15.0, 20.0]


@pytest.mark.parametrize(("draw", "interval"), [(0.0, 4.0), (1.0, 6.0)])
def test_the_interval_is_spread_by_a_fifth(draw: float, interval: float) -> None:
    liveness = Liveness(0.0, spread=lambda: draw)
    liveness.heard(interval)
    assert not liveness.asks_consent(interval - 0.01)
    assert liveness.asks_consent(interval + 0.01)


def test_consent_expires_whatever_else_is_heard() -> None:
    liveness = watch()
    liveness.heard(129.9)
    assert liveness.may_send(100.0 + CONSENT_LIFETIME - 0.1)
    assert not liveness.may_send(100.0 + CONSENT_LIFETIME)
    liveness.consented(131.0)
    assert liveness.may_send(131.0)
