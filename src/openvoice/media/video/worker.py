"""The thread in which pictures are encoded, and devices are started and stopped: none of that may stop the voice."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from openvoice.core.faults import fault
from openvoice.core.types import DeviceChange
from openvoice.errors import MediaFailed, OpenVoiceError
from openvoice.media.video.coding import Coded, PictureCoding, Plan
from openvoice.ports import Picture, PictureFormat, VideoInput, VideoReport

_log = logging.getLogger(__name__)

BLACK_PICTURES, _BLACK_INTERVAL = 3, 0.1
"""How many black ones are sent last, and seconds between them: the peer shows the last picture for ever."""
_BLACK_LUMA, _BLACK_CHROMA = 16, 128
_REPEAT_AFTER = 0.15
"""Seconds to wait for a new picture when a key picture is asked for, before the last one is coded once more."""
_MOST_FAILURES = 5
"""Encoders in a row that fail before it is given up."""
_NICENESS = 2
"""More than the process has: the thread gives way to the one that the voice lives in, where a core is all there is."""


class PictureWorker:
    """``coded`` and ``over`` are called in its thread: with each picture, and when the source has no more.

    What it is told by other threads it does in order. Pictures do not wait: only the newest is kept.
    """

    def __init__(
        self,
        coding: PictureCoding,
        *,
        coded: Callable[[Coded], None],
        over: Callable[[], None],
        report: VideoReport,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._coding, self._coded, self._over, self._report, self._clock = coding, coded, over, report, clock
        self._condition = threading.Condition()
        self._commands: deque[Callable[[], None]] = deque()
        self._plan: Plan | None = None
        self._newest: Picture | None = None
        self._arrived = False
        """Whether the newest one was not coded yet."""
        self._input: VideoInput | None = None
        self._run = 0
        """Which start of an input it is: what an earlier one delivers is not shown."""
        self._key = True
        self._key_since = 0.0
        self._black: deque[float] = deque()
        self._failures = 0
        self._closing = False
        self.dropped = 0
        """Pictures that came while the one before was still waiting."""
        self.finished = threading.Event()
        self._thread = threading.Thread(target=self._live, name="openvoice-video-sender", daemon=True)
        self._thread.start()

    # --- what other threads say ---------------------------------------------------------------------------------------

    def show(self, source: VideoInput, wanted: PictureFormat) -> None:
        """Show what it delivers from now on, in place of what was shown before."""
        self._tell(lambda: self._start(source, wanted))

    def hide(self) -> None:
        """Let the device go, and show a few black pictures."""
        self._tell(self._hide)

    def plan(self, plan: Plan) -> None:
        """What pictures are to be from now on. After a pause a key picture comes first."""
        with self._condition:
            if self._plan is not None and self._plan.pauses and not plan.pauses:
                self._ask_for_key()
            self._plan = plan
            self._condition.notify()

    def key(self, *, thrown_away: bool = False) -> None:
        """The next picture is a key picture. ``thrown_away``: what was coded before it is not sent."""
        with self._condition:
            self._ask_for_key()
            if thrown_away:
                self._commands.append(self._coding.forgive)
            self._condition.notify()

    def renew(self) -> None:
        """Let the encoder go: the next picture makes another one, for pictures of another kind."""
        self._tell(self._coding.close)

    def close(self) -> None:
        """Let everything go. Twice is once."""
        with self._condition:
            self._closing = True
            self._condition.notify()

    def _tell(self, command: Callable[[], None]) -> None:
        with self._condition:
            self._commands.append(command)
            self._condition.notify()

    def _ask_for_key(self) -> None:
        if not self._key:
            self._key, self._key_since = True, self._clock()

    def _take(self, run: int, picture: Picture | None) -> None:
        """From the source, on whatever thread."""
        with self._condition:
            if run != self._run:
                return
            if picture is None:
                self._commands.append(lambda: self._end(run))
            else:
                self.dropped += self._arrived
                self._newest, self._arrived = picture, True
            self._condition.notify()

    # --- the thread ---------------------------------------------------------------------------------------------------

    def _live(self) -> None:
        _give_way()
        try:
            while self._step():
                pass
        except Exception as error:
            _log.error("the sending of pictures failed: %s", fault(error))
            self._over()
        finally:
            self._stop_input()
            self._coding.close()
            self.finished.set()

    def _step(self) -> bool:
        """One thing to do, or none after a while; whether there will be more."""
        with self._condition:
            if not (self._closing or self._commands or self._picture_due()):
                self._condition.wait(self._patience())
            if self._closing:
                return False
            command = self._commands.popleft() if self._commands else None
            picture = None if command is not None else self._picture_due()
            plan, key, is_new = self._plan, self._key, self._arrived and not self._black
            if picture is not None:
                self._arrived = False
                if self._black:
                    self._black.popleft()
                    self._newest = picture if self._black else None
        if command is not None:
            command()
        elif picture is not None and plan is not None:
            self._code(picture if is_new else replace(picture, time=self._clock()), plan, key)
        return True

    def _picture_due(self) -> Picture | None:
        if self._plan is None:
            return None
        if self._black:
            return self._newest if self._clock() >= self._black[0] else None
        if self._newest is None or self._plan.pauses:
            return None
        repeats = self._key and self._clock() - self._key_since >= _REPEAT_AFTER
        return self._newest if self._arrived or repeats else None

    def _patience(self) -> float | None:
        """Seconds until something may be due without anybody saying so."""
        if self._black:
            return max(0.0, self._black[0] - self._clock())
        if self._key and self._newest is not None and self._plan is not None and not self._plan.pauses:
            return max(0.0, self._key_since + _REPEAT_AFTER - self._clock())
        return None

    def _code(self, picture: Picture, plan: Plan, key: bool) -> None:
        try:
            coded = self._coding.code(picture, plan, self._clock(), key=key)
        except MediaFailed as error:
            self._fail(str(error))
            return
        except Exception as error:
            _log.error("a picture could not be encoded: %s", fault(error))
            self._fail("the pictures cannot be encoded")
            return
        self._failures = 0
        if coded is not None:
            self._key = self._key and not coded.key
            self._coded(coded)

    def _fail(self, text: str) -> None:
        self._failures += 1
        self._key = True
        if self._failures == _MOST_FAILURES:
            self._stop_input()
            self._newest = None
            self._report(DeviceChange.FAILED, None, text)
            self._over()

    def _start(self, source: VideoInput, wanted: PictureFormat) -> None:
        self._stop_input()
        self._failures = 0
        with self._condition:
            self._black.clear()
            self._newest, self._arrived = None, False
            self._key, self._key_since = True, self._clock()
            self._run += 1
            run = self._run
        self._input = source
        try:
            source.start(lambda picture: self._take(run, picture), self._report, wanted)
        except OpenVoiceError as error:
            self._report(DeviceChange.FAILED, None, str(error))
            self._end(run)
        except Exception as error:
            _log.error("a source of pictures did not start: %s", fault(error))
            self._report(DeviceChange.FAILED, None, "what was to be shown does not start")
            self._end(run)

    def _end(self, run: int) -> None:
        if run == self._run and self._input is not None:
            self._hide()
            self._over()

    def _hide(self) -> None:
        self._stop_input()
        with self._condition:
            self._arrived = False
            shown = self._newest
            if shown is None or self._black:
                return
            self._newest = _black(shown.width, shown.height)
            self._key, self._key_since = True, self._clock()
            self._black.extend(self._clock() + index * _BLACK_INTERVAL for index in range(BLACK_PICTURES))

    def _stop_input(self) -> None:
        source, self._input = self._input, None
        if source is None:
            return
        with self._condition:
            self._run += 1
        try:
            source.stop()
        except Exception as error:
            _log.error("a source of pictures did not stop properly: %s", fault(error))


def _black(width: int, height: int) -> Picture:
    data = np.full((height * 3 // 2, width), _BLACK_CHROMA, np.uint8)
    data[:height] = _BLACK_LUMA
    return Picture(data, 0.0)


def _give_way() -> None:
    if sys.platform != "linux":
        return  # elsewhere a thread has no niceness of its own
    try:
        usual = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), usual + _NICENESS)
    except OSError:
        _log.debug("this thread may not give way to others")
