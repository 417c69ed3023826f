from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import pytest

from openvoice.cli.running import INTERRUPTED, noting_interrupts, run


async def nothing() -> int:
    return 7


def test_the_code_of_the_work_is_the_result() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    assert run(nothing()) == 7
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_work_politely_and_a_second_ctrl_c_would_not_wait(number: signal.Signals) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    goodbyes: list[object] = []

    async def work() -> int:
        try:
            asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            goodbyes.extend(map(signal.getsignal, numbers))
        return 0

    before = [signal.getsignal(number) for number in numbers]
    try:
        assert run(work()) == INTERRUPTED
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    assert goodbyes == [signal.SIG_DFL, signal.SIG_IGN, signal.SIG_IGN]


def test_errors_pass() -> None:
    async def fail() -> int:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        run(fail())


def test_event_loops_without_signals_work_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.SelectorEventLoop, "add_signal_handler", none)
    assert run(nothing()) == 7


def test_an_interrupt_that_python_dropped_still_interrupts() -> None:
    """One that comes during an import may be raised where nobody can catch it."""

    async def work() -> int:
        await asyncio.sleep(60)
        return 0

    with noting_interrupts():
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert run(work()) == INTERRUPTED
    with noting_interrupts():
        assert run(nothing()) == 7
