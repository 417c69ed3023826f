from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.path.pacer import HASTE, LONGEST_AGAIN, LONGEST_WAIT, MOST_WAITING, SLACK, Pacer, Waiting

OCTETS = 1000
RATE = 800.0
"""kbit/s: one packet of 1000 octets takes 10 ms."""


def waiting(picture: int | None = 1, owner: object = "camera", since: float = 0.0, octets: int = OCTETS) -> Waiting:
    return Waiting(owner, picture, octets, since, lambda _: None)


def drain(pacer: Pacer, begin: float, end: float) -> list[tuple[float, Waiting]]:
    taken = []
    now = begin
    while pacer.due is not None and max(now, pacer.due) <= end:
        now = max(now, pacer.due)
        packet = pacer.take(now)
        assert packet is not None
        taken.append((now, packet))
    return taken


def test_a_usual_picture_leaves_at_once_and_a_large_one_at_the_rate() -> None:
    pacer = Pacer(RATE)
    pacer.add([waiting()] * 4)
    assert [at for at, _ in drain(pacer, 5.0, 6.0)] == [5.0] * 4
    pacer.add([waiting(2)] * 100)
    last = drain(pacer, 10.0, 20.0)[-1][0]
    assert abs(last - (10.0 + 0.99 / HASTE - SLACK)) < 0.001


def test_what_is_sent_again_goes_first() -> None:
    pacer = Pacer(RATE)
    pacer.add([waiting(1), waiting(1), waiting(None)])
    assert [packet.picture for _, packet in drain(pacer, 0.0, 1.0)] == [None, 1, 1]


def test_a_backlog_is_known_and_falls() -> None:
    pacer = Pacer(RATE)
    pacer.add([waiting()] * 60)
    assert abs(pacer.backlog - 0.6 / HASTE) < 1e-9
    drain(pacer, 0.0, 100.0)
    assert pacer.backlog == 0
    assert pacer.due is None
    assert pacer.take(200.0) is None


def test_a_single_picture_is_never_too_old() -> None:
    pacer = Pacer(10.0)
    pacer.add([waiting()] * 100)
    assert pacer.drop_old(60.0) == []


def test_several_pictures_that_would_be_too_old_are_dropped_together() -> None:
    pacer = Pacer(RATE)
    pacer.add([waiting(1)] * 60 + [waiting(2)] * 10 + [waiting(7, "screen")] * 3 + [waiting(None)])
    assert pacer.drop_old(0.0) == []
    assert pacer.drop_old(LONGEST_WAIT + 0.1) == ["camera"]
    assert [packet.owner for _, packet in drain(pacer, 2.0, 9.0)] == ["screen"] * 3


def test_a_lower_rate_makes_what_waits_too_old_at_once() -> None:
    pacer = Pacer(RATE)
    pacer.add([waiting(1)] * 10 + [waiting(2)] * 10)
    assert pacer.drop_old(0.0) == []
    pacer.rate = RATE / 20
    assert pacer.drop_old(0.0) == ["camera"]


def test_the_queue_is_bounded() -> None:
    pacer = Pacer(RATE)
    pacer.add([waiting(None)] * 500)
    assert len(drain(pacer, 0.0, 1e6)) == LONGEST_AGAIN * HASTE * 100
    pacer.add([waiting(1)] * MOST_WAITING)
    assert pacer.drop_old(0.0) == ["camera"]


def test_what_left_its_stream_is_dropped_alone() -> None:
    pacer = Pacer(RATE)
    pacer.add([waiting(1), waiting(1, "screen"), waiting(None)])
    assert pacer.drop("camera")
    assert not pacer.drop("camera")
    assert [packet.owner for _, packet in drain(pacer, 0.0, 1.0)] == ["screen"]


@given(
    st.lists(st.tuples(st.floats(0, 0.2), st.integers(50, 1500), st.booleans()), max_size=80), st.floats(20.0, 8000.0)
)
def test_no_stretch_of_time_has_more_than_the_rate_and_the_slack(
    arrivals: list[tuple[float, int, bool]], rate: float
) -> None:
    pacer = Pacer(rate)
    sent = 0
    left: list[tuple[float, int]] = []
    now = 0.0
    for wait, octets, again in arrivals:
        left += [(at, packet.octets) for at, packet in drain(pacer, now, now + wait)]
        now += wait
        pacer.add([waiting(None if again else 1, since=now, octets=octets)])
        sent += 0 if again else octets
    left += [(at, packet.octets) for at, packet in drain(pacer, now, 1e9)]
    assert sent <= sum(octets for _, octets in left) <= sum(octets for _, octets, _ in arrivals)
    assert [at for at, _ in left] == sorted(at for at, _ in left)
    for first, (begin, _) in enumerate(left):
        octets = 0
        for at, size in left[first:]:
            # The last packet of the stretch and the slack before it may be too many.
            assert octets * 8 / 1000 <= HASTE * rate * (at - begin + SLACK) + 1500 * 8 / 1000 + 1e-6
            octets += size
