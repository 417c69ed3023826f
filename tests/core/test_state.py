from __future__ import annotations

from pathlib import Path

from openvoice.core import inputs as i
from openvoice.core.state import TRANSITIONS, CallState, diagram
from openvoice.core.types import Role

DOCUMENT = Path(__file__).parents[2] / "docs" / "states.md"


def test_only_the_responder_accepts_and_only_the_initiator_is_answered() -> None:
    """Threat 2: a peer cannot push a call over by playing the other role."""
    for state, row in TRANSITIONS[Role.INITIATOR].items():
        assert i.Accept not in row, state
    for state, row in TRANSITIONS[Role.RESPONDER].items():
        assert i.AnswerReceived not in row, state
        assert i.PeerProceeded not in row, state


def test_nothing_leaves_the_end() -> None:
    assert not any(rows[CallState.ENDED] for rows in TRANSITIONS.values())


def test_every_live_state_can_end() -> None:
    for rows in TRANSITIONS.values():
        for state, row in rows.items():
            if state is not CallState.ENDED:
                assert row[i.HangUp] == row[i.Ended] == row[i.MediaClosed] == (CallState.ENDED,)
                assert row[i.MediaFailed][-1] is CallState.ENDED


def test_the_diagram_in_the_documentation_is_this_table() -> None:
    assert diagram() in DOCUMENT.read_text()
