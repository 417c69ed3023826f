"""When it is tried again, and when not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.errors import CertificateRejected, ConnectionFailed, InsecureServer, LoginRefused, ServerUnreachable
from openvoice.signalling.xmpp.supervisor import BackOff, Supervisor
from tests.waiting import until

QUICK = BackOff(first=0.001, limit=0.002, stable=10.0)


class Link:
    """Connects as its list says: ``None`` is a success. Then it waits to be cut."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.changes: list[tuple[bool, str]] = []
        self.cut = asyncio.Event()
        self.settled = asyncio.Event()
        self.attempts = 0
        self.checked = False

    def check(self) -> None:
        """It is dead, until it is connected again."""
        self.checked = True
        self.cut.set()

    async def connect(self) -> None:
        self.attempts += 1
        if not self.outcomes:
            self.settled.set()
            await asyncio.Event().wait()
        outcome = self.outcomes.pop(0)
        if outcome is not None:
            raise outcome
        if self.checked:
            self.cut.clear()

    async def serve(self) -> ConnectionFailed:
        await self.cut.wait()
        return ServerUnreachable("cut")

    def changed(self, online: bool, reason: str) -> None:
        self.changes.append((online, reason))


@given(st.integers(1, 100_000), st.floats(0, 1, exclude_max=True))
def test_back_off(failures: int, chance: float) -> None:
    back_off = BackOff()
    assert 0.5 <= back_off.delay(failures, chance) <= 60
    assert back_off.delay(failures, chance) <= back_off.delay(failures + 1, chance)


def test_back_off_spreads() -> None:
    assert [BackOff().delay(n, 0.0) for n in (1, 2, 3, 20)] == [0.5, 1.0, 2.0, 30.0]
    assert BackOff().delay(20, 0.999) > 59


@pytest.mark.parametrize("error", [LoginRefused("no"), ServerUnreachable("no"), CertificateRejected("no")])
async def test_the_first_failure_is_the_callers(error: ConnectionFailed) -> None:
    link = Link(error, None)
    supervisor = Supervisor(link, QUICK)
    with pytest.raises(type(error)):
        await supervisor.open()
    assert not supervisor.running
    assert link.changes == []
    await supervisor.close()


async def test_it_is_tried_until_it_works() -> None:
    link = Link(None, ServerUnreachable("still"), InsecureServer("a portal"), None)
    link.cut.set()
    supervisor = Supervisor(link, QUICK)
    await supervisor.open()
    async with asyncio.timeout(5):
        await link.settled.wait()
    await supervisor.close()
    assert link.changes == [(True, ""), (False, "cut"), (True, ""), (False, "cut")]


@pytest.mark.parametrize("error", [LoginRefused("wrong password"), CertificateRejected("expired")])
async def test_a_refusal_ends_it(error: ConnectionFailed) -> None:
    link = Link(None, error, None)
    link.cut.set()
    supervisor = Supervisor(link, QUICK)
    await supervisor.open()
    await until(lambda: not supervisor.running)
    assert link.changes[1:] == [(False, "cut"), (False, str(error))]
    assert link.outcomes == [None]
    await supervisor.close()


async def test_failures_in_a_row_wait_longer() -> None:
    waits: list[int] = []

    class Counting(BackOff):
        def delay(self, failures: int, chance: float) -> float:
            waits.append(failures)
            return 0.0

    link = Link(None, *[ServerUnreachable("no")] * 3, None)
    link.cut.set()
    supervisor = Supervisor(link, Counting(stable=100.0))
    await supervisor.open()
    async with asyncio.timeout(5):
        await link.settled.wait()
    await supervisor.close()
    # A connection that was cut at once is a failure like the others: a server that flaps is not hammered.
    assert waits == [1, 2, 3, 4, 5]


async def test_a_connection_that_lasted_starts_afresh() -> None:
    waits: list[int] = []

    class Counting(BackOff):
        def delay(self, failures: int, chance: float) -> float:
            waits.append(failures)
            return 0.0

    link = Link(None, ServerUnreachable("no"), None)
    link.cut.set()
    supervisor = Supervisor(link, Counting(stable=0.0))
    await supervisor.open()
    async with asyncio.timeout(5):
        await link.settled.wait()
    await supervisor.close()
    assert waits == [1, 2, 1]


def chances(*values: float) -> Callable[[], float]:
    left = list(values)
    return lambda: left.pop(0)


async def test_closing_while_waiting() -> None:
    link = Link(None)
    link.cut.set()
    supervisor = Supervisor(link, BackOff(first=1000, limit=1000), chances(0.5, 0.5))
    await supervisor.open()
    await asyncio.sleep(0)
    await supervisor.close()
    await supervisor.close()
    assert not supervisor.running


async def test_a_fault_of_ours_is_tried_again_and_logged_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    link = Link(None, ValueError("alice@example.org"), None)
    link.cut.set()
    supervisor = Supervisor(link, QUICK)
    await supervisor.open()
    async with asyncio.timeout(5):
        await link.settled.wait()
    await supervisor.close()
    assert [online for online, _ in link.changes] == [True, False, True, False]
    assert "ValueError in connect" in caplog.text
    assert "example.org" not in caplog.text


NEVER = BackOff(first=1000, limit=1000)


async def test_a_stream_that_broke_with_the_network_is_made_anew_at_once() -> None:
    link = Link(None, None)
    supervisor = Supervisor(link, NEVER)
    await supervisor.open()
    supervisor.network_changed()
    await until(lambda: link.changes == [(True, ""), (False, "cut"), (True, "")], within=5)
    await supervisor.close()


async def test_a_change_of_the_network_long_ago_is_no_reason_to_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvoice.signalling.xmpp.supervisor.HURRY", 0.0)
    link = Link(None, None)
    supervisor = Supervisor(link, NEVER)
    await supervisor.open()
    supervisor.network_changed()
    await until(lambda: len(link.changes) == 2)
    await asyncio.sleep(0.05)
    assert link.attempts == 1
    await supervisor.close()


async def test_a_change_of_the_network_ends_the_wait() -> None:
    link = Link(None, None)
    link.cut.set()
    supervisor = Supervisor(link, NEVER)
    await supervisor.open()
    await until(lambda: len(link.changes) == 2)
    assert link.attempts == 1
    supervisor.network_changed()
    await until(lambda: link.attempts == 2)
    await supervisor.close()


async def test_an_attempt_on_the_way_of_before_is_given_up() -> None:
    link = Link(None)
    link.cut.set()
    supervisor = Supervisor(link, QUICK)
    await supervisor.open()
    async with asyncio.timeout(5):
        await link.settled.wait()
    assert link.attempts == 2
    link.outcomes.append(None)
    supervisor.network_changed()
    await until(lambda: (True, "") in link.changes[1:])
    assert link.attempts == 3
    await supervisor.close()
