"""A transport that carries nothing but silence: enough for another client to see a call connected."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aiortc.rtp import RtpPacket

from openvoice.core.contacts import Contact
from openvoice.core.description import Candidate, Codec, Setup, TransportDescription
from openvoice.core.types import EndReason
from openvoice.media.certificate import Certificate
from openvoice.media.transport import MediaTransport
from openvoice.ports import AudioInput, AudioOutput, MediaSettings, RelayServer

PACKET_SECONDS = 0.02
GATHER_WITHIN = 2.0
"""Seconds that servers may take to name or lend an address."""
_SILENCE = {"opus": b"\xf8\xff\xfe", "pcmu": b"\xff" * 160, "pcma": b"\xd5" * 160, "g722": bytes(160)}
"""What 20 ms of nothing are."""


class SilentPath:
    """ICE and DTLS as in a call, without a call: see :class:`openvoice.interop.ports.Path`."""

    def __init__(
        self,
        names: tuple[str, ...],
        *,
        controlling: bool,
        interfaces: tuple[str, ...] = (),
        relays: tuple[RelayServer, ...] = (),
        ca_file: Path | None = None,
    ) -> None:
        self._transport = MediaTransport(
            names,
            controlling=controlling,
            settings=MediaSettings(
                input=_no_input, output=_no_output, interfaces=interfaces, relays=relays, ca_file=ca_file
            ),
            certificate=Certificate.generateCertificate(),
            listener=_Ear(self._settle),
        )
        self._gathered = False
        self._codecs: Sequence[Codec] = ()
        self._outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._speaking: asyncio.Task[None] | None = None

    async def describe(self, setup: Setup) -> TransportDescription:
        """This side, with all candidates that are found in a moment.

        Raises:
            MediaFailed: there is no network to use.
        """
        if not self._gathered:
            self._gathered = True
            await self._transport.gather(fully_within=GATHER_WITHIN)
        return self._transport.describe(setup)

    def connect(self, remote: TransportDescription, *, client: bool, codecs: Sequence[Codec]) -> None:
        self._codecs = codecs
        self._transport.connect(remote, client=client)

    def add_candidate(self, candidate: Candidate) -> None:
        self._transport.add_candidate(candidate)

    async def secured(self, timeout: float) -> str:
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(self._outcome)
        except TimeoutError:
            return "timeout"

    async def close(self) -> None:
        if self._speaking is not None:
            self._speaking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._speaking
        await self._transport.close()

    async def _speak(self) -> None:
        codec = next((codec for codec in self._codecs if codec.name.lower() in _SILENCE), None)
        if codec is None:
            return
        payload = _SILENCE[codec.name.lower()]
        packet = RtpPacket(payload_type=codec.payload_type, ssrc=secrets.randbits(32), payload=payload)
        step = round(codec.clock_rate * PACKET_SECONDS)
        while True:
            self._transport.send_rtp(packet.serialize())
            packet.sequence_number = (packet.sequence_number + 1) % 2**16
            packet.timestamp = (packet.timestamp + step) % 2**32
            await asyncio.sleep(PACKET_SECONDS)

    def _settle(self, text: str) -> None:
        if not self._outcome.done():
            self._outcome.set_result(text)
        if not text and self._speaking is None:
            self._speaking = asyncio.get_running_loop().create_task(self._speak())


class _Ear:
    """Of what a transport tells, only how it went counts."""

    def __init__(self, settle: Callable[[str], None]) -> None:
        self._settle = settle

    def secured(self, transport: MediaTransport) -> None:
        self._settle("")

    def failed(self, transport: MediaTransport, reason: EndReason, text: str) -> None:
        self._settle(text)

    def candidate_found(self, transport: MediaTransport, candidate: Candidate) -> None: ...

    def contacted(self, contact: Contact) -> None: ...

    def moved(self, transport: MediaTransport) -> None: ...

    def rtp_received(self, transport: MediaTransport, packet: RtpPacket, arrival: float) -> None: ...

    def rtcp_received(self, transport: MediaTransport, packets: list[Any], arrival: float) -> None: ...

    def interrupted(self, transport: MediaTransport) -> None: ...

    def restored(self, transport: MediaTransport) -> None: ...

    def outdated(self, transport: MediaTransport) -> None: ...

    def closed(self, transport: MediaTransport) -> None: ...


def _no_input() -> AudioInput:
    raise NotImplementedError("nothing is captured here")


def _no_output() -> AudioOutput:
    raise NotImplementedError("nothing is played here")
