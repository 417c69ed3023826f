"""Replays a recorded exchange through :class:`JingleEndpoint` and :class:`CallMachine`, with a fake media engine.

A vector is a folder: ``vector.toml`` lists the steps, ``NN-in.xml`` and ``NN-out.xml`` are stanzas. In what is expected
``*`` stands for any value of an attribute or a text. A table ``omemo`` gives the client an OMEMO device whose seals
everybody can read: see :class:`~tests.jingle.sealer.Sealer`.
"""

from __future__ import annotations

import heapq
import itertools
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from openvoice.core import effects as e
from openvoice.core import inputs as i
from openvoice.core.address import Address
from openvoice.core.description import (
    CandidateType,
    Content,
    SessionDescription,
)
from openvoice.core.machine import CallMachine
from openvoice.core.policy import Policy, Screening
from openvoice.core.security import MediaFacts
from openvoice.core.state import CallState
from openvoice.core.trust import Trust
from openvoice.core.types import CallId, Direction, EndReason, VideoLabel, Vouching
from openvoice.jingle import outputs as o
from openvoice.jingle.archive import ArchivedMessage
from openvoice.jingle.endpoint import JingleEndpoint
from openvoice.jingle.namespaces import CLIENT, JINGLE_ERRORS, STANZA_ERRORS, children, qualified
from openvoice.jingle.peers import DeviceIdentity, profile_of
from openvoice.ports import IncomingCall
from tests.jingle.sealer import Sealer
from tests.vectors import media

ROOT = Path(__file__).parent
START = 1_800_000_000.0
IQ_TIMEOUT = 10.0
"""Seconds after which nothing is expected any more."""
CALL = CallId("1f0e6a52-7d0b-4c7e-9b8e-2f6f6f0c1a11")


def vectors() -> list[Path]:
    return sorted(path.parent for path in ROOT.glob("*/*/vector.toml"))


class Replay:
    """One client, whose peer, server, user, media and clock are the vector."""

    def __init__(self, folder: Path, iq_delay: float) -> None:
        self.folder = folder
        self.vector: dict[str, Any] = tomllib.loads((folder / "vector.toml").read_text())
        self.iq_delay = iq_delay
        self.now = START
        self.own = Address.parse(self.vector.get("own", "alice@ov.example/ov.7Qk"))
        self.peer = Address.parse(self.vector.get("peer", "bob@conv.example"))
        self.roster = {Address.parse(text) for text in self.vector.get("roster", [str(self.peer.bare)])}
        blocked = frozenset(Address.parse(text) for text in self.vector.get("blocked", ()))
        self.policy = Policy(blocked=blocked, require=Vouching[self.vector.get("require", "signalled").upper()])
        self.sealer = self._sealer()
        self.profile = profile_of(DeviceIdentity(**self._identity()))
        self.machines: dict[CallId, CallMachine] = {}
        self.descriptions: dict[CallId, SessionDescription] = {}
        self.call = CALL
        self.sent: list[Element] = []
        self.heard: list[str] = []
        self.media: list[str] = []
        self.missed: list[str] = []
        self._results: list[tuple[float, int, str, str | None]] = []
        self._counter = itertools.count(1)
        self._restarts = itertools.count(2)
        self.endpoint = JingleEndpoint(
            own=self.own,
            new_id=lambda: f"id-{next(self._counter)}",
            screen=self._screen,
            in_roster=lambda address: address.bare in self.roster,
            other_devices=lambda: bool(self.vector.get("other_devices", False)),
            profile=lambda _: self.profile,
            omemo_device=lambda: self.sealer.own if self.sealer is not None else None,
        )

    def _identity(self) -> dict[str, Any]:
        identity = dict(self.vector.get("device", {}))
        return {**identity, "features": frozenset(identity.get("features", ()))}

    def _sealer(self) -> Sealer | None:
        omemo = self.vector.get("omemo")
        if omemo is None:
            return None
        trust = {int(device): Trust(word) for device, word in omemo.get("trust", {}).items()}
        return Sealer(omemo["device"], trust=trust, unreachable=frozenset(omemo.get("unreachable", ())))

    def _screen(self, incoming: IncomingCall) -> Screening:
        live = sum(machine.state is not CallState.ENDED for machine in self.machines.values())
        return self.policy.screen(incoming.peer, in_roster=incoming.peer.bare in self.roster, live_calls=live)

    # --- steps --------------------------------------------------------------------------------------------------------

    def run(self, step: dict[str, Any]) -> None:
        """Do one step; what came of it is in the lists."""
        for kept in (self.sent, self.heard, self.media, self.missed):
            kept.clear()
        self._answer_own_requests()
        self._advance(step.get("advance", 0.0))
        if "receive" in step:
            self._receive(ElementTree.fromstring((self.folder / step["receive"]).read_text()), step)
        if "archive" in step:
            self._archive(step)
        if "user" in step:
            self._use(step["user"], step)
        if "media" in step:
            self._media_event(step["media"])

    def _receive(self, stanza: Element, step: dict[str, Any]) -> None:
        sender = Address.parse(stanza.get("from", ""))
        if stanza.tag == qualified(CLIENT, "iq"):
            self._do(self.endpoint.receive_iq(stanza.get("id", ""), sender, stanza[0], self.now))
            return
        stamp = START + step["stamp"] if "stamp" in step else None
        carbon = step.get("carbon")
        self._do(self.endpoint.receive_message(stanza, sender, self.now, carbon=carbon, stamp=stamp))

    def _archive(self, step: dict[str, Any]) -> None:
        messages = []
        for name, stamp in zip(step["archive"], step["stamps"], strict=True):
            message = ElementTree.fromstring((self.folder / name).read_text())
            messages.append(ArchivedMessage(message, Address.parse(message.get("from", "")), START + stamp))
        self._do(self.endpoint.catch_up(messages, self.now))

    def _use(self, command: str, step: dict[str, Any]) -> None:
        match command:
            case "dial" | "dial-direct" | "dial-video":
                direct, video = command == "dial-direct", command == "dial-video"
                peer = Address.parse(step.get("to", str(self.peer)))
                self.machines[CALL] = CallMachine(
                    Direction.OUTGOING, str(peer.bare), policy=self.policy, seed=bytes(32)
                )
                self.endpoint.begin(CALL, peer, frozenset({"audio", "video"} if video else {"audio"}), self.now)
                self._input(CALL, i.Dial(i.Invitation.OFFER if direct else i.Invitation.PROPOSE, video=video))
            case "accept" | "accept-video":
                self._input(self.call, i.Accept(video=command == "accept-video"))
            case "show-camera" | "show-screen":
                self._input(self.call, i.ShowVideo(VideoLabel(command.removeprefix("show-"))))
            case "hide-camera" | "hide-screen":
                self._input(self.call, i.HideVideo(VideoLabel(command.removeprefix("hide-"))))
            case "hangup":
                reason = step.get("reason")
                self._input(self.call, i.HangUp(EndReason(reason) if reason else None))
            case "mute" | "unmute":
                self._input(self.call, i.Mute(command == "mute"))
            case "hold" | "unhold":
                self._input(self.call, i.Hold(command == "hold"))
            case "rebind":
                self.endpoint.own = Address.parse(step["to"])

    def _media_event(self, event: str) -> None:
        match event:
            case "connect":
                facts = MediaFacts(
                    dtls_version="DTLSv1.2",
                    dtls_cipher="ECDHE-ECDSA-AES256-GCM-SHA384",
                    srtp_profile="SRTP_AEAD_AES_256_GCM",
                    local_fingerprint=media.FINGERPRINT,
                    remote_fingerprint=media.FINGERPRINT,
                    local_candidate=CandidateType.HOST,
                    remote_candidate=CandidateType.HOST,
                    relayed=False,
                )
                self._input(self.call, i.MediaSecured(facts))
                self._input(self.call, i.MediaFlowing())
            case "interrupt":
                self._input(self.call, i.MediaInterrupted())

    # --- time ---------------------------------------------------------------------------------------------------------

    def _answer_own_requests(self) -> None:
        while self._results and self._results[0][0] <= self.now:
            _, _, request, error = heapq.heappop(self._results)
            self._do(self.endpoint.iq_finished(request, error, self.now))

    def _advance(self, seconds: float) -> None:
        target = self.now + seconds
        while True:
            deadlines = [machine.deadline for machine in self.machines.values() if machine.deadline is not None]
            due = min([*deadlines, *(result[0] for result in self._results)], default=target)
            if due > target:
                break
            self.now = max(self.now, due)
            for call, machine in list(self.machines.items()):
                self._perform(call, machine.handle_timeout(self.now))
            self._answer_own_requests()
            if due == target:
                break
        self.now = target

    # --- what the driver and the adapter do ---------------------------------------------------------------------------

    def _do(self, outputs: list[o.Output]) -> None:
        for output in outputs:
            match output:
                case o.SendIq(request, to, payload):
                    iq = Element(qualified(CLIENT, "iq"), type="set", id=request, to=str(to))
                    iq.append(payload)
                    self.sent.append(iq)
                    error = self.vector.get("errors", {}).get(payload.get("action", ""))
                    at = self.now + (IQ_TIMEOUT if error == "timeout" else self.iq_delay)
                    heapq.heappush(self._results, (at, next(self._counter), request, error))
                case o.ReplyResult(request, to):
                    self.sent.append(Element(qualified(CLIENT, "iq"), type="result", id=request, to=str(to)))
                case o.ReplyError(request, to, condition, kind, jingle_condition):
                    iq = Element(qualified(CLIENT, "iq"), type="error", id=request, to=str(to))
                    error_element = SubElement(iq, qualified(CLIENT, "error"), type=kind)
                    SubElement(error_element, qualified(STANZA_ERRORS, condition))
                    if jingle_condition:
                        SubElement(error_element, qualified(JINGLE_ERRORS, jingle_condition))
                    self.sent.append(iq)
                case o.SendMessage(message):
                    self.sent.append(message)
                case o.Incoming(incoming, first):
                    peer = str(incoming.peer.bare)
                    self.machines[incoming.call] = CallMachine(
                        Direction.INCOMING, peer, policy=self.policy, seed=bytes(32)
                    )
                    self.call = incoming.call
                    self._hear(incoming.call, first)
                case o.Seal():
                    assert self.sealer is not None
                    self._do(self.endpoint.sealed(output.call, self.sealer.seal(output), self.now))
                case o.Unseal():
                    assert self.sealer is not None
                    self._do(self.endpoint.unsealed(output.call, self.sealer.unseal(output), self.now))
                case o.Doubt(_, device):
                    self.heard.append(f"Doubt {device}")
                case o.Missed(_, outcome):
                    self.missed.append(outcome)
                case o.Deliver(call, message):
                    self._hear(call, message)
                case o.Forget():
                    pass

    def _hear(self, call: CallId, message: i.PeerInput) -> None:
        self.heard.append(describe(message))
        self._input(call, message)

    def _input(self, call: CallId, message: i.CallInput) -> None:
        self._perform(call, self.machines[call].handle(message, self.now))

    def _perform(self, call: CallId, effects: list[e.Effect]) -> None:
        later: list[i.CallInput] = []
        for effect in effects:
            match effect:
                case e.Notify() | e.Finish() | e.OpenGate() | e.CloseMedia():
                    pass
                case e.SetMuted() | e.SetHeld() | e.SetPeerMuted():
                    pass
                case e.RejectInput(text):
                    self.media.append(f"refused {text}")
                case e.OpenMedia(_, offer, gather_fully, video):
                    self._open_media(call, offer, gather_fully, video)
                case e.AddCandidates(content, candidates):
                    self.media += [f"candidate {content} {c.address} {c.port}" for c in candidates]
                case e.ApplyAnswer(answer):
                    self.media.append(f"answer {summary(answer)}")
                case e.RestartMedia(remote):
                    self._restart(call, remote)
                case e.ApplyRestart(credentials):
                    self.media.append("restarted " + " ".join(":".join(item) for item in credentials))
                case e.ProposeContent(name, label):
                    later.append(i.LocalContents((self._proposed(call, name, label),), answering=False))
                case e.AnswerContents(contents, bundle):
                    halves = (self._answered(call, content, content.name in bundle) for content in contents)
                    later.append(i.LocalContents(tuple(half for half in halves if half.codecs), answering=True))
                case e.Settle(local, remote):
                    self.media.append(f"settle {senders(local)} with {senders(remote)}")
                case e.Show(label, shown_in):
                    self.media.append(f"show {label} in {shown_in}")
                case e.PlayDigits():
                    raise AssertionError("no vector dials digits")
                case _:
                    self._do(self.endpoint.perform(call, effect, self.now))
        for message in later:
            self._input(call, message)

    # --- what the media engine says -----------------------------------------------------------------------------------

    def _open_media(self, call: CallId, offer: SessionDescription | None, gather_fully: bool, video: bool) -> None:
        if offer is None:
            description = media.offered(video=video, gather_fully=gather_fully)
            shared = 0
        else:
            self.media.append(f"offer {summary(offer)}")
            description = media.answered(offer, gather_fully=gather_fully)
            shared = len(offer.bundle)
        if self.vector.get("slow_media", False):
            return
        self.descriptions[call] = description
        self._input(call, i.LocalDescription(description))
        paths = [description.contents[0].name, *(c.name for c in description.contents[max(1, shared) :])]
        for name in paths if not gather_fully else ():
            if self.machines[call].state is not CallState.ENDED:
                self._input(call, i.LocalCandidates(name, media.CANDIDATES[1:]))

    def _proposed(self, call: CallId, name: str, label: VideoLabel) -> Content:
        agreed = self.machines[call].contents.halves
        assert agreed is not None
        local, remote = agreed
        bundled = local.voice in local.bundle and local.voice in remote.bundle
        return media.proposed(name, label, local, bundled=bundled)

    def _answered(self, call: CallId, content: Content, bundled: bool) -> Content:
        return media.taken(content, self.descriptions[call], bundled=bundled)

    def _restart(self, call: CallId, remote: tuple[tuple[str, str, str], ...]) -> None:
        number = next(self._restarts)
        if remote:
            self.media.append("restart " + " ".join(":".join(item) for item in remote))
        credentials = (("0", f"ov{number:02}", f"local-password-number-{number}"),)
        self._input(call, i.LocalRestart(credentials, answering=bool(remote)))
        self._input(call, i.LocalCandidates("0", media.CANDIDATES[:1]))


def describe(message: i.PeerInput) -> str:
    """A peer input in a few words."""
    name = type(message).__name__
    match message:
        case i.Ended(reason, origin, _):
            return f"{name} {reason} {origin}"
        case i.PeerMuted(flag) | i.PeerHeld(flag):
            return f"{name} {flag}"
        case i.PeerProceeded(seconds, gather_fully):
            return f"{name} {seconds:g} {'gather' if gather_fully else 'trickle'}"
        case i.OfferReceived(description) | i.AnswerReceived(description) if description.voucher is not None:
            return f"{name} {description.vouching} {description.voucher.peer.device}"
        case i.RestartReceived(_, ours):
            return f"{name} {'ours' if ours else 'theirs'}"
        case _:
            return name


def senders(description: SessionDescription) -> str:
    """Who sends in each content."""
    return " ".join(
        f"{content.name}/{content.media}/{content.senders}"
        + (f"/{content.category}" if content.category else "")
        + ("/bundled" if content.name in description.bundle else "")
        for content in description.contents
    )


def summary(description: SessionDescription) -> str:
    """What a description says, in one line."""
    return " ".join(
        f"{content.name}/{content.media}/{content.senders}/{content.transport.setup}/"
        + ",".join(f"{codec.payload_type}={codec.name}" for codec in content.codecs)
        + f"/{len(content.transport.candidates)}"
        + ("/bundled" if content.name in description.bundle else "")
        for content in description.contents
    )


def matches(expected: Element, actual: Element) -> bool:
    """Whether two stanzas say the same: the order of elements counts, that of attributes and white space does not."""
    if expected.tag != actual.tag or set(expected.keys()) ^ set(actual.keys()):
        return False
    texts = [(expected.get(key, ""), actual.get(key, "")) for key in expected.keys()]  # noqa: SIM118 - an Element
    texts.append(((expected.text or "").strip(), (actual.text or "").strip()))
    if any(wanted not in ("*", found) for wanted, found in texts):
        return False
    pairs = zip([child for *_, child in children(expected)], [child for *_, child in children(actual)], strict=False)
    return len(expected) == len(actual) and all(matches(wanted, found) for wanted, found in pairs)
