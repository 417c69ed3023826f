"""A process that is killed at any moment: no message key is used twice, and no session is lost."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from xml.etree.ElementTree import Element, fromstring, tostring

import pytest

from openvoice.ports import KeyStore
from openvoice.signalling.xmpp.omemo import device as module
from openvoice.signalling.xmpp.omemo import wire
from openvoice.signalling.xmpp.omemo.device import OmemoDevice
from openvoice.signalling.xmpp.omemo.failures import Cause
from openvoice.storage.trust import TrustBook
from openvoice.testing.fakes import MemorySecrets
from tests.signalling.xmpp.omemo.sealer import AT_ONCE, Folder
from tests.signalling.xmpp.omemo.world import ALICE, BOB, settled

pytestmark = pytest.mark.slow

CUTS = 8


@asynccontextmanager
async def sealer(folder: Path, peer_device: int) -> AsyncIterator[tuple[Process, int]]:
    """The process, and the number of its device. It is killed at the end, whatever it is at."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.signalling.xmpp.omemo.sealer",
        str(folder),
        str(peer_device),
        stdin=PIPE,
        stdout=PIPE,
    )
    assert process.stdout is not None
    try:
        number, copied = (await process.stdout.readline()).split()
        assert copied == b"0"
        yield process, int(number)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def left_over(process: Process) -> list[Element]:
    """What a process had written whole before it was killed."""
    assert process.stdout is not None
    lines = (await process.stdout.read()).split(b"\n")[:-1]
    return [fromstring(line.decode()) for line in lines if line.startswith(b"<")]


def key_of(item: Element) -> str:
    return item.findtext(f".//{{{wire.NAMESPACE}}}key", "")


async def test_a_process_that_is_killed_uses_no_key_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER", 0.0)
    dice = random.Random(4)
    (tmp_path / "nodes").mkdir()
    kept = MemorySecrets()
    bob = OmemoDevice(BOB, KeyStore(kept, TrustBook(kept)), Folder(tmp_path / "nodes", BOB))
    await bob.publish()
    keys: list[str] = []
    numbers = set()
    unread: list[Element] = []
    for _ in range(CUTS):
        async with sealer(tmp_path, bob.id) as (process, number):
            assert process.stdin is not None
            numbers.add(number)
            for item in unread:
                process.stdin.write(tostring(item).replace(b"\n", b"") + b"\n")
            process.stdin.write(b"\n\n\n")
            await process.stdin.drain()
            await asyncio.sleep(dice.random() * 0.4)
        sealed = await left_over(process)
        keys += map(key_of, sealed)
        dice.shuffle(sealed)
        for item in sealed[: len(sealed) // 2 + 1]:
            await bob.unseal(ALICE, {"": item})
        if sealed or unread:
            unread = [(await bob.seal(ALICE, number, {"": "answer"})).elements[""] for _ in range(3)]
    async with sealer(tmp_path, bob.id) as (process, number):
        assert process.stdin is not None
        assert process.stdout is not None
        for item in unread:
            process.stdin.write(tostring(item) + b"\n")
        answers = [(await process.stdout.readline()).decode().strip() for _ in unread]
        assert set(answers) <= {"read", Cause.REPLAY}
        process.stdin.write(b"\n")
        for _ in range(AT_ONCE):
            item = fromstring((await process.stdout.readline()).decode())
            keys.append(key_of(item))
            await bob.unseal(ALICE, {"": item})
    assert len(keys) > AT_ONCE
    assert len(set(keys)) == len(keys)
    assert numbers == {number}
    assert bob.healed == 0
    await settled(bob)


async def test_two_processes_on_one_vault_use_no_key_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER", 0.0)
    (tmp_path / "nodes").mkdir()
    kept = MemorySecrets()
    bob = OmemoDevice(BOB, KeyStore(kept, TrustBook(kept)), Folder(tmp_path / "nodes", BOB))
    await bob.publish()
    rounds = 4

    async def seal(process: Process) -> list[Element]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"\n" * rounds)
        return [fromstring((await process.stdout.readline()).decode()) for _ in range(rounds * AT_ONCE)]

    async with sealer(tmp_path, bob.id) as (one, number), sealer(tmp_path, bob.id) as (two, same):
        assert number == same
        sealed = [item for items in await asyncio.gather(seal(one), seal(two)) for item in items]
    assert len(set(map(key_of, sealed))) == len(sealed) == 2 * rounds * AT_ONCE
    for item in sealed:
        await bob.unseal(ALICE, {"": item})
    await settled(bob)
