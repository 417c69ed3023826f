from __future__ import annotations

import pytest

from openvoice.core.address import Address
from openvoice.core.policy import Audience, Policy, Screening
from openvoice.core.security import assess
from openvoice.core.types import Vouching

from .descriptions import SIGNALLING, facts

ALICE = Address.parse("alice@example.org")
PHONE = Address.parse("alice@example.org/phone")


@pytest.mark.parametrize(
    ("ring", "named", "in_roster", "expected"),
    [
        (Audience.ROSTER, False, True, Screening.RING),
        (Audience.ROSTER, False, False, Screening.SILENT),
        (Audience.ROSTER, True, False, Screening.RING),
        (Audience.NAMED, False, True, Screening.SILENT),
        (Audience.NAMED, True, True, Screening.RING),
        (Audience.NOBODY, True, True, Screening.SILENT),
    ],
)
def test_who_may_ring(ring: Audience, named: bool, in_roster: bool, expected: Screening) -> None:
    policy = Policy(ring=ring, callers=frozenset({ALICE} if named else ()))
    assert policy.screen(PHONE, in_roster=in_roster, live_calls=0) is expected


def test_a_stranger_does_not_learn_that_the_line_is_busy() -> None:
    policy = Policy()
    assert policy.screen(PHONE, in_roster=False, live_calls=1) is Screening.SILENT
    assert policy.screen(PHONE, in_roster=True, live_calls=1) is Screening.BUSY
    assert Policy(maximum_calls=2).screen(PHONE, in_roster=True, live_calls=1) is Screening.RING


@pytest.mark.parametrize("blocked", [ALICE, Address.parse("example.org")])
def test_blocked_people_and_domains_are_silent(blocked: Address) -> None:
    policy = Policy(blocked=frozenset({blocked}), callers=frozenset({ALICE}), answer=Audience.ROSTER)
    assert policy.screen(PHONE, in_roster=True, live_calls=0) is Screening.SILENT
    assert not policy.answers(PHONE, in_roster=True)


def test_nobody_is_answered_unless_the_user_wrote_so() -> None:
    assert not Policy(callers=frozenset({ALICE})).answers(PHONE, in_roster=True)
    assert Policy(answer=Audience.NAMED, callers=frozenset({ALICE})).answers(PHONE, in_roster=False)
    assert not Policy(answer=Audience.NAMED).answers(PHONE, in_roster=True)
    assert Policy(answer=Audience.ROSTER).answers(PHONE, in_roster=True)
    assert not Policy(answer=Audience.ROSTER).answers(PHONE, in_roster=False)


@pytest.mark.parametrize("have", list(Vouching))
@pytest.mark.parametrize("want", [Vouching.SIGNALLED, Vouching.OMEMO_TRUSTED, Vouching.OMEMO_VERIFIED])
def test_less_than_required_is_refused_with_a_sentence(have: Vouching, want: Vouching) -> None:
    refusal = Policy(require=want).refusal(assess(have, facts(), SIGNALLING))
    assert (refusal is None) == (have >= want)


def test_unprotected_media_are_always_refused() -> None:
    assert Policy().refusal(assess(Vouching.OMEMO_VERIFIED, None, SIGNALLING)) == "the media are not protected"


@pytest.mark.parametrize(
    "values",
    [
        {"maximum_calls": 0},
        {"ring_timeout": 0},
        {"ring_timeout": float("nan")},
        {"answer_timeout": float("inf")},
        {"require": Vouching.NONE},
        {"callers": frozenset({PHONE})},
    ],
)
def test_senseless_policies_do_not_exist(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Policy(**values)  # type: ignore[arg-type]
