from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from openvoice import AudioFileError, Call, ConfigurationError, InvalidState
from openvoice.client.recorder import Recorder
from openvoice.ports import FRAME_SAMPLES, Frame
from openvoice.testing.fakes import FakeMediaSession

from .test_client import connected, pair


class Kept:
    """A recording in memory."""

    id = "kept"

    def __init__(self) -> None:
        self.frames: list[tuple[int, int]] = []
        self.closed = False
        self.about: Mapping[str, Any] = {}

    def write(self, sent: Frame, received: Frame) -> None:
        assert sent.shape == received.shape == (FRAME_SAMPLES,)
        self.frames.append((int(sent[0]), int(received[0])))

    def close(self) -> None:
        self.closed = True

    def begin(self, about: Mapping[str, Any]) -> Kept:
        self.about = about
        return self


def frame(value: int) -> Frame:
    return np.full(FRAME_SAMPLES, value, np.int16)


def test_both_sides_are_paired_at_the_pace_of_what_is_played() -> None:
    kept = Kept()
    recorder = Recorder(kept)
    recorder.heard(frame(-1))
    recorder.said(frame(1), silent=False)
    recorder.heard(frame(-2))
    recorder.said(frame(2), silent=False)
    recorder.said(frame(3), silent=False)
    recorder.heard(frame(-3))
    recorder.heard(frame(-4))
    recorder.heard(frame(-5))
    assert kept.frames == [(0, -1), (1, -2), (2, -3), (3, -4), (0, -5)]
    recorder.close()
    assert kept.closed


def test_what_nobody_hears_is_not_kept() -> None:
    kept = Kept()
    recorder = Recorder(kept)
    for value, silent in ((1, False), (2, True), (3, False)):
        recorder.said(frame(value), silent=silent)
        recorder.heard(frame(0))
    assert [sent for sent, _ in kept.frames] == [1, 0, 3]


def test_a_side_that_is_too_quick_loses_its_oldest() -> None:
    kept = Kept()
    recorder = Recorder(kept)
    for value in range(1, 21):
        recorder.said(frame(value), silent=False)
    for _ in range(5):
        recorder.heard(frame(0))
    assert [sent for sent, _ in kept.frames] == [17, 18, 19, 20, 0]


def test_a_frame_that_its_maker_uses_again_is_kept_as_it_was() -> None:
    kept = Kept()
    recorder = Recorder(kept)
    reused = frame(7)
    recorder.said(reused, silent=False)
    reused[:] = 9
    recorder.heard(frame(0))
    assert kept.frames == [(7, 0)]


# --- calls ------------------------------------------------------------------------------------------------------------


async def talk(session: FakeMediaSession, call: Call) -> None:
    """A tenth of a second as the media would have it: five frames of 100 are said, five of -100 heard."""
    output = session.settings.output()
    source = session.settings.input()
    output.start(lambda: frame(-100), lambda _: None)
    source.start(lambda _: None, lambda _: None)
    await asyncio.sleep(0.1)
    for end in (source, output):
        end.stop()


class Says:
    """A source that says one thing for ever."""

    def read(self) -> Frame:
        return frame(100)

    def close(self) -> None: ...


async def test_a_call_is_recorded_until_it_ends_but_not_what_is_muted() -> None:
    async with pair() as (alice, bob):
        call, _ = await connected(alice, bob)
        kept = Kept()
        call._recordings = kept
        await call.set_input(Says())
        session = alice.engine.sessions[0]
        await talk(session, call)
        assert kept.frames == []
        assert call.record() == "kept"
        assert {key: kept.about[key] for key in ("call", "account", "peer", "direction")} == {
            "call": call.id,
            "account": "alice@example.org",
            "peer": "bob@example.org",
            "direction": "outgoing",
        }
        with pytest.raises(InvalidState, match="recorded already"):
            call.record()
        await talk(session, call)
        assert {heard for _, heard in kept.frames} == {-100}
        assert 100 in {said for said, _ in kept.frames}
        await call.mute()
        kept.frames.clear()
        call._sound.recorder = Recorder(kept)
        await talk(session, call)
        assert {said for said, _ in kept.frames} == {0}
        assert not kept.closed
        await call.hangup()
        assert kept.closed


async def test_where_nothing_is_kept_or_nothing_is_left_to_keep() -> None:
    async with pair() as (alice, bob):
        call, _ = await connected(alice, bob)
        with pytest.raises(InvalidState, match="only the client of a profile"):
            call.record()
        call._recordings = Kept()
        await call.hangup()
        with pytest.raises(InvalidState, match="the call is over"):
            call.record()


async def test_a_recording_that_fails_at_its_end_harms_no_call(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Kept):
        def close(self) -> None:
            raise ConfigurationError("the disk is full")

        def write(self, sent: Frame, received: Frame) -> None:
            raise AudioFileError("the recording ends here")

    async with pair() as (alice, bob):
        call, _ = await connected(alice, bob)
        call._recordings = Failing()
        call.record()
        await call.hangup()
        assert call.failure is None
    assert "the disk is full" in caplog.text
