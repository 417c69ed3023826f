"""The media of one call: contents on transports, voices on contents, one gate before everything that is captured."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from typing import Any

from aiortc.rtp import RtpPacket

from openvoice.core import inputs
from openvoice.core.contacts import Contact
from openvoice.core.description import Candidate, Content, SessionDescription, Setup, Source, TransportDescription
from openvoice.core.faults import fault
from openvoice.core.security import MediaFacts
from openvoice.core.statistics import CallStatistics
from openvoice.core.types import EndReason, Role, VideoLabel
from openvoice.errors import InvalidState, VideoFailed
from openvoice.media import plan
from openvoice.media.audio.stream import AudioStream
from openvoice.media.certificate import Certificate
from openvoice.media.discard import DiscardedStream
from openvoice.media.transport import MediaTransport
from openvoice.ports import MediaSettings

FULL_GATHERING = 2.0
"""Seconds that servers get when the peer takes no candidates later."""
MAXIMUM_EARLY_CANDIDATES = 64
"""Kept for transports that do not exist yet."""

Credentials = Sequence[tuple[str, str, str]]
"""(content, ufrag, pwd)"""

_log = logging.getLogger(__name__)

_CNAME_OCTETS = 12
"""Random ones, and others for each call: a name that stays would tell who calls (RFC 7022, 4.2)."""


class CallMedia:
    """A :class:`~openvoice.ports.MediaSession` on the event loop that runs it.

    No socket exists before :meth:`open`, and no microphone before :meth:`open_gate`. After :meth:`open` and after
    :meth:`restart` the caller must call :meth:`announce` once it has passed on what they returned: candidates make
    no sense to a peer that has not seen the description they belong to.
    """

    def __init__(self, settings: MediaSettings, notify: Callable[[inputs.MediaInput], None]) -> None:
        self._settings = settings
        self._notify = notify
        self._cname = secrets.token_urlsafe(_CNAME_OCTETS)
        self._role = Role.INITIATOR
        self._local: SessionDescription | None = None
        self._transports: dict[str, MediaTransport] = {}
        self._secured: set[MediaTransport] = set()
        self._early: list[tuple[str, Candidate]] = []
        self._found: list[tuple[str, Candidate]] = []
        self._announced = False
        self._voice: AudioStream | None = None
        self._voice_name = ""
        self._discarded: dict[MediaTransport, dict[int, DiscardedStream]] = {}
        self._muted = False
        self._held = False
        self._gate_open = False
        self._flowing = False
        self._failed = False
        self._closed = False

    # --- description --------------------------------------------------------------------------------------------------

    async def open(
        self, role: Role, offer: SessionDescription | None, gather_fully: bool = False, video: bool = False
    ) -> SessionDescription:
        """See the port. Raises ``SecurityRefused`` as well, for an offer that cannot be encrypted."""
        self._role = role
        patience = FULL_GATHERING if gather_fully else 0.0
        if offer is None:
            self._local = await self._offer(patience)
        else:
            self._local = await self._answer(offer, patience)
        return self._local

    async def _offer(self, patience: float) -> SessionDescription:
        (transport,) = await self._gather([(plan.AUDIO_NAME,)], patience)
        return plan.make_offer(transport.describe(Setup.ACTPASS), self._make_source())

    async def _answer(self, offer: SessionDescription, patience: float) -> SessionDescription:
        plan.voice_content(offer)
        groups = plan.transport_groups(offer)
        setups = [plan.answering_setup(plan.remote_transport(group).setup) for group in groups]
        transports = await self._gather([tuple(content.name for content in group) for group in groups], patience)
        descriptions: dict[str, TransportDescription] = {}
        for transport, setup in zip(transports, setups, strict=True):
            descriptions |= _descriptions(transport, setup)
        answer = plan.make_answer(offer, descriptions, self._make_source)
        self._connect(answer, offer, [setup is Setup.ACTIVE for setup in setups])
        return answer

    def _make_source(self) -> Source:
        """One of our streams. Its number is random, so that two ends hardly ever choose the same (RFC 3550, 8.1)."""
        return Source(secrets.randbits(32), self._cname)

    async def _gather(self, groups: Sequence[tuple[str, ...]], patience: float) -> list[MediaTransport]:
        certificate = Certificate.generateCertificate()
        transports = [self._add_transport(names, certificate) for names in groups]
        await asyncio.gather(*(transport.gather(fully_within=patience) for transport in transports))
        self._check_open()
        # The description, made right now, has all that was found so far.
        self._found.clear()
        return transports

    async def apply_answer(self, answer: SessionDescription) -> None:
        """See the port."""
        if self._local is None:
            raise InvalidState("there is no offer that could be answered")
        plan.check_answer(self._local, answer)
        clients = [plan.is_client_of(plan.remote_transport(group)) for group in plan.transport_groups(answer)]
        self._connect(self._local, answer, clients)

    def _add_transport(self, names: tuple[str, ...], certificate: Certificate) -> MediaTransport:
        transport = MediaTransport(
            names,
            controlling=self._role is Role.INITIATOR,
            settings=self._settings,
            certificate=certificate,
            listener=self,
        )
        self._transports |= dict.fromkeys(names, transport)
        return transport

    def _connect(self, local: SessionDescription, remote: SessionDescription, clients: Sequence[bool]) -> None:
        """Both halves are known: make the streams, and let each transport find its path."""
        self._make_streams(local, remote)
        for group, client in zip(plan.transport_groups(remote), clients, strict=True):
            self._transports[group[0].name].connect(plan.remote_transport(group), client=client)
        for name, candidate in self._early:
            self._add_candidate(name, candidate)
        self._early.clear()

    def _make_streams(self, local: SessionDescription, remote: SessionDescription) -> None:
        voice = plan.voice_content(local)
        self._voice_name = voice.name
        for ours, theirs in zip(local.contents, remote.contents, strict=True):
            transport = self._transports[ours.name]
            assert ours.source is not None
            if ours is voice:
                self._voice = AudioStream(
                    local=ours,
                    remote=theirs,
                    send_rtp=self._send_voice,
                    resend_rtp=transport.resend_rtp,
                    send_rtcp=transport.send_rtcp,
                    notify=self._tell,
                    bandwidth=self._settings.bandwidth,
                )
                self._voice.muted, self._voice.held = self._muted, self._held
            else:
                stream = DiscardedStream(ours.source, transport.send_rtcp)
                known = self._discarded.setdefault(transport, {})
                known |= {codec.payload_type: stream for codec in ours.codecs}

    async def propose_content(self, name: str, label: VideoLabel) -> Content:
        """See the port."""
        raise VideoFailed(f"pictures cannot be added to this call ({label}, {name})")

    async def answer_contents(self, contents: Sequence[Content], bundle: Sequence[str]) -> Sequence[Content]:
        """See the port."""
        return ()

    async def settle(self, local: SessionDescription, remote: SessionDescription) -> None:
        """See the port."""

    async def show(self, label: VideoLabel, content: str | None) -> None:
        """See the port."""

    # --- candidates ---------------------------------------------------------------------------------------------------

    def announce(self) -> None:
        """What :meth:`open` or :meth:`restart` returned is with the caller: candidates may follow it."""
        self._announced = True
        found, self._found = self._found, []
        for name in dict.fromkeys(name for name, _ in found):
            self._tell(inputs.LocalCandidates(name, tuple(candidate for owner, candidate in found if owner == name)))

    def candidate_found(self, transport: MediaTransport, candidate: Candidate) -> None:
        self._found.append((transport.names[0], candidate))
        if self._announced:
            self.announce()

    def contacted(self, contact: Contact) -> None:
        self._tell(inputs.Contacted(contact))

    async def add_candidates(self, content: str, candidates: Sequence[Candidate]) -> None:
        """See the port. Unknown contents, and those bundled away, are ignored: they are sent by clients in use."""
        for candidate in candidates:
            if self._local is not None:
                self._add_candidate(content, candidate)
            elif len(self._early) < MAXIMUM_EARLY_CANDIDATES:
                self._early.append((content, candidate))

    def _add_candidate(self, name: str, candidate: Candidate) -> None:
        transport = self._transports.get(name)
        if transport is not None:
            transport.add_candidate(candidate)

    # --- restart ------------------------------------------------------------------------------------------------------

    async def restart(self, remote: Credentials) -> Credentials:
        """See the port."""
        self._announced = False
        self._found.clear()
        theirs = {name: (ufrag, pwd) for name, ufrag, pwd in remote}
        ours: list[tuple[str, str, str]] = []
        for transport in self._distinct_transports:
            named = next((theirs[name] for name in transport.names if name in theirs), None)
            if named is None and remote:
                continue
            ufrag, pwd = await transport.restart(named)
            self._check_open()
            ours += [(name, ufrag, pwd) for name in transport.names]
        self._found = [
            (transport.names[0], candidate)
            for transport in self._distinct_transports
            for candidate in transport.restart_candidates
        ]
        return tuple(ours)

    async def apply_restart(self, credentials: Credentials) -> None:
        """See the port."""
        for name, ufrag, pwd in credentials:
            transport = self._transports.get(name)
            if transport is not None:
                transport.apply_restart((ufrag, pwd))

    def network_changed(self) -> None:
        """See the port."""
        for transport in self._distinct_transports:
            transport.network_changed()

    # --- the voice ----------------------------------------------------------------------------------------------------

    async def open_gate(self) -> None:
        """See the port."""
        if self._gate_open or self._voice is None or self._closed:
            return
        self._gate_open = True
        for transport in self._distinct_transports:
            transport.gate_open = True
        self._voice.open_gate(self._settings.input(), self._settings.output())

    async def set_muted(self, muted: bool) -> None:
        self._muted = muted
        if self._voice is not None:
            self._voice.muted = muted

    async def set_held(self, held: bool) -> None:
        self._held = held
        if self._voice is not None:
            self._voice.held = held

    async def play_digits(self, digits: str) -> None:
        if self._voice is not None:
            self._voice.play_digits(digits)

    def statistics(self) -> CallStatistics:
        return self._voice.statistics() if self._voice is not None else CallStatistics()

    def _send_voice(self, packet: bytes) -> None:
        if self._gate_open:
            self._transports[self._voice_name].send_rtp(packet)

    # --- what the transports say --------------------------------------------------------------------------------------

    def secured(self, transport: MediaTransport) -> None:
        if self._carries_voice(transport):
            assert self._voice is not None
            self._voice.start_reports()
        for stream in set(self._discarded.get(transport, {}).values()):
            stream.start_reports()
        self._secured.add(transport)
        if self._secured == set(self._transports.values()):
            self._tell(inputs.MediaSecured(self._facts()))

    def moved(self, transport: MediaTransport) -> None:
        if self._secured == set(self._transports.values()):
            self._tell(inputs.MediaMoved(self._facts()))

    def _facts(self) -> MediaFacts:
        """Of the transport that carries the voices; the counts are of all."""
        assert self._local is not None
        transport = self._transports[self._voice_name]
        local = plan.voice_content(self._local).transport.fingerprint
        assert local is not None
        local_candidate, remote_candidate = transport.candidate_types
        local_address, remote_address = transport.addresses
        return MediaFacts(
            dtls_version=transport.secure.dtls_version,
            dtls_cipher=transport.secure.dtls_cipher,
            srtp_profile=transport.secure.srtp_profile,
            local_fingerprint=local,
            remote_fingerprint=transport.remote_fingerprint,
            local_candidate=local_candidate,
            remote_candidate=remote_candidate,
            relayed=any(each.relayed for each in self._distinct_transports),
            local_address=local_address,
            remote_address=remote_address,
            packets_before_gate=sum(each.packets_before_gate for each in self._distinct_transports),
        )

    def rtp_received(self, transport: MediaTransport, packet: RtpPacket, arrival: float) -> None:
        self._flow(transport)
        discarded = self._discarded.get(transport, {}).get(packet.payload_type)
        if discarded is not None:
            discarded.handle_rtp()
        elif self._carries_voice(transport):
            assert self._voice is not None
            self._voice.handle_rtp(packet, arrival)

    def rtcp_received(self, transport: MediaTransport, packets: list[Any], arrival: float) -> None:
        self._flow(transport)
        if self._carries_voice(transport):
            assert self._voice is not None
            self._voice.handle_rtcp(packets, arrival)

    def interrupted(self, transport: MediaTransport) -> None:
        if self._flowing and self._carries_voice(transport):
            self._tell(inputs.MediaInterrupted())

    def restored(self, transport: MediaTransport) -> None:
        if self._flowing and self._carries_voice(transport):
            self._tell(inputs.MediaRestored())

    def outdated(self, transport: MediaTransport) -> None:
        if self._carries_voice(transport):
            self._tell(inputs.NetworkChanged())

    def closed(self, transport: MediaTransport) -> None:
        # A peer may let go of its video alone.
        if self._carries_voice(transport):
            self._tell(inputs.MediaClosed())

    def failed(self, transport: MediaTransport, reason: EndReason, text: str) -> None:
        if not self._failed:
            self._failed = True
            self._tell(inputs.MediaFailed(reason, text))

    def _flow(self, transport: MediaTransport) -> None:
        if not self._flowing and self._carries_voice(transport):
            self._flowing = True
            self._tell(inputs.MediaFlowing())

    def _carries_voice(self, transport: MediaTransport) -> bool:
        return self._voice_name in transport.names

    @property
    def _distinct_transports(self) -> tuple[MediaTransport, ...]:
        return tuple(dict.fromkeys(self._transports.values()))

    @property
    def packets_discarded(self) -> int:
        """RTP packets of contents that nothing plays."""
        streams = {stream for known in self._discarded.values() for stream in known.values()}
        return sum(stream.packets_discarded for stream in streams)

    def _tell(self, message: inputs.MediaInput) -> None:
        if not self._closed:
            self._notify(message)

    # --- the end ------------------------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        """After a wait: what would be made now, nobody would close."""
        if self._closed:
            raise InvalidState("the media of this call are closed already")

    async def close(self) -> None:
        """See the port."""
        if self._closed:
            return
        self._closed = True
        try:
            for stream in {stream for known in self._discarded.values() for stream in known.values()}:
                stream.close()
            if self._voice is not None:
                self._voice.close()
        except Exception as error:
            _log.error("the audio of a call did not close properly: %s", fault(error))
        closing = (transport.close() for transport in self._distinct_transports)
        for outcome in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(outcome, Exception):
                _log.error("a transport did not close properly: %s", type(outcome).__name__)


def _descriptions(transport: MediaTransport, setup: Setup) -> dict[str, TransportDescription]:
    """By content name. Only the first of a bundle carries candidates: the others would repeat them."""
    first = transport.describe(setup)
    bare = TransportDescription(ufrag=first.ufrag, pwd=first.pwd, fingerprint=first.fingerprint, setup=setup)
    return {name: first if name == transport.names[0] else bare for name in transport.names}
