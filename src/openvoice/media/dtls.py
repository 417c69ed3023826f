"""DTLS-SRTP (RFC 5763, RFC 5764) on aiortc's association, without its RTP senders and receivers."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, cast

from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport, RTCIceTransport
from aiortc.rtcdtlstransport import State
from aiortc.rtp import RtpPacket
from OpenSSL import SSL

from openvoice.core.description import Fingerprint
from openvoice.core.faults import fault
from openvoice.errors import MediaFailed, SecurityRefused
from openvoice.media import rtcp
from openvoice.media.certificate import fingerprint
from openvoice.media.extensions import ExtensionReader

MAXIMUM_QUEUED = 1024
"""Datagrams: three seconds of voice and pictures. More than that waits only if this process is stuck."""
KEPT_SECONDS = 0.64
"""How long RTP packets can be sent again. After that nobody can use them."""
MAXIMUM_KEPT = 512
"""The packets of one source that can be sent again."""

RtpHandler = Callable[[RtpPacket, float], None]
RtcpHandler = Callable[[list[Any], float], None]

_log = logging.getLogger(__name__)


class _DatagramPath:
    """What an RTCDtlsTransport needs of its RTCIceTransport."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.send = send
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(MAXIMUM_QUEUED)

    def receive(self, datagram: bytes) -> None:
        if not self._queue.full():
            self._queue.put_nowait(datagram)

    async def _recv(self) -> bytes:
        return await self._queue.get()

    async def _send(self, datagram: bytes) -> None:
        self.send(datagram)


class SecureTransport(RTCDtlsTransport):
    """One DTLS association and the SRTP keys that it exports.

    Feed it by :meth:`receive`. After :meth:`secure` returned, each authenticated packet goes to ``handle_rtp`` or
    ``handle_rtcp`` with its arrival (the clock of the event loop, seconds), and :meth:`send_rtp` and
    :meth:`send_rtcp` protect and send at once. ``closed_by_peer`` is called when the peer ends the association.
    """

    def __init__(
        self,
        certificate: RTCCertificate,
        *,
        send: Callable[[bytes], None],
        handle_rtp: RtpHandler,
        handle_rtcp: RtcpHandler,
        closed_by_peer: Callable[[], None],
    ) -> None:
        self._path = _DatagramPath(send)
        super().__init__(cast("RTCIceTransport", self._path), [certificate])
        self._handle_rtp = handle_rtp
        self._handle_rtcp = handle_rtcp
        self._closed_by_peer = closed_by_peer
        self._expected: Fingerprint | None = None
        self._impostor = False
        self._stopping = False
        self._kept: dict[int, OrderedDict[int, tuple[float, bytes]]] = {}
        self.extensions = ExtensionReader()
        """Reads those of the packets that come. Which there are, is to be agreed on."""

    def receive(self, datagram: bytes) -> None:
        self._path.receive(datagram)

    async def secure(self, expected: Fingerprint, *, client: bool) -> None:
        """Shake hands, check the peer's certificate, make the keys; in this order.

        Raises:
            SecurityRefused: the certificate is not the one that was signalled.
            MediaFailed: no agreement on a version, cipher or SRTP profile, or the peer broke off.
        """
        self._expected = expected
        self._set_role("client" if client else "server")
        await self.start(RTCDtlsParameters([RTCDtlsFingerprint(expected.algorithm, str(expected))]))
        if self._impostor:
            await self._say_goodbye()
            raise SecurityRefused("the other device's key is not the one it announced: somebody may be in between")
        if not self.secured:
            raise MediaFailed("the devices could not agree on encryption")

    @property
    def secured(self) -> bool:
        """Whether there are keys, made with the peer that was signalled."""
        return self._state is State.CONNECTED

    @property
    def dtls_version(self) -> str:
        return self._connection().get_protocol_version_name()

    @property
    def dtls_cipher(self) -> str:
        return self._connection().get_cipher_name() or ""

    @property
    def srtp_profile(self) -> str:
        return self._connection().get_selected_srtp_profile().decode()

    def send_rtp(self, packet: bytes) -> None:
        """Protect and send one RTP packet. Outside of a secured association nothing is sent."""
        if not self.secured:
            return
        datagram = self._tx_srtp.protect(packet)
        self._keep(int.from_bytes(packet[8:12], "big"), int.from_bytes(packet[2:4], "big"), datagram)
        self._path.send(datagram)

    def _keep(self, ssrc: int, sequence: int, datagram: bytes) -> None:
        now = asyncio.get_running_loop().time()
        kept = self._kept.setdefault(ssrc, OrderedDict())
        kept[sequence] = now, datagram
        while len(kept) > MAXIMUM_KEPT or now - next(iter(kept.values()))[0] > KEPT_SECONDS:
            kept.popitem(last=False)

    def resend_rtp(self, ssrc: int, sequence: int) -> bool:
        """Send one of the last RTP packets of a source once more, octet for octet: whether it was still kept.

        The same index with the same octets tells nothing new (RFC 3711, 9.1); who has it already drops it as a replay.
        """
        kept = self._kept.get(ssrc)
        if kept is None or sequence not in kept or not self.secured:
            return False
        self._path.send(kept[sequence][1])
        return True

    def send_rtcp(self, packet: bytes) -> None:
        """Protect and send one compound RTCP packet. Outside of a secured association nothing is sent."""
        if self.secured:
            self._path.send(self._tx_srtp.protect_rtcp(packet))

    async def stop(self) -> None:
        self._stopping = True
        await super().stop()

    def _connection(self) -> SSL.Connection:
        assert self._ssl is not None
        return self._ssl

    async def _say_goodbye(self) -> None:
        # aiortc is silent after a failure; the alert spares the peer its timeout.
        self._connection().shutdown()
        await self._write_ssl()

    def _validate_peer_identity(self, remoteParameters: RTCDtlsParameters) -> None:  # noqa: N803
        certificate = self._connection().get_peer_certificate(as_cryptography=True)
        assert self._expected is not None
        if certificate is None or not fingerprint(certificate, self._expected.algorithm).matches(self._expected):
            self._impostor = True
            self._set_state(State.FAILED)

    def _set_state(self, state: State) -> None:
        was_secured = self.secured
        super()._set_state(state)
        if state is State.CLOSED and was_secured and not self._stopping:
            self._closed_by_peer()

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        try:
            packet = RtpPacket.parse(data, self.extensions)
        except (ValueError, IndexError, struct.error):
            _log.debug("malformed RTP packet dropped")
            return
        self._hand_over(self._handle_rtp, packet)

    async def _handle_rtcp_data(self, data: bytes) -> None:
        try:
            packets = rtcp.parse(data)
        except ValueError:
            _log.debug("malformed RTCP packet dropped")
            return
        self._hand_over(self._handle_rtcp, packets)

    def _hand_over(self, handler: Callable[[Any, float], None], packet: Any) -> None:
        # An exception would end aiortc's receive loop, and with it the call.
        try:
            handler(packet, asyncio.get_running_loop().time())
        except Exception as error:
            _log.error("a received packet could not be handled: %s", fault(error))
