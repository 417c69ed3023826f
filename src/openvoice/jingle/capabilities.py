"""What openvoice says it can do, and whom to call, and how, by what others say they can (XEP-0167, 11; XEP-0353, 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from openvoice.core.address import Address
from openvoice.core.inputs import Invitation
from openvoice.errors import PeerUnavailable
from openvoice.jingle import namespaces as ns

FEATURES = tuple(
    sorted(
        (
            ns.CATEGORY,
            ns.DTLS,
            ns.GROUPING_FEATURE,
            ns.ICE_UDP,
            ns.JINGLE,
            ns.JINGLE_MESSAGE,
            ns.RTCP_FEEDBACK,
            ns.RTP,
            ns.RTP_AUDIO,
            ns.RTP_HEADER_EXTENSIONS,
            ns.RTP_VIDEO,
            ns.SOURCES_FEATURE,
            ns.VERIFICATION_WORDS,
        )
    )
)
"""Announced in disco#info, sorted. ``urn:ietf:rfc:3264`` is left out, for callers would delay their offers; raw UDP is,
for Dino might choose it."""

_CALLS = frozenset({ns.JINGLE, ns.RTP, ns.ICE_UDP, ns.RTP_AUDIO})


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A device of the peer that is online. ``features`` is ``None`` while it has not told them."""

    address: Address
    features: frozenset[str] | None
    priority: int = 0


def choose(
    peer: Address, devices: Sequence[Device], remembered: frozenset[str] = frozenset(), *, video: bool = False
) -> tuple[Address, Invitation]:
    """Whom to call, and how. ``remembered`` are the features that devices of the peer had when they were last seen.

    Raises:
        PeerUnavailable: devices are online, and none of them can be called, or not with ``video``.
    """
    wanted = _CALLS | {ns.RTP_VIDEO} if video else _CALLS
    if peer.resource:
        devices = [device for device in devices if device.address == peer]
    callable_devices = [device for device in devices if device.features is not None and device.features >= wanted]
    if peer.resource and callable_devices:
        return peer, Invitation.OFFER
    if any(ns.JINGLE_MESSAGE in (device.features or ()) for device in callable_devices):
        return peer.bare, Invitation.PROPOSE
    if callable_devices:
        best = max(callable_devices, key=lambda device: device.priority)
        return best.address, Invitation.OFFER
    asleep = not devices or ns.JINGLE_MESSAGE in remembered
    if not peer.resource and (asleep or any(device.features is None for device in devices)):
        # A telephone that sleeps is not online, and its server wakes it with the proposal.
        return peer.bare, Invitation.PROPOSE
    what = "video calls: call without video" if video else "calls"
    raise PeerUnavailable(f"none of the peer's devices that are online can take {what}")
