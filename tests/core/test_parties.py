"""Each cell of the table of verdicts: party by party, by what happened."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.contacts import Contact, ContactKind, SeenAddress
from openvoice.core.description import CandidateType
from openvoice.core.parties import Learnt, Party, PartyVerdict, judge
from openvoice.core.trace import Trace
from openvoice.core.types import Vouching

HOST, MAPPED, RELAY = CandidateType.HOST, CandidateType.SERVER_REFLEXIVE, CandidateType.RELAY
MINE, SHOWN, LENT, STREAM = "192.168.1.7", "203.0.113.9", "198.51.100.5", "192.168.1.8"
PEER = "bob@example.net"

STUN_ASKED = Contact(kind=ContactKind.STUN, host="stun.example.org", address=MINE)
STUN = Contact(kind=ContactKind.STUN, host="stun.example.org", address=MINE, mapped=SHOWN)
TURN_ASKED = Contact(kind=ContactKind.TURN, host="turn.example.org", address=MINE)
TURN = Contact(kind=ContactKind.TURN, host="turn.example.org", address=MINE, mapped=SHOWN)
CHECKED = Contact(kind=ContactKind.PEER, host="198.51.100.77", address=MINE, mapped=SHOWN)
CHECKED_BY_RELAY = Contact(kind=ContactKind.PEER, host="198.51.100.77", address=LENT, type=RELAY, mapped=LENT)
PEERS_RELAY = Contact(kind=ContactKind.PEER_RELAY, host="198.51.100.99", address=MINE)

DIRECT = Trace(
    signalled=True,
    consented=True,
    spoken=True,
    told=(SeenAddress(MINE, HOST), SeenAddress(SHOWN, MAPPED), SeenAddress(LENT, RELAY)),
    contacts=(STUN, TURN, CHECKED),
)
RELAY_ONLY = Trace(
    signalled=True, consented=True, spoken=True, told=(SeenAddress(LENT, RELAY),), contacts=(TURN, CHECKED_BY_RELAY)
)


def verdicts(
    trace: Trace = DIRECT,
    vouching: Vouching = Vouching.SIGNALLED,
    *,
    media: bool = True,
    own_server: str = "example.org",
    own_address: str = STREAM,
    peer: str = PEER,
) -> dict[Party, PartyVerdict]:
    judged = judge(trace, vouching=vouching, media=media, own_server=own_server, own_address=own_address, peer=peer)
    assert len({verdict.party for verdict in judged}) == len(judged) == len(Party)
    return {verdict.party: verdict for verdict in judged}


def addresses(verdict: PartyVerdict) -> list[tuple[str, CandidateType]]:
    return [(seen.address, seen.type) for seen in verdict.learnt.addresses]


@pytest.mark.parametrize(
    ("vouching", "hears"),
    [
        (Vouching.NONE, True),
        (Vouching.SIGNALLED, True),
        (Vouching.OMEMO_TRUSTED, None),
        (Vouching.OMEMO_VERIFIED, False),
    ],
)
def test_the_servers_could_hear_unless_a_compared_key_vouches(vouching: Vouching, hears: bool | None) -> None:
    judged = verdicts(vouching=vouching)
    assert judged[Party.OWN_SERVER].could_hear is judged[Party.PEER_SERVER].could_hear is hears
    for deaf in (Party.TURN_OPERATOR, Party.STUN_OPERATOR, Party.NETWORK):
        assert judged[deaf].could_hear is False
    assert judged[Party.PEER].could_hear is True


@pytest.mark.parametrize("vouching", list(Vouching))
def test_each_vouching_has_words_of_its_own(vouching: Vouching) -> None:
    for party in (Party.OWN_SERVER, Party.PEER):
        others = {verdicts(vouching=other)[party].why for other in Vouching if other is not vouching}
        assert verdicts(vouching=vouching)[party].why not in others


def test_a_login_that_was_bound_leaves_nobody_but_the_operator_of_the_own_server() -> None:
    def judged(vouching: Vouching, *, bound: bool) -> tuple[str, str]:
        found = judge(DIRECT, vouching=vouching, media=True, own_server="a", bound=bound, peer="b@a")
        own, peers = found[:2]
        assert own.could_hear is peers.could_hear
        return own.why, peers.why

    own, peers = judged(Vouching.SIGNALLED, bound=True)
    assert "certificate" in peers
    assert "certificate" not in own
    assert judged(Vouching.SIGNALLED, bound=False) == (peers, peers)
    assert judged(Vouching.OMEMO_VERIFIED, bound=True) == judged(Vouching.OMEMO_VERIFIED, bound=False)


def test_nobody_heard_a_call_in_which_nothing_was_said() -> None:
    refused = Trace(signalled=True, over=True, told=DIRECT.told, contacts=DIRECT.contacts)
    for judged in (verdicts(refused), verdicts(Trace(signalled=True), media=False)):
        for verdict in judged.values():
            assert verdict.could_hear is False
        assert "No sound was exchanged." in judged[Party.OWN_SERVER].why
    # The addresses were told all the same.
    assert addresses(verdicts(refused)[Party.PEER]) == addresses(verdicts(DIRECT)[Party.PEER])
    assert "No sound was exchanged. It carries" in verdicts(refused)[Party.TURN_OPERATOR].why


def test_before_the_gate_opens_the_verdict_is_about_the_sound_to_come() -> None:
    assert verdicts(Trace(signalled=True))[Party.OWN_SERVER].could_hear is True


def test_servers_learn_everything_but_the_sound() -> None:
    judged = verdicts()
    own, peers = judged[Party.OWN_SERVER], judged[Party.PEER_SERVER]
    for server in (own, peers):
        assert (server.learnt.who, server.learnt.when, server.learnt.how_long) == (True, True, True)
    told = [(MINE, HOST), (SHOWN, MAPPED), (LENT, RELAY)]
    assert addresses(own) == [(STREAM, HOST), *told]
    assert addresses(peers) == told
    assert (own.name, peers.name) == ("example.org", "example.net")


def test_one_server_for_both_is_judged_once() -> None:
    judged = verdicts(peer="bob@example.org")
    own, peers = judged[Party.OWN_SERVER], judged[Party.PEER_SERVER]
    assert (own.name, own.could_hear, own.learnt) == (peers.name, peers.could_hear, peers.learnt)


def test_the_own_server_sees_the_stream_as_others_saw_the_same_address() -> None:
    judged = verdicts(own_address=MINE)
    assert addresses(judged[Party.OWN_SERVER])[0] == (SHOWN, MAPPED)
    assert addresses(verdicts(RELAY_ONLY, own_address="")[Party.OWN_SERVER]) == [(LENT, RELAY)]


def test_with_relays_only_the_peer_and_its_server_learn_the_relay_alone() -> None:
    judged = verdicts(RELAY_ONLY)
    for party in (Party.PEER, Party.PEER_SERVER):
        assert addresses(judged[party]) == [(LENT, RELAY)]
    assert addresses(judged[Party.TURN_OPERATOR]) == [(SHOWN, MAPPED)]
    assert addresses(judged[Party.NETWORK]) == [(STREAM, HOST), (MINE, HOST), (SHOWN, MAPPED), (LENT, RELAY)]


def test_the_peer_learns_where_checks_came_from_even_if_it_was_not_told() -> None:
    told_little = Trace(signalled=True, spoken=True, told=(SeenAddress(LENT, RELAY),), contacts=(CHECKED,))
    assert addresses(verdicts(told_little)[Party.PEER]) == [(LENT, RELAY), (MINE, HOST), (SHOWN, MAPPED)]


def test_a_peer_that_lies_about_what_it_saw_can_hide_nothing() -> None:
    """What it says is listed beside what is known without it, and is nobody else's verdict."""
    lies = [replace(contact, address=MINE, mapped="192.0.2.66") for contact in (CHECKED, PEERS_RELAY)]
    judged = verdicts(Trace(signalled=True, spoken=True, contacts=tuple(lies)), own_address=MINE)
    assert addresses(judged[Party.OWN_SERVER]) == [(MINE, HOST)]
    for party in (Party.PEER, Party.TURN_OPERATOR):
        assert addresses(judged[party]) == [(MINE, HOST), ("192.0.2.66", MAPPED)]


def test_operators_learn_times_and_an_address_and_no_names() -> None:
    judged = verdicts()
    turn, stun = judged[Party.TURN_OPERATOR], judged[Party.STUN_OPERATOR]
    assert (turn.learnt.who, turn.learnt.when, turn.learnt.how_long) == (False, True, True)
    assert (stun.learnt.who, stun.learnt.when, stun.learnt.how_long) == (False, True, False)
    assert addresses(turn) == addresses(stun) == [(SHOWN, MAPPED)]
    assert (turn.name, stun.name) == ("turn.example.org", "stun.example.org")


def test_a_server_that_did_not_answer_was_still_shown_the_address() -> None:
    judged = verdicts(Trace(signalled=True, contacts=(STUN_ASKED, TURN_ASKED)))
    for party in (Party.TURN_OPERATOR, Party.STUN_OPERATOR):
        assert addresses(judged[party]) == [(MINE, HOST)]
        assert judged[party].learnt.how_long is False


def test_who_runs_both_services_on_one_host_learns_what_both_learn() -> None:
    elsewhere = replace(TURN, host=STUN.host, address=STREAM, mapped="203.0.113.10")
    judged = verdicts(Trace(signalled=True, spoken=True, contacts=(STUN, elsewhere)))
    turn, stun = judged[Party.TURN_OPERATOR], judged[Party.STUN_OPERATOR]
    assert turn.learnt == stun.learnt
    assert stun.learnt.how_long
    assert addresses(stun) == [(SHOWN, MAPPED), ("203.0.113.10", MAPPED)]
    assert turn.why != stun.why


def test_operators_that_nobody_asked_are_said_not_to_be() -> None:
    judged = verdicts(Trace(signalled=True, spoken=True))
    for party in (Party.TURN_OPERATOR, Party.STUN_OPERATOR):
        assert (judged[party].name, judged[party].why) == ("", "None was asked.")
        assert judged[party].learnt.when is False


def test_the_relay_of_the_peer_is_an_operator_too() -> None:
    judged = judge(
        Trace(signalled=True, spoken=True, contacts=(TURN, PEERS_RELAY)),
        vouching=Vouching.SIGNALLED,
        media=True,
    )
    turns = [verdict for verdict in judged if verdict.party is Party.TURN_OPERATOR]
    assert [verdict.name for verdict in turns] == ["turn.example.org", "198.51.100.99"]
    assert "peer's" in turns[1].why
    assert turns[1].learnt.how_long
    assert addresses(turns[1]) == [(SHOWN, MAPPED)], "as the own relay saw the same address"


def test_the_network_sees_times_and_addresses_and_no_names() -> None:
    learnt = verdicts()[Party.NETWORK].learnt
    assert (learnt.who, learnt.when, learnt.how_long) == (False, True, True)
    before = verdicts(Trace(signalled=True), media=False)[Party.NETWORK]
    assert (before.learnt.when, before.learnt.how_long) == (False, False)
    assert addresses(before) == [(STREAM, HOST)]


def test_nothing_that_happened_taught_nobody_anything() -> None:
    for verdict in verdicts(Trace(), media=False).values():
        assert verdict.learnt == Learnt()


CONTACTS = (STUN_ASKED, STUN, TURN_ASKED, TURN, CHECKED, CHECKED_BY_RELAY, PEERS_RELAY)


@given(
    st.sampled_from(list(itertools.product((False, True), repeat=3))),
    st.sampled_from(list(Vouching)),
    st.booleans(),
    st.lists(st.sampled_from(CONTACTS), unique=True),
    st.lists(st.sampled_from(DIRECT.told), unique=True),
)
def test_what_must_hold_whatever_happened(
    flags: tuple[bool, bool, bool],
    vouching: Vouching,
    media: bool,
    contacts: list[Contact],
    told: list[SeenAddress],
) -> None:
    signalled, spoken, over = flags
    trace = Trace(signalled=signalled, spoken=spoken, over=over, contacts=tuple(contacts), told=tuple(told))
    judged = judge(trace, vouching=vouching, media=media, own_server="a", own_address=STREAM, peer="b@c")
    parties = [verdict.party for verdict in judged]
    assert set(parties) == set(Party)
    assert parties == sorted(parties, key=list(Party).index)
    for verdict in judged:
        document = json.loads(json.dumps(verdict.as_dict()))
        assert document["party"] == verdict.party.value
        assert verdict.why
        if verdict.could_hear is not False:
            assert media
            assert not trace.silent
            assert verdict.party is Party.PEER or vouching < Vouching.OMEMO_VERIFIED
        if verdict.party in (Party.TURN_OPERATOR, Party.STUN_OPERATOR, Party.NETWORK):
            assert not verdict.learnt.who
            assert verdict.could_hear is False
        if verdict.party is Party.PEER_SERVER:
            assert set(verdict.learnt.addresses) <= set(told), "the peer's server sees only what was told"
