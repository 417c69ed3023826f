"""Who could hear a call, and who learnt what about it: one verdict for each party. Every rule stands in this file.

A verdict comes from what happened: who vouched for the keys, who was told which address, whom packets were sent to. It
is about this side of the call; what the peer's device told its own servers and relays is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from openvoice.core.contacts import Contact, ContactKind, SeenAddress
from openvoice.core.description import CandidateType
from openvoice.core.trace import Trace
from openvoice.core.types import Vouching


class Party(StrEnum):
    """Somebody who has to do with a call."""

    OWN_SERVER = "own_server"
    PEER_SERVER = "peer_server"
    TURN_OPERATOR = "turn_operator"
    STUN_OPERATOR = "stun_operator"
    NETWORK = "network"
    """Whoever carries packets on the way, from the router at home to the providers of both sides."""
    PEER = "peer"


@dataclass(frozen=True, kw_only=True, slots=True)
class Learnt:
    """What a party got to know about the call, beside the sound."""

    who: bool = False
    """Who spoke with whom, by their XMPP addresses."""
    when: bool = False
    """That this device was in a call, or set one up, at this time."""
    how_long: bool = False
    addresses: tuple[SeenAddress, ...] = ()
    """The network addresses that lead to this device, as far as this device knows them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PartyVerdict:
    """What is true of one party, with the reason in words."""

    party: Party
    name: str
    """Which one it is: a domain, a host, a bare address; empty if there is none, and for the network."""
    could_hear: bool | None
    """``None``: not if the peer's OMEMO key is the right one, which nobody has compared yet."""
    why: str
    learnt: Learnt

    def as_dict(self) -> dict[str, Any]:
        """The verdict as JSON-ready data; ``docs/events.md`` is its schema."""
        return {
            "party": self.party.value,
            "name": self.name or None,
            "could_hear": self.could_hear,
            "why": self.why,
            "learnt": {
                "who": self.learnt.who,
                "when": self.learnt.when,
                "how_long": self.learnt.how_long,
                "addresses": [{"address": seen.address, "type": seen.type.value} for seen in self.learnt.addresses],
            },
        }


Hearing = tuple[bool | None, str]
"""Whether somebody could hear, and why."""

_NO_SOUND: Hearing = (False, "No sound was exchanged.")
_SERVERS: dict[Vouching, Hearing] = {
    Vouching.NONE: (True, "Nobody vouches for the peer's key: any server could have put its own in place of it."),
    Vouching.SIGNALLED: (
        True,
        "Only the servers vouch for the peer's key: whoever runs this one, or holds a certificate for its name, could "
        "have put keys of its own in place of both and sat in the middle.",
    ),
    Vouching.OMEMO_TRUSTED: (
        None,
        "Not if the peer's OMEMO key is the right one: it came by way of the servers, and you have not compared it "
        "with the peer yet.",
    ),
    Vouching.OMEMO_VERIFIED: (
        False,
        "The OMEMO key of the peer, which you verified, vouches for the keys of the call. No server has them.",
    ),
}
_BOUND_SERVER: Hearing = (
    True,
    "Only the servers vouch for the peer's key: whoever runs this one could have put keys of its own in place of both "
    "and sat in the middle. The login proved that nobody sat between this device and the server.",
)
_PEER: dict[Vouching, Hearing] = {
    Vouching.NONE: (True, "It holds the other key of the call. Nobody vouches that it is the one you meant."),
    Vouching.SIGNALLED: (True, "It holds the other key of the call, as far as the servers say."),
    Vouching.OMEMO_TRUSTED: (True, "It holds the other key of the call, as its OMEMO key says."),
    Vouching.OMEMO_VERIFIED: (True, "It holds the other key of the call, as its OMEMO key says, which you verified."),
}
_OPERATORS: dict[Party, dict[ContactKind, Hearing]] = {
    Party.TURN_OPERATOR: {
        ContactKind.TURN: (
            False,
            "It carries packets without their keys, which the two devices agreed on between themselves. It sees the "
            "addresses at both ends of it, and how much passes when.",
        ),
        ContactKind.PEER_RELAY: (False, "It is the peer's: it gets packets for the peer, without their keys."),
    },
    Party.STUN_OPERATOR: {
        ContactKind.STUN: (False, "It said which address it sees this device at. It carries nothing."),
    },
}
_NOT_ASKED: Hearing = (False, "None was asked.")
_NETWORK: Hearing = (
    False,
    "It saw encrypted packets, their times and sizes and the addresses on them, and has no key. Whoever held a valid "
    "certificate for the name of a server counts as that server here.",
)


def judge(
    trace: Trace,
    *,
    vouching: Vouching,
    media: bool,
    own_server: str = "",
    own_address: str = "",
    bound: bool = False,
    peer: str = "",
) -> tuple[PartyVerdict, ...]:
    """A verdict for each party of the call that left ``trace``; of the operators there may be several.

    ``media`` says whether the devices agreed on keys. ``own_server`` is the domain of the own account, ``own_address``
    the network address that its stream comes from now, ``peer`` the bare address of the peer; empty if not known.
    ``bound`` says that the login proved whose the encrypted stream to the own server is. Two people who have the same
    server give it the same verdict twice.
    """
    silent = trace.silent or not media

    def heard(hearing: Hearing) -> Hearing:
        return _NO_SOUND if silent else hearing

    def server(party: Party, name: str, addresses: Iterable[SeenAddress]) -> PartyVerdict:
        passed = trace.signalled
        proved = bound and party is Party.OWN_SERVER and vouching is Vouching.SIGNALLED
        learnt = Learnt(who=passed, when=passed, how_long=passed, addresses=_each(addresses) if passed else ())
        return _verdict(party, name, heard(_BOUND_SERVER if proved else _SERVERS[vouching]), learnt)

    peer_server = peer.rpartition("@")[2]
    streams = [address for address in (*trace.earlier_streams, own_address) if address]
    own_learnt = (*(_shown(trace, address) for address in streams), *trace.told)
    peers = [contact for contact in trace.contacts if contact.kind in (ContactKind.PEER, ContactKind.PEER_RELAY)]
    return (
        server(Party.OWN_SERVER, own_server, own_learnt),
        server(Party.PEER_SERVER, peer_server, own_learnt if peer_server == own_server else trace.told),
        *_operators(Party.TURN_OPERATOR, trace, silent),
        *_operators(Party.STUN_OPERATOR, trace, silent),
        _verdict(
            Party.NETWORK,
            "",
            heard(_NETWORK),
            Learnt(when=bool(trace.contacts), how_long=media, addresses=_each(_on_the_way(trace, streams))),
        ),
        _verdict(
            Party.PEER,
            peer,
            heard(_PEER[vouching]),
            Learnt(
                who=trace.signalled,
                when=trace.signalled,
                how_long=trace.signalled,
                addresses=_each((*trace.told, *_seen(trace, peers))),
            ),
        ),
    )


def _operators(party: Party, trace: Trace, silent: bool) -> Iterator[PartyVerdict]:
    """One verdict for each host that is such a party, or one that says that there is none.

    Who runs two services on one host learns what both learn.
    """
    reasons = _OPERATORS[party]
    hosts: dict[str, list[Contact]] = {}
    for contact in trace.contacts:
        if contact.kind is not ContactKind.PEER:
            hosts.setdefault(contact.host, []).append(contact)
    concerned = {host: found for host, found in hosts.items() if any(each.kind in reasons for each in found)}
    if not concerned:
        yield _verdict(party, "", _NOT_ASKED, Learnt())
    for host, found in concerned.items():
        could_hear, why = next(hearing for kind, hearing in reasons.items() if any(each.kind is kind for each in found))
        yield _verdict(
            party,
            host,
            (could_hear, f"{_NO_SOUND[1]} {why}" if silent else why),
            Learnt(when=True, how_long=any(map(_lasts, found)), addresses=_each(_seen(trace, found))),
        )


def _lasts(contact: Contact) -> bool:
    """Whether it goes on as long as the call: a relay does, unless it never answered."""
    return contact.kind is ContactKind.PEER_RELAY or (contact.kind is ContactKind.TURN and bool(contact.mapped))


def _on_the_way(trace: Trace, streams: Iterable[str]) -> Iterator[SeenAddress]:
    """The first router sees this device's own address; those behind it see what the router makes of it."""
    if trace.signalled:
        for address in streams:
            yield SeenAddress(address, CandidateType.HOST)
    for contact in trace.contacts:
        yield SeenAddress(contact.address, contact.type)
        yield from _seen(trace, [contact])


def _seen(trace: Trace, contacts: Iterable[Contact]) -> Iterator[SeenAddress]:
    """Where packets came from for those who got them. A peer can add to it by what it says, but take nothing away."""
    for contact in contacts:
        yield _shown(trace, contact.address, contact.type)
        if contact.mapped not in ("", contact.address):
            yield SeenAddress(contact.mapped, CandidateType.SERVER_REFLEXIVE)


def _shown(trace: Trace, address: str, kind: CandidateType = CandidateType.HOST) -> SeenAddress:
    """An address of this device as it is beyond a router, by the word of the servers that were asked."""
    outside = trace.outside(address)
    return SeenAddress(outside, kind if outside == address else CandidateType.SERVER_REFLEXIVE)


def _each(addresses: Iterable[SeenAddress]) -> tuple[SeenAddress, ...]:
    return tuple(dict.fromkeys(addresses))


def _verdict(party: Party, name: str, hearing: Hearing, learnt: Learnt) -> PartyVerdict:
    could_hear, why = hearing
    return PartyVerdict(party=party, name=name, could_hear=could_hear, why=why, learnt=learnt)
