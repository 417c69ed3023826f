"""When the clients in use show a call button, and how they call then, by the features of a contact's devices."""

from __future__ import annotations

from collections.abc import Iterable

from openvoice.jingle import namespaces as ns

RAW_UDP = "urn:xmpp:jingle:transports:raw-udp:1"

Devices = Iterable[frozenset[str]]
"""What each device of the contact that is online announces."""


def conversations_calls(devices: Devices, medium: str) -> bool:
    """Conversations: one device that has all of it; a call with video needs both media there."""
    needed = {ns.JINGLE, ns.ICE_UDP, ns.RTP, ns.DTLS, ns.RTP_AUDIO}
    if medium == "video":
        needed.add(ns.RTP_VIDEO)
    return any(needed <= features for features in devices)


def conversations_proposes(devices: Devices) -> bool:
    """Conversations proposes to all devices if one knows proposals or none is online; else the user picks one."""
    devices = list(devices)
    return not devices or any(ns.JINGLE_MESSAGE in features for features in devices)


def conversations_adds_video(features: frozenset[str]) -> bool:
    """Conversations offers to switch to video by what the very device of the call announces."""
    return ns.RTP_VIDEO in features


def dino_calls(devices: Devices) -> str:
    """Dino: ``propose``, ``initiate`` or, if no device that is online can be called, nothing."""
    able = [
        features
        for features in devices
        if {ns.RTP, ns.JINGLE} <= features and (ns.ICE_UDP in features or RAW_UDP in features)
    ]
    if any(ns.JINGLE_MESSAGE in features for features in able):
        return "propose"
    return "initiate" if able else ""


def movim_calls(features: frozenset[str], medium: str) -> bool:
    """Movim: a button for each medium, only where proposals are known."""
    return ns.JINGLE_MESSAGE in features and (ns.RTP_VIDEO if medium == "video" else ns.RTP_AUDIO) in features


def monal_calls(devices: Devices) -> bool:
    """Monal looks at nothing: it proposes, and waits for somebody to ring."""
    return True


def gateway_calls(devices: Devices) -> str:
    """A gateway: ``propose`` if it remembers a device that knows proposals, else ``initiate``."""
    return "propose" if any(ns.JINGLE_MESSAGE in features for features in devices) else "initiate"
