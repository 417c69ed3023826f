"""The thread that decodes the pictures of one stream and shows them when they are due."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from openvoice.core.faults import fault
from openvoice.errors import OpenVoiceError
from openvoice.media.video.assembly import ReceivedPicture
from openvoice.media.video.codec import CorruptPicture, PictureDecoder
from openvoice.media.video.freezes import Freezes
from openvoice.ports import Picture, VideoOutput

MOST_WAITING = 64
"""Pictures: two seconds of usual ones. They wait for the voice at most half a second."""
MOST_OCTETS = 8_000_000
MOST_BEHIND = 0.3
"""Seconds of decoding that may wait; of more, what comes before the next key picture is left out."""
_MOST_SKIPPED = 0.1
"""Seconds in which pictures may be passed over for later ones: where all are late, some are shown all the same."""
_SMOOTHING = 0.1

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class DecodingCounters:
    """Counts since the beginning, times in seconds. All but ``left_out`` are written by the thread."""

    decoded: int = 0
    keys: int = 0
    shown: int = 0
    dropped: int = 0
    left_out: int = 0
    """Pictures for which there was no time."""
    corrupt: int = 0
    width: int = 0
    height: int = 0
    decoding: float = 0.0
    """All time that decoding took."""
    waiting: float = 0.0
    """All time from the first packet of each shown picture until it was shown."""


class DecodingThread:
    """Pictures are put in from the event loop; nothing here ever makes that wait.

    ``make_decoder`` is by payload type. ``output`` is called when the first picture comes. While it gives none, nobody
    wants to see them, none is decoded, and it is called for the next one. ``want_key`` and ``failed`` (with words for a
    person) are called in the thread: something can go on with a key picture only, and nothing can be shown any more.
    ``counters`` and ``freezes`` go on from what they are.
    """

    def __init__(
        self,
        *,
        make_decoder: Callable[[int], PictureDecoder],
        output: Callable[[], VideoOutput | None],
        want_key: Callable[[], None],
        failed: Callable[[str], None],
        counters: DecodingCounters,
        freezes: Freezes,
    ) -> None:
        self._make_decoder = make_decoder
        self._make_output = output
        self._want_key = want_key
        self._failed = failed
        self._changed = threading.Condition()
        self._waiting: deque[tuple[ReceivedPicture, float]] = deque()
        self._octets = 0
        self._skipping = False
        """Whether pictures are left out until a key picture comes."""
        self._closed = False
        self._needs_key = True
        self._decoder: PictureDecoder | None = None
        self._payload_type: int | None = None
        self._output: VideoOutput | None = None
        self._mute = False
        """Whether the output gave up: nothing is decoded any more."""
        self._unseen = False
        """Whether pictures came that nobody wanted to see: whoever does later begins with a key picture."""
        self._shown_at = -math.inf
        self._usual = 0.0
        """Seconds that decoding takes, on a moving average."""
        self._counters = counters
        self._freezes = freezes
        self._thread = threading.Thread(target=self._run, name="openvoice video in", daemon=True)
        self._thread.start()

    def put(self, picture: ReceivedPicture, due: float) -> None:
        """Decode ``picture`` and show it when it is ``due``, by ``time.monotonic``."""
        with self._changed:
            if self._closed:
                return
            if self._skipping and not picture.key:
                self._counters.left_out += 1
                return
            self._skipping = False
            self._waiting.append((picture, due))
            self._octets += len(picture.data)
            behind = len(self._waiting) * self._usual
            full = len(self._waiting) > MOST_WAITING or self._octets > MOST_OCTETS
            if full or (behind > MOST_BEHIND and len(self._waiting) > 1):
                self._leave_out()
            self._changed.notify()

    def _leave_out(self) -> None:
        """Decoding cannot keep up: go on with the latest key picture, or else with the next one that comes."""
        latest = max((place for place, (picture, _) in enumerate(self._waiting) if picture.key), default=None)
        before = len(self._waiting) if latest in (None, 0) else latest
        assert before is not None
        for _ in range(before):
            picture, _ = self._waiting.popleft()
            self._octets -= len(picture.data)
        self._counters.left_out += before
        if not self._waiting:
            self._skipping = True
            self._want_key()

    def close(self) -> None:
        """End as soon as what it does now is done; the output is closed then. Twice is once."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify()

    @property
    def lives(self) -> bool:
        return self._thread.is_alive()

    def join(self, seconds: float) -> None:
        """Wait that long at most for the end, after :meth:`close`."""
        self._thread.join(seconds)

    def _run(self) -> None:
        while (taken := self._take()) is not None:
            picture, due = taken
            shown = self._decode(picture, due)
            if shown is not None and not (self._is_worth_showing(due) and self._show(shown, picture)):
                self._counters.dropped += 1
        self._let_go()

    def _take(self) -> tuple[ReceivedPicture, float] | None:
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            picture, due = self._waiting.popleft()
            self._octets -= len(picture.data)
            return picture, due

    def _has_output(self) -> bool:
        if self._output is None and not self._mute:
            try:
                self._output = self._make_output()
            except Exception as error:
                self._give_up(error)
            if self._output is None:
                self._unseen = True
            elif self._unseen:
                self._unseen, self._needs_key = False, True
                self._want_key()
        return self._output is not None

    def _decode(self, picture: ReceivedPicture, due: float) -> Picture | None:
        if not self._has_output() or (self._needs_key and not picture.key):
            self._counters.dropped += 1
            return None
        began = time.monotonic()
        try:
            decoded = self._decoder_for(picture).decode(picture.data, due)
        except Exception as error:
            if not isinstance(error, CorruptPicture):
                _log.error("a picture could not be decoded: %s", fault(error))
            self._counters.corrupt += 1
            self._counters.dropped += 1
            self._needs_key = True
            with self._changed:
                if not any(waiting.key for waiting, _ in self._waiting):
                    self._want_key()
            return None
        self._needs_key = False
        taken = time.monotonic() - began
        self._usual += (taken - self._usual) * _SMOOTHING
        counters = self._counters
        counters.decoding += taken
        counters.decoded += 1
        counters.keys += picture.key
        if decoded is not None:
            counters.width, counters.height = decoded.width, decoded.height
        return decoded

    def _decoder_for(self, picture: ReceivedPicture) -> PictureDecoder:
        if self._decoder is None or self._payload_type != picture.payload_type:
            if self._decoder is not None:
                self._decoder.close()
                self._decoder = None
            if not picture.key:
                raise CorruptPicture("a stream of another codec begins with a key picture")
            self._decoder = self._make_decoder(picture.payload_type)
            self._payload_type = picture.payload_type
        return self._decoder

    def _is_worth_showing(self, due: float) -> bool:
        """Wait until the picture is due. Not worth it: the next one is due as well, or all is over."""
        with self._changed:
            while not self._closed and (left := due - time.monotonic()) > 0:
                self._changed.wait(left)
            now = time.monotonic()
            passed_over = self._waiting and self._waiting[0][1] <= now < self._shown_at + _MOST_SKIPPED
            return not self._closed and not passed_over

    def _show(self, shown: Picture, picture: ReceivedPicture) -> bool:
        assert self._output is not None
        try:
            self._output.write(shown)
        except Exception as error:
            self._give_up(error)
            return False
        now = self._shown_at = time.monotonic()
        self._freezes.show(now)
        self._counters.shown += 1
        self._counters.waiting += now - picture.began
        return True

    def _give_up(self, error: Exception) -> None:
        _log.warning("received pictures cannot be shown: %s", type(error).__name__)
        self._mute = True
        self._let_go()
        known = isinstance(error, OpenVoiceError)
        self._failed(str(error) if known else "The received pictures could not be shown; the call goes on.")

    def _let_go(self) -> None:
        decoder, output, self._decoder, self._output = self._decoder, self._output, None, None
        try:
            if decoder is not None:
                decoder.close()
            if output is not None:
                output.close()
        except Exception as error:
            _log.warning("a place for received pictures did not close: %s", type(error).__name__)
