"""How long it takes from a person's yes to the first sound: two whole clients and a private Prosody on loopback.

``first_sound_ms`` is from the callee's ``proceed``, as the caller hears it, to the first frame with sound in it.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from openvoice import SAMPLE_RATE, Account, Audience, Call, Client, Policy, Vouching
from openvoice.core.protection import Protection
from openvoice.ports import KeyStore
from openvoice.server.prosody import Prosody
from openvoice.storage.trust import TrustBook
from openvoice.storage.vault import Vault

CALLS = 7
TONE = (8000 * np.sin(np.arange(10 * SAMPLE_RATE) * 0.05)).astype(np.int16)


async def first_sound(alice: Client, bob: Client, vouching: Vouching) -> float:
    """Milliseconds, of one call that is protected as expected."""
    call = await alice.call(bob.address.bare, source=TONE)
    heard = 0.0
    async for frame in call.audio():
        if np.abs(frame.astype(int)).max() > 1000:
            heard = time.time()
            break
    assert call.security.vouching is vouching
    proceed = next(moment.time for moment in call.timeline if moment.name == "proceed")
    await call.hangup()
    while bob.calls:  # noqa: ASYNC110 - a busy line would refuse the next call
        await asyncio.sleep(0.01)
    return 1000 * (heard - proceed)


@asynccontextmanager
async def pair(server: Prosody, keys: Callable[[str], KeyStore | None]) -> AsyncIterator[tuple[Client, Client]]:
    """Two clients that are online; the second answers."""

    def client(name: str, policy: Policy) -> Client:
        account = Account(
            address=server.address(name), password=name, server=(server.host, server.port), ca_file=server.ca_file
        )
        return Client(account, policy=policy, interfaces=(server.host,), keys=keys(name))

    alice, bob = client("alice", Policy()), client("bob", Policy(answer=Audience.ROSTER))

    @bob.on_call
    async def answer(call: Call) -> None:
        await call.accept(source=TONE)

    async with alice, bob:
        yield alice, bob


async def bench(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Two rows: ``network`` is ``whole`` without OMEMO, and ``whole-omemo`` with it, its state on the disk.

    The first contact, which fetches keys, is left out.
    """
    plain: list[float] = []
    sealed: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with Prosody(accounts={"alice": "alice", "bob": "bob"}) as server:
            with ExitStack() as stack:

                def keys_of(name: str) -> KeyStore:
                    vault = stack.enter_context(Vault(Path(folder) / name, protection=Protection.PLAIN))
                    secrets = vault.secrets(server.address(name))
                    return KeyStore(secrets, TrustBook(secrets))

                async with pair(server, keys_of) as (alice, bob):
                    await first_sound(alice, bob, Vouching.OMEMO_TRUSTED)
                    sealed += [await first_sound(alice, bob, Vouching.OMEMO_TRUSTED) for _ in range(CALLS)]
                async with pair(server, lambda _: None) as (alice, bob):
                    await first_sound(alice, bob, Vouching.SIGNALLED)
                    plain += [await first_sound(alice, bob, Vouching.SIGNALLED) for _ in range(CALLS)]
    rows = []
    for network, times in (("whole", plain), ("whole-omemo", sealed)):
        median = statistics.median(times)
        say(f"openvoice  from 'proceed' to the first sound, with Prosody, {network}: {median:.0f} ms  (floor 250)")
        rows.append({"system": "openvoice", "network": network, "first_sound_ms": round(median, 1)})
    say(f"openvoice  OMEMO costs {statistics.median(sealed) - statistics.median(plain):.0f} ms of it  (at most 60)")
    return rows
