"""Row 14: who calls whom, when, from where. The verdicts of the report, against all that each party received.

Alice's device has three addresses here, so that they can be told apart: 127.0.0.2 for media, 127.0.0.1 where it speaks
to the server and to the relay from, and 127.0.0.9 where a relay lends it one. Bob's is 127.0.0.3.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import pytest

from openvoice import SAMPLE_RATE, Account, Call, Client, Policy, Vouching, load_sound, temporary_keys
from openvoice.client.client import SignallingFactory
from openvoice.core.parties import Party, PartyVerdict
from openvoice.core.policy import Screening
from openvoice.core.security import SecurityReport
from openvoice.core.trust import Trust
from openvoice.ports import IncomingCall, KeyStore, RelayServer, SignallingListener
from openvoice.report import similarity
from openvoice.samples import sample
from openvoice.server import turn as turn_module
from openvoice.server.prosody import Prosody
from openvoice.server.turn import Turn
from openvoice.signalling.xmpp.adapter import XmppSignalling
from openvoice.signalling.xmpp.omemo.identity import own_key

from .attacker import SOON
from .hostile_server import HostileServer, Toward
from .listening import Keys, decrypt, handshakes, holds, keys_in, learnt, sound, voice
from .login import login
from .scene import HostileScene, talk
from .wire import Datagram, Wire

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not Turn.is_installed() or not Prosody.is_installed(), reason="needs Prosody and coturn"),
]

DEVICE, STREAM, RELAY, BOB = "127.0.0.2", "127.0.0.1", "127.0.0.9", "127.0.0.3"


class RelayElsewhere(Turn):
    """A relay with an address of its own, so that nobody's address is taken for its."""

    @property
    def host(self) -> str:
        return RELAY


@pytest.fixture
async def cast(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HostileScene]:
    """Alice and Bob on a server that changes nothing, and keeps all that passes."""
    monkeypatch.setattr(turn_module, "LOOPBACK", RELAY)
    async with RelayElsewhere() as relay, Prosody(turn=relay) as prosody, HostileServer(prosody) as hostile:
        yield HostileScene(hostile, prosody, ("alice", "bob"))


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Keys:
    return Keys(monkeypatch)


class WithoutRelays(XmppSignalling):
    """A client whose server offers neither STUN nor TURN."""

    async def relays(self) -> tuple[RelayServer, ...]:
        return ()


def without_relays(keys: KeyStore | None) -> SignallingFactory:
    def factory(
        account: Account, listener: SignallingListener, screen: Callable[[IncomingCall], Screening]
    ) -> WithoutRelays:
        return WithoutRelays(
            **login(account),
            listener=listener,
            screen=screen,
            keys=keys,
        )

    return factory


@dataclass(frozen=True, kw_only=True)
class Way:
    """How a call goes, and which addresses of Alice's device there are in it."""

    name: str
    alice_relays: bool = True
    alice_relay_only: bool = False
    bob_relay_only: bool = False
    own: frozenset[str] = frozenset({DEVICE, STREAM})
    lent: frozenset[str] = frozenset({RELAY})

    def __str__(self) -> str:
        return self.name


DIRECT = Way(name="direct")
RELAYED = Way(name="relay-only", alice_relay_only=True)
# The relay is Bob's here, and tells Bob's device its own address on 127.0.0.1: neither is Alice's.
PEER_RELAYED = Way(name="relayed-by-peer", alice_relays=False, bob_relay_only=True, lent=frozenset())
WAYS = [DIRECT, RELAYED, PEER_RELAYED]


@dataclass(frozen=True, kw_only=True)
class Overheard:
    """A call that is over, and all that anybody received of it."""

    report: SecurityReport
    packets: list[bytes]
    server: bytes
    """All octets of both streams, in both directions."""
    streams_from: set[str]
    told_bob: bytes
    """What Bob's device got by its stream."""

    def verdict(self, party: Party) -> PartyVerdict:
        (verdict,) = [verdict for verdict in self.report.parties if verdict.party is party]
        return verdict

    def claimed(self, party: Party) -> set[str]:
        return {seen.address for seen in self.verdict(party).learnt.addresses}


Keyring = Mapping[str, KeyStore]


async def overhear(way: Way, cast: HostileScene, wire: Wire, keyring: Keyring | None = None) -> Overheard:
    """A call in which Alice says all that she has to say. With a ``keyring`` it is sealed by OMEMO."""

    def client(name: str, address: str, *, relays: bool, relay_only: bool) -> Client:
        keys = keyring[name] if keyring else None
        return Client(
            cast.account(name),
            interfaces=(address,),
            policy=Policy(relay_only=relay_only),
            keys=keys,
            signalling=None if relays else without_relays(keys),
        )

    hostile = cast.server
    async with (
        client("alice", DEVICE, relays=way.alice_relays, relay_only=way.alice_relay_only) as alice,
        client("bob", BOB, relays=way.bob_relay_only, relay_only=way.bob_relay_only) as bob,
    ):
        line = hostile._lines[alice.address.bare]
        call, other = await talk(alice, bob, said=sample("alice"))
        async with asyncio.timeout(SOON + 10):
            await said_all(call)
        await call.hangup()
        await other.wait_closed()
        accounts = (alice.address, bob.address)
        bobs = {datagram.source for datagram in wire.sent if datagram.source[0] == BOB}
        if way is PEER_RELAYED:
            # The device of each speaks from another address than that of the other.
            bobs |= {datagram.source for datagram in wire.sent if datagram.source[0] == STREAM}
        return Overheard(
            report=call.security,
            packets=voice(datagram for datagram in wire.sent if datagram.source not in bobs),
            server=b"".join(hostile.octets(account, toward) for account in accounts for toward in Toward),
            streams_from={line._writers[Toward.CLIENT].get_extra_info("peername")[0]},
            told_bob=hostile.octets(bob.address, Toward.CLIENT),
        )


async def said_all(call: Call) -> None:
    async for event in call.events():
        if event.name == "source-ended":
            return


def reached(wire: Wire, host: str) -> list[Datagram]:
    """What was sent to a host."""
    return [datagram for datagram in wire.sent if datagram.destination[0] == host]


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_nobody_who_is_said_to_be_deaf_can_decrypt_or_play_a_packet(
    way: Way, cast: HostileScene, wire: Wire, keys: Keys
) -> None:
    call = await overhear(way, cast, wire)
    deaf = {verdict.party for verdict in call.report.parties if verdict.could_hear is False}
    assert deaf == {Party.TURN_OPERATOR, Party.STUN_OPERATOR, Party.NETWORK}
    nobody_decrypts(call, wire, keys)


def nobody_decrypts(call: Overheard, wire: Wire, keys: Keys) -> None:
    said, packets = load_sound(sample("alice")), call.packets
    assert len(packets) > 200

    # With all that any of them has, and more: the streams, which only the servers can read, and every datagram.
    length = len(next(iter(keys.known)))
    material = call.server + handshakes(wire)
    assert keys_in(material, packets[0], keys.profile, length) == []
    assert not similarity(said, sound(packets), SAMPLE_RATE).passed
    assert similarity(said, sound(packets), SAMPLE_RATE).found < 0.1

    # So could the trial have failed: the keys that the devices agreed on are found, and what they open is the speech.
    (key,) = [known for known in keys.known if decrypt(packets[:1], known, keys.profile)]
    assert keys_in(material[:500] + key + material[:500], packets[0], keys.profile, length) == [key]
    assert similarity(said, sound(decrypt(packets, key, keys.profile)), SAMPLE_RATE).passed


async def test_a_server_is_said_to_be_deaf_when_a_key_vouches_that_was_compared_and_not_before(
    cast: HostileScene, wire: Wire, keys: Keys
) -> None:
    keyring = {name: temporary_keys() for name in ("alice", "bob")}
    servers = (Party.OWN_SERVER, Party.PEER_SERVER)
    met = await overhear(RELAYED, cast, wire, keyring)
    assert met.report.vouching is Vouching.OMEMO_TRUSTED
    assert [met.verdict(party).could_hear for party in servers] == [None, None]

    trust = keyring["alice"].trust
    (bob,) = trust.owners()
    for known in trust.keys(bob):
        trust.decide(bob, known.key, Trust.VERIFIED)
    wire.sent.clear()
    cast.server.forget()
    keys.known.clear()
    compared = await overhear(RELAYED, cast, wire, keyring)
    assert compared.report.vouching is Vouching.OMEMO_VERIFIED
    assert [compared.verdict(party).could_hear for party in servers] == [False, False]
    assert all(compared.verdict(party).learnt.who for party in servers), "OMEMO hides no names"
    assert compared.report.voucher is not None
    assert compared.report.voucher.own_key == own_identity(keyring["alice"])
    assert compared.report.voucher.peer.key == own_identity(keyring["bob"])
    nobody_decrypts(compared, wire, keys)


def own_identity(keys: KeyStore) -> bytes:
    known = own_key(keys.secrets)
    assert known is not None
    return known[1]


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_each_party_learnt_the_addresses_that_the_report_names_and_no_other(
    way: Way, cast: HostileScene, wire: Wire
) -> None:
    call = await overhear(way, cast, wire)
    everything = way.own | way.lent

    # One server for both: it has both streams.
    at_server = call.streams_from | learnt(everything, [], call.server)
    if way is PEER_RELAYED:
        assert holds(RELAY, call.server), "as the address of Bob"
    assert call.claimed(Party.OWN_SERVER) == call.claimed(Party.PEER_SERVER) == at_server

    at_relay = learnt(way.own if way is not PEER_RELAYED else {DEVICE}, reached(wire, RELAY))
    assert call.claimed(Party.TURN_OPERATOR) == at_relay
    assert call.claimed(Party.STUN_OPERATOR) == (at_relay if way is DIRECT else set())

    on_the_way = learnt(way.own, wire.sent) | call.streams_from
    assert call.claimed(Party.NETWORK) - {RELAY} == on_the_way

    bobs = [d for d in wire.received if d.destination[0] == BOB or (way.bob_relay_only and d.source[0] == RELAY)]
    assert bobs
    at_bob = learnt(everything if way is not PEER_RELAYED else {DEVICE}, bobs, call.told_bob)
    assert call.claimed(Party.PEER) == at_bob

    expected = {"direct": everything, "relay-only": {RELAY}, "relayed-by-peer": {DEVICE}}
    assert at_bob == expected[way.name], "what a person is promised"


async def test_only_the_servers_and_the_peer_see_names(cast: HostileScene, wire: Wire) -> None:
    call = await overhear(DIRECT, cast, wire)
    names = {verdict.party for verdict in call.report.parties if verdict.learnt.who}
    assert names == {Party.OWN_SERVER, Party.PEER_SERVER, Party.PEER}
    peer = call.verdict(Party.PEER).name
    assert peer.encode() in call.server
    datagrams = b"".join(datagram.data for datagram in wire.sent)
    assert peer.partition("@")[0].encode() not in datagrams
    assert b"alice" not in datagrams
