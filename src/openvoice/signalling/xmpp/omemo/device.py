"""The OMEMO device of one account."""

from __future__ import annotations

import asyncio
import logging
import secrets as dice
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.core.trust import DeviceKey, Trust, Voucher
from openvoice.core.types import Vouching
from openvoice.jingle.sealing import Sealed, Unsealed
from openvoice.ports import KeyStore
from openvoice.signalling.xmpp.omemo import wire
from openvoice.signalling.xmpp.omemo.bundles import fetch_bundle
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed, storage_failures
from openvoice.signalling.xmpp.omemo.identity import Identity, own_identity
from openvoice.signalling.xmpp.omemo.network import OmemoNetwork
from openvoice.signalling.xmpp.omemo.payload import open_text, seal_text
from openvoice.signalling.xmpp.omemo.publication import Publication
from openvoice.signalling.xmpp.omemo.record import may_reach
from openvoice.signalling.xmpp.omemo.sessions import KEY, Opened, Sessions
from openvoice.signalling.xmpp.omemo.wire import Bundle
from openvoice.signalling.xmpp.tasks import Tasks

PUBLISHED_WITHIN = 5.0
"""Seconds that a call waits for the first publication of the own device."""
GATHER = 1.0
"""Seconds in which used pre keys are gathered before their successors are published."""
MAXIMUM_KEYS = 64
"""Keys of one person, or devices without any, at which those of further devices are not asked for any more."""
NO_DEVICE = 0
"""The number of no device."""

_logger = logging.getLogger(__name__)


class OmemoDevice:
    """Seals texts for one device of somebody, and unseals what it sent.

    All state is among the secrets: what is given out has become durable before, and another process may use the same.
    Nothing is written while anything waits, so that no two operations ever see the same message key.
    """

    def __init__(
        self, account: Address, keys: KeyStore, network: OmemoNetwork, clock: Callable[[], float] = time.time
    ) -> None:
        self._account = account.bare
        self._secrets = keys.secrets
        self._trust = keys.trust
        self._network = network
        self._clock = clock
        self._publication = Publication(self._account, keys.secrets, network)
        self._tried = asyncio.Event()
        self._keys_used = False
        self._looked_at: defaultdict[Address, set[int]] = defaultdict(set)
        self._tasks = Tasks()
        self.healed = 0
        """How many broken sessions were replaced."""

    @property
    def id(self) -> int:
        """The number of this device, 1 to 2³¹-1, made at first use."""
        return self._identity.device

    @property
    def key(self) -> bytes:
        """The own identity key in the Curve25519 form, 32 octets, made at first use."""
        return self._identity.key

    @property
    def published(self) -> bool:
        """Whether others can find this device: its number is worth telling."""
        with suppress(OmemoFailed), storage_failures():
            return self._identity.published
        return False

    async def publish(self) -> None:
        """Let others find this device, and keep its keys fresh. To be called after each login.

        Raises:
            OmemoFailed: the server has no place for it, or does not answer (``unavailable``).
        """
        try:
            with storage_failures():
                await self._publication.login()
        finally:
            self._tried.set()

    async def settle(self) -> None:
        """Wait, but not long, for the first publication: until then nobody knows whether others find this device."""
        with suppress(OmemoFailed), storage_failures():
            await self._be_published()

    async def seal(self, peer: Address, device: int, texts: Mapping[str, str]) -> Sealed:
        """Encrypt each text for one device of ``peer``, with a message key of its own. Durable when it returns.

        Raises:
            OmemoFailed: there is no such device, it has no keys, or the network fails.
        """
        with storage_failures():
            return await self._seal(peer, device, texts)

    async def unseal(self, peer: Address, elements: Mapping[str, Element]) -> Unsealed:
        """Decrypt what one device of ``peer`` wrote for this one.

        Raises:
            OmemoFailed: an element is junk, a replay, for others, of another device than the rest, or undecryptable.
        """
        with storage_failures():
            return self._unseal(peer, elements)

    async def receive(self, sender: Address, encrypted: Element, *, late: bool = False) -> None:
        """Take an ordinary OMEMO message, to keep in step with the device that wrote it. Its text is never decrypted.

        To be called for people in the contact list and for the own account alone: it may begin a session. ``late``
        says that a server kept the message: what cannot be decrypted of those is no reason to begin anew.
        """
        with suppress(OmemoFailed), storage_failures():
            await self._receive(sender, encrypted, late)

    def doubt(self, peer: Address, device: int) -> None:
        """A device did not understand what was sealed for it: the next time, begin a new session with it."""
        with suppress(OmemoFailed), storage_failures(), self._secrets.transaction():
            self._sessions(peer).doubt(peer, device)

    def devices_changed(self, owner: Address, payload: Element) -> None:
        """Take a notification that ``owner`` published another device list (XEP-0163, 4)."""
        with suppress(OmemoFailed), storage_failures():
            self._devices_changed(owner.bare, payload)

    async def close(self) -> None:
        """Let go of what still waits for the network."""
        await self._tasks.close()

    async def _seal(self, peer: Address, device: int, texts: Mapping[str, str]) -> Sealed:
        await self._be_published()
        bundle = await self._bundle_to_begin_with(peer, device)
        names, payloads, materials = [], [], []
        for name, text in texts.items():
            payload, material = seal_text(text)
            names.append(name)
            payloads.append(payload)
            materials.append(material)
        with self._secrets.transaction():
            own = self._identity
            if not own.published:
                raise OmemoFailed(Cause.UNAVAILABLE)
            identity_key, keys = self._sessions(peer).seal(peer, device, materials, bundle)
        elements = [
            wire.write_encrypted(own.device, device, key, payload) for key, payload in zip(keys, payloads, strict=True)
        ]
        return Sealed(
            voucher=_voucher(self._meet(peer, device, identity_key), own),
            elements=dict(zip(names, elements, strict=True)),
        )

    async def _bundle_to_begin_with(self, peer: Address, device: int) -> Bundle | None:
        """``None`` if there is a session to go on with. One that is in doubt is better than none."""
        sessions = self._sessions(peer)
        if not sessions.knows(peer, device):
            return await fetch_bundle(self._network, peer, device)
        if sessions.doubts(peer, device):
            with suppress(OmemoFailed):
                return await fetch_bundle(self._network, peer, device)
        return None

    def _unseal(self, peer: Address, elements: Mapping[str, Element]) -> Unsealed:
        own = self._identity
        headers = [wire.read_header(item, own.device) for item in elements.values()]
        payloads = [wire.read_payload(item) for item in elements.values()]
        keys = [header.key for header in headers if header.key is not None]
        if len({header.sender for header in headers}) != 1:
            raise OmemoFailed(Cause.MIXED_DEVICES)
        if len(keys) != len(headers):
            raise OmemoFailed(Cause.NOT_FOR_US)
        device = headers[0].sender
        try:
            opened = self._open(peer, device, keys)
        except OmemoFailed as failure:
            if failure.cause is Cause.UNDECRYPTABLE:
                self._tasks.spawn(self._heal(peer, device))
            raise
        if len({item.identity_key for item in opened}) != 1:
            raise OmemoFailed(Cause.MIXED_DEVICES)
        texts = [open_text(payload, item.material) for payload, item in zip(payloads, opened, strict=True)]
        return Unsealed(
            voucher=_voucher(self._meet(peer, device, opened[0].identity_key), own),
            texts=dict(zip(elements, texts, strict=True)),
        )

    async def _receive(self, sender: Address, encrypted: Element, late: bool) -> None:
        try:
            header = wire.read_header(encrypted, self.id)
            if header.key is None:
                return
            [opened] = self._open(sender, header.sender, [header.key])
        except OmemoFailed as failure:
            if failure.cause is Cause.UNDECRYPTABLE and not late:
                await self._heal(sender, header.sender)
            return
        met = self._meet(sender, header.sender, opened.identity_key)
        if (opened.begun or opened.stale) and self._may_reach(met):
            self._answer(sender, header.sender)

    def _devices_changed(self, owner: Address, payload: Element) -> None:
        if owner == self._account:
            if self._publication.removed(payload):
                self._tasks.spawn(self._renew())
            return
        known = self._trust.keys(owner)
        new = set(wire.read_device_list(payload)) - {item.device for item in known} - self._looked_at[owner]
        if known and new and len(known) < MAXIMUM_KEYS and len(self._looked_at[owner]) < MAXIMUM_KEYS:
            self._looked_at[owner] |= new
            self._tasks.spawn(self._look_at(owner, new))

    @property
    def _identity(self) -> Identity:
        # Read anew each time: another process may have erased it.
        return own_identity(self._secrets)

    def _sessions(self, peer: Address) -> Sessions:
        worth = {item.key: item.trust.worth for item in self._trust.keys(peer.bare)}
        return Sessions(self._secrets, self._clock(), lambda key: worth.get(key, Vouching.NONE))

    def _open(self, peer: Address, device: int, keys: Sequence[wire.SealedKey]) -> list[Opened]:
        """Decrypt message keys. Those before one that fails stay decrypted, so that they cannot come again."""
        opened: list[Opened] = []
        failed: OmemoFailed | None = None
        with self._secrets.transaction():
            for key in keys:
                try:
                    opened.append(self._sessions(peer).open(peer, device, key))
                except OmemoFailed as failure:
                    failed = failure
                    break
        if any(item.begun for item in opened):
            self._use_up()
        if failed is not None:
            raise failed
        return opened

    def _meet(self, peer: Address, device: int, key: bytes) -> DeviceKey:
        return self._trust.meet(peer.bare, device, key, self._clock())

    async def _be_published(self) -> None:
        if not self.published:
            try:
                await asyncio.wait_for(self._tried.wait(), PUBLISHED_WITHIN)
            except TimeoutError:
                raise OmemoFailed(Cause.UNAVAILABLE) from None
        if not self.published:
            raise OmemoFailed(Cause.UNAVAILABLE)

    # --- messages that nobody asked for -------------------------------------------------------------------------------

    def _may_reach(self, met: DeviceKey) -> bool:
        return met.trust is not Trust.DISTRUSTED and may_reach(self._secrets, met.owner, met.device, self._clock())

    async def _heal(self, peer: Address, device: int) -> None:
        """Replace a session in which something came that cannot be decrypted, and tell the device in the new one."""
        # Numbers of devices cost nothing: those without a session share one turn.
        turn = device if self._sessions(peer).knows(peer, device) else NO_DEVICE
        if not may_reach(self._secrets, peer, turn, self._clock()):
            return
        try:
            bundle = await fetch_bundle(self._network, peer, device)
            if self._meet(peer, device, bundle.identity_key).trust is Trust.DISTRUSTED:
                return
            with self._secrets.transaction():
                key = self._sessions(peer).begin(peer, device, bundle, dice.token_bytes(KEY))
        except OmemoFailed as failure:
            _logger.info("a broken OMEMO session could not be replaced: %s", failure.cause)
            return
        self._send_key(peer, device, key)
        self.healed += 1
        _logger.warning("an OMEMO session was broken, and was replaced")

    def _answer(self, peer: Address, device: int) -> None:
        """Say something in a session, so that the other side knows that it works, and new keys come in."""
        with self._secrets.transaction():
            _, [key] = self._sessions(peer).seal(peer, device, [dice.token_bytes(KEY)])
        self._send_key(peer, device, key)

    def _send_key(self, peer: Address, device: int, key: wire.SealedKey) -> None:
        empty = wire.Payload(dice.token_bytes(12), b"")
        self._network.send(peer, wire.write_encrypted(self.id, device, key, empty))

    # --- what goes on beside ------------------------------------------------------------------------------------------

    def _use_up(self) -> None:
        if not self._keys_used:
            self._keys_used = True
            self._tasks.spawn(self._replace_used())

    async def _replace_used(self) -> None:
        await asyncio.sleep(GATHER)
        self._keys_used = False
        await self._renew()

    async def _renew(self) -> None:
        try:
            await self._publication.renew()
        except OmemoFailed as failure:
            _logger.warning("the OMEMO keys could not be published: %s", failure)

    async def _look_at(self, owner: Address, devices: set[int]) -> None:
        """Get to know the keys of new devices of somebody whose keys are known: the user may have to decide."""
        for device in devices:
            try:
                bundle = await fetch_bundle(self._network, owner, device)
            except OmemoFailed:
                continue
            self._meet(owner, device, bundle.identity_key)


def _voucher(met: DeviceKey, own: Identity) -> Voucher:
    return Voucher(peer=met, own_device=own.device, own_key=own.key)
