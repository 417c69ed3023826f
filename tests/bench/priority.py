"""All systems of the bench come before whatever else the machine does, and none of them before another."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PRIORITY = -10
"""As ``nice`` counts. Only root may; for others everything stays as it is."""


def prefer(processes: Iterable[int]) -> None:
    """Give every thread of these processes the priority; what they start later has it, too, unless it takes another.

    Chromium gives its processes, and some of their threads, priorities of its own.
    """
    for process in processes:
        with suppress(PermissionError, FileNotFoundError, ProcessLookupError):
            for thread in Path(f"/proc/{process}/task").iterdir():
                os.setpriority(os.PRIO_PROCESS, int(thread.name), PRIORITY)
