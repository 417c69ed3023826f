"""What the two people of a call do besides talking."""

from __future__ import annotations

import pytest

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.conduct import Conduct
from openvoice.core.types import Origin


@pytest.mark.parametrize("active", [True, False])
def test_a_hold_is_told_to_the_peer_of_an_active_call_only(active: bool) -> None:
    conduct = Conduct()
    effects = list(conduct.take(i.Hold(True), opened=True, active=active))
    told = [e.SendInformation(e.Information.HOLD)] if active else []
    assert effects == [e.SetHeld(True), *told, e.Notify(events.HoldChanged(True, Origin.LOCAL))]
    assert list(conduct.take(i.Hold(True), opened=True, active=active)) == []


def test_new_media_are_as_those_before_and_their_peer_learns_of_it() -> None:
    conduct = Conduct()
    assert list(conduct.resume()) == list(conduct.announce()) == []
    list(conduct.take(i.Mute(True), opened=False, active=False))
    list(conduct.take(i.Hold(True), opened=False, active=False))
    assert list(conduct.resume()) == [e.SetMuted(True), e.SetHeld(True)]
    assert list(conduct.announce()) == [
        e.SendInformation(e.Information.MUTE),
        e.SendInformation(e.Information.HOLD),
    ]
