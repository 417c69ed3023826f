"""Stanzas and descriptions for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from openvoice.core import effects as e
from openvoice.core.address import Address
from openvoice.core.description import (
    Candidate,
    Codec,
    Content,
    Fingerprint,
    Media,
    SessionDescription,
    Setup,
    TransportDescription,
)
from openvoice.core.policy import Screening
from openvoice.core.types import CallId
from openvoice.jingle import namespaces as ns
from openvoice.jingle.endpoint import JingleEndpoint
from openvoice.jingle.model import Jingle
from openvoice.jingle.outputs import Incoming, Output
from openvoice.jingle.parse import parse_jingle
from openvoice.jingle.peers import PeerProfile
from openvoice.ports import IncomingCall

CAPTURES = sorted((Path(__file__).parents[1] / "vectors" / "captures").glob("*.xml"))
OWN = Address.parse("alice@ov.example/ov.7Qk")
OTHER = Address.parse("alice@ov.example/phone")
PEER = Address.parse("bob@conv.example/Conversations.k3")
STRANGER = Address.parse("eve@spam.example/x")
DIGEST = bytes(range(32))
HEX = DIGEST.hex(":").upper()
NOW = 1_800_000_000.0


def candidate(port: int = 40000) -> Candidate:
    return Candidate(foundation="1", address="192.0.2.7", port=port, priority=100)


def description(setup: Setup = Setup.ACTPASS, ufrag: str = "uf", name: str = "0") -> SessionDescription:
    transport = TransportDescription(
        ufrag=ufrag, pwd="password", fingerprint=Fingerprint("sha-256", DIGEST), setup=setup
    )
    codec = Codec(payload_type=111, name="opus", clock_rate=48000, channels=2)
    content = Content(name=name, media=Media.AUDIO, codecs=(codec,), transport=transport)
    return SessionDescription(contents=(content,), bundle=(name,))


def video(name: str = "1", setup: Setup = Setup.ACTPASS, ufrag: str = "uf", **more: Any) -> Content:
    """A content with pictures; without ``ufrag`` of its own it is on the transport of :func:`description`."""
    transport = TransportDescription(
        ufrag=ufrag, pwd="password", fingerprint=Fingerprint("sha-256", DIGEST), setup=setup
    )
    codec = Codec(payload_type=97, name="VP8", clock_rate=90_000)
    return Content(name=name, media=Media.VIDEO, codecs=(codec,), transport=transport, **more)


def captured_jingle() -> list[Element]:
    """Every jingle element of the recorded calls."""
    name = ns.qualified(ns.JINGLE, "jingle")
    return [element for path in CAPTURES for element in ElementTree.parse(path).getroot().iter(name)]


def jingle(action: str, inner: str = "", sid: str = "sid") -> Element:
    return ElementTree.fromstring(f"<jingle xmlns='{ns.JINGLE}' action='{action}' sid='{sid}'>{inner}</jingle>")


def parsed(action: str, inner: str = "", sid: str = "sid") -> Jingle:
    return parse_jingle(jingle(action, inner, sid))


def fingerprint(setup: str = "actpass", algorithm: str = "sha-256", value: str = HEX) -> str:
    return f"<fingerprint xmlns='{ns.DTLS}' hash='{algorithm}' setup='{setup}'>{value}</fingerprint>"


def sealed(element: Element | str, setup: str = "actpass", algorithm: str = "sha-256") -> str:
    inner = element if isinstance(element, str) else ElementTree.tostring(element, encoding="unicode")
    return f"<fingerprint xmlns='{ns.OMEMO_DTLS}' hash='{algorithm}' setup='{setup}'>{inner}</fingerprint>"


def transport(inner: str = "", ufrag: str = "pEEr", pwd: str = "peer-password") -> str:
    return f"<transport xmlns='{ns.ICE_UDP}' ufrag='{ufrag}' pwd='{pwd}'>{inner}</transport>"


def content(
    name: str = "0", *, media: str = "audio", inner: str | None = None, senders: str = "both", codecs: str | None = None
) -> str:
    if codecs is None:
        codecs = "<payload-type id='111' name='opus' clockrate='48000' channels='2'/>"
    inner = transport(fingerprint()) if inner is None else inner
    return (
        f"<content creator='initiator' name='{name}' senders='{senders}'>"
        f"<description xmlns='{ns.RTP}' media='{media}'>{codecs}<rtcp-mux/></description>{inner}</content>"
    )


def trickled(inner: str = "", name: str = "0", ufrag: str = "pEEr", pwd: str = "peer-password") -> str:
    return f"<content creator='initiator' name='{name}'>{transport(inner, ufrag, pwd)}</content>"


CANDIDATE = (
    "<candidate component='1' foundation='1' generation='0' id='a' ip='192.0.2.77' network='0' port='41000' "
    "priority='100' protocol='udp' type='host'/>"
)


def message(
    kind: str,
    sid: str = "sid",
    *,
    sender: Address = PEER,
    to: Address | str = OWN,
    inner: str = "",
    type: str = "chat",  # noqa: A002 - the name of the attribute
    beside: str = "",
) -> Element:
    return ElementTree.fromstring(
        f"<message xmlns='{ns.CLIENT}' from='{sender}' to='{to}' type='{type}' id='m1'>"
        f"<{kind} xmlns='{ns.JINGLE_MESSAGE}' id='{sid}'>{inner}</{kind}>{beside}</message>"
    )


VOICE = f"<description xmlns='{ns.RTP}' media='audio'/>"


def ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"id-{next(numbers)}"


def endpoint(
    *,
    screening: Screening = Screening.RING,
    roster: Sequence[Address] = (PEER,),
    other_devices: bool = False,
    profile: PeerProfile | None = None,
    screened: list[IncomingCall] | None = None,
    own: Address = OWN,
    omemo_device: int | Callable[[], int | None] | None = None,
    new_id: Callable[[], str] | None = None,
) -> JingleEndpoint:
    bare = {address.bare for address in roster}

    def screen(incoming: IncomingCall) -> Screening:
        if screened is not None:
            screened.append(incoming)
        return screening if incoming.peer.bare in bare else Screening.SILENT

    return JingleEndpoint(
        own=own,
        new_id=new_id or ids(),
        screen=screen,
        in_roster=lambda address: address.bare in bare,
        other_devices=lambda: other_devices,
        profile=lambda _: profile or PeerProfile(),
        omemo_device=omemo_device if callable(omemo_device) else lambda: omemo_device,
    )


def kinds(outputs: Sequence[Output]) -> list[str]:
    return [type(output).__name__ for output in outputs]


def ask(made: JingleEndpoint, action: str, inner: str = "", sid: str = "sid", sender: Address = PEER) -> list[Output]:
    return made.receive_iq("q", sender, jingle(action, inner, sid), NOW)


def proceeding(made: JingleEndpoint, sid: str = "sid") -> CallId:
    """An incoming call that was taken, and waits for its offer."""
    (incoming,) = made.receive_message(message("propose", sid, inner=VOICE, to=OWN.bare), PEER, NOW)
    assert isinstance(incoming, Incoming)
    made.perform(incoming.incoming.call, e.SendProceed(), NOW)
    return incoming.incoming.call


def answered(made: JingleEndpoint) -> CallId:
    """The same, with offer and answer."""
    call = proceeding(made)
    ask(made, "session-initiate", content())
    made.perform(call, e.SendAnswer(description(Setup.ACTIVE)), NOW)
    return call
