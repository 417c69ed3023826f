from __future__ import annotations

from typing import get_args

import pytest

from openvoice.client.timeline import Moment, moment
from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.types import EndReason, Origin


@pytest.mark.parametrize(
    ("thing", "name", "by"),
    [
        (e.SendProposal(), "propose", Origin.LOCAL),
        (i.PeerProposed(announce=True), "propose", Origin.REMOTE),
        (i.PeerRinging(), "ringing", Origin.REMOTE),
        (e.SendEnd(EndReason.SUCCESS), "session-terminate", Origin.LOCAL),
        (i.Ended(EndReason.SUCCESS), "session-terminate", Origin.REMOTE),
        (e.OpenGate(), "gate-opened", Origin.LOCAL),
        (i.MediaFlowing(), "first-media", Origin.REMOTE),
        (e.Finish(EndReason.SUCCESS, Origin.LOCAL, ""), "ended", Origin.LOCAL),
    ],
)
def test_what_matters_has_a_name_of_the_standards(thing: i.CallInput | e.Effect, name: str, by: Origin) -> None:
    assert moment(thing, 12.5) == Moment(12.5, name, by)


@pytest.mark.parametrize("thing", [i.Mute(True), e.Notify(events.CallRinging()), e.CloseMedia()])
def test_what_does_not_matter_has_none(thing: i.CallInput | e.Effect) -> None:
    assert moment(thing, 0.0) is None


def test_all_that_is_said_to_the_peer_has_a_name_but_for_details() -> None:
    from openvoice.client.timeline import _NAMES

    details = {e.SendCandidates, e.SendInformation}
    assert set(get_args(e.SignallingEffect)) - _NAMES.keys() == details
