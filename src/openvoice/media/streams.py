"""What flows in the contents of one call: the voice, and pictures that come and go beside it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from aiortc.rtp import RtpPacket

from openvoice.core.description import Content, SessionDescription
from openvoice.core.faults import fault
from openvoice.core.inputs import MediaInput
from openvoice.core.statistics import CallStatistics
from openvoice.core.types import Role, VideoLabel
from openvoice.errors import OpenVoiceError
from openvoice.media import plan
from openvoice.media.audio.stream import AudioStream
from openvoice.media.discard import DiscardedStream
from openvoice.media.lane import Lane
from openvoice.media.synchronisation import Synchronisation
from openvoice.media.transport import MediaTransport
from openvoice.media.video.showing import Showing
from openvoice.media.video.stream import VideoStream
from openvoice.ports import MediaSettings

_log = logging.getLogger(__name__)

Stream = AudioStream | VideoStream | DiscardedStream


@dataclass(frozen=True, slots=True)
class _Flow:
    """One content that is agreed on: both halves, what is made of them, and the lane that it is on."""

    local: Content
    remote: Content
    lane: Lane
    stream: Stream


class Streams:
    """Nothing is captured, decoded or shown until :meth:`open_gate`, and on no lane that is not admitted."""

    def __init__(self, settings: MediaSettings, notify: Callable[[MediaInput], None]) -> None:
        self._settings = settings
        self._notify = notify
        self.voice: AudioStream | None = None
        self.voice_name = ""
        self._flows: dict[str, _Flow] = {}
        self._lanes: dict[MediaTransport, Lane] = {}
        self._admitted: set[Lane] = set()
        self._synchronisation = Synchronisation()
        self._showing = Showing(settings.video_input, self._showable, notify)
        self._ending: set[asyncio.Task[None]] = set()
        self._muted = False
        self._held = False
        self._gate_open = False

    # --- what is agreed on --------------------------------------------------------------------------------------------

    def agree(
        self,
        local: SessionDescription,
        remote: SessionDescription,
        transport_of: Callable[[str], MediaTransport],
        role: Role,
    ) -> dict[str, str]:
        """These are the contents from now on, the same in both halves. What could not begin, by name, and why.

        Raises:
            MediaFailed: there is no voice that both sides can speak.
        """
        failed: dict[str, str] = {}
        self.voice_name = plan.voice_content(local).name
        for name in [name for name in self._flows if local.content(name) is None]:
            self._end(name)
        for ours in local.contents:
            theirs = remote.content(ours.name)
            assert theirs is not None
            try:
                self._begin_or_follow(ours, theirs, transport_of(ours.name), role)
            except OpenVoiceError as error:
                if ours.name == self.voice_name:
                    raise
                failed[ours.name] = str(error)
        for lane in tuple(self._lanes.values()):
            self._agree_on(lane)
        self._update()
        return failed

    def _begin_or_follow(self, local: Content, remote: Content, transport: MediaTransport, role: Role) -> None:
        known = self._flows.get(local.name)
        if known is not None:
            self._flows[local.name] = replace(known, local=local, remote=remote)
            if isinstance(known.stream, VideoStream):
                known.stream.agree(local, remote)
            return
        lane = self._lanes.get(transport) or Lane(transport)
        self._flows[local.name] = _Flow(local, remote, lane, self._make(local, remote, lane, role))
        self._lanes[transport] = lane
        if lane in self._admitted:
            self._start(self._flows[local.name])

    def _agree_on(self, lane: Lane) -> None:
        lane.agree([(flow.local, flow.remote) for flow in self._flows.values() if flow.lane is lane])
        if lane.empty:
            lane.close()
            self._admitted.discard(lane)
            del self._lanes[lane.transport]

    def _make(self, local: Content, remote: Content, lane: Lane, role: Role) -> Stream:
        assert local.source is not None, "our own descriptions name their streams"
        transport, ssrc = lane.transport, local.source.ssrc
        if local.name == self.voice_name:
            self.voice = AudioStream(
                local=local,
                remote=remote,
                send_rtp=lane.path.send_voice,
                resend_rtp=lambda sequence: transport.resend_rtp(ssrc, sequence),
                send_rtcp=transport.send_rtcp,
                notify=self._notify,
                synchronisation=self._synchronisation,
                bandwidth=self._settings.bandwidth,
                path=lane.path,
            )
            self.voice.muted, self.voice.held = self._muted, self._held
            return self.voice
        if not plan.is_shown(local):
            return DiscardedStream(local.source, transport.send_rtcp)
        return VideoStream(
            local=local,
            remote=remote,
            role=role,
            path=lane.path,
            send_rtcp=transport.send_rtcp,
            resend_rtp=transport.resend_rtp,
            synchronisation=self._synchronisation,
            round_trip=lambda: self.voice.round_trip if self.voice is not None else None,
            settings=self._settings,
            notify=self._notify,
            ended=lambda label: self.show(label, None),
        )

    def _end(self, name: str) -> None:
        stream = self._flows.pop(name).stream
        _close(stream)
        if isinstance(stream, VideoStream):
            task = asyncio.get_running_loop().create_task(stream.wait_closed())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    # --- the gate -----------------------------------------------------------------------------------------------------

    def protects_like_voice(self, transport: MediaTransport) -> bool:
        """Whether what protects a transport is as strong as what protects the voice; both are secured."""
        return self._lanes[transport].protects_like(self._flows[self.voice_name].lane)

    def admit(self, transport: MediaTransport) -> None:
        """The transport is secured, and well enough: let its contents flow, as far as the gate is open."""
        lane = self._lanes[transport]
        self._admitted.add(lane)
        for flow in self._flows.values():
            if flow.lane is lane:
                self._start(flow)
        self._update()

    def _start(self, flow: _Flow) -> None:
        flow.lane.gate_open = self._gate_open
        flow.stream.start_reports()
        if self._gate_open and isinstance(flow.stream, VideoStream):
            flow.stream.start()

    def open_gate(self) -> None:
        """Capture, send, play and show from now on. Twice is once."""
        if self._gate_open or self.voice is None:
            return
        self._gate_open = True
        for lane in self._admitted:
            lane.gate_open = True
        self.voice.open_gate(self._settings.input(), self._settings.output())
        for flow in self._flows.values():
            if flow.lane in self._admitted:
                self._start(flow)
        self._update()

    def set_peer_muted(self, content: str, muted: bool) -> None:
        """The peer says whether it shows nothing in the content. Unknown ones are passed over."""
        flow = self._flows.get(content)
        if flow is not None and isinstance(flow.stream, VideoStream):
            flow.stream.set_peer_muted(muted)

    # --- what the user wants ------------------------------------------------------------------------------------------

    def set_muted(self, muted: bool) -> None:
        self._muted = muted
        if self.voice is not None:
            self.voice.muted = muted

    def set_held(self, held: bool) -> None:
        self._held = held
        if self.voice is not None:
            self.voice.held = held
        self._update()

    def show(self, label: VideoLabel, content: str | None) -> None:
        self._showing.want(label, content)
        self._update()

    def _update(self) -> None:
        for stream in self._pictures():
            stream.draw(self._held)
        self._showing.update(allowed=not self._held)

    def _showable(self) -> dict[str, VideoStream]:
        return {
            name: flow.stream
            for name, flow in self._flows.items()
            if isinstance(flow.stream, VideoStream) and flow.lane.gate_open
        }

    def moved(self, transport: MediaTransport) -> None:
        """It goes another way than before."""
        lane = self._lanes.get(transport)
        if lane is not None:
            lane.path.begin_anew()

    # --- packets ------------------------------------------------------------------------------------------------------

    def handle_rtp(self, transport: MediaTransport, packet: RtpPacket, arrival: float) -> None:
        lane = self._lanes.get(transport)
        flow = self._flows.get(lane.receive(packet, arrival) or "") if lane is not None else None
        if flow is not None:
            flow.stream.handle_rtp(packet, arrival)

    def handle_rtcp(self, transport: MediaTransport, packets: list[Any], arrival: float) -> None:
        lane = self._lanes.get(transport)
        if lane is None:
            return
        lane.path.handle_rtcp(packets, arrival)
        for flow in tuple(self._flows.values()):
            if flow.lane is lane:
                flow.stream.handle_rtcp(packets, arrival)

    # --- numbers, and the end -----------------------------------------------------------------------------------------

    def statistics(self) -> CallStatistics:
        voice = self.voice.statistics() if self.voice is not None else CallStatistics()
        return replace(voice, video=tuple(stream.statistics() for stream in self._pictures()))

    def _pictures(self) -> Iterator[VideoStream]:
        return (flow.stream for flow in self._flows.values() if isinstance(flow.stream, VideoStream))

    def close(self) -> None:
        """Stop everything, and let the devices go. Never raises."""
        for name in tuple(self._flows):
            self._end(name)
        for lane in self._lanes.values():
            lane.close()

    async def wait_closed(self) -> None:
        """After :meth:`close`: until what takes pictures has all of them. Never raises."""
        await asyncio.gather(*self._ending, return_exceptions=True)


def _close(stream: Stream) -> None:
    try:
        stream.close()
    except Exception as error:
        _log.error("a stream of a call did not close properly: %s", fault(error))
