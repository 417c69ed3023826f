from __future__ import annotations

import pytest

from openvoice.client.failures import failure
from openvoice.core.types import Direction, EndReason, Origin
from openvoice.errors import (
    Busy,
    CallFailed,
    Cancelled,
    Declined,
    MediaFailed,
    NoAnswer,
    PeerUnavailable,
    SecurityRefused,
)


def what(
    reason: EndReason,
    origin: Origin = Origin.REMOTE,
    *,
    connected: bool = False,
    direction: Direction = Direction.OUTGOING,
    text: str = "",
) -> CallFailed | None:
    return failure(reason, origin, text, peer="bob@example.org", direction=direction, connected=connected)


@pytest.mark.parametrize(
    ("reason", "kind", "code"),
    [
        (EndReason.BUSY, Busy, 4),
        (EndReason.DECLINE, Declined, 4),
        (EndReason.TIMEOUT, NoAnswer, 5),
        (EndReason.EXPIRED, NoAnswer, 5),
        (EndReason.GONE, PeerUnavailable, 5),
        (EndReason.SECURITY_ERROR, SecurityRefused, 6),
        (EndReason.CONNECTIVITY_ERROR, MediaFailed, 7),
        (EndReason.FAILED_TRANSPORT, MediaFailed, 7),
        (EndReason.UNSUPPORTED_APPLICATIONS, MediaFailed, 7),
        (EndReason.CANCEL, Cancelled, 130),
        (EndReason.SUCCESS, Cancelled, 130),
    ],
)
def test_every_reason_is_a_typed_error_with_an_exit_code(reason: EndReason, kind: type[CallFailed], code: int) -> None:
    error = what(reason)
    assert type(error) is kind
    assert error.exit_code == code


def test_a_call_that_took_place_and_ended_is_no_failure() -> None:
    assert what(EndReason.SUCCESS, connected=True) is None


def test_a_call_that_took_place_and_broke_is_one() -> None:
    assert isinstance(what(EndReason.CONNECTIVITY_ERROR, connected=True, text="cut off"), MediaFailed)
    assert "cut off" in str(what(EndReason.SECURITY_ERROR, text="cut off"))
    assert "connectivity-error" in str(what(EndReason.CONNECTIVITY_ERROR))


def test_who_ended_it_changes_the_words() -> None:
    assert "taken on another of your devices" in str(what(EndReason.SUCCESS, Origin.ELSEWHERE))
    assert "declined on another of your devices" in str(what(EndReason.DECLINE, Origin.ELSEWHERE))
    assert "you declined" in str(what(EndReason.DECLINE, Origin.LOCAL))
    assert "bob@example.org declined" in str(what(EndReason.DECLINE))
    assert "not answered in time" in str(what(EndReason.TIMEOUT, Origin.LOCAL, direction=Direction.INCOMING))
