"""Row 5: whatever a server does to a call, it is refused, or goes on with no wrong word about who could have listened.

Every trick, against every demand, played on the caller, on the callee and on both, who know each other's OMEMO keys
not at all, by sight, or because they compared them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from openvoice import Vouching
from openvoice.client.keys import temporary_keys
from openvoice.core.security import Severity
from openvoice.core.types import Role
from openvoice.jingle import screening
from openvoice.server.prosody import Prosody
from openvoice.signalling.xmpp.omemo import device, record

from . import attacks, omemo_attacks
from .attacks import Attack
from .hostile_server import HostileServer
from .scene import HostileScene
from .theatre import VICTIMS, Theatre, judge, judge_honest, judge_order, theatre

pytestmark = [pytest.mark.live, pytest.mark.once, pytest.mark.asyncio(loop_scope="module")]

REQUIRE = {
    "nothing": Vouching.SIGNALLED,
    "omemo": Vouching.OMEMO_TRUSTED,
    "verified": Vouching.OMEMO_VERIFIED,
}
TRICKS: list[Attack] = [
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
    attacks.delays,
    attacks.reorders,
    attacks.repeats,
    omemo_attacks.adds_a_device,
    omemo_attacks.swaps_keys,
]
BREAKING = (attacks.turns_the_role_around, attacks.adds_a_plain_content)
"""What does not deceive anybody, but makes nonsense of an answer."""
REFUSED = (
    attacks.swaps_fingerprints,
    attacks.removes_fingerprints,
    attacks.replays_fingerprints,
    attacks.adds_a_plain_fingerprint,
    attacks.adds_a_plain_content,
    attacks.weakens_the_hash,
    attacks.renames_the_hash,
    attacks.forgets_the_role,
)
"""What changes a description that OMEMO sealed: no demand is so small that the call goes on."""
HARMLESS = (attacks.delays, attacks.reorders, attacks.repeats)
FORGING = (omemo_attacks.adds_a_device, omemo_attacks.swaps_keys)
"""What is believed at first sight, and only then: see :mod:`openvoice.core.trust`."""
NAMES = {
    trick: name.replace("_", " ")
    for module in (attacks, omemo_attacks)
    for name, trick in vars(module).items()
    if callable(trick)
}


CONTACTS = {
    "without OMEMO": Vouching.SIGNALLED,
    "unverified": Vouching.OMEMO_TRUSTED,
    "verified": Vouching.OMEMO_VERIFIED,
}


CELLS = [
    pytest.param(worth, least, victims, id=f"{contact}-{demand} asked-{victims}")
    for contact, worth in CONTACTS.items()
    for demand, least in REQUIRE.items()
    for victims in VICTIMS
    # Who asks for OMEMO and has none is refused before anything can be attacked.
    if least is Vouching.SIGNALLED or worth is not Vouching.SIGNALLED or victims == "both"
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(prosody: Prosody, request: pytest.FixtureRequest) -> AsyncIterator[Theatre]:
    worth: Vouching = request.param
    keys = {} if worth is Vouching.SIGNALLED else {name: temporary_keys() for name in ("alice", "bob")}
    with pytest.MonkeyPatch.context() as patch:
        # So many calls a minute are what row 18 is about, and broken sessions are replaced but once a minute.
        patch.setattr(screening, "CALLS_OF_A_CONTACT", 10_000)
        patch.setattr(record, "REACH_AGAIN", 0.0)
        # The next call may be faster than the successors of used pre keys.
        patch.setattr(device, "GATHER", 0.0)
        async with (
            HostileServer(prosody) as server,
            theatre(HostileScene(server, prosody, ("alice", "bob")), keys=keys) as stage,
        ):
            await stage.rehearse()
            if worth is Vouching.OMEMO_VERIFIED:
                stage.compare_keys()
            yield stage


@pytest.mark.parametrize("trick", TRICKS, ids=NAMES.get)
@pytest.mark.parametrize(("stage", "require", "victims"), CELLS, indirect=["stage"], scope="module")
async def test_whatever_it_does(
    stage: Theatre, trick: Attack, require: Vouching, victims: str, caplog: pytest.LogCaptureFixture
) -> None:
    tasks = len(asyncio.all_tasks())
    played = await stage.play(trick, require=require, victims=victims)
    if stage.keys and trick in REFUSED:
        assert played.active == set()
    if trick in HARMLESS and require <= stage.worth:
        assert played.active == set(Role), played.failures
        assert all(call.security.vouching is stage.worth for call in played.calls.values())
    judge(played, require, broken=trick in BREAKING, forged=trick in FORGING and not stage.compared)
    if trick is omemo_attacks.swaps_keys and not stage.compared:
        # The session that the attacker began may be in use: it cannot be read, and is replaced.
        judge(await stage.play(), Vouching.SIGNALLED)
    judge_honest(stage, await stage.play())
    await judge_order(stage, tasks)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("stage", CONTACTS.values(), ids=CONTACTS.keys(), indirect=True)
async def test_the_middleman_hears_both_where_that_is_allowed_and_it_is_said(stage: Theatre) -> None:
    """Or the silence that he hears in the other tests would prove nothing."""
    played = await stage.play(attacks.strips_the_device)
    assert played.active == played.heard == set(Role)
    for call in played.calls.values():
        assert call.ended is not None
        assert call.ended.security.vouching is Vouching.SIGNALLED
        warnings = [found.text for found in call.ended.security.findings if found.severity is Severity.WARNING]
        assert any("could have listened" in text for text in warnings)
