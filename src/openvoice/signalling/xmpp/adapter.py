"""Joins the guarded connection to the logic of Jingle: stanzas in, inputs of calls out, and the other way round."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.core.effects import SendOffer, SendProceed, SignallingEffect
from openvoice.core.inputs import Invitation
from openvoice.core.policy import Screening
from openvoice.core.security import SignallingFacts
from openvoice.core.types import CallId
from openvoice.errors import OpenVoiceError
from openvoice.jingle import capabilities
from openvoice.jingle import namespaces as ns
from openvoice.jingle.archive import ArchivedMessage
from openvoice.jingle.endpoint import JingleEndpoint
from openvoice.jingle.outputs import (
    Deliver,
    Doubt,
    Forget,
    Incoming,
    Missed,
    Output,
    ReplyError,
    ReplyResult,
    Seal,
    SendIq,
    SendMessage,
    Unseal,
)
from openvoice.jingle.peers import DeviceIdentity, PeerProfile, profile_of
from openvoice.ports import IncomingCall, KeyStore, RelayServer, SignallingListener
from openvoice.signalling.xmpp.connection import Connection, Password
from openvoice.signalling.xmpp.failures import StanzaFailure, StanzaRefused, StanzaTimeout
from openvoice.signalling.xmpp.late import LateCalls
from openvoice.signalling.xmpp.listener import RequestKind
from openvoice.signalling.xmpp.messages import Carbon
from openvoice.signalling.xmpp.omemo.attempt import attempt
from openvoice.signalling.xmpp.omemo.device import OmemoDevice
from openvoice.signalling.xmpp.omemo.pep import PepNetwork
from openvoice.signalling.xmpp.omemo.upkeep import NOTIFY, Upkeep
from openvoice.signalling.xmpp.relays import Relays
from openvoice.signalling.xmpp.tasks import Tasks

REQUEST_WITHIN = 15.0
"""Seconds that a peer may take to acknowledge a Jingle request; Dino looks for its codecs first."""
STREAM_WITHIN = 30.0
"""Seconds more where the stream is down, and has to come back first: so long a call lives without media."""
CATCH_UP = 24 * 3600.0
"""Seconds back into the archive at most, at the first login."""
MAXIMUM_PROFILES = 1024

_logger = logging.getLogger(__name__)


class XmppSignalling:
    """The :class:`~openvoice.ports.Signalling` of one XMPP account."""

    def __init__(
        self,
        *,
        account: Address,
        password: Password,
        listener: SignallingListener,
        screen: Callable[[IncomingCall], Screening],
        server: tuple[str, int] | None = None,
        ca_file: Path | None = None,
        proposal_age: float = 60.0,
        last_online: float | None = None,
        keys: KeyStore | None = None,
    ) -> None:
        """``screen`` asks the policy about a call that comes in, before anything of it is shown or answered;
        one that a server kept longer than ``proposal_age`` seconds does not ring any more. Calls since ``last_online``
        (Unix time) are looked up in the archive of the server. Without ``keys`` there is no OMEMO.

        Raises:
            ConfigurationError: ``ca_file`` cannot be read.
        """
        self._listener = listener
        self._connection = Connection(
            account=account,
            password=password,
            listener=self,
            features=frozenset(capabilities.FEATURES if keys is None else (*capabilities.FEATURES, NOTIFY)),
            server=server,
            ca_file=ca_file,
        )
        self._omemo = None if keys is None else OmemoDevice(account, keys, PepNetwork(self._connection))
        self._upkeep = None if self._omemo is None else Upkeep(self._omemo, self._known)
        self._endpoint = JingleEndpoint(
            own=self._connection.address,
            new_id=lambda: str(uuid.uuid4()),
            screen=screen,
            in_roster=self.in_roster,
            other_devices=self._other_device_takes_calls,
            profile=self._profile,
            proposal_age=proposal_age,
            omemo_device=self._omemo_device,
        )
        self._late = LateCalls(self._catch_up_with)
        self._profiles: dict[Address, PeerProfile] = {}
        self._relays = Relays(self._connection)
        self._last_seen = max(last_online or 0.0, time.time() - CATCH_UP)
        self._tasks = Tasks()

    @property
    def address(self) -> Address:
        return self._connection.address

    @property
    def facts(self) -> SignallingFacts | None:
        facts = self._connection.facts
        return None if facts is None else replace(facts, omemo_device=self._omemo_device())

    async def open(self) -> None:
        await self._connection.open()

    async def close(self) -> None:
        if self._upkeep is not None:
            await self._upkeep.close()
        self._late.close()
        await self._tasks.close()
        await self._connection.close()

    def in_roster(self, peer: Address) -> bool:
        return peer.bare in self._connection.roster

    def _known(self, person: Address) -> bool:
        return person == self.address.bare or self.in_roster(person)

    # --- calls that go out --------------------------------------------------------------------------------------------

    def network_changed(self) -> None:
        self._connection.network_changed()

    async def invitation(self, peer: Address, *, video: bool = False) -> tuple[Address, Invitation]:
        return capabilities.choose(peer, await self._learn_devices(peer.bare), video=video)

    def begin(self, call: CallId, peer: Address, media: frozenset[str]) -> None:
        self._endpoint.begin(call, peer, media, time.time())

    async def perform(self, call: CallId, effect: SignallingEffect) -> None:
        if self._omemo is not None and isinstance(effect, SendProceed | SendOffer):
            await self._omemo.settle()
        outputs = self._endpoint.perform(call, effect, time.time())
        if isinstance(effect, SendProceed):
            self._introduce(outputs)
        self._perform(outputs)

    async def relays(self) -> tuple[RelayServer, ...]:
        return await self._relays.find()

    # --- what the connection hears (ConnectionListener) ---------------------------------------------------------------

    def message_received(
        self, message: Element, sender: Address, *, carbon: Carbon | None, stamp: float | None
    ) -> None:
        if stamp is None or carbon is not None or not self._late.take(message, sender, stamp):
            self._perform(self._endpoint.receive_message(message, sender, time.time(), carbon=carbon, stamp=stamp))
        if self._upkeep is not None:
            self._upkeep.message_received(message, sender, late=stamp is not None)

    def request_received(self, id: str, kind: RequestKind, payload: Element, sender: Address) -> None:  # noqa: A002
        if payload.tag == ns.qualified(ns.JINGLE, "jingle") and kind == "set":
            self._perform(self._endpoint.receive_iq(id, sender, payload, time.time()))
        elif (
            payload.tag == ns.qualified(ns.EXTERNAL_SERVICES, "services")
            and kind == "set"
            and self._relays.pushed(payload, sender)
        ):
            self._connection.answer(id, sender)
        else:
            self._connection.refuse(id, sender, "service-unavailable")

    def node_changed(self, owner: Address, node: str, payload: Element) -> None:
        if self._upkeep is not None:
            self._upkeep.node_changed(owner, node, payload)

    def connection_changed(self, online: bool, reason: str) -> None:
        if online:
            self._endpoint.own = self._connection.address
            self._tasks.spawn(self._catch_up(self._last_seen))
        if self._upkeep is not None:
            self._upkeep.connection_changed(online)
        self._last_seen = time.time()
        self._listener.connection_changed(online, reason)

    async def _catch_up(self, since: float) -> None:
        received = await self._connection.archive(since)
        messages = [
            ArchivedMessage(item.message, item.sender, item.stamp) for item in received if item.stamp is not None
        ]
        self._catch_up_with(messages)
        if self._upkeep is not None:
            self._upkeep.catch_up(received)

    def _catch_up_with(self, messages: Sequence[ArchivedMessage]) -> None:
        self._perform(self._endpoint.catch_up(messages, time.time()))

    # --- what the logic of Jingle wants done --------------------------------------------------------------------------

    def _perform(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            match output:
                case SendIq(identifier, to, payload):
                    self._send_iq(identifier, to, payload)
                case SendMessage(message, expires):
                    lifetime = None if expires is None else max(0.0, expires - time.time())
                    self._connection.send_message(message, lifetime=lifetime)
                case ReplyResult(identifier, to):
                    self._connection.answer(identifier, to)
                case ReplyError(identifier, to, condition, kind, jingle_condition):
                    own = Element(ns.qualified(ns.JINGLE_ERRORS, jingle_condition)) if jingle_condition else None
                    self._connection.refuse(identifier, to, condition, kind, application=own)
                case Deliver(call, message):
                    self._listener.call_input(call, message)
                case Incoming(incoming, first):
                    if self.in_roster(incoming.peer):
                        self._tasks.spawn(self._learn_devices(incoming.peer.bare))
                    self._listener.call_incoming(incoming, first)
                case Missed(incoming, outcome):
                    self._listener.call_missed(incoming, outcome)
                case Seal() | Unseal():
                    self._tasks.spawn(self._turn_ratchet(output))
                case Doubt(peer, device) if self._omemo is not None:
                    self._omemo.doubt(peer.bare, device)
                case Forget():
                    pass

    def _send_iq(self, identifier: str, to: Address, payload: Element) -> None:
        def finished(outcome: Element | StanzaFailure) -> None:
            error = outcome.condition if isinstance(outcome, StanzaRefused | StanzaTimeout) else None
            self._perform(self._endpoint.iq_finished(identifier, error, time.time()))

        # What waits for the stream is not late yet.
        patience = REQUEST_WITHIN if self._connection.online else REQUEST_WITHIN + STREAM_WITHIN
        self._connection.start_request(payload, to, "set", finished, id=identifier, timeout=patience)

    # --- OMEMO --------------------------------------------------------------------------------------------------------

    def _omemo_device(self) -> int | None:
        """The own device, while others can find it."""
        if self._omemo is None:
            return None
        try:
            return self._omemo.id if self._omemo.published else None
        except OpenVoiceError as error:
            _logger.error("%s", error)
            return None

    async def _turn_ratchet(self, asked: Seal | Unseal) -> None:
        assert self._omemo is not None, "nobody names a device that is not there"
        if isinstance(asked, Seal):
            sealed = await attempt(self._omemo.seal(asked.peer.bare, asked.device, asked.texts))
            self._perform(self._endpoint.sealed(asked.call, sealed, time.time()))
        else:
            unsealed = await attempt(self._omemo.unseal(asked.peer.bare, asked.elements))
            self._perform(self._endpoint.unsealed(asked.call, unsealed, time.time()))

    # --- what is known about peers ------------------------------------------------------------------------------------

    def _introduce(self, outputs: Sequence[Output]) -> None:
        """Tell a caller outside the contact list what this device can (XEP-0353, 2.4): Dino asks before it offers."""
        for output in outputs:
            if isinstance(output, SendMessage):
                to = Address.parse(output.message.get("to", ""))
                if to.bare != self.address.bare and not self.in_roster(to):
                    self._connection.send_presence(to)

    def _profile(self, device: Address) -> PeerProfile:
        return self._profiles.get(device) or PeerProfile()

    async def _learn_devices(self, person: Address) -> list[capabilities.Device]:
        """Ask what the devices of ``person`` can, and remember how to speak with each."""
        devices = await self._connection.devices(person)
        if len(self._profiles) > MAXIMUM_PROFILES:
            self._profiles.clear()
        for device in devices:
            self._profiles[device.address] = profile_of(DeviceIdentity(node=device.node, features=device.features))
        return [
            capabilities.Device(address=device.address, features=device.features, priority=device.priority)
            for device in devices
        ]

    def _other_device_takes_calls(self) -> bool:
        return any(presence.address != self.address for presence in self._connection.presence_of(self.address.bare))
