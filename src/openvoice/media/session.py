"""The media of one call: contents on transports, streams in contents, one gate before everything that is captured."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from aiortc.rtp import RtpPacket

from openvoice.core import inputs
from openvoice.core.contacts import Contact
from openvoice.core.description import Candidate, Content, SessionDescription, Setup, Source, TransportDescription
from openvoice.core.security import MediaFacts
from openvoice.core.statistics import CallStatistics
from openvoice.core.types import EndReason, Role, VideoLabel
from openvoice.errors import InvalidState, MediaFailed, SecurityRefused
from openvoice.media import plan
from openvoice.media.additions import Additions
from openvoice.media.streams import Streams
from openvoice.media.transport import MediaTransport
from openvoice.media.transports import Credentials, Transports
from openvoice.ports import MediaSettings

FULL_GATHERING = 2.0
"""Seconds that servers get when the peer takes no candidates later."""

_CNAME_OCTETS = 12
"""Random ones, and others for each call: a name that stays would tell who calls (RFC 7022, 4.2)."""


class CallMedia:
    """A :class:`~openvoice.ports.MediaSession` on the event loop that runs it.

    No socket exists before :meth:`open`, and no microphone before :meth:`open_gate`. After whatever returns a
    description, a content or credentials, the caller must call :meth:`announce` once it has passed on what it got:
    candidates make no sense to a peer that has not seen the description they belong to.
    """

    def __init__(self, settings: MediaSettings, notify: Callable[[inputs.MediaInput], None]) -> None:
        self._notify = notify
        self._cname = secrets.token_urlsafe(_CNAME_OCTETS)
        self._role = Role.INITIATOR
        self._patience = 0.0
        self._local: SessionDescription | None = None
        self._remote: SessionDescription | None = None
        self._transports = Transports(settings, self)
        self._additions = Additions(self._transports, self._gather, self._make_source)
        self._streams = Streams(settings, self._tell)
        self._secured: set[MediaTransport] = set()
        self._lost: set[str] = set()
        """Contents that are agreed on and were closed all the same."""
        self._announced = False
        self._flowing = False
        self._failed = False
        self._closed = False

    # --- the first description ----------------------------------------------------------------------------------------

    async def open(
        self, role: Role, offer: SessionDescription | None, gather_fully: bool = False, video: bool = False
    ) -> SessionDescription:
        """See the port. Raises ``SecurityRefused`` as well, for an offer that cannot be encrypted."""
        self._role = role
        self._patience = FULL_GATHERING if gather_fully else 0.0
        self._local = await (self._offer(video) if offer is None else self._answer(offer, video))
        return self._local

    async def _offer(self, video: bool) -> SessionDescription:
        names = (plan.AUDIO_NAME, plan.VIDEO_NAME) if video else (plan.AUDIO_NAME,)
        made = await self._gather([(name,) for name in names], controlling=True)
        descriptions = {name: each.describe(Setup.ACTPASS) for name, each in zip(names, made, strict=True)}
        return plan.make_offer(descriptions, self._make_source)

    async def _answer(self, offer: SessionDescription, video: bool) -> SessionDescription:
        plan.voice_content(offer)
        groups = plan.transport_groups(offer, offer)
        setups = [plan.answering_setup(plan.remote_transport(group).setup) for group in groups]
        made = await self._gather([_names(group) for group in groups], controlling=False)
        descriptions: dict[str, TransportDescription] = {}
        for transport, setup in zip(made, setups, strict=True):
            descriptions |= _descriptions(transport, setup)
        answer = plan.make_answer(offer, descriptions, self._make_source, video)
        self._settle(answer, offer)
        return answer

    async def apply_answer(self, answer: SessionDescription) -> None:
        """See the port."""
        if self._local is None:
            raise InvalidState("there is no offer that could be answered")
        plan.check_answer(self._local, answer)
        self._settle(plan.only(self._local, _names(answer.contents)), answer)

    def _make_source(self) -> Source:
        """One of our streams. Its number is random, so that two ends hardly ever choose the same (RFC 3550, 8.1)."""
        return Source(secrets.randbits(32), self._cname)

    async def _gather(self, groups: Iterable[tuple[str, ...]], *, controlling: bool) -> list[MediaTransport]:
        self._announced = False
        made = await self._transports.gather(groups, controlling=controlling, patience=self._patience)
        self._check_open()
        return made

    # --- contents that come and go ------------------------------------------------------------------------------------

    async def propose_content(self, name: str, label: VideoLabel) -> Content:
        """See the port."""
        local, remote = self._agreed()
        self._announced = False
        return await self._additions.propose(local, remote, self._streams.voice_name, name, label)

    async def answer_contents(self, contents: Sequence[Content], bundle: Sequence[str]) -> Sequence[Content]:
        """See the port."""
        local, remote = self._agreed()
        self._announced = False
        return await self._additions.answer(local, remote, self._streams.voice_name, contents, bundle)

    async def settle(self, local: SessionDescription, remote: SessionDescription) -> None:
        """See the port."""
        if plan.voice_content(local).name != self._streams.voice_name:
            raise MediaFailed("the voice of a call cannot go to another content")
        self._settle(local, remote)

    async def show(self, label: VideoLabel, content: str | None) -> None:
        """See the port."""
        self._streams.show(label, content)

    def _settle(self, local: SessionDescription, remote: SessionDescription) -> None:
        """Both halves are known: have each transport find its path, and what is new begin."""
        gone = {name for name in self._transports.names if local.content(name) is None}
        if self._remote is not None and (local, remote) != (self._local, self._remote):
            # What is proposed meanwhile waits for its own answer.
            gone &= set(_names(self._agreed()[0].contents))
        self._transports.drop(gone)
        first, self._local, self._remote = self._remote is None, local, remote
        self._lost &= set(_names(local.contents))
        failed: dict[str, str] = {}
        for group in plan.transport_groups(local, remote):
            contents = tuple(content for content in group if content.name not in self._lost)
            try:
                failed |= self._connect(local, contents) if contents else {}
            except SecurityRefused as error:
                if first:
                    raise
                failed |= dict.fromkeys(_names(contents), str(error))
        if self._streams.voice_name in failed:
            raise SecurityRefused(failed[self._streams.voice_name])
        self._transports.flush_early()
        self._lose(failed)

    def _connect(self, local: SessionDescription, group: tuple[Content, ...]) -> dict[str, str]:
        """Put the contents of a group on one transport, and have it begin if it is new.

        Returns what cannot go on it, by name, and why. Raises ``SecurityRefused`` for one that could not be secured.
        """
        known = [transport for name in _names(group) if (transport := self._transports.get(name)) is not None]
        if not known:
            text = "the other device wants a connection of its own for pictures that were to share one"
            return dict.fromkeys(_names(group), text)
        transport = next((each for each in known if each.connected), known[0])
        if not transport.connected:
            described, ours = plan.remote_transport(group), local.content(group[0].name)
            assert ours is not None
            transport.connect(described, client=plan.is_client(ours.transport, described))
        failed: dict[str, str] = {}
        for content in group:
            fingerprint = content.transport.fingerprint
            if fingerprint is not None and fingerprint.matches(transport.remote_fingerprint):
                self._transports.join(content.name, transport)
            else:
                failed[content.name] = "the other device announced another key for a connection that is there"
        return failed

    def _lose(self, failed: dict[str, str]) -> None:
        """Close contents with pictures for what was told of each, and let the others flow."""
        while True:
            self._lost |= failed.keys()
            self._transports.drop(failed)
            for text in dict.fromkeys(failed.values()):
                self._tell(inputs.ContentsFailed(tuple(name for name in failed if failed[name] == text), text))
            local, remote = self._agreed()
            names = [name for name in _names(local.contents) if name not in self._lost]
            if not (
                failed := self._streams.agree(
                    plan.only(local, names), plan.only(remote, names), self._transports.__getitem__, self._role
                )
            ):
                return

    def _agreed(self) -> tuple[SessionDescription, SessionDescription]:
        if self._local is None or self._remote is None:
            raise InvalidState("there is no session yet whose contents could change")
        return self._local, self._remote

    # --- candidates and restarts --------------------------------------------------------------------------------------

    def announce(self) -> None:
        """What was returned last is with the caller: candidates may follow it."""
        self._announced = True
        for found in self._transports.take_found():
            self._tell(found)

    def candidate_found(self, transport: MediaTransport, candidate: Candidate) -> None:
        self._transports.found(transport, candidate)
        if self._announced:
            self.announce()

    def contacted(self, contact: Contact) -> None:
        self._tell(inputs.Contacted(contact))

    async def add_candidates(self, content: str, candidates: Sequence[Candidate]) -> None:
        """See the port. Unknown contents, and those bundled away, are ignored: they are sent by clients in use."""
        for candidate in candidates:
            self._transports.add_candidate(content, candidate)

    async def restart(self, remote: Credentials) -> Credentials:
        """See the port."""
        self._announced = False
        credentials = await self._transports.restart(remote)
        self._check_open()
        return credentials

    async def apply_restart(self, credentials: Credentials) -> None:
        """See the port."""
        self._transports.apply_restart(credentials)

    def network_changed(self) -> None:
        """See the port."""
        self._transports.network_changed()

    # --- what the user wants ------------------------------------------------------------------------------------------

    async def open_gate(self) -> None:
        """See the port."""
        if not self._closed:
            self._streams.open_gate()

    async def set_peer_muted(self, content: str, muted: bool) -> None:
        """See the port."""
        self._streams.set_peer_muted(content, muted)

    async def set_muted(self, muted: bool) -> None:
        self._streams.set_muted(muted)

    async def set_held(self, held: bool) -> None:
        self._streams.set_held(held)

    async def play_digits(self, digits: str) -> None:
        if self._streams.voice is not None:
            self._streams.voice.play_digits(digits)

    def statistics(self) -> CallStatistics:
        return self._streams.statistics()

    # --- what the transports say --------------------------------------------------------------------------------------

    @property
    def _voice_transport(self) -> MediaTransport:
        return self._transports[self._streams.voice_name]

    def _carries_voice(self, transport: MediaTransport) -> bool:
        return self._transports.get(self._streams.voice_name) is transport

    def secured(self, transport: MediaTransport) -> None:
        distinct = self._transports.distinct
        if transport not in distinct:
            return  # its contents went while it was on its way
        # Those of contents that went are forgotten, however many come and go.
        self._secured = self._secured.intersection(distinct) | {transport}
        if self._carries_voice(transport):
            self._streams.admit(transport)
            self._tell(inputs.MediaSecured(self._facts()))
            waiting = [each for each in distinct if each in self._secured and each is not transport]
        else:
            waiting = [transport] if self._voice_transport in self._secured else []
        for each in waiting:
            self._admit(each)

    def _admit(self, transport: MediaTransport) -> None:
        """A transport beside that of the voice is secured: what protects it may not be weaker."""
        if self._streams.protects_like_voice(transport):
            self._streams.admit(transport)
            self._tell(inputs.MediaMoved(self._facts()))
        else:
            text = "pictures would be protected less than the voice"
            self._lose(dict.fromkeys(transport.names, text))

    def moved(self, transport: MediaTransport) -> None:
        self._streams.moved(transport)
        if self._voice_transport in self._secured:
            self._tell(inputs.MediaMoved(self._facts()))

    def _facts(self) -> MediaFacts:
        """Of the transport that carries the voices; the counts are of all."""
        transport = self._voice_transport
        transports = [each for each in self._transports.distinct if each in self._secured]
        local_candidate, remote_candidate = transport.candidate_types
        local_address, remote_address = transport.addresses
        return MediaFacts(
            dtls_version=transport.secure.dtls_version,
            dtls_cipher=transport.secure.dtls_cipher,
            srtp_profile=transport.secure.srtp_profile,
            local_fingerprint=transport.local_fingerprint,
            remote_fingerprint=transport.remote_fingerprint,
            local_candidate=local_candidate,
            remote_candidate=remote_candidate,
            relayed=any(each.relayed for each in transports),
            local_address=local_address,
            remote_address=remote_address,
            packets_before_gate=sum(each.packets_before_gate for each in transports),
        )

    def rtp_received(self, transport: MediaTransport, packet: RtpPacket, arrival: float) -> None:
        self._flow(transport)
        self._streams.handle_rtp(transport, packet, arrival)

    def rtcp_received(self, transport: MediaTransport, packets: list[Any], arrival: float) -> None:
        self._flow(transport)
        self._streams.handle_rtcp(transport, packets, arrival)

    def _flow(self, transport: MediaTransport) -> None:
        if not self._flowing and self._carries_voice(transport):
            self._flowing = True
            self._tell(inputs.MediaFlowing())

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
        if self._carries_voice(transport):
            self._tell(inputs.MediaClosed())
        else:
            self._lose(dict.fromkeys(transport.names, "the other device closed the connection of its pictures"))

    def failed(self, transport: MediaTransport, reason: EndReason, text: str) -> None:
        if not self._carries_voice(transport) and self._remote is not None:
            self._lose(dict.fromkeys(transport.names, f"there are no pictures: {text}"))
        elif not self._failed:
            self._failed = True
            self._tell(inputs.MediaFailed(reason, text))

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
        self._streams.close()
        await asyncio.gather(self._streams.wait_closed(), self._transports.close())


def _names(contents: Iterable[Content]) -> tuple[str, ...]:
    return tuple(content.name for content in contents)


def _descriptions(transport: MediaTransport, setup: Setup) -> dict[str, TransportDescription]:
    """By content name. Only the first of a bundle carries candidates: the others would repeat them."""
    bare = transport.repeat(setup)
    return {name: transport.describe(setup) if name == transport.names[0] else bare for name in transport.names}
