"""Two whole sides whose path is lost, over all orders in which wires, inboxes and effects take their turns."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count
from xml.etree.ElementTree import Element

from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.address import Address
from openvoice.core.continuity import MOVE_AFTER
from openvoice.core.description import Setup
from openvoice.core.machine import CallMachine
from openvoice.core.policy import Policy
from openvoice.core.remedies import Renewal
from openvoice.core.state import CallState
from openvoice.core.types import CallId, Direction, Role
from openvoice.jingle.outputs import Deliver, Incoming, Output, ReplyError, ReplyResult, SendIq, SendMessage
from openvoice.jingle.peers import PeerProfile, Restarts
from tests.core.descriptions import facts
from tests.jingle.samples import NOW, OWN, PEER, candidate, description, endpoint

CALL = CallId("1f0e6a52-7d0b-4c7e-9b8e-2f6f6f0c1a11")
SECURED = i.MediaSecured(facts())
FROM_MEDIA = (i.LocalDescription, i.LocalRestart, i.LocalCandidates, i.MediaSecured, i.MediaFlowing)
MOVES = PeerProfile(restarts=Restarts.NOBODY, renewal=Renewal.SILENT)
RESTARTS = PeerProfile(restarts=Restarts.BOTH, renewal=Renewal.SILENT)


class Side:
    """One client: the driver of one call, with media that always find each other."""

    def __init__(self, name: str, own: Address, peer: Address, direction: Direction, profile: PeerProfile) -> None:
        numbers = count(1)
        self.own = own
        self.endpoint = endpoint(own=own, roster=[peer], profile=profile, new_id=lambda: f"{name}-{next(numbers)}")
        self.machine = CallMachine(direction, str(peer.bare), policy=Policy(), seed=bytes(32))
        self.call = CALL
        self.inbox: deque[i.CallInput] = deque()
        self.effects: deque[e.Effect] = deque()
        self.wire: deque[SendIq | SendMessage | ReplyResult | ReplyError] = deque()
        self.restarts = 0
        self.moves = 0
        self.gate_open = False

    # --- the driver ---------------------------------------------------------------------------------------------------

    def turn(self, now: float) -> bool:
        """One step, if there is one: an input is taken when the effects of the one before are done."""
        if self.effects:
            self._perform(self.effects.popleft())
        elif self.machine.deadline is not None and self.machine.deadline <= now:
            self.effects += self.machine.handle_timeout(now)
        elif self.inbox:
            self.effects += self.machine.handle(self.inbox.popleft(), now)
        else:
            return False
        return True

    def _perform(self, effect: e.Effect) -> None:
        match effect:
            case e.OpenMedia(role):
                self.inbox.append(
                    i.LocalDescription(description(Setup.ACTPASS if role is Role.INITIATOR else Setup.ACTIVE))
                )
            case e.CloseMedia():
                self.gate_open = False
                self.inbox = deque(message for message in self.inbox if not isinstance(message, FROM_MEDIA))
            case e.OpenGate():
                assert not self.gate_open
                self.gate_open = True
            case e.ApplyAnswer():
                self.inbox += [SECURED, i.MediaFlowing()]
            case e.RestartMedia(remote):
                self.restarts += 1
                pair = (f"{self.own.local}-{self.restarts}", "password-of-sufficient-length")
                self.inbox.append(i.LocalRestart((("0", *pair),), answering=bool(remote)))
            case e.Notify(event):
                self.moves += isinstance(event, events.CallMoved)
            case e.AddCandidates() | e.ApplyRestart() | e.RejectInput() | e.Finish():
                pass
            case e.SetMuted() | e.SetPeerMuted() | e.SetHeld():
                pass
            case _:
                assert isinstance(effect, e.SignallingEffect)
                self._do(self.endpoint.perform(self.call, effect, NOW))
                if isinstance(effect, e.SendAnswer):
                    self.inbox += [SECURED, i.MediaFlowing()]
                if isinstance(effect, e.SendRestart):
                    self.inbox.append(i.LocalCandidates("0", (candidate(1000 + self.restarts),)))

    def _do(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case SendIq() | SendMessage() | ReplyResult() | ReplyError():
                    self.wire.append(output)
                case Incoming(incoming, first):
                    assert self.machine.state is CallState.NEW, "nobody is asked twice"
                    self.call = incoming.call
                    self.inbox += [first, i.Accept()]
                case Deliver(_, message):
                    self.inbox.append(message)
                case _:
                    pass

    def receive(self, sent: SendIq | SendMessage | ReplyResult | ReplyError, sender: Address) -> None:
        match sent:
            case SendIq(request, _, payload):
                self._do(self.endpoint.receive_iq(request, sender, payload, NOW))
            case SendMessage(message, _):
                if Address.parse(message.get("to", "")).bare == self.own.bare:
                    copy = Element(message.tag, {**message.attrib, "from": str(sender)})
                    copy.extend(message)
                    self._do(self.endpoint.receive_message(copy, sender, NOW))
            case _:
                error = sent.condition if isinstance(sent, ReplyError) else None
                self._do(self.endpoint.iq_finished(sent.id, error, NOW))

    @property
    def sid(self) -> str:
        session = self.endpoint._sessions.of_call(self.call)
        assert session is not None
        return session.sid

    @property
    def credentials(self) -> tuple[dict[str, tuple[str, str]], dict[str, tuple[str, str]]]:
        """Of ICE, own and the peer's."""
        session = self.endpoint._sessions.of_call(self.call)
        assert session is not None
        return session._ice._ice._local, session._ice._ice._remote


def settle(alice: Side, bob: Side, order: list[int], now: float) -> None:
    """Let everything happen, in the order drawn."""
    for step in range(2000):
        possible: list[Callable[[], object]] = [
            *([lambda: alice.turn(now)] if alice.effects or alice.inbox or _due(alice, now) else []),
            *([lambda: bob.turn(now)] if bob.effects or bob.inbox or _due(bob, now) else []),
            *([lambda: bob.receive(alice.wire.popleft(), OWN)] if alice.wire else []),
            *([lambda: alice.receive(bob.wire.popleft(), PEER)] if bob.wire else []),
        ]
        if not possible:
            return
        possible[(order[step] if step < len(order) else step) % len(possible)]()
    raise AssertionError("the two sides never come to rest")


def _due(side: Side, now: float) -> bool:
    return side.machine.deadline is not None and side.machine.deadline <= now


def in_a_call(profile: PeerProfile) -> tuple[Side, Side]:
    alice = Side("alice", OWN, PEER, Direction.OUTGOING, profile)
    bob = Side("bob", PEER, OWN, Direction.INCOMING, profile)
    alice.endpoint.begin(CALL, PEER.bare, frozenset({"audio"}), NOW)
    alice.inbox.append(i.Dial())
    settle(alice, bob, [], 0.0)
    assert {alice.machine.state, bob.machine.state} == {CallState.ACTIVE}
    return alice, bob


ORDERS = st.lists(st.integers(0, 3), max_size=150)


@settings(max_examples=300, deadline=None)
@given(ORDERS, st.sampled_from([0.0, 0.5]))
def test_both_sides_move_a_call_and_meet_in_one_session(order: list[int], later: float) -> None:
    alice, bob = in_a_call(MOVES)
    before = alice.sid
    alice.inbox.append(i.MediaInterrupted())
    settle(alice, bob, [], 10.0)
    bob.inbox.append(i.MediaInterrupted())
    settle(alice, bob, [], 10.0 + later)
    settle(alice, bob, order, 10.0 + later + MOVE_AFTER)
    for side in (alice, bob):
        assert side.machine.state is CallState.ACTIVE
        assert side.gate_open
        assert side.moves == 1
    assert alice.sid == bob.sid != before


@settings(max_examples=300, deadline=None)
@given(ORDERS, st.sampled_from(["alice", "bob", "both", "alice twice", "bob, and the network of both"]))
def test_both_sides_restart_and_agree_about_the_credentials(order: list[int], who: str) -> None:
    alice, bob = in_a_call(RESTARTS)
    if who != "bob":
        alice.inbox.append(i.MediaInterrupted())
    if who != "alice":
        bob.inbox.append(i.MediaInterrupted())
    if "twice" in who or "network" in who:
        alice.inbox.append(i.NetworkChanged())
        bob.inbox.append(i.NetworkChanged())
    settle(alice, bob, order, 10.0)
    for side in (alice, bob):
        assert side.machine.state is CallState.ACTIVE
        assert side.moves == 0
        assert side.restarts <= 8
    assert alice.credentials == tuple(reversed(bob.credentials))
