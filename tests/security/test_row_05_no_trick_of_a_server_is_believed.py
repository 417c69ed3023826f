"""Row 5: whatever a server does to a call, it is refused, or goes on with no wrong word about who could have listened.

Every trick, against every demand, played on the caller, on the callee and on both.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from openvoice import Vouching
from openvoice.core.security import Severity
from openvoice.core.types import Role
from openvoice.jingle import screening
from openvoice.server.prosody import Prosody

from . import attacks
from .attacks import Attack
from .hostile_server import HostileServer
from .scene import HostileScene
from .theatre import VICTIMS, Theatre, in_order, judge, theatre

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

REQUIRE = {
    "nothing": Vouching.SIGNALLED,
    "omemo": Vouching.OMEMO_TRUSTED,
    "verified": Vouching.OMEMO_VERIFIED,
}
ON_FINGERPRINTS: list[Attack] = [
    attacks.swaps_fingerprints,
    attacks.strips_the_device,
    attacks.names_another_device,
    attacks.invents_a_device,
    attacks.removes_fingerprints,
    attacks.replays_fingerprints,
    attacks.adds_a_plain_fingerprint,
    attacks.adds_a_plain_content,
    attacks.weakens_the_hash,
    attacks.renames_the_hash,
    attacks.forgets_the_role,
    attacks.turns_the_role_around,
]
ON_TIME: list[Attack] = [attacks.delays, attacks.reorders, attacks.repeats]
BREAKING = (attacks.turns_the_role_around, attacks.adds_a_plain_content)
"""What does not deceive anybody, but makes nonsense of an answer."""
NAMES = {attack: name.replace("_", " ") for name, attack in vars(attacks).items() if callable(attack)}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(prosody: Prosody) -> AsyncIterator[Theatre]:
    with pytest.MonkeyPatch.context() as patch:
        # So many calls a minute are what row 18 is about.
        patch.setattr(screening, "CALLS_OF_A_CONTACT", 10_000)
        async with HostileServer(prosody) as server, theatre(HostileScene(server, prosody, ("alice", "bob"))) as stage:
            await stage.rehearse()
            yield stage


@pytest.mark.parametrize("victims", VICTIMS)
@pytest.mark.parametrize("require", REQUIRE.values(), ids=REQUIRE.keys())
@pytest.mark.parametrize("attack", [*ON_FINGERPRINTS, *ON_TIME], ids=NAMES.get)
async def test_whatever_it_does(
    stage: Theatre, attack: Attack, require: Vouching, victims: str, caplog: pytest.LogCaptureFixture
) -> None:
    tasks = len(asyncio.all_tasks())
    judge(await stage.play(attack, require=require, victims=victims), require, broken=attack in BREAKING)
    honest = await stage.play()
    assert honest.active == set(Role)
    judge(honest, Vouching.SIGNALLED)
    for client in stage.clients.values():
        in_order(client)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert len(asyncio.all_tasks()) <= tasks


async def test_the_middleman_hears_both_where_that_is_allowed_and_it_is_said(stage: Theatre) -> None:
    """Or the silence that he hears in the other tests would prove nothing."""
    played = await stage.play(attacks.swaps_fingerprints)
    assert played.active == played.heard == set(Role)
    for call in played.calls.values():
        assert call.ended is not None
        assert call.ended.security.vouching is Vouching.SIGNALLED
        warnings = [found.text for found in call.ended.security.findings if found.severity is Severity.WARNING]
        assert any("could have listened" in text for text in warnings)
