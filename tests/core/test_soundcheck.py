from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.diagnosis import Outcome, Step
from openvoice.core.soundcheck import Echo, SoundFigures, judge

ECHO = Echo(delay=0.1, level=-25.0, likeness=0.6, removed=35.0)
GOOD = SoundFigures(
    microphone_rate=48_000,
    loudspeaker_rate=48_000,
    speed=1.0002,
    late=0.0,
    silent=False,
    noise=-65.0,
    voice=-25.0,
    clipped=0.0,
    echo=ECHO,
    processed=True,
)


def judged(**changes: Any) -> dict[str, Step]:
    return {step.name: step for step in judge(dataclasses.replace(GOOD, **changes))}


def test_all_is_well() -> None:
    steps = judged()
    assert [(step.outcome, step.advice) for step in steps.values()] == [(Outcome.PASSED, "")] * 5
    assert {name: step.text for name, step in steps.items()} == {
        "microphone": "it works at 48000 Hz",
        "voice": "it is well heard (-25 dB, 40 dB above the noise)",
        "noise": "it is quiet where you are (-65 dB)",
        "echo": "the microphone hears the loudspeaker, 25 dB quieter than it was played; "
        "the processing takes out 35 dB of it",
        "delay": "sound takes 100 ms from the program through loudspeaker and microphone",
    }


@pytest.mark.parametrize(
    ("changes", "name", "outcome", "text"),
    [
        ({"silent": True}, "microphone", Outcome.FAILED, "nothing but zeros"),
        ({"echo": Echo(delay=0.1, level=-1, likeness=0.99, removed=3)}, "microphone", Outcome.FAILED, "'monitor'"),
        ({"troubles": ("The microphone is gone.",)}, "devices", Outcome.FAILED, "The microphone is gone."),
        ({"late": 0.2}, "computer", Outcome.WARNING, "20% of it came too late"),
        ({"speed": 0.92}, "microphone", Outcome.WARNING, "gives 92% of that"),
        ({"microphone_rate": 16_000}, "microphone", Outcome.WARNING, "as on a telephone"),
        ({"clipped": 0.01}, "voice", Outcome.WARNING, "1.0% of it is clipped"),
        ({"voice": -60.0}, "voice", Outcome.WARNING, "none was heard"),
        ({"voice": -45.0}, "voice", Outcome.WARNING, "it is quiet (-45 dB)"),
        ({"noise": -35.0, "voice": -10.0}, "noise", Outcome.WARNING, "it is loud where you are (-35 dB)"),
        ({"noise": -50.0, "voice": -35.0}, "noise", Outcome.WARNING, "it is loud where you are (-50 dB)"),
        ({"noise": -50.0, "voice": -49.0}, "noise", Outcome.PASSED, "it is quiet where you are (-50 dB)"),
        ({"echo": None}, "loudspeaker", Outcome.HINT, "right for a headset"),
        ({"echo": dataclasses.replace(ECHO, removed=None)}, "echo", Outcome.WARNING, "others will hear themselves"),
        ({"echo": dataclasses.replace(ECHO, removed=5.0)}, "echo", Outcome.WARNING, "takes out 5 dB of it"),
        ({"echo": dataclasses.replace(ECHO, level=-45.0, removed=5.0)}, "echo", Outcome.PASSED, "takes out 5 dB"),
        ({"echo": dataclasses.replace(ECHO, level=-1.0)}, "echo", Outcome.PASSED, "takes out 35 dB"),
        ({"echo": dataclasses.replace(ECHO, delay=0.4)}, "delay", Outcome.WARNING, "sound takes 400 ms"),
    ],
)
def test_what_is_wrong_is_told(changes: dict[str, Any], name: str, outcome: Outcome, text: str) -> None:
    step = judged(**changes)[name]
    assert step.outcome is outcome
    assert text in step.text
    assert bool(step.advice) == (outcome is not Outcome.PASSED)


def test_of_a_wrong_device_nothing_else_is_said() -> None:
    assert list(judged(silent=True, noise=-20.0, late=0.5, troubles=("It is gone.",))) == [
        "devices",
        "computer",
        "microphone",
    ]


@pytest.mark.parametrize("processed", [True, False])
def test_steady_noise_is_said_to_be_taken_care_of_only_where_it_is(processed: bool) -> None:
    step = judged(noise=-35.0, processed=processed)["noise"]
    assert ("The processing makes steady noise quieter." in step.advice) == processed


@given(
    st.builds(
        SoundFigures,
        microphone_rate=st.integers(8000, 192_000),
        loudspeaker_rate=st.integers(8000, 192_000),
        speed=st.floats(0, 3),
        late=st.floats(0, 1),
        silent=st.booleans(),
        noise=st.floats(-96, 0),
        voice=st.floats(-96, 0),
        clipped=st.floats(0, 1),
        echo=st.none()
        | st.builds(
            Echo,
            delay=st.floats(-1, 2),
            level=st.floats(-96, 20),
            likeness=st.floats(0, 1),
            removed=st.none() | st.floats(-20, 96),
        ),
        processed=st.booleans(),
        troubles=st.lists(st.text(), max_size=2).map(tuple),
    )
)
def test_whatever_was_measured_there_is_a_verdict_and_advice_where_it_is_due(figures: SoundFigures) -> None:
    steps = judge(figures)
    assert steps
    assert all(bool(step.advice) == (step.outcome is not Outcome.PASSED) for step in steps)
