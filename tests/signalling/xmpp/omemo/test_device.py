"""Two devices and a network: what one seals the other unseals, and nobody else, and nothing falls out of step."""

from __future__ import annotations

import asyncio
from xml.etree.ElementTree import Element

import pytest
from oldmemo.oldmemo import KeyExchangeImpl

from openvoice.core.address import Address
from openvoice.core.trust import Trust
from openvoice.core.types import Vouching
from openvoice.errors import ConfigurationError
from openvoice.jingle.sealing import Sealed
from openvoice.signalling.xmpp.omemo import device as module
from openvoice.signalling.xmpp.omemo import wire
from openvoice.signalling.xmpp.omemo.device import OmemoDevice
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed
from openvoice.signalling.xmpp.omemo.record import MAXIMUM_SESSIONS, read_record
from openvoice.storage.trust import TrustBook
from openvoice.testing.fakes import MemorySecrets
from tests.signalling.xmpp.omemo.world import ALICE, BOB, World, over_the_wire, settled

TEXTS = {"audio": "AA:BB", "video": "CC:DD"}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER", 0.0)
    monkeypatch.setattr(module, "PUBLISHED_WITHIN", 0.05)


@pytest.fixture
def world() -> World:
    return World()


def sealed_key(encrypted: Element) -> Element:
    key = encrypted.find(f".//{{{wire.NAMESPACE}}}key")
    assert key is not None
    return key


async def talk(world: World, alice: OmemoDevice, bob: OmemoDevice) -> None:
    """A session in which both have spoken."""
    offer = await alice.seal(BOB, bob.id, TEXTS)
    await bob.unseal(ALICE, offer.elements)
    answer = await bob.seal(ALICE, alice.id, TEXTS)
    await alice.unseal(BOB, answer.elements)
    await settled(bob)


async def failure(work: object) -> Cause:
    with pytest.raises(OmemoFailed) as raised:
        await work  # type: ignore[misc]
    assert str(raised.value)
    return raised.value.cause


async def test_sealed_texts_are_read_by_the_device_they_are_for(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    offer = await alice.seal(BOB, bob.id, TEXTS)
    read = await bob.unseal(ALICE, {name: over_the_wire(item) for name, item in offer.elements.items()})
    assert read.texts == TEXTS
    assert (read.voucher.peer.owner, read.voucher.peer.device, read.voucher.peer.key) == (ALICE, alice.id, alice.key)
    assert (read.voucher.own_device, read.voucher.own_key) == (bob.id, bob.key)
    assert (offer.voucher.peer.key, offer.voucher.own_key) == (bob.key, alice.key)
    assert read.voucher.vouching is Vouching.OMEMO_TRUSTED
    answer = await bob.seal(ALICE, alice.id, {"audio": "EE:FF"})
    assert sealed_key(offer.elements["audio"]).get("prekey") == "true"
    assert sealed_key(answer.elements["audio"]).get("prekey") is None
    assert (await alice.unseal(BOB, answer.elements)).texts == {"audio": "EE:FF"}
    await settled(bob)


async def test_each_text_has_a_message_key_of_its_own(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    offers = await asyncio.gather(*(alice.seal(BOB, bob.id, TEXTS) for _ in range(6)))
    keys = [sealed_key(item).text for offer in offers for item in offer.elements.values()]
    assert len(set(keys)) == 12
    for offer in offers:
        assert (await bob.unseal(ALICE, offer.elements)).texts == TEXTS
    await settled(bob)


async def test_another_device_cannot_read_it(world: World) -> None:
    alice, bob, other = await world.published(ALICE), await world.published(BOB), await world.published(BOB, "other")
    offer = await alice.seal(BOB, bob.id, TEXTS)
    assert await failure(other.unseal(ALICE, offer.elements)) is Cause.NOT_FOR_US
    for item in offer.elements.values():
        sealed_key(item).set("rid", str(other.id))
    assert await failure(other.unseal(ALICE, offer.elements)) is Cause.UNDECRYPTABLE
    await settled(other)


async def test_a_replay_is_known_as_one_even_long_after(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    offer = await alice.seal(BOB, bob.id, TEXTS)
    await bob.unseal(ALICE, offer.elements)
    assert await failure(bob.unseal(ALICE, offer.elements)) is Cause.REPLAY
    for _ in range(3):
        await talk(world, alice, bob)
    assert await failure(bob.unseal(ALICE, offer.elements)) is Cause.REPLAY
    assert bob.healed == 0


async def test_elements_of_two_devices_are_refused(world: World) -> None:
    alice, other, bob = await world.published(ALICE), await world.published(ALICE, "other"), await world.published(BOB)
    one, two = await alice.seal(BOB, bob.id, TEXTS), await other.seal(BOB, bob.id, TEXTS)
    mixed = {"audio": one.elements["audio"], "video": two.elements["video"]}
    assert await failure(bob.unseal(ALICE, mixed)) is Cause.MIXED_DEVICES
    for item in mixed.values():
        header = item.find(f"{{{wire.NAMESPACE}}}header")
        assert header is not None
        header.set("sid", str(alice.id))
    assert await failure(bob.unseal(ALICE, mixed)) is Cause.MIXED_DEVICES
    await settled(bob)


@pytest.mark.parametrize("part", ["payload", "iv", "key"])
async def test_what_was_changed_on_the_way_is_refused(world: World, part: str) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await talk(world, alice, bob)
    offer = await alice.seal(BOB, bob.id, TEXTS)
    changed = offer.elements["audio"].find(f".//{{{wire.NAMESPACE}}}{part}")
    assert changed is not None
    assert changed.text
    middle = len(changed.text) // 2
    changed.text = ("B" if changed.text[middle] == "A" else "A").join(
        (changed.text[:middle], changed.text[middle + 1 :])
    )
    audio = {"audio": offer.elements["audio"]}
    assert await failure(bob.unseal(ALICE, audio)) is (Cause.UNDECRYPTABLE if part == "key" else Cause.JUNK)
    assert (await bob.unseal(ALICE, {"video": offer.elements["video"]})).texts == {"video": "CC:DD"}
    await settled(bob)


async def test_a_distrusted_key_is_told_with_the_voucher(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await talk(world, alice, bob)
    TrustBook(world.secrets[f"{BOB} "]).decide(ALICE, alice.key, Trust.DISTRUSTED)
    offer = await alice.seal(BOB, bob.id, TEXTS)
    assert (await bob.unseal(ALICE, offer.elements)).voucher.vouching is Vouching.NONE
    assert (await bob.seal(ALICE, alice.id, TEXTS)).voucher.vouching is Vouching.NONE


async def test_a_new_device_of_somebody_verified_is_undecided(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await talk(world, alice, bob)
    TrustBook(world.secrets[f"{BOB} "]).decide(ALICE, alice.key, Trust.VERIFIED)
    new = await world.published(ALICE, "new")
    offer = await new.seal(BOB, bob.id, TEXTS)
    assert (await bob.unseal(ALICE, offer.elements)).voucher.vouching is Vouching.SIGNALLED
    await settled(bob)


async def test_who_takes_the_number_of_a_verified_device_is_not_sealed_for(world: World) -> None:
    """Anybody whom the server helps can begin a session under that number. The key that was compared stays in use."""
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await talk(world, alice, bob)
    TrustBook(world.secrets[f"{ALICE} "]).decide(BOB, bob.key, Trust.VERIFIED)
    for number in range(MAXIMUM_SESSIONS + 2):
        mallory = await world.published(BOB, f"mallory {number}")
        forged = await mallory.seal(ALICE, alice.id, TEXTS)
        for item in forged.elements.values():
            item[0].set("sid", str(bob.id))
        read = await alice.unseal(BOB, forged.elements)
        assert (read.voucher.peer.key, read.voucher.vouching) == (mallory.key, Vouching.SIGNALLED)
    assert len(read_record(world.secrets[f"{ALICE} "], BOB, bob.id).sessions) == MAXIMUM_SESSIONS
    sealed = await alice.seal(BOB, bob.id, TEXTS)
    assert (sealed.voucher.peer.key, sealed.voucher.vouching) == (bob.key, Vouching.OMEMO_VERIFIED)
    assert (await bob.unseal(ALICE, sealed.elements)).texts == TEXTS
    await settled(alice)


async def test_a_new_device_of_somebody_known_is_looked_at_when_it_is_announced(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    book = TrustBook(world.secrets[f"{BOB} "])
    new = await world.published(ALICE, "new")
    announced = world.server.nodes[ALICE, wire.DEVICE_LIST]
    bob.devices_changed(ALICE, announced)
    await settled(bob)
    assert book.keys(ALICE) == ()
    await talk(world, alice, bob)
    book.decide(ALICE, alice.key, Trust.VERIFIED)
    bob.devices_changed(ALICE, announced)
    await settled(bob)
    assert {item.key: item.trust for item in book.keys(ALICE)} == {
        alice.key: Trust.VERIFIED,
        new.key: Trust.UNDECIDED,
    }
    fetched = len(world.server.fetched)
    bob.devices_changed(ALICE, announced)
    await settled(bob)
    assert len(world.server.fetched) == fetched


# --- what the peer may lack -------------------------------------------------------------------------------------------


async def test_why_a_device_cannot_be_sealed_for(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    assert await failure(alice.seal(BOB, bob.id + 1, TEXTS)) is Cause.NO_DEVICE
    del world.server.nodes[BOB, wire.bundle_node(bob.id)]
    assert await failure(alice.seal(BOB, bob.id, TEXTS)) is Cause.NO_BUNDLE
    world.server.nodes[BOB, wire.bundle_node(bob.id)] = Element("junk")
    assert await failure(alice.seal(BOB, bob.id, TEXTS)) is Cause.NO_BUNDLE
    world.server.nodes = {(BOB, wire.OMEMO_2_DEVICE_LIST): Element("devices")}
    assert await failure(alice.seal(BOB, bob.id, TEXTS)) is Cause.OTHER_OMEMO
    world.server.unavailable = True
    assert await failure(alice.seal(BOB, bob.id, TEXTS)) is Cause.UNAVAILABLE


async def test_a_bundle_that_its_device_did_not_sign_is_refused(world: World) -> None:
    alice, bob, mallory = await world.published(ALICE), await world.published(BOB), await world.published(BOB, "m")
    mine = wire.read_bundle(world.server.nodes[BOB, wire.bundle_node(mallory.id)])
    theirs = wire.read_bundle(world.server.nodes[BOB, wire.bundle_node(bob.id)])
    swapped = wire.Bundle(
        identity_key=theirs.identity_key,
        signed_pre_key_id=mine.signed_pre_key_id,
        signed_pre_key=mine.signed_pre_key,
        signature=mine.signature,
        pre_keys=mine.pre_keys,
    )
    world.server.nodes[BOB, wire.bundle_node(bob.id)] = wire.write_bundle(swapped)
    assert await failure(alice.seal(BOB, bob.id, TEXTS)) is Cause.NO_BUNDLE


@pytest.mark.parametrize("key", [bytes(32), b"\x01" + bytes(31), b"\xff" * 32])
async def test_public_keys_that_give_nothing_away_to_anybody_are_refused(world: World, key: bytes) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    good = wire.read_bundle(world.server.nodes[BOB, wire.bundle_node(bob.id)])
    pre_keys = dict.fromkeys(good.pre_keys, key)
    for bad in (
        {"identity_key": key, "signed_pre_key": good.signed_pre_key, "pre_keys": good.pre_keys},
        {"identity_key": good.identity_key, "signed_pre_key": key, "pre_keys": good.pre_keys},
        {"identity_key": good.identity_key, "signed_pre_key": good.signed_pre_key, "pre_keys": pre_keys},
    ):
        bundle = wire.Bundle(signed_pre_key_id=good.signed_pre_key_id, signature=good.signature, **bad)  # type: ignore[arg-type]
        world.server.nodes[BOB, wire.bundle_node(bob.id)] = wire.write_bundle(bundle)
        if key == b"\xff" * 32 and bad["pre_keys"] is pre_keys:
            continue  # a point like any other
        assert await failure(alice.seal(BOB, bob.id, TEXTS)) is Cause.NO_BUNDLE


# --- the own device ---------------------------------------------------------------------------------------------------


async def test_nothing_is_sealed_before_others_can_find_this_device(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = world.device(ALICE), await world.published(BOB)
    assert not alice.published
    assert await failure(alice.seal(BOB, bob.id, TEXTS)) is Cause.UNAVAILABLE
    monkeypatch.setattr(module, "PUBLISHED_WITHIN", 30.0)
    sealing = asyncio.create_task(alice.seal(BOB, bob.id, TEXTS))
    await asyncio.sleep(0)
    await alice.publish()
    assert (await sealing).elements.keys() == TEXTS.keys()
    assert alice.published


async def test_without_a_place_for_keys_there_is_no_omemo(world: World) -> None:
    alice, bob = world.device(ALICE), await world.published(BOB)
    world.server.unavailable = True
    assert await failure(alice.publish()) is Cause.UNAVAILABLE
    assert not alice.published
    world.server.unavailable = False
    assert await failure(alice.seal(BOB, bob.id, TEXTS)) is Cause.UNAVAILABLE


async def test_a_device_is_the_same_after_a_restart_and_its_sessions_go_on(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await talk(world, alice, bob)
    again = world.device(ALICE)
    assert (again.id, again.key, again.published) == (alice.id, alice.key, True)
    assert (await bob.unseal(ALICE, (await again.seal(BOB, bob.id, TEXTS)).elements)).texts == TEXTS


async def test_keys_that_another_process_erased_are_not_used_any_more(world: World) -> None:
    """Nothing leaves under the old number with a key that nobody knows, and no voucher names a key that is gone."""
    alice, bob = await world.published(ALICE), await world.published(BOB)
    sealed = await alice.seal(BOB, bob.id, TEXTS)
    back = await bob.seal(ALICE, alice.id, TEXTS)
    before = alice.id, alice.key
    secrets = world.secrets[f"{ALICE} "]
    for name in secrets.names("omemo/"):
        secrets.remove(name)
    assert not alice.published
    assert await failure(alice.seal(BOB, bob.id, TEXTS)) is Cause.UNAVAILABLE
    assert await failure(alice.unseal(BOB, back.elements)) is Cause.NOT_FOR_US
    await alice.publish()
    fresh = await alice.seal(BOB, bob.id, TEXTS)
    assert (fresh.voucher.own_device, fresh.voucher.own_key) == (alice.id, alice.key)
    assert fresh.voucher.own_key != sealed.voucher.own_key == before[1]
    assert alice.id != before[0]
    assert (await bob.unseal(ALICE, fresh.elements)).voucher.peer.key == alice.key


async def test_two_processes_share_one_device(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    twin = world.device(ALICE)
    for _ in range(3):
        for sender in (alice, twin):
            assert (await bob.unseal(ALICE, (await sender.seal(BOB, bob.id, TEXTS)).elements)).texts == TEXTS
            answer = await bob.seal(ALICE, alice.id, TEXTS)
            assert (await sender.unseal(BOB, answer.elements)).texts == TEXTS
    await settled(bob)


# --- ordinary messages ------------------------------------------------------------------------------------------------


async def message(world: World, sender: OmemoDevice, to: Address, device: int) -> Element:
    """An OMEMO message as another client would send it."""
    return over_the_wire((await sender.seal(to, device, {"": "hello"})).elements[""])


async def test_messages_keep_the_devices_in_step(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await bob.receive(ALICE, await message(world, alice, BOB, bob.id))
    await settled(bob)
    assert await world.deliver(ALICE, alice) == 1, "the handshake is not completed"
    assert sealed_key(await message(world, alice, BOB, bob.id)).get("prekey") is None
    for _ in range(100):
        await bob.receive(ALICE, await message(world, alice, BOB, bob.id))
        world.clock.now += 1.0
    assert await world.deliver(ALICE, alice) == 1, "nothing was said in 53 messages"
    assert (await bob.unseal(ALICE, (await alice.seal(BOB, bob.id, TEXTS)).elements)).texts == TEXTS
    assert bob.healed == alice.healed == 0


async def test_a_broken_session_heals_and_says_so(world: World, caplog: pytest.LogCaptureFixture) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await talk(world, alice, bob)
    for name in world.secrets[f"{BOB} "].names("omemo/session/"):
        world.secrets[f"{BOB} "].remove(name)
    await bob.receive(ALICE, await message(world, alice, BOB, bob.id))
    assert bob.healed == 1
    assert "broken" in caplog.text
    assert "alice" not in caplog.text
    await alice.receive(BOB, world.server.sent.pop()[2])
    assert (await bob.unseal(ALICE, (await alice.seal(BOB, bob.id, TEXTS)).elements)).texts == TEXTS
    await settled(alice)


async def test_healing_is_tried_but_once_a_minute(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await talk(world, alice, bob)
    for name in world.secrets[f"{BOB} "].names("omemo/session/"):
        world.secrets[f"{BOB} "].remove(name)
    for _ in range(20):
        await bob.receive(ALICE, await message(world, alice, BOB, bob.id))
    assert len(world.server.sent) == bob.healed == 1
    world.clock.now += 61.0
    await bob.receive(ALICE, await message(world, alice, BOB, bob.id))
    assert bob.healed == 2


async def test_a_call_that_could_not_be_unsealed_heals_for_the_next(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await talk(world, alice, bob)
    for name in world.secrets[f"{BOB} "].names("omemo/session/"):
        world.secrets[f"{BOB} "].remove(name)
    offer = await alice.seal(BOB, bob.id, TEXTS)
    assert await failure(bob.unseal(ALICE, offer.elements)) is Cause.UNDECRYPTABLE
    await settled(bob)
    assert await world.deliver(ALICE, alice) == 1
    assert (await bob.unseal(ALICE, (await alice.seal(BOB, bob.id, TEXTS)).elements)).texts == TEXTS
    await settled(alice)


def keys_in(offers: list[Sealed], recipient: OmemoDevice) -> list[wire.SealedKey]:
    headers = [wire.read_header(item, recipient.id) for offer in offers for item in offer.elements.values()]
    return [header.key for header in headers if header.key is not None]


def forget_sessions(world: World, owner: Address) -> None:
    for name in world.secrets[f"{owner} "].names("omemo/session/"):
        world.secrets[f"{owner} "].remove(name)


async def test_a_session_in_doubt_is_replaced_by_the_next_that_is_sealed(world: World) -> None:
    """Dino tells nobody that it lost a session, and takes no message without a text."""
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await talk(world, alice, bob)
    forget_sessions(world, BOB)
    offer = await alice.seal(BOB, bob.id, TEXTS)
    assert await failure(bob.unseal(ALICE, offer.elements)) is Cause.UNDECRYPTABLE
    await settled(bob)
    world.server.sent.clear()
    alice.doubt(BOB, bob.id)
    assert (await bob.unseal(ALICE, (await alice.seal(BOB, bob.id, TEXTS)).elements)).texts == TEXTS
    assert not world.server.sent, "nothing but calls was needed"
    answer = await bob.seal(ALICE, alice.id, TEXTS)
    assert (await alice.unseal(BOB, answer.elements)).texts == TEXTS
    fetched = len(world.server.fetched)
    await alice.seal(BOB, bob.id, TEXTS)
    assert len(world.server.fetched) == fetched, "the new session is in no doubt"


async def test_many_calls_at_once_begin_one_session(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    for _ in range(2):
        offers = await asyncio.gather(*(alice.seal(BOB, bob.id, TEXTS) for _ in range(12)))
        begun = {KeyExchangeImpl.parse(key.data, False)[0].header.ephemeral_key for key in keys_in(offers, bob)}
        assert len(begun) == 1
        alice.doubt(BOB, bob.id)


async def test_what_is_heard_in_a_session_ends_the_doubt(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await talk(world, alice, bob)
    alice.doubt(BOB, bob.id)
    await alice.receive(BOB, await message(world, bob, ALICE, alice.id))
    fetched = len(world.server.fetched)
    await alice.seal(BOB, bob.id, TEXTS)
    assert len(world.server.fetched) == fetched


@pytest.mark.parametrize("served", ["nothing", "the keys of another", "keys that nobody signed"])
async def test_a_server_cannot_use_a_doubt_to_slip_in_another_key(world: World, served: str) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await talk(world, alice, bob)
    other = await world.published(BOB, "other")
    bundle, theirs = (world.server.nodes.pop((BOB, wire.bundle_node(device.id))) for device in (bob, other))
    if served == "the keys of another":
        world.server.nodes[BOB, wire.bundle_node(bob.id)] = theirs
    elif served == "keys that nobody signed":
        for signature in bundle.iter(f"{{{wire.NAMESPACE}}}signedPreKeySignature"):
            signature.text = theirs.findtext(signature.tag)
        world.server.nodes[BOB, wire.bundle_node(bob.id)] = bundle
    alice.doubt(BOB, bob.id)
    sealed = await alice.seal(BOB, bob.id, TEXTS)
    assert sealed.voucher.peer.key == bob.key
    assert (await bob.unseal(ALICE, sealed.elements)).texts == TEXTS


async def test_what_comes_late_or_again_or_is_for_others_heals_nothing(world: World) -> None:
    alice, bob, other = await world.published(ALICE), await world.published(BOB), await world.published(BOB, "other")
    sent = await message(world, alice, BOB, bob.id)
    await bob.receive(ALICE, sent)
    await settled(bob)
    world.server.sent.clear()
    world.clock.now += 100.0
    await bob.receive(ALICE, sent)
    await other.receive(ALICE, sent)
    await other.receive(ALICE, Element("junk"))
    for name in world.secrets[f"{BOB} "].names("omemo/session/"):
        world.secrets[f"{BOB} "].remove(name)
    await alice.receive(BOB, await message(world, bob, ALICE, alice.id))
    world.server.sent.clear()
    stale = await message(world, alice, BOB, bob.id)
    for name in world.secrets[f"{BOB} "].names("omemo/session/"):
        world.secrets[f"{BOB} "].remove(name)
    await bob.receive(ALICE, stale, late=True)
    assert bob.healed == other.healed == 0
    assert world.server.sent == []
    await settled(alice)


async def test_nothing_unasked_is_written_to_a_distrusted_device(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await talk(world, alice, bob)
    TrustBook(world.secrets[f"{BOB} "]).decide(ALICE, alice.key, Trust.DISTRUSTED)
    for name in world.secrets[f"{BOB} "].names("omemo/session/"):
        world.secrets[f"{BOB} "].remove(name)
    await bob.receive(ALICE, await message(world, alice, BOB, bob.id))
    assert world.server.sent == []
    assert bob.healed == 0


async def test_sessions_begun_by_both_at_once_go_on(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    one, two = await alice.seal(BOB, bob.id, TEXTS), await bob.seal(ALICE, alice.id, TEXTS)
    await bob.unseal(ALICE, one.elements)
    await alice.unseal(BOB, two.elements)
    for _ in range(4):
        one, two = await alice.seal(BOB, bob.id, TEXTS), await bob.seal(ALICE, alice.id, TEXTS)
        assert (await bob.unseal(ALICE, one.elements)).texts == TEXTS
        assert (await alice.unseal(BOB, two.elements)).texts == TEXTS
    await settled(alice)
    await settled(bob)


async def test_a_closed_device_leaves_nothing_behind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GATHER", 60.0)
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await bob.receive(ALICE, await message(world, alice, BOB, bob.id))
    assert bob._tasks
    await bob.close()
    await asyncio.sleep(0)
    assert not bob._tasks


# --- the list of devices ----------------------------------------------------------------------------------------------


async def test_a_list_of_a_thousand_devices_is_bounded(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await talk(world, alice, bob)
    fetched = len(world.server.fetched)
    bob.devices_changed(ALICE, wire.write_device_list(range(1, 1001)))
    bob.devices_changed(ALICE, wire.write_device_list(range(5000, 6001)))
    bob.devices_changed(ALICE, wire.write_device_list(range(7000, 8001)))
    bob.devices_changed(ALICE, Element("junk"))
    await settled(bob)
    assert len(world.server.fetched) - fetched <= 3 * 64


async def test_it_comes_back_when_another_client_takes_it_off_the_list_but_not_for_ever(world: World) -> None:
    alice = await world.published(ALICE)
    for expected in (True, True, True, False):
        without = wire.write_device_list([7])
        world.server.nodes[ALICE, wire.DEVICE_LIST] = without
        alice.devices_changed(ALICE, without)
        await settled(alice)
        listed = wire.read_device_list(world.server.nodes[ALICE, wire.DEVICE_LIST])
        assert (alice.id in listed) is expected
        assert 7 in listed
    await alice.publish()
    assert alice.id in wire.read_device_list(world.server.nodes[ALICE, wire.DEVICE_LIST])


async def test_devices_that_are_made_up_share_one_turn_to_heal(world: World) -> None:
    alice, bob = await world.published(ALICE), await world.published(BOB)
    await talk(world, alice, bob)
    fetched = len(world.server.fetched)
    for number in range(1, 100):
        made_up = await message(world, alice, BOB, bob.id)
        header = made_up.find(f"{{{wire.NAMESPACE}}}header")
        assert header is not None
        header.set("sid", str(number))
        await bob.receive(ALICE, made_up)
    assert len(world.server.fetched) - fetched <= 3
    assert bob.healed == 0


class Broken(MemorySecrets):
    """A store on a disk that is full."""

    full = False

    def write(self, name: str, value: bytes) -> None:
        if self.full:
            raise ConfigurationError("the disk is full")
        super().write(name, value)


async def test_what_cannot_be_kept_is_not_sealed(world: World, caplog: pytest.LogCaptureFixture) -> None:
    kept = Broken()
    alice, bob = world.device(ALICE, secrets=kept), await world.published(BOB)
    await alice.publish()
    await talk(world, alice, bob)
    before = dict(kept.kept)
    offer = await bob.seal(ALICE, alice.id, TEXTS)
    kept.full = True
    assert await failure(alice.seal(BOB, bob.id, TEXTS)) is Cause.STORAGE
    assert await failure(alice.unseal(BOB, offer.elements)) is Cause.STORAGE
    await alice.receive(BOB, offer.elements["audio"])
    assert "the disk is full" in caplog.text
    assert kept.kept == before
    kept.full = False
    assert (await alice.unseal(BOB, offer.elements)).texts == TEXTS


async def test_a_call_waits_a_little_for_the_first_publication(world: World) -> None:
    device = await world.published(ALICE)
    await asyncio.wait_for(device.settle(), 1)
    assert device.published
    unpublished = world.device(BOB)
    await asyncio.wait_for(unpublished.settle(), 1)
    assert not unpublished.published
