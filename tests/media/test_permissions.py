"""Relays that forget permissions (RFC 8656, 9), as those of ejabberd and eturnal do and coturn does not."""

from __future__ import annotations

import pytest

from openvoice.core import inputs
from openvoice.media import relay
from tests.media.forgetful_turn import ForgetfulTurn
from tests.media.peers import Pair, hears, settings
from tests.waiting import until

pytestmark = [pytest.mark.network, pytest.mark.slow]

PERMISSION = 0.6


async def test_a_relayed_call_outlives_its_first_permissions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "PERMISSION_REFRESH", 0.8 * PERMISSION)
    async with ForgetfulTurn(permission=PERMISSION, channel=2 * PERMISSION) as server:
        pair = Pair(settings(server.relay(), relay_only=True), settings())
        await pair.connect()
        await pair.flow()
        await hears(pair.caller, round(3 * PERMISSION / 0.02))
        assert not pair.caller.has_said(inputs.MediaInterrupted)
        await pair.close()


async def test_without_a_refresh_it_goes_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test above can fail."""
    monkeypatch.setattr(relay, "PERMISSION_REFRESH", 5 * PERMISSION)
    async with ForgetfulTurn(permission=PERMISSION, channel=2 * PERMISSION) as server:
        pair = Pair(settings(server.relay(), relay_only=True), settings())
        await pair.connect()
        await pair.flow()
        await until(lambda: server.dropped > 10)
        await pair.caller.says(inputs.MediaInterrupted)
        await pair.close()
