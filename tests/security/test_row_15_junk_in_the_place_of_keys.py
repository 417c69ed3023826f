"""Row 15: device lists, keys and sealed fingerprints that no client makes: passed over or refused, in bounds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from openvoice import Vouching
from openvoice.client.keys import temporary_keys
from openvoice.core.types import Role
from openvoice.jingle import screening
from openvoice.server.prosody import Prosody
from openvoice.signalling.xmpp.omemo import pep, wire

from . import junk
from .attacker import SOON
from .attacks import Attack
from .hostile_server import HostileServer, Toward
from .omemo_attacks import number_of
from .scene import HostileScene
from .theatre import Played, Theatre, judge, judge_honest, judge_order, theatre

pytestmark = [pytest.mark.live, pytest.mark.once, pytest.mark.asyncio(loop_scope="module")]

LISTS = [pytest.param(junk.lists(payload), id=name) for name, payload in junk.LISTS.items()]
BUNDLES = [
    *(pytest.param(junk.bundles(payload), id=name) for name, payload in junk.BUNDLES.items()),
    pytest.param(junk.keeps_bundles_back(), id="kept back"),
    pytest.param(junk.speaks_only_omemo_2(), id="only those of another OMEMO"),
]
ENCRYPTED = [pytest.param(junk.encrypted(change), id=name) for name, change in junk.ENCRYPTED.items()]
MANY = 100
"""Keys that are remembered of one person, and stanzas that one call makes a device send, are fewer."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(prosody: Prosody) -> AsyncIterator[Theatre]:
    with pytest.MonkeyPatch.context() as patch:
        # So many calls a minute are what row 18 is about.
        patch.setattr(screening, "CALLS_OF_A_CONTACT", 10_000)
        patch.setattr(pep, "WITHIN", 0.5)
        async with HostileServer(prosody) as server:
            cast = HostileScene(server, prosody, ("alice", "bob"))
            async with theatre(cast, keys={name: temporary_keys() for name in ("alice", "bob")}) as stage:
                await stage.rehearse()
                yield stage


async def played(
    stage: Theatre, attack: Attack, require: Vouching, caplog: pytest.LogCaptureFixture, victims: str = "both"
) -> Played:
    """What comes of a call, after it was judged, with the one that follows it."""
    tasks = len(asyncio.all_tasks())
    result = await asyncio.wait_for(stage.play(attack, require=require, victims=victims), 3 * SOON)
    for role, client in stage.clients.items():
        assert len(stage.server.seen(client.address, Toward.SERVER)) < MANY
        other = stage.clients[role.other].address.bare
        assert len(stage.keys[role].trust.keys(other)) < MANY
    judge(result, require)
    judge_honest(stage, await stage.play())
    await judge_order(stage, tasks)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    return result


@pytest.mark.parametrize("attack", LISTS)
async def test_a_junk_list_of_devices_changes_nothing(
    stage: Theatre, attack: Attack, caplog: pytest.LogCaptureFixture
) -> None:
    """Keys are known by now; who is in a list, says no more than that."""
    result = await played(stage, attack, Vouching.OMEMO_TRUSTED, caplog)
    assert result.active == set(Role)
    assert all(call.security.vouching is Vouching.OMEMO_TRUSTED for call in result.calls.values())


@pytest.mark.parametrize("require", [Vouching.SIGNALLED, Vouching.OMEMO_TRUSTED], ids=["nothing asked", "omemo asked"])
@pytest.mark.parametrize("attack", BUNDLES)
async def test_keys_that_are_none_seal_nothing_and_that_is_said(
    stage: Theatre, attack: Attack, require: Vouching, caplog: pytest.LogCaptureFixture
) -> None:
    result = await played(stage, attack, require, caplog)
    if require is Vouching.SIGNALLED:
        assert result.active == set(Role)
        assert all(call.security.vouching is Vouching.SIGNALLED for call in result.calls.values())
    else:
        assert result.active == set()


@pytest.mark.parametrize("victims", ["caller", "callee"])
@pytest.mark.parametrize("attack", ENCRYPTED)
async def test_what_cannot_be_unsealed_ends_the_call(
    stage: Theatre, attack: Attack, victims: str, caplog: pytest.LogCaptureFixture
) -> None:
    """However little is asked for."""
    result = await played(stage, attack, Vouching.SIGNALLED, caplog, victims)
    assert result.active == set()


async def test_a_new_list_of_a_thousand_devices_costs_little(stage: Theatre) -> None:
    """As a notification, at any time: who is in it may have to be shown to the user, but not at any price."""
    alice, bob = (stage.clients[role].address for role in Role)
    stage.server.forget()
    for first in range(0, 10_000, 1000):
        payload = wire.write_device_list(range(first + 1, first + 1001))
        stage.server.inject(alice, Toward.CLIENT, junk.notification(alice, bob, payload))
    judge_honest(stage, await stage.play())
    assert len(stage.server.seen(alice, Toward.SERVER)) < MANY


async def test_a_flood_of_messages_that_cannot_be_decrypted_costs_little(stage: Theatre) -> None:
    """From the peer's device, and from a thousand that do not exist."""
    alice, bob = (stage.clients[role].address for role in Role)
    ours, theirs = number_of(stage.watch, alice), number_of(stage.watch, bob)
    assert ours is not None
    assert theirs is not None
    stage.server.forget()
    for number in range(1, 1001):
        for sender in (theirs, number):
            stage.server.inject(alice, Toward.CLIENT, junk.message(alice, bob, sender, ours))
    judge(await stage.play(), Vouching.SIGNALLED)
    assert len(stage.server.seen(alice, Toward.SERVER)) < MANY
    judge_honest(stage, await stage.play())
