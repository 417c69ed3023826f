"""Two sides whose ratchets, wires and users take their time: over all orders they agree, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice.core import effects as e
from openvoice.core.address import Address
from openvoice.core.description import Setup
from openvoice.core.inputs import (
    AnswerReceived,
    CandidatesReceived,
    Ended,
    OfferReceived,
    PeerInput,
    PeerProceeded,
    PeerProposed,
)
from openvoice.core.trust import Trust
from openvoice.core.types import CallId, EndReason, Vouching
from openvoice.jingle.outputs import (
    Deliver,
    Forget,
    Incoming,
    Output,
    ReplyError,
    ReplyResult,
    Seal,
    SendIq,
    SendMessage,
    Unseal,
)
from tests.jingle.samples import NOW, OWN, PEER, candidate, description, endpoint
from tests.jingle.sealer import OWN_DEVICE, PEER_DEVICE, Sealer

CALL = CallId("1f0e6a52-7d0b-4c7e-9b8e-2f6f6f0c1a11")
PORTS = (1001, 1002, 1003)


class Side:
    """One client without media: it dials or says yes at once, and trickles three candidates."""

    def __init__(self, own: Address, peer: Address, sealer: Sealer | None, least: Vouching) -> None:
        self.own = own
        self.sealer = sealer
        self.least = least
        self.endpoint = endpoint(own=own, roster=[peer], omemo_device=None if sealer is None else sealer.own)
        self.call = CALL
        self.work: list[Seal | Unseal] = []
        self.wire: list[SendIq | SendMessage | ReplyResult | ReplyError] = []
        self.heard: list[PeerInput] = []
        self.asked: list[str] = []
        self.over = False

    def do(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Seal() | Unseal():
                    self.work.append(output)
                case SendIq() | SendMessage() | ReplyResult() | ReplyError():
                    if isinstance(output, SendIq):
                        action = output.payload.get("action", "")
                        assert not self.over or action == "session-terminate"
                        self.asked.append(action)
                    self.wire.append(output)
                case Incoming(incoming, first):
                    self.call = incoming.call
                    self.hear(first)
                case Deliver(_, heard):
                    self.hear(heard)
                case Forget():
                    self.over = True

    def hear(self, heard: PeerInput) -> None:
        assert not self.over, heard
        self.heard.append(heard)
        match heard:
            case PeerProposed():
                self.perform(e.SendProceed())
            case PeerProceeded():
                self.perform(e.SendOffer(description(), self.least))
                self.trickle()
            case OfferReceived():
                self.perform(e.SendAnswer(description(Setup.ACTIVE)))
                self.trickle()

    def trickle(self) -> None:
        for port in PORTS:
            self.perform(e.SendCandidates("0", (candidate(port),)))

    def perform(self, effect: e.SignallingEffect) -> None:
        self.do(self.endpoint.perform(self.call, effect, NOW))

    def hang_up(self) -> None:
        if not self.over and (self.heard or self.asked or self.wire):
            self.perform(e.SendEnd(EndReason.SUCCESS))

    def turn_ratchet(self) -> None:
        asked = self.work.pop(0)
        assert self.sealer is not None
        if isinstance(asked, Seal):
            self.do(self.endpoint.sealed(asked.call, self.sealer.seal(asked), NOW))
        else:
            self.do(self.endpoint.unsealed(asked.call, self.sealer.unseal(asked), NOW))

    def receive(self, sent: SendIq | SendMessage | ReplyResult | ReplyError, sender: Address) -> None:
        match sent:
            case SendIq(request, _, payload):
                outputs = self.endpoint.receive_iq(request, sender, payload, NOW)
                assert isinstance(outputs[0], ReplyResult | ReplyError)
                assert sum(isinstance(output, ReplyResult | ReplyError) for output in outputs) == 1
            case SendMessage(message, _):
                if Address.parse(message.get("to", "")).bare == sender.bare:
                    return
                copy = Element(message.tag, {**message.attrib, "from": str(sender)})
                copy.extend(message)
                outputs = self.endpoint.receive_message(copy, sender, NOW)
            case _:
                error = sent.condition if isinstance(sent, ReplyError) else None
                outputs = self.endpoint.iq_finished(sent.id, error, NOW)
        self.do(outputs)

    @property
    def vouching(self) -> Vouching | None:
        for heard in self.heard:
            if isinstance(heard, OfferReceived):
                return heard.offer.vouching
            if isinstance(heard, AnswerReceived):
                return heard.answer.vouching
        return None

    @property
    def ports(self) -> list[int]:
        return [item.port for heard in self.heard if isinstance(heard, CandidatesReceived) for item in heard.candidates]

    @property
    def ended(self) -> list[EndReason]:
        return [heard.reason for heard in self.heard if isinstance(heard, Ended)]


CALLER_SEALERS = {
    "off": None,
    "good": Sealer(OWN_DEVICE),
    "cannot": Sealer(OWN_DEVICE, unreachable=frozenset({PEER_DEVICE})),
    "undecided": Sealer(OWN_DEVICE, trust={PEER_DEVICE: Trust.UNDECIDED}),
    "refuses": Sealer(OWN_DEVICE, trust={PEER_DEVICE: Trust.DISTRUSTED}),
}
CALLEE_SEALERS = {
    "off": None,
    "good": Sealer(PEER_DEVICE),
    "cannot": Sealer(PEER_DEVICE, unreachable=frozenset({OWN_DEVICE})),
    "refuses": Sealer(PEER_DEVICE, trust={OWN_DEVICE: Trust.DISTRUSTED}),
}


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(CALLER_SEALERS)),
    st.sampled_from(sorted(CALLEE_SEALERS)),
    st.sampled_from([Vouching.SIGNALLED, Vouching.OMEMO_TRUSTED]),
    st.lists(st.integers(0, 3), max_size=40),
    st.none() | st.tuples(st.integers(0, 40), st.booleans()),
)
def test_two_sides_agree_in_every_order(
    caller_sealer: str,
    callee_sealer: str,
    least: Vouching,
    order: list[int],
    hang_up: tuple[int, bool] | None,
) -> None:
    caller = Side(OWN, PEER, CALLER_SEALERS[caller_sealer], least)
    callee = Side(PEER, OWN, CALLEE_SEALERS[callee_sealer], Vouching.SIGNALLED)
    sides = (caller, callee)
    caller.endpoint.begin(CALL, PEER.bare, frozenset({"audio"}), NOW)
    caller.perform(e.SendProposal())

    steps = 0
    while caller.work or callee.work or caller.wire or callee.wire:
        if hang_up is not None and hang_up[0] == steps:
            sides[hang_up[1]].hang_up()
        choice = order[steps] if steps < len(order) else steps
        possible: list[Callable[[], None]] = [
            *([caller.turn_ratchet] if caller.work else []),
            *([callee.turn_ratchet] if callee.work else []),
            *([lambda: callee.receive(caller.wire.pop(0), OWN)] if caller.wire else []),
            *([lambda: caller.receive(callee.wire.pop(0), PEER)] if callee.wire else []),
        ]
        steps += 1
        if possible:
            possible[choice % len(possible)]()

    for side, first in ((caller, "session-initiate"), (callee, "session-accept")):
        descriptions = [action for action in side.asked if action not in ("session-terminate", "session-info")]
        assert not descriptions or descriptions[0] == first, "nothing of a session comes before its description"
    if caller.least > Vouching.SIGNALLED and caller_sealer in ("off", "cannot", "undecided", "refuses"):
        assert "session-initiate" not in caller.asked
    for side in sides:
        assert side.ports == list(PORTS)[: len(side.ports)], "candidates arrive in their order"
    if caller.vouching is not None and callee.vouching is not None:
        under_seal = caller_sealer in ("good", "undecided") and callee_sealer == "good"
        assert callee.vouching is (Vouching.OMEMO_TRUSTED if under_seal else Vouching.SIGNALLED)
        assert caller.vouching is (Vouching.SIGNALLED if caller_sealer == "undecided" else callee.vouching)
    alive = not caller.over and not callee.over
    if alive:
        assert None not in (caller.vouching, callee.vouching), "nobody waits for ever"
        assert caller.ports == callee.ports == list(PORTS)
    else:
        assert caller.over
        assert callee.over
    if hang_up is None:
        works = caller_sealer == "off" or callee_sealer == "off" or caller_sealer == "cannot"
        plain = works and least is Vouching.SIGNALLED
        sealed = caller_sealer == "good" or (caller_sealer == "undecided" and least is Vouching.SIGNALLED)
        assert alive == (plain or (not works and sealed and callee_sealer == "good"))
        if not alive:
            assert EndReason.SECURITY_ERROR in caller.ended + callee.ended
