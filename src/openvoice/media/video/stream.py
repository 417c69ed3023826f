"""The pictures of one content, both ways: what the transport gives packets to and takes packets from.

Everything runs on the event loop of whoever calls. Pictures are coded in threads of the sender and of the receiver.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiortc.rtp import RtpPacket

from openvoice.core.description import Content, Senders
from openvoice.core.inputs import MediaInput, VideoReported
from openvoice.core.statistics import SentVideo, VideoStatistics
from openvoice.core.types import DeviceChange, Role, VideoLabel
from openvoice.media import plan
from openvoice.media.path.sending import SendingPath
from openvoice.media.reports import Reporter, until_next_report
from openvoice.media.synchronisation import Synchronisation
from openvoice.media.video.negotiation import (
    make_decoder,
    make_depayloader,
    repair_codec,
    sending_video_codec,
)
from openvoice.media.video.receiver import VideoReceiver
from openvoice.media.video.sender import VideoSender
from openvoice.ports import MediaSettings, Picture, VideoInput, VideoOutput


class VideoStream:
    """``local`` and ``remote`` are the two halves of the content, ``role`` is ours in the session.

    ``resend_rtp`` sends a packet of one of our sources once more, and tells whether it could. ``round_trip`` gives the
    seconds there and back, as far as known. ``ended`` is told that what is shown has no more pictures. Nothing is
    decoded or shown before :meth:`start`.
    """

    def __init__(
        self,
        *,
        local: Content,
        remote: Content,
        role: Role,
        path: SendingPath,
        send_rtcp: Callable[[bytes], None],
        resend_rtp: Callable[[int, int], bool],
        synchronisation: Synchronisation,
        round_trip: Callable[[], float | None],
        settings: MediaSettings,
        notify: Callable[[MediaInput], None],
        ended: Callable[[VideoLabel], None],
    ) -> None:
        assert local.source is not None, "our own descriptions name their streams"
        self.shown: VideoLabel | None = None
        """What this side sends."""
        self._local, self._remote = local, remote
        self._source = local.source
        self._role = role
        self._format_of = settings.format_of
        self._path = path
        self._send_rtcp = send_rtcp
        self._resend_rtp = resend_rtp
        self._notify = notify
        self._ended = ended
        self._curtain = Curtain(lambda: settings.video_output(local.label))
        self._reporter = Reporter(local.source, lambda _: None)
        self._receiver = VideoReceiver(
            local=local,
            remote=remote,
            send_rtcp=send_rtcp,
            synchronisation=synchronisation,
            output=self._curtain.open,
            report=lambda what, device, text: self._report(local.label, what, device, text),
            round_trip=round_trip,
            make_depayloader=make_depayloader,
            make_decoder=make_decoder,
        )
        self._sender: VideoSender | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    # --- what is agreed on --------------------------------------------------------------------------------------------

    def agree(self, local: Content, remote: Content) -> None:
        """The senders are others from now on. Where the peer's pictures go stays open: it may send again."""
        self._local, self._remote = local, remote

    @property
    def sends(self) -> bool:
        """Whether this side may show something, and can."""
        return self._may_send(self._role) and sending_video_codec(self._local.codecs, self._remote.codecs) is not None

    def _may_send(self, role: Role) -> bool:
        allowed = (Senders.BOTH, Senders(role.value))
        return self._local.senders in allowed and self._remote.senders in allowed

    # --- packets ------------------------------------------------------------------------------------------------------

    def handle_rtp(self, packet: RtpPacket, arrival: float) -> None:
        """Take an authenticated packet. ``arrival`` is the time of the event loop, in seconds."""
        if not self._closed:
            self._receiver.handle_rtp(packet, arrival)

    def handle_rtcp(self, packets: list[Any], arrival: float) -> None:
        """Take the parts of an authenticated compound packet."""
        if self._closed:
            return
        self._reporter.handle(packets, arrival)
        self._receiver.handle_rtcp(packets, arrival)
        if self._sender is not None:
            self._sender.handle_rtcp(packets, arrival)

    def start_reports(self) -> None:
        """Send RTCP from now on: at once, since Dino takes a transport for ready only when a packet came."""
        if self._timer is None and not self._closed:
            self._report_reception(asyncio.get_running_loop())

    def _report_reception(self, loop: asyncio.AbstractEventLoop) -> None:
        # What is sent is reported by who sends it.
        self._send_rtcp(
            self._reporter.compound(
                loop.time(), reception=self._receiver.reception, packets_sent=0, octets_sent=0, timestamp=0
            )
        )
        self._timer = loop.call_later(until_next_report(), self._report_reception, loop)

    # --- pictures -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """The gate is open: show what comes. Twice is once."""
        self._receiver.start()

    def draw(self, drawn: bool) -> None:
        """Whether a curtain hides what comes."""
        self._curtain.drawn = drawn

    def set_peer_muted(self, muted: bool) -> None:
        """Whether the peer says that it shows nothing."""
        self._receiver.set_paused(muted)

    def show(self, label: VideoLabel, input: VideoInput) -> None:  # noqa: A002
        """Send what the input gives, in place of what was sent before."""
        if self._sender is None:
            self._sender = self._make_sender()
        self.shown = label
        self._sender.start(input, self._format_of(label), label)

    def hide(self) -> None:
        """Send nothing any more, and let the device go."""
        self.shown = None
        if self._sender is not None:
            self._sender.stop()

    def _make_sender(self) -> VideoSender:
        local, remote = self._local, self._remote
        codec = sending_video_codec(local.codecs, remote.codecs)
        assert codec is not None, "who cannot send is not asked to show"
        return VideoSender(
            label=local.label,
            codec=codec,
            repair=repair_codec(remote.codecs, codec.payload_type) if local.repair is not None else None,
            source=self._source,
            repair_ssrc=local.repair,
            extensions=plan.agreed(local, remote).header_extensions,
            mid=local.name,
            wanted=self._format_of(local.label),
            path=self._path,
            send_rtcp=self._send_rtcp,
            resend=lambda sequence: self._resend_rtp(self._source.ssrc, sequence),
            report=lambda what, device, text: self._report(self.shown or local.label, what, device, text),
            ended=self._handle_end,
        )

    def _handle_end(self) -> None:
        label = self.shown
        if label is not None and not self._closed:
            self._ended(label)
            self._report(label, DeviceChange.FAILED, None, f"the {label} has no more pictures to show")

    def _report(self, label: VideoLabel, what: DeviceChange, device: str | None, text: str) -> None:
        if not self._closed:
            self._notify(VideoReported(label=label, what=what, device=device, text=text))

    # --- numbers, and the end -----------------------------------------------------------------------------------------

    def statistics(self) -> VideoStatistics:
        """What was measured until now."""
        return VideoStatistics(
            content=self._local.name,
            label=self._local.label,
            sent=self._sender.statistics() if self._sender is not None else SentVideo(),
            received=self._receiver.statistics(),
        )

    def close(self) -> None:
        """Stop, and let the devices go. Twice is once."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._sender is not None:
            self._sender.close()
        self._receiver.close()

    async def wait_closed(self) -> None:
        """After :meth:`close`: until the devices are let go and what takes pictures is closed."""
        if self._sender is not None:
            await self._sender.wait_closed()
        await self._receiver.wait_closed()


class Curtain:
    """A place for pictures that can be hidden. It is used by the thread that decodes; ``drawn`` is set by any."""

    def __init__(self, make: Callable[[], VideoOutput | None]) -> None:
        self.drawn = False
        self._make = make
        self._output: VideoOutput | None = None

    def open(self) -> VideoOutput | None:
        """Make the place itself, if there is one."""
        self._output = self._make()
        return self if self._output is not None else None

    def write(self, picture: Picture) -> None:
        if self._output is not None and not self.drawn:
            self._output.write(picture)

    def close(self) -> None:
        if self._output is not None:
            self._output.close()
