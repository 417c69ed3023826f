"""OMEMO devices of whole signallings against a private Prosody: published, sealed, unsealed, and hostile ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from xml.etree.ElementTree import Element, fromstring

import pytest

from openvoice.core.address import Address
from openvoice.core.inputs import PeerInput
from openvoice.core.policy import Screening
from openvoice.core.types import CallId
from openvoice.ports import IncomingCall, KeyStore
from openvoice.server.prosody import Prosody
from openvoice.signalling.xmpp import pubsub
from openvoice.signalling.xmpp.adapter import XmppSignalling
from openvoice.signalling.xmpp.elements import element, stanza
from openvoice.signalling.xmpp.failures import StanzaRefused, StanzaTimeout
from openvoice.signalling.xmpp.omemo import wire
from openvoice.signalling.xmpp.omemo.bundles import fetch_bundle
from openvoice.signalling.xmpp.omemo.device import OmemoDevice
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed
from openvoice.signalling.xmpp.omemo.prekeys import fresh_bundle
from openvoice.storage.trust import TrustBook
from openvoice.testing.fakes import MemorySecrets
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.network]

TEXTS = {"audio": "AA:BB:CC"}


@pytest.fixture
async def prosody() -> AsyncIterator[Prosody]:
    async with Prosody(accounts={"alice": "secret", "bob": "secret", "eve": "secret"}, acquainted=False) as server:
        server.acquaint("alice", "bob")
        yield server


class Deaf:
    """A client that listens to nothing."""

    def call_incoming(self, incoming: IncomingCall, first: PeerInput) -> None: ...

    def call_input(self, call: CallId, message: PeerInput) -> None: ...

    def call_missed(self, incoming: IncomingCall, outcome: str) -> None: ...

    def connection_changed(self, online: bool, reason: str) -> None: ...


@asynccontextmanager
async def online(
    prosody: Prosody, name: str, secrets: MemorySecrets | None = None, *, published: bool = True
) -> AsyncIterator[tuple[XmppSignalling, OmemoDevice]]:
    kept = secrets or MemorySecrets()
    signalling = XmppSignalling(
        account=prosody.address(name),
        password=prosody.accounts[name],
        listener=Deaf(),
        screen=lambda _: Screening.RING,
        server=(prosody.host, prosody.port),
        ca_file=prosody.ca_file,
        keys=KeyStore(kept, TrustBook(kept)),
    )
    await signalling.open()
    device = signalling._omemo
    assert device is not None
    try:
        if published:
            await until(lambda: device.published)
        yield signalling, device
    finally:
        await signalling.close()


async def put(signalling: XmppSignalling, node: str, payload: Element) -> None:
    """Publish something of one's own as another client would."""
    await signalling._connection.request(pubsub.publish_query(node, payload, options=True), kind="set")


async def listed(signalling: XmppSignalling, owner: Address) -> tuple[int, ...]:
    answer = await signalling._connection.request(pubsub.fetch_query(wire.DEVICE_LIST), owner.bare)
    return wire.read_device_list(pubsub.fetched(answer, wire.DEVICE_LIST), 1000)


async def test_two_clients_seal_for_each_other(prosody: Prosody) -> None:
    async with online(prosody, "alice") as (alice, device), online(prosody, "bob") as (bob, other):
        assert alice.facts is not None
        assert alice.facts.omemo_device == device.id
        sealed = await device.seal(bob.address, other.id, TEXTS)
        unsealed = await other.unseal(alice.address, sealed.elements)
        assert unsealed.texts == TEXTS
        assert (unsealed.voucher.peer.key, unsealed.voucher.own_key) == (device.key, other.key)
        answer = await other.seal(alice.address, device.id, TEXTS)
        assert (await device.unseal(bob.address, answer.elements)).texts == TEXTS


async def test_somebody_who_is_no_contact_can_be_sealed_for(prosody: Prosody) -> None:
    async with online(prosody, "alice") as (_, device), online(prosody, "eve") as (eve, other):
        sealed = await device.seal(eve.address, other.id, TEXTS)
        assert (await other.unseal(Address.parse("alice@" + eve.address.domain), sealed.elements)).texts == TEXTS


async def test_a_used_pre_key_is_replaced_in_what_is_published(prosody: Prosody) -> None:
    async with online(prosody, "alice") as (alice, device), online(prosody, "bob") as (bob, other):
        before = await fetch_bundle(device._network, bob.address, other.id)
        sealed = await device.seal(bob.address, other.id, TEXTS)
        await other.unseal(alice.address, sealed.elements)
        after = before
        async with asyncio.timeout(5):
            while after == before:
                await asyncio.sleep(0.1)
                after = await fetch_bundle(device._network, bob.address, other.id)
        assert len(after.pre_keys) == 100
        assert len(after.pre_keys.items() & before.pre_keys.items()) == 99
        assert after.signed_pre_key == before.signed_pre_key


async def test_a_second_login_publishes_nothing_new(prosody: Prosody) -> None:
    secrets = MemorySecrets()
    async with online(prosody, "alice", secrets) as (_, first):
        number = first.id
    before = dict(secrets.kept)
    async with online(prosody, "alice", secrets) as (alice, device):
        assert device.id == number
        assert await listed(alice, alice.address) == (number,)
        await device.publish()
    assert secrets.kept == before


async def test_devices_of_one_account_keep_each_other_on_the_list(prosody: Prosody) -> None:
    async with online(prosody, "alice") as (one, first), online(prosody, "alice") as (_, second):
        assert set(await listed(one, one.address)) == {first.id, second.id}
        await put(one, wire.DEVICE_LIST, wire.write_device_list([second.id, 4711]))
        async with asyncio.timeout(5):
            while set(await listed(one, one.address)) != {first.id, second.id, 4711}:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def test_a_node_that_was_closed_to_others_is_opened(prosody: Prosody) -> None:
    async with online(prosody, "alice") as (alice, device), online(prosody, "eve") as (_, other):
        node = wire.bundle_node(device.id)
        configure = fromstring(
            f"<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><configure node='{node}'>"
            "<x xmlns='jabber:x:data' type='submit'>"
            "<field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#node_config</value></field>"
            "<field var='pubsub#access_model'><value>whitelist</value></field></x></configure></pubsub>"
        )
        await alice._connection.request(configure, kind="set")
        old = wire.write_bundle(fresh_bundle(MemorySecrets()))
        await alice._connection.request(pubsub.publish_query(node, old, options=False), kind="set")
        with pytest.raises(OmemoFailed):
            await other.seal(alice.address, device.id, TEXTS)
        await device.publish()
        sealed = await other.seal(alice.address, device.id, TEXTS)
        assert sealed.voucher.peer.key == device.key


async def test_ordinary_messages_of_contacts_keep_the_devices_in_step(prosody: Prosody) -> None:
    async with online(prosody, "alice") as (alice, device), online(prosody, "bob") as (bob, other):
        for _ in range(3):
            sealed = await device.seal(bob.address, other.id, {"": "hello"})
            alice._connection.send_message(
                stanza("message", sealed.elements[""], to=str(bob.address.bare), kind="chat")
            )
        # The first one began a session, which is answered by an empty message: the next one need not begin it again.
        async with asyncio.timeout(5):
            while True:
                sealed = await device.seal(bob.address, other.id, TEXTS)
                key = sealed.elements["audio"].find(f".//{{{wire.NAMESPACE}}}key")
                assert key is not None
                if key.get("prekey") is None:
                    break
                await asyncio.sleep(0.1)
        assert (await other.unseal(alice.address, sealed.elements)).texts == TEXTS
        assert device.healed == other.healed == 0


async def test_the_messages_of_strangers_begin_nothing(prosody: Prosody) -> None:
    kept = MemorySecrets()
    async with online(prosody, "eve") as (eve, device), online(prosody, "bob", kept) as (bob, other):
        sealed = await device.seal(bob.address, other.id, {"": "hello"})
        eve._connection.send_message(stanza("message", sealed.elements[""], to=str(bob.address.bare), kind="chat"))
        await asyncio.sleep(0.5)
        assert kept.names("omemo/session/") == []
        assert TrustBook(kept).owners() == ()


async def test_what_was_written_while_away_is_read_from_the_archive(prosody: Prosody) -> None:
    kept = MemorySecrets()
    async with online(prosody, "bob", kept) as (bob, other):
        number, address = other.id, bob.address.bare
    async with online(prosody, "alice") as (alice, device):
        sealed = await device.seal(address, number, {"": "hello"})
        body = element("jabber:client", "body", "(OMEMO)")
        alice._connection.send_message(stanza("message", sealed.elements[""], body, to=str(address), kind="chat"))
        await asyncio.sleep(0.3)
        async with online(prosody, "bob", kept):
            await until(lambda: bool(kept.names(f"omemo/session/{alice.address.bare}/")))


@pytest.mark.parametrize(
    ("node", "payload", "cause"),
    [
        ("bundle", element(wire.NAMESPACE, "bundle"), Cause.NO_BUNDLE),
        ("bundle", element("urn:xmpp:omemo:2", "bundle"), Cause.NO_BUNDLE),
        ("bundle", element(wire.NAMESPACE, "bundle", *(element(wire.NAMESPACE, "prekeys") for _ in range(2000))), None),
        (wire.DEVICE_LIST, wire.write_device_list(range(1, 1001)), Cause.NO_DEVICE),
        (wire.DEVICE_LIST, element(wire.NAMESPACE, "junk"), Cause.NO_DEVICE),
        (wire.OMEMO_2_DEVICE_LIST, element("urn:xmpp:omemo:2", "devices"), Cause.OTHER_OMEMO),
    ],
)
async def test_junk_that_a_peer_publishes_has_a_clear_end(
    prosody: Prosody, node: str, payload: Element, cause: Cause | None
) -> None:
    number = 4712
    async with online(prosody, "alice") as (_, device):
        eve = XmppSignalling(
            account=prosody.address("eve"),
            password=prosody.accounts["eve"],
            listener=Deaf(),
            screen=lambda _: Screening.RING,
            server=(prosody.host, prosody.port),
            ca_file=prosody.ca_file,
        )
        await eve.open()
        try:
            await put(eve, wire.bundle_node(number) if node == "bundle" else node, payload)
            with pytest.raises(OmemoFailed) as raised:
                await device.seal(eve.address, number, TEXTS)
        finally:
            await eve.close()
        assert raised.value.cause is (cause or Cause.NO_BUNDLE)


async def test_without_a_place_for_keys_there_is_no_omemo_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    options = {"modules_disabled": ["s2s", "s2s_auth_certs", "pep"]}
    async with (
        Prosody(accounts={"alice": "secret", "bob": "secret"}, options=options) as prosody,
        online(prosody, "alice", published=False) as (alice, device),
    ):
        await until(lambda: "does not keep OMEMO keys" in caplog.text)
        assert alice.facts is not None
        assert alice.facts.omemo_device is None
        assert not device.published
        with pytest.raises(OmemoFailed) as raised:
            await device.seal(prosody.address("bob"), 7, TEXTS)
        assert raised.value.cause is Cause.UNAVAILABLE


async def test_the_login_does_not_wait_for_the_publication(prosody: Prosody, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(self: OmemoDevice) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(OmemoDevice, "publish", never)
    async with asyncio.timeout(5), online(prosody, "alice", published=False) as (alice, device):
        assert alice.facts is not None
        assert not device.published


async def test_the_keys_are_looked_after_after_a_new_session(prosody: Prosody) -> None:
    async with online(prosody, "alice") as (alice, device):
        await put(alice, wire.bundle_node(device.id), element(wire.NAMESPACE, "junk"))
        alice._connection._session.client.abort()
        async with asyncio.timeout(10):
            while True:
                await asyncio.sleep(0.1)
                with suppress(OmemoFailed, StanzaTimeout, StanzaRefused):
                    if (await fetch_bundle(device._network, alice.address, device.id)).identity_key == device.key:
                        break
