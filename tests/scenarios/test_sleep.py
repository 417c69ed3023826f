"""A device that slept for a while in the middle of a call."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import sys
from itertools import cycle, pairwise
from typing import Any

import pytest

from openvoice import Call, CallState
from openvoice.server.prosody import Prosody
from openvoice.testing.clients import ClientFactory
from openvoice.testing.fakes import ScriptedSource, tone
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.once]

ASLEEP = 8.0
"""Seconds. The limits of a call allow 30; this is long enough for a path to count as dead, and shorter to wait for."""
SOON = 15.0


class Sleeper:
    """The other device: a client in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said: list[dict[str, Any]] = []
        self._reading = asyncio.ensure_future(self._read())

    @classmethod
    async def start(cls, prosody: Prosody, name: str) -> Sleeper:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.scenarios.sleeper",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        account = {
            "address": str(prosody.address(name)),
            "password": prosody.accounts[name],
            "host": prosody.host,
            "port": prosody.port,
            "ca_file": str(prosody.ca_file),
        }
        process.stdin.write(json.dumps(account).encode() + b"\n")
        return cls(process)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self.said.append(json.loads(line))

    async def says(self, name: str) -> dict[str, Any]:
        await until(lambda: any(each["name"] == name for each in self.said), SOON)
        return next(each for each in self.said if each["name"] == name)

    def sleep(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def wake(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    async def end(self) -> None:
        if self._process.returncode is None:
            self.wake()
            self._process.kill()
        await self._process.wait()
        await self._reading


def count(call: Call, name: str) -> int:
    return sum(moment.name == name for moment in call.timeline)


async def test_a_device_that_slept_comes_back_into_the_call(clients: ClientFactory, prosody: Prosody) -> None:
    async with clients("alice") as (alice,):
        name = f"sleeper-{secrets.token_hex(4)}"
        prosody.add_account(name, secrets.token_urlsafe())
        prosody.acquaint(str(alice.address.bare).partition("@")[0], name)
        sleeper = await Sleeper.start(prosody, name)
        try:
            await sleeper.says("online")
            call = await alice.call(prosody.address(name), source=ScriptedSource(cycle(tone())))
            await call.wait_for(CallState.ACTIVE, SOON)
            await until(lambda: call.stats.packets_received > 50)
            sleeper.sleep()
            await until(lambda: count(call, "interrupted") == 1)
            await asyncio.sleep(ASLEEP)
            assert call.state is CallState.ACTIVE
            heard, reports = call.stats.packets_received, len(sleeper.said)
            sleeper.wake()
            await until(lambda: count(call, "restored") == 1)
            await until(lambda: call.stats.packets_received >= heard + 100)
            # The voice is that of now: nothing was caught up on, and what the network kept is behind.
            assert call.stats.playout_delay < 300
            await until(lambda: len(sleeper.said) >= reports + 8)
            awake = sleeper.said[reports : reports + 8]
            for before, after in pairwise(awake):
                assert after["sent"] - before["sent"] < 50  # in a quarter of a second, on a busy machine
            assert awake[-1]["delay"] < 300
            await call.hangup()
            assert (await sleeper.says("ended"))["reason"] == "success"
        finally:
            await sleeper.end()
