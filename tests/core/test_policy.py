from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.address import Address
from openvoice.core.policy import Audience, Policy, Rules, Screening, Way, first_said
from openvoice.core.security import assess
from openvoice.core.types import Vouching

from .descriptions import SIGNALLING, facts

ALICE = Address.parse("alice@example.org")
PHONE = Address.parse("alice@example.org/phone")
BOB = Address.parse("bob@example.org")


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


vouchings = st.sampled_from([Vouching.SIGNALLED, Vouching.OMEMO_TRUSTED, Vouching.OMEMO_VERIFIED])
rules = st.builds(Rules, require=st.none() | vouchings, relay_only=st.none() | st.booleans())


@given(insisted=rules, contact=rules, account=rules, require=vouchings, relay_only=st.booleans())
def test_the_command_line_counts_most_then_the_contact_then_the_account(
    insisted: Rules, contact: Rules, account: Rules, require: Vouching, relay_only: bool
) -> None:
    policy = Policy(
        require=require, relay_only=relay_only, account=account, contacts={ALICE: contact}, insisted=insisted
    )
    for peer, places in ((PHONE, (insisted, contact, account)), (BOB, (insisted, account))):
        towards = policy.towards(peer, in_roster=True)
        vouching = [place.require for place in places if place.require is not None]
        relayed = [place.relay_only for place in places if place.relay_only is not None]
        assert towards.require is [*vouching, require][0]
        assert towards.relay_only is [*relayed, relay_only][0]
        assert first_said(*places) == Rules(require=[*vouching, None][0], relay_only=[*relayed, None][0])
        # Nothing in it depends on the peer any more.
        assert towards.towards(peer, in_roster=True) == towards == towards.towards(BOB, in_roster=True)


@pytest.mark.parametrize(
    ("policy", "in_roster", "with_relay", "without"),
    [
        (Policy(), True, Way.ANY, Way.ANY),
        (Policy(), False, Way.RELAYED, Way.EXPOSED),
        (Policy(relay_strangers=False), False, Way.ANY, Way.ANY),
        (Policy(relay_only=True), True, Way.RELAYED, None),
        (Policy(relay_only=True), False, Way.RELAYED, None),
        (Policy(relay_only=True, relay_strangers=False), False, Way.RELAYED, None),
        (Policy(contacts={ALICE: Rules(relay_only=False)}), False, Way.ANY, Way.ANY),
        (Policy(contacts={ALICE: Rules(relay_only=False)}, relay_only=True), True, Way.ANY, Way.ANY),
        (Policy(contacts={ALICE: Rules(relay_only=True)}), True, Way.RELAYED, None),
        (Policy(contacts={ALICE: Rules(require=Vouching.OMEMO_VERIFIED)}), False, Way.RELAYED, Way.EXPOSED),
        (Policy(account=Rules(relay_only=False), relay_only=True), False, Way.RELAYED, Way.EXPOSED),
        (Policy(contacts={ALICE: Rules(relay_only=False)}, insisted=Rules(relay_only=True)), True, Way.RELAYED, None),
    ],
)
def test_which_way_the_packets_go(policy: Policy, in_roster: bool, with_relay: Way, without: Way | None) -> None:
    towards = policy.towards(PHONE, in_roster=in_roster)
    assert towards.way(relay_offered=True) is with_relay
    assert towards.way(relay_offered=False) is without


def test_rules_without_any_vouching_do_not_exist() -> None:
    with pytest.raises(ValueError, match="vouching"):
        Rules(require=Vouching.NONE)


@pytest.mark.parametrize(
    "values",
    [
        {"maximum_calls": 0},
        {"contacts": {PHONE: Rules()}},
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
