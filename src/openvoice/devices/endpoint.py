"""What microphones and loudspeakers have in common: lines that relieve each other, and somebody who stands in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from openvoice.core.inputs import DeviceChanged
from openvoice.devices.choice import Choice
from openvoice.devices.keeper import BEGUN_BLOCKS, StreamKeeper
from openvoice.devices.line import Line
from openvoice.devices.listing import Kind
from openvoice.devices.stand_in import StandIn
from openvoice.errors import DeviceFailed


class Endpoint:
    """One end of the sound at a device named by its index, by a part of its name, or ``None`` for the system settings.

    While no device works, ``step`` is done at the pace of one. One line leads: sound goes through it alone. A new line
    relieves it on the event loop, as soon as sound flows there, so that between the two no frame is lost or doubled.
    """

    def __init__(self, kind: Kind, device: str | int | None, *, insist: bool) -> None:
        self._choice = Choice(kind, device)
        self._insist = insist
        self._missed = 0
        self._line: Line | None = None
        self._newest: Line | None = None
        self._keeper: StreamKeeper | None = None
        self._stopped = False

    @property
    def missed(self) -> int:
        """What the event loop was too late for, see :attr:`~openvoice.devices.line.Line.missed`."""
        return self._missed + (self._line.missed if self._line else 0)

    async def opened(self) -> str:
        """Wait until the device works for the first time; its name. To be called after the start.

        Raises:
            DeviceFailed: it does not; if it was insisted on, nothing more is tried.
        """
        return await asyncio.shield(self._opened)

    def stop(self) -> None:
        self._stopped = True
        if self._keeper:
            self._keeper.stop()
            self._stand_in.stop()
            self._note_opened(DeviceFailed("the device was let go before it worked"))
        for line in (self._line, self._newest):
            if line:
                line.close()

    def _begin(self, step: Callable[[], None], report: Callable[[DeviceChanged], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[str] = self._loop.create_future()
        self._stand_in = StandIn(lambda: self._line.blocks if self._line else 0, step)
        self._keeper = StreamKeeper(
            self._choice, self._open_line, opened=self._note_opened, report=report, insist=self._insist
        )

    def _make_line(self, rate: int) -> Line:
        raise NotImplementedError

    def _open_line(self, rate: int) -> Line:
        self._newest = line = self._make_line(rate)
        # Both threads look after they write, so a line that opens while stop() runs is closed by one of them.
        if self._stopped:
            line.close()
        return line

    def _leads(self, line: Line) -> bool:
        """Whether sound goes through this line. Called on the event loop whenever it wants any."""
        if line is self._newest and line is not self._line and (self._line is None or line.blocks >= BEGUN_BLOCKS):
            self._missed = self.missed
            if self._line:
                self._line.close()
            self._line = line
        return line is self._line

    def _note_opened(self, outcome: str | DeviceFailed) -> None:
        if self._opened.done():
            return
        if isinstance(outcome, str):
            self._opened.set_result(outcome)
        else:
            self._opened.set_exception(outcome)
            # Whoever waits hears of it all the same.
            self._opened.exception()
