"""Openvoice's own protocol logic as the client that the kit tests, without a network and without waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.core.description import Candidate, Codec, Fingerprint, Setup, TransportDescription
from openvoice.core.state import CallState
from openvoice.interop.performance import Performance
from openvoice.interop.ports import Arrival, Message, Reply, Request
from openvoice.interop.results import Result
from openvoice.interop.vectors import Vector, read_vector
from openvoice.jingle import namespaces as ns
from tests.vectors.replay import Replay

IQ = ns.qualified(ns.CLIENT, "iq")
Change = Callable[[Element], Element | None]
"""Makes something else of a stanza, or ``None`` of one that is not sent."""


@cache
def read(folder: Path) -> Vector:
    return read_vector(folder)


class VirtualClient(Replay):
    """A client with a person who does what the kit asks for, and accepts every call if told so."""

    def __init__(self, folder: Path, *, answers: bool, asked: bool, change: Change) -> None:
        super().__init__(folder, 0.0)
        self.answers = answers
        self._asked = asked
        self._change = change
        self._arrivals: list[Arrival] = []
        self._delivered = 0
        vector = read(folder)
        played = [step.said.get("from", "") for step in vector.steps if step.said is not None]
        self.address = Address.parse(next(iter(played), f"{vector.peer}/kit"))
        self._numbers = count(1)

    # --- the person ---------------------------------------------------------------------------------------------------

    def can(self, wish: str) -> bool:
        return self._asked

    async def ask(self, wish: str) -> None:
        self._use(wish, {"to": str(self.address)} if wish == "dial-direct" else {})

    # --- the device of the kit ----------------------------------------------------------------------------------------

    def send_message(self, message: Element) -> None:
        message.set("from", str(self.address))
        self._receive(message, {})

    def send_request(self, id: str, payload: Element) -> None:  # noqa: A002
        request = Element(IQ, {"from": str(self.address), "type": "set", "id": id})
        request.append(payload)
        self._receive(request, {})

    def answer(self, id: str) -> None:  # noqa: A002
        self._do(self.endpoint.iq_finished(id, None, self.now))

    def refuse(self, id: str, condition: str) -> None:  # noqa: A002
        self._do(self.endpoint.iq_finished(id, condition, self.now))

    async def arrival(self, timeout: float) -> Arrival | None:
        self._accept_what_rings()
        for stanza in self.sent[self._delivered :]:
            self._delivered += 1
            changed = self._change(ElementTree.fromstring(ElementTree.tostring(stanza)))
            if changed is not None and Address.parse(changed.get("to", "")).bare == self.address.bare:
                self._arrivals.append(as_arrival(changed))
        return self._arrivals.pop(0) if self._arrivals else None

    def _accept_what_rings(self) -> None:
        machine = self.machines.get(self.call)
        rings = machine is not None and machine.state is CallState.RINGING and machine.direction == "incoming"
        if self.answers and rings:
            self._use("accept", {})

    # --- media --------------------------------------------------------------------------------------------------------

    def make_path(self, names: tuple[str, ...], controlling: bool) -> VirtualPath:
        return VirtualPath(lambda: self._media_event("connect"), next(self._numbers))

    def new_id(self) -> str:
        return f"{next(self._numbers):08x}-fresh-id-of-a-session"


class VirtualPath:
    """A path that is secured as soon as it is connected."""

    def __init__(self, connected: Callable[[], None], number: int) -> None:
        self._connected = connected
        self._number = number
        self.remote: TransportDescription | None = None

    async def describe(self, setup: Setup) -> TransportDescription:
        return TransportDescription(
            ufrag=f"kit{self._number}",
            pwd=f"password-of-the-kit-{self._number}",
            fingerprint=Fingerprint("sha-256", bytes([self._number] * 32)),
            setup=setup,
            candidates=(Candidate(foundation="k", address="192.0.2.99", port=40000 + self._number, priority=1),),
        )

    def connect(self, remote: TransportDescription, *, client: bool, codecs: Sequence[Codec]) -> None:
        self.remote = remote

    def add_candidate(self, candidate: Candidate) -> None: ...

    async def secured(self, timeout: float) -> str:
        if self.remote is None:
            return "timeout"
        self._connected()
        return ""

    async def close(self) -> None: ...


def as_arrival(stanza: Element) -> Arrival:
    if stanza.tag != IQ:
        return Message(stanza)
    if stanza.get("type") == "set":
        return Request(stanza.get("id", ""), stanza[0])
    error = ns.child(stanza, ns.CLIENT, "error")
    tags = [child.tag for child in error] if error is not None else []
    own = next((tag for tag in tags if ns.split(tag)[0] != ns.STANZA_ERRORS), "")
    condition = next((ns.split(tag)[1] for tag in tags if ns.split(tag)[0] == ns.STANZA_ERRORS), "")
    return Reply(stanza.get("id", ""), condition, own)


async def perform(
    folder: Path,
    *,
    answers: bool = True,
    asked: bool = True,
    change: Change = lambda stanza: stanza,
) -> Result:
    """Play the vector in ``folder`` against a client whose stanzas ``change`` spoils."""
    vector = read(folder)
    client = VirtualClient(folder, answers=answers, asked=asked, change=change)
    performance = Performance(
        vector,
        tested=client.own,
        device=client,
        make_path=client.make_path,
        person=client,
        new_id=client.new_id,
        patience=0.02,
        person_patience=0.02,
        quiet=0.001,
        longest_pause=0.1,
    )
    return await performance.result()
