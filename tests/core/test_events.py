from __future__ import annotations

import json

from openvoice.core import events
from openvoice.core.security import assess
from openvoice.core.statistics import CallStatistics
from openvoice.core.types import DeviceChange, EndReason, Origin, SoundDirection, VideoLabel, Vouching

EXAMPLES: list[events.CallEvent] = [
    events.CallPlaced("bob@example.org"),
    events.CallRinging(),
    events.CallUnheard(),
    events.CallIncoming("alice@example.org"),
    events.CallAccepted(),
    events.CallExposed(),
    events.CallSecured(assess(Vouching.SIGNALLED, None, None)),
    events.CallConnected(),
    events.WordsShown(("acorn", "acrobat", "album", "adventure")),
    events.WordsNotShown("the exchange was disturbed"),
    events.CallVerified(assess(Vouching.OMEMO_VERIFIED, None, None)),
    events.CallInterrupted(),
    events.CallRestored(),
    events.CallMoved(Origin.LOCAL),
    events.MuteChanged(True, Origin.LOCAL),
    events.HoldChanged(True, Origin.REMOTE),
    events.DigitDialled("5"),
    events.SourceFinished(),
    events.DeviceReported(
        direction=SoundDirection.INPUT, what=DeviceChange.LOST, device="Headset", text="the microphone is gone"
    ),
    events.VideoChanged(VideoLabel.CAMERA, True, Origin.REMOTE),
    events.VideoRefused(VideoLabel.SCREEN, "the peer does not want to see it"),
    events.VideoDeviceReported(
        label=VideoLabel.CAMERA, what=DeviceChange.LOST, device="Webcam", text="the camera is gone"
    ),
    events.StatisticsMeasured(CallStatistics(loss=1 / 3)),
    events.CallEnded(
        reason=EndReason.SUCCESS,
        origin=Origin.LOCAL,
        text="",
        duration=1.23456,
        answered=True,
        security=assess(Vouching.NONE, None, None),
        statistics=CallStatistics(),
    ),
]


def test_every_event_has_a_name_of_its_own_and_is_json() -> None:
    kinds = {
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, events.CallEvent) and kind is not events.CallEvent
    }
    assert {type(example) for example in EXAMPLES} == kinds
    assert len({kind.name for kind in kinds}) == len(kinds)
    for example in EXAMPLES:
        json.dumps(example.as_dict())


def test_numbers_are_rounded_for_people() -> None:
    assert events.StatisticsMeasured(CallStatistics(loss=1 / 3)).as_dict()["loss"] == 0.3333
    assert EXAMPLES[-1].as_dict()["duration"] == 1.235
