from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core import events
from openvoice.core.security import SecurityReport
from openvoice.core.statistics import CallStatistics
from openvoice.core.tones import Tone, ToneChoice
from openvoice.core.types import EndReason, Origin, Vouching

REPORT = SecurityReport(vouching=Vouching.NONE, media=None, signalling=None)


def ended(
    reason: EndReason = EndReason.SUCCESS, origin: Origin = Origin.REMOTE, *, answered: bool = True
) -> events.CallEnded:
    return events.CallEnded(
        reason=reason,
        origin=origin,
        text="",
        duration=0.0,
        answered=answered,
        security=REPORT,
        statistics=CallStatistics(),
    )


SECURED = events.CallSecured(REPORT)
PLACED = events.CallPlaced("bob@example.org")
INCOMING = events.CallIncoming("bob@example.org")


def heard(
    *told: events.CallEvent, call: str = "1", choice: ToneChoice | None = None, **words: Any
) -> list[Tone | None]:
    """What lasts after each event, and at last what is heard once."""
    choice = choice or ToneChoice()
    once = None
    tones: list[Tone | None] = []
    for event in told:
        once = choice.hear(call, event, **words)
        tones.append(choice.lasting)
    return [*tones, once]


def test_ring_back_is_heard_from_the_ringing_until_somebody_takes_the_call() -> None:
    assert heard(PLACED, events.CallUnheard(), events.CallRinging(), events.CallAccepted()) == [
        None,
        None,
        Tone.RING_BACK,
        None,
        None,
    ]
    # Another of their devices says late that it rings.
    assert heard(PLACED, events.CallRinging(), events.CallAccepted(), events.CallRinging()) == [
        None,
        Tone.RING_BACK,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize("taken", [events.CallAccepted(), SECURED, events.CallConnected()])
def test_it_rings_until_the_call_is_taken(taken: events.CallEvent) -> None:
    assert heard(INCOMING, events.CallRinging(), taken) == [Tone.RING, Tone.RING, None, None]


def test_what_is_answered_alone_does_not_ring() -> None:
    assert heard(INCOMING, answered_alone=True) == [None, None]


@pytest.mark.parametrize(
    ("told", "once"),
    [
        ([PLACED, ended(EndReason.BUSY)], Tone.BUSY),
        ([PLACED, events.CallRinging(), ended(EndReason.DECLINE)], Tone.ENDED),
        ([PLACED, events.CallRinging(), ended(EndReason.TIMEOUT, Origin.LOCAL)], Tone.ENDED),
        ([PLACED, events.CallRinging(), ended(EndReason.CANCEL, Origin.LOCAL)], None),
        ([PLACED, events.CallAccepted(), events.CallConnected(), ended()], Tone.ENDED),
        ([PLACED, events.CallConnected(), ended(origin=Origin.LOCAL)], None),
        ([PLACED, events.CallConnected(), ended(EndReason.CONNECTIVITY_ERROR, Origin.LOCAL)], Tone.ENDED),
        ([INCOMING, ended(EndReason.CANCEL)], None),
        ([INCOMING, ended(EndReason.SUCCESS, Origin.ELSEWHERE)], None),
        ([INCOMING, ended(EndReason.DECLINE, Origin.ELSEWHERE)], None),
        ([INCOMING, events.CallAccepted(), ended()], Tone.ENDED),
    ],
)
def test_the_end_is_heard_by_those_who_did_not_make_it(told: list[events.CallEvent], once: Tone | None) -> None:
    assert heard(*told)[-2:] == [None, once]


def test_somebody_who_calls_is_heard_before_ring_back() -> None:
    choice = ToneChoice()
    assert heard(PLACED, events.CallRinging(), call="1", choice=choice)[-2] is Tone.RING_BACK
    assert heard(INCOMING, call="2", choice=choice)[-2] is Tone.RING
    assert heard(ended(EndReason.CANCEL), call="2", choice=choice)[-2] is Tone.RING_BACK


def test_only_two_tones_last() -> None:
    assert [tone for tone in Tone if tone.lasts] == [Tone.RING, Tone.RING_BACK]


_EVENTS = [
    PLACED,
    INCOMING,
    events.CallRinging(),
    events.CallAccepted(),
    SECURED,
    events.CallConnected(),
    events.CallInterrupted(),
    ended(),
    ended(EndReason.BUSY),
]


@given(st.lists(st.tuples(st.sampled_from(["1", "2", "3"]), st.sampled_from(_EVENTS)), max_size=40))
def test_no_tone_outlives_its_call_and_nobody_who_talks_hears_ring_back(told: list[tuple[str, Any]]) -> None:
    choice = ToneChoice()
    for call, event in told:
        once = choice.hear(call, event)
        assert once is None or isinstance(event, events.CallEnded)
        assert once is None or not once.lasts
    for call in ("1", "2", "3"):
        choice.hear(call, events.CallConnected())
    assert choice.lasting is None
    for call in ("1", "2", "3"):
        choice.hear(call, ended())
    assert choice.lasting is None
