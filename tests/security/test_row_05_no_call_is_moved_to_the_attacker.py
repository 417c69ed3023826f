"""Row 5: a server that moves a call to a device of the attacker's while it goes on (XEP-0353, 6.2)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from xml.etree.ElementTree import Element

import pytest

from openvoice import Address, Call, EndReason, Vouching
from openvoice.client.keys import temporary_keys
from openvoice.core.types import Role
from openvoice.jingle import namespaces as ns
from openvoice.jingle.messages import serialize_message
from openvoice.jingle.model import JingleMessage, MessageKind
from openvoice.signalling.xmpp.elements import stanza as stanza_of

from .attacker import SOON
from .hostile_server import Toward
from .media_middleman import MediaMiddleman
from .omemo_attacks import number_of
from .scene import HostileScene
from .theatre import Theatre, judge_honest, theatre

pytestmark = pytest.mark.live

SESSION = "moved"


@pytest.fixture
async def stage(hostile: Callable[..., HostileScene]) -> AsyncIterator[Theatre]:
    keys = {name: temporary_keys() for name in ("alice", "bob")}
    async with theatre(hostile(friends=("alice", "bob")), keys=keys) as stage:
        stage.compare_keys()
        yield stage


@pytest.mark.parametrize("sealed", [False, True], ids=["plain", "sealed by a device of its own"])
@pytest.mark.parametrize("role", Role)
async def test_a_call_that_was_vouched_for_ends_rather_than_move(stage: Theatre, role: Role, sealed: bool) -> None:
    middleman = MediaMiddleman()
    victim = stage.clients[role].address
    peer = stage.clients[role.other].address.bare
    other_device = Address(peer.local, peer.domain, "new-phone")

    async def meanwhile(calls: Mapping[Role, Call]) -> None:
        call = calls[role]
        assert call.security.vouching is Vouching.OMEMO_VERIFIED
        propose = JingleMessage(kind=MessageKind.PROPOSE, id=SESSION, media=frozenset({"audio"}))
        _say(serialize_message(propose, victim))
        await stage.server.sees(victim, Toward.SERVER, _goes_on)
        offer = await middleman.offers(SESSION)
        if sealed:
            impostor, device = stage.impostors[peer], number_of(stage.watch, victim)
            await impostor.appear()
            assert device is not None
            offer = await impostor.seal(offer, victim.bare, device, impostor.id)
        _say(stanza_of("iq", offer, kind="set", id="move", to=str(victim)))
        ended = await asyncio.wait_for(call.wait_closed(), SOON)
        assert ended.reason is EndReason.SECURITY_ERROR
        assert call.failure is not None
        assert call.failure.exit_code == 6
        assert ended.security.vouching < Vouching.OMEMO_TRUSTED or not sealed

    def _say(stanza: Element) -> None:
        stanza.set("from", str(other_device))
        stage.server.inject(victim, Toward.CLIENT, stanza)

    def _goes_on(stanza: Element) -> bool:
        proceeds = stanza.find(ns.qualified(ns.JINGLE_MESSAGE, "proceed")) is not None
        return proceeds and stanza.get("to") == str(other_device)

    try:
        await stage.play(meanwhile=meanwhile)
    finally:
        await middleman.close()
    assert middleman.heard == set()
    judge_honest(stage, await stage.play())
