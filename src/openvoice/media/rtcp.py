"""RTCP from octets: aiortc's classes, and what aiortc does not know."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from typing import Any

from aiortc.rtp import RTCP_RTPFB, RtcpPacket

from openvoice.media.feedback import arrivals

MOST_ARRIVAL_REPORTS = 4
"""In one datagram: each may tell of thousands of packets in a few octets, and takes milliseconds to read."""

_log = logging.getLogger(__name__)


def parse(data: bytes) -> list[Any]:
    """The parts of a compound packet (RFC 3550, 6.1): aiortc's ``Rtcp*Packet``, and
    :class:`~openvoice.media.feedback.arrivals.ArrivalReport`. Parts that nobody can read are left out, and those that
    come too often.

    Raises:
        ValueError: it is no RTCP at all.
    """
    packets: list[Any] = []
    arrival_reports = 0
    for part in _parts(data):
        try:
            if part[1] == RTCP_RTPFB and part[0] & 0x1F == arrivals.RTCP_RTPFB_TRANSPORT_WIDE:
                arrival_reports += 1
                if arrival_reports <= MOST_ARRIVAL_REPORTS:
                    packets.append(arrivals.parse(_without_padding(part)))
            else:
                packets += RtcpPacket.parse(part)
        except (ValueError, IndexError, struct.error):
            _log.debug("a malformed part of an RTCP packet is left out")
    return packets


def _parts(data: bytes) -> Iterator[bytes]:
    if not data:
        raise ValueError("no RTCP packet is empty")
    while data:
        end = 4 + 4 * int.from_bytes(data[2:4], "big")
        if len(data) < max(4, end) or data[0] >> 6 != 2:
            raise ValueError("not an RTCP packet")
        yield data[:end]
        data = data[end:]


def _without_padding(part: bytes) -> bytes:
    if not part[0] & 0x20:
        return part[4:]
    if not 0 < part[-1] <= len(part) - 4:
        raise ValueError("an RTCP packet is padded with more than itself")
    return part[4 : -part[-1]]
