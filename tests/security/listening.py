"""What somebody could do who has all that a party of a call received: look for addresses, for keys, and for sound."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
import struct
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pylibsrtp
import pytest
from aiortc import rtcdtlstransport
from aiortc.rtp import RtpPacket
from pylibsrtp import Policy, Session

from openvoice.media.audio.opus import OpusDecoder

from .wire import Datagram, Kind, Wire

OPUS = 111
"""The payload type of our offers."""
_COOKIE = struct.pack("!I", 0x2112A442)
_TOKEN = re.compile(rb"[A-Za-z0-9+/=_:-]{16,}")


class Keys:
    """The SRTP keys of this process, as the devices agree on them; the control of every trial without them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.known: set[bytes] = set()
        self.profile = 0
        keys = self

        class Noted(Policy):
            def __init__(self, key: bytes, ssrc_type: int, srtp_profile: int) -> None:
                super().__init__(key=key, ssrc_type=ssrc_type, srtp_profile=srtp_profile)
                keys.known.add(key)
                keys.profile = srtp_profile

        patch.setattr(rtcdtlstransport, "Policy", Noted)


def holds(address: str, octets: bytes) -> bool:
    """Whether an IPv4 address is in there: as text, as four octets, or as STUN disguises it (RFC 8489, 14.2)."""
    packed = ipaddress.IPv4Address(address).packed
    disguised = bytes(octet ^ mask for octet, mask in zip(packed, _COOKIE, strict=True))
    # 127.0.0.1 is not in 127.0.0.11.
    text = re.compile(rb"(?<![0-9.])" + re.escape(address.encode()) + rb"(?![0-9.])")
    return packed in octets or disguised in octets or text.search(octets) is not None


def learnt(addresses: Iterable[str], datagrams: Sequence[Datagram], octets: bytes = b"") -> set[str]:
    """Those of the addresses that are anywhere in what somebody received, or where it came from."""
    sources = {datagram.source[0] for datagram in datagrams}
    everything = b"".join([octets, *(d.data for d in datagrams if inner(d) is None)])
    return {address for address in addresses if address in sources or holds(address, everything)}


def inner(datagram: Datagram) -> bytes | None:
    """The SRTP packet of the voice in a datagram, whether it goes to a relay (RFC 8656, 12.4) or not."""
    data = datagram.data
    if datagram.kind is Kind.TURN_CHANNEL and len(data) > 4:
        (length,) = struct.unpack_from("!H", data, 2)
        data = data[4 : 4 + length]
    looks_like_rtp = len(data) > 12 and 128 <= data[0] < 192 and data[1] & 0x7F == OPUS
    return data if looks_like_rtp else None


def voice(datagrams: Iterable[Datagram]) -> list[bytes]:
    """The SRTP packets of the voice, each once, in their order."""
    return list(dict.fromkeys(packet for datagram in datagrams if (packet := inner(datagram)) is not None))


def decrypt(packets: Sequence[bytes], key: bytes, profile: int) -> list[bytes]:
    """The RTP packets, as far as the key opens and authenticates them."""
    session = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile))
    opened = []
    for packet in packets:
        try:
            opened.append(session.unprotect(packet))
        except pylibsrtp.Error:
            continue
    return opened


def keys_in(material: bytes, packet: bytes, profile: int, length: int) -> list[bytes]:
    """The keys that open the packet and are in there, at any place: as they are, in base64, or in hexadecimal."""
    texts = [material, *(decoded for token in set(_TOKEN.findall(material)) for decoded in _decoded(token))]
    windows = {text[at : at + length] for text in texts for at in range(len(text) - length + 1)}
    return [window for window in windows if decrypt([packet], window, profile)]


def _decoded(token: bytes) -> Iterator[bytes]:
    for decode in (base64.b64decode, binascii.unhexlify):
        try:
            yield decode(token.replace(b":", b"").replace(b"-", b""))
        except (binascii.Error, ValueError):
            continue


def sound(packets: Sequence[bytes]) -> npt.NDArray[np.int16]:
    """What an Opus decoder makes of RTP packets, 20 ms of each, decrypted or not."""
    decoder = OpusDecoder()
    frames = [decoder.decode(RtpPacket.parse(packet).payload) for packet in packets]
    return np.concatenate(frames) if frames else np.zeros(0, np.int16)


def handshakes(wire: Wire) -> bytes:
    """Every datagram that carries no voice: STUN, DTLS, TURN."""
    return b"".join(datagram.data for datagram in wire.sent if inner(datagram) is None)
