"""One media transport: an ICE path, the DTLS association on it, and the watch over both.

The association outlives the path. An ICE restart (RFC 8445, 9) builds a second agent beside the first; media stay on
the old path until the new one is nominated, and the old sockets listen on for what is still under way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from aiortc.rtp import RtpPacket

from openvoice.core.description import Candidate, CandidateType, Fingerprint, Setup, TransportDescription
from openvoice.core.types import EndReason
from openvoice.errors import MediaFailed, SecurityRefused
from openvoice.media.certificate import Certificate
from openvoice.media.dtls import SecureTransport
from openvoice.media.gathering import GatheringAgent
from openvoice.media.listener import TransportListener
from openvoice.media.roaming import RoamingAgent
from openvoice.media.watch import PathWatch
from openvoice.ports import MediaSettings

ICE_TIMEOUT = 20.0
"""Seconds for a path to be found. Long, because peers trickle, and because a person may have to unlock a phone."""
DTLS_TIMEOUT = 10.0
SWITCH_WITHIN = 0.3
"""Seconds that another pair gets to answer when the one in use is gone, before that is an interruption."""
CHECK_WITHIN = 0.6
"""Seconds that the path gets to answer after a change of the network."""
RETIREMENT = 2.0
"""Seconds that the sockets of a replaced path stay open."""
EXPLANATION = 1.5
"""Seconds that a peer that closed the association may take to say why: media are quicker than the signalling."""

_log = logging.getLogger(__name__)


class MediaTransport:
    """Carries the contents named ``names``; their candidates are signalled under the first of them."""

    def __init__(
        self,
        names: tuple[str, ...],
        *,
        controlling: bool,
        settings: MediaSettings,
        certificate: Certificate,
        listener: TransportListener,
    ) -> None:
        self.names = names
        self.gate_open = False
        """Whether media may leave. The session alone holds it shut; here it is only counted what passes."""
        self.packets_before_gate = 0
        self._settings = settings
        self._certificate = certificate
        self._listener = listener
        self._agent = self._make_agent(controlling)
        self._successor: RoamingAgent | None = None
        self._secure = SecureTransport(
            certificate,
            send=self._send,
            handle_rtp=self._handle_rtp,
            handle_rtcp=self._handle_rtcp,
            closed_by_peer=self._handle_closed_by_peer,
        )
        self._remote_fingerprint: Fingerprint | None = None
        self._client = False
        self._heard = False
        self._watch: PathWatch | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._retired: set[RoamingAgent] = set()
        self._closed = False

    # --- setting up ---------------------------------------------------------------------------------------------------

    async def gather(self, *, fully_within: float = 0.0) -> None:
        """Find local candidates; with ``fully_within`` (seconds) wait that long for those that servers give.

        Raises:
            MediaFailed: there is no network to use.
        """
        await self._agent.gather_candidates()
        if self._agent.hopeless:
            raise MediaFailed(
                "no relay is known, and this call may use nothing else: ask the operator of your server for TURN"
                if self._settings.relay_only
                else "this device has no network address to call from: check its network connection"
            )
        if fully_within:
            await self._agent.gathered(fully_within)

    def describe(self, setup: Setup) -> TransportDescription:
        """The local half, with all candidates so far."""
        return TransportDescription(
            ufrag=self._agent.local_username,
            pwd=self._agent.local_password,
            fingerprint=self._certificate.fingerprint,
            setup=setup,
            candidates=self._agent.descriptions,
        )

    def repeat(self, setup: Setup) -> TransportDescription:
        """The local half as it is now, for one more content on it: without candidates."""
        agent = self._successor or self._agent
        return TransportDescription(
            ufrag=agent.local_username,
            pwd=agent.local_password,
            fingerprint=self._certificate.fingerprint,
            setup=setup,
        )

    @property
    def connected(self) -> bool:
        """Whether :meth:`connect` was called."""
        return self._remote_fingerprint is not None

    @property
    def setup(self) -> Setup:
        """The role in DTLS, once it is connected."""
        return Setup.ACTIVE if self._client else Setup.PASSIVE

    def connect(self, remote: TransportDescription, *, client: bool) -> None:
        """Begin to find a path and to secure it; the listener hears how it ends. ``client`` is the DTLS role."""
        assert remote.fingerprint is not None
        self._remote_fingerprint = remote.fingerprint
        self._client = client
        self._set_remote(self._agent, remote.credentials)
        for candidate in remote.candidates:
            self._agent.add_candidate(candidate)
        self._run(self._establish(remote.fingerprint, client))

    def add_candidate(self, candidate: Candidate) -> None:
        """Take a candidate of the peer, for the restart under way if its credentials are known."""
        successor = self._successor
        ready = successor is not None and successor.remote_username is not None
        (successor if successor is not None and ready else self._agent).add_candidate(candidate)

    async def _establish(self, fingerprint: Fingerprint, client: bool) -> None:
        try:
            async with asyncio.timeout(ICE_TIMEOUT):
                await self._agent.connect()
        except (ConnectionError, TimeoutError):
            self._fail(EndReason.CONNECTIVITY_ERROR, "the devices found no way to each other through the network")
            return
        self._watch = PathWatch(
            lambda: self._agent,
            interrupted=lambda: self._listener.interrupted(self),
            restored=lambda: self._listener.restored(self),
        )
        try:
            async with asyncio.timeout(DTLS_TIMEOUT):
                await self._secure.secure(fingerprint, client=client)
        except SecurityRefused as error:
            self._fail(EndReason.SECURITY_ERROR, str(error))
        except MediaFailed as error:
            self._fail(EndReason.FAILED_TRANSPORT, str(error))
        except TimeoutError:
            self._fail(EndReason.FAILED_TRANSPORT, "the other device did not complete the encryption handshake")
        else:
            self._listener.secured(self)

    def _handle_found(self, agent: GatheringAgent, candidate: Candidate) -> None:
        # A restart makes the candidates of the agent before it worthless: they would go out with the new credentials.
        if agent is (self._successor or self._agent) and not self._closed:
            self._listener.candidate_found(self, candidate)

    def _handle_moved(self, agent: GatheringAgent) -> None:
        if agent is self._agent and self._secure.secured and not self._closed:
            self._listener.moved(self)

    # --- facts --------------------------------------------------------------------------------------------------------

    @property
    def secure(self) -> SecureTransport:
        """The association; its facts can be read once it is secured."""
        return self._secure

    @property
    def local_fingerprint(self) -> Fingerprint:
        return self._certificate.fingerprint

    @property
    def remote_fingerprint(self) -> Fingerprint:
        assert self._remote_fingerprint is not None
        return self._remote_fingerprint

    @property
    def candidate_types(self) -> tuple[CandidateType, CandidateType]:
        """Of the selected pair, (local, remote)."""
        pair = self._agent.selected_pair
        assert pair is not None
        return CandidateType(pair.local_candidate.type), CandidateType(pair.remote_candidate.type)

    @property
    def addresses(self) -> tuple[str, str]:
        """Of the selected pair, (local, remote)."""
        pair = self._agent.selected_pair
        assert pair is not None
        return pair.local_candidate.host, pair.remote_candidate.host

    @property
    def relayed(self) -> bool:
        """Whether a TURN server of this side carries the packets."""
        return self.candidate_types[0] is CandidateType.RELAY

    # --- packets ------------------------------------------------------------------------------------------------------

    def send_rtp(self, packet: bytes) -> None:
        """Protect and send one RTP packet, without waiting."""
        if self._secure.secured and not self.gate_open:
            self.packets_before_gate += 1
        self._secure.send_rtp(packet)

    def resend_rtp(self, ssrc: int, sequence: int) -> bool:
        """Send one of the last RTP packets of a source once more: whether it was still kept."""
        return self._secure.resend_rtp(ssrc, sequence)

    def send_rtcp(self, packet: bytes) -> None:
        """Protect and send one compound RTCP packet, without waiting."""
        self._secure.send_rtcp(packet)

    def _send(self, datagram: bytes) -> None:
        if self._watch is not None and self._watch.may_send:
            self._agent.send_datagram(datagram)

    def _handle_rtp(self, packet: RtpPacket, arrival: float) -> None:
        self._hear(arrival)
        self._listener.rtp_received(self, packet, arrival)

    def _handle_rtcp(self, packets: list[Any], arrival: float) -> None:
        self._hear(arrival)
        self._listener.rtcp_received(self, packets, arrival)

    # --- the watch ----------------------------------------------------------------------------------------------------

    def _hear(self, now: float) -> None:
        self._heard = True
        if self._watch is not None:
            self._watch.heard(now)

    def _handle_consent(self, agent: GatheringAgent) -> None:
        if agent is self._agent and self._watch is not None:
            self._watch.consented()

    def _handle_lost(self, agent: RoamingAgent) -> None:
        if agent is self._agent and self._watch is not None and not self._closed:
            self._watch.doubt(SWITCH_WITHIN if agent.has_another else 0.0)

    def network_changed(self) -> None:
        """The ways of this device into the network changed: use those that there are now."""
        if not self._closed:
            self._run(self._roam())

    async def _roam(self) -> None:
        is_new = await self._agent.network_changed()
        if self._successor is not None:
            await self._successor.network_changed()
        if self._watch is not None and not self._closed:
            self._watch.doubt(CHECK_WITHIN)
        if is_new and self._secure.secured:
            self._listener.outdated(self)

    def _handle_closed_by_peer(self) -> None:
        asyncio.get_running_loop().call_later(EXPLANATION, self._handle_unexplained)

    def _handle_unexplained(self) -> None:
        if not self._heard:
            self._fail(EndReason.FAILED_TRANSPORT, "the other device broke off after the encryption handshake")
        elif not self._closed:
            self._listener.closed(self)

    # --- restart ------------------------------------------------------------------------------------------------------

    async def restart(self, remote: tuple[str, str] | None) -> tuple[str, str]:
        """Begin a new path beside the present one; ``remote`` are the credentials of a peer that began.

        Returns the new local credentials. A restart that was under way is dropped for this one.
        """
        if self._successor is not None:
            self._retire(self._successor, 0.0)
        successor = self._successor = self._make_agent(self._agent.ice_controlling)
        await successor.gather_candidates()
        if remote is not None and not self._closed:
            self._succeed(successor, remote)
        return successor.local_username, successor.local_password

    @property
    def restart_candidates(self) -> tuple[Candidate, ...]:
        """The candidates of the restart that :meth:`restart` began, so far."""
        return self._successor.descriptions if self._successor is not None else ()

    def apply_restart(self, remote: tuple[str, str]) -> None:
        """The peer's credentials that answer our restart. Without one under way this does nothing."""
        if self._successor is not None and self._successor.remote_username is None:
            self._succeed(self._successor, remote)

    def _succeed(self, successor: RoamingAgent, remote: tuple[str, str]) -> None:
        self._set_remote(successor, remote)
        self._run(self._replace(successor))

    async def _replace(self, successor: RoamingAgent) -> None:
        try:
            async with asyncio.timeout(ICE_TIMEOUT):
                await successor.connect()
        except (ConnectionError, TimeoutError):
            if successor is self._successor and not self._closed:
                self._successor = None
                self._retire(successor, 0.0)
                if self._watch is None or self._watch.interrupted:
                    self._fail(EndReason.CONNECTIVITY_ERROR, "the devices lost each other and found no new way")
            return
        if successor is not self._successor:
            return
        retired, self._agent, self._successor = self._agent, successor, None
        _log.debug("moved to a new path")
        self._handle_consent(successor)
        self._handle_moved(successor)
        self._retire(retired, RETIREMENT)

    def _retire(self, agent: RoamingAgent, after: float) -> None:
        # At once: a task that is cancelled before it began does nothing.
        self._retired.add(agent)
        self._run(self._close_retired(agent, after))

    async def _close_retired(self, agent: RoamingAgent, after: float) -> None:
        await asyncio.sleep(after)
        await agent.close()
        self._retired.discard(agent)

    # --- the end ------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Say goodbye and let every socket go. Twice is once."""
        if self._closed:
            return
        self._closed = True
        if self._watch is not None:
            self._watch.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._secure.stop()
        agents = {self._agent, *self._retired}
        if self._successor is not None:
            agents.add(self._successor)
        await asyncio.gather(*(agent.close() for agent in agents))

    def _fail(self, reason: EndReason, text: str) -> None:
        if not self._closed:
            self._listener.failed(self, reason, text)

    def _make_agent(self, controlling: bool) -> RoamingAgent:
        return RoamingAgent(
            controlling=controlling,
            settings=self._settings,
            deliver=lambda datagram: self._secure.receive(datagram),
            found=self._handle_found,
            consented=self._handle_consent,
            moved=self._handle_moved,
            lost=self._handle_lost,
            contacted=self._listener.contacted,
        )

    @staticmethod
    def _set_remote(agent: RoamingAgent, credentials: tuple[str, str]) -> None:
        agent.remote_username, agent.remote_password = credentials

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
