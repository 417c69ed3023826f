"""Row 5: a server that puts its own keys in the place of others' before anybody knows them.

Trust at first sight believes them, and says no more than that the keys were never compared. Whoever compares them
finds out, and from then on nothing but the real key is believed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from openvoice import Vouching
from openvoice.client.keys import temporary_keys
from openvoice.core.types import Role

from . import omemo_attacks
from .attacks import Attack
from .scene import HostileScene
from .theatre import Theatre, judge, judge_honest, theatre

pytestmark = pytest.mark.live

ATTACKS: list[Attack] = [omemo_attacks.swaps_keys, omemo_attacks.adds_a_device]


@pytest.fixture
async def stage(hostile: Callable[..., HostileScene]) -> AsyncIterator[Theatre]:
    keys = {name: temporary_keys() for name in ("alice", "bob")}
    async with theatre(hostile(friends=("alice", "bob")), keys=keys) as stage:
        yield stage


@pytest.mark.parametrize("require", [Vouching.SIGNALLED, Vouching.OMEMO_TRUSTED], ids=["nothing", "omemo"])
@pytest.mark.parametrize("attack", ATTACKS, ids=["swaps keys", "adds a device"])
async def test_forged_keys_are_believed_until_they_are_compared(
    stage: Theatre, attack: Attack, require: Vouching
) -> None:
    fooled = await stage.play(attack, require=require)
    judge(fooled, require, forged=True)
    assert fooled.active == fooled.heard == set(Role), "the keys were as good as any that nobody compared"
    for call in fooled.calls.values():
        assert call.security.vouching is Vouching.OMEMO_TRUSTED
        assert any("not compared" in found.text for found in call.security.findings)
    stage.compare_keys()
    for role, call in fooled.calls.items():
        media = call.security.media
        assert media is not None
        voucher = media.remote_fingerprint.voucher
        assert voucher is not None
        known = stage.keys[role].trust.keys(stage.clients[role.other].address.bare)
        assert len({voucher.peer.key, *(item.key for item in known)}) == 2, "who compares sees two keys"


@pytest.mark.parametrize("attack", ATTACKS, ids=["swaps keys", "adds a device"])
async def test_who_asks_for_compared_keys_is_not_fooled(stage: Theatre, attack: Attack) -> None:
    played = await stage.play(attack, require=Vouching.OMEMO_VERIFIED)
    judge(played, Vouching.OMEMO_VERIFIED)
    assert played.active == set()
    assert played.heard == set()


@pytest.mark.parametrize("attack", ATTACKS, ids=["swaps keys", "adds a device"])
async def test_compared_keys_are_found_again_after_the_attack(stage: Theatre, attack: Attack) -> None:
    """A session that the attacker began may be the one in use: then one call is refused, and the session replaced."""
    await stage.play(attack)
    stage.compare_keys()
    for require in (Vouching.OMEMO_TRUSTED, Vouching.OMEMO_VERIFIED):
        played = await stage.play(attack, require=require)
        judge(played, require)
        assert played.active == set(), "the attacker's key is not believed any more, although it was there first"
    judge(await stage.play(), Vouching.SIGNALLED)
    judge_honest(stage, await stage.play())
