"""Plays one vector against the tested client, step by step, and says what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.core.types import EndReason
from openvoice.errors import MalformedStanza
from openvoice.interop import expectation
from openvoice.interop.media import CallMedia
from openvoice.interop.names import Names, session_ids
from openvoice.interop.obstacles import ACCEPTS, may, obstacle
from openvoice.interop.ports import Arrival, Device, MakePath, Message, Person, Reply, Request
from openvoice.interop.results import Outcome, Result
from openvoice.interop.vectors import Step, Vector
from openvoice.jingle import namespaces as ns
from openvoice.jingle.messages import serialize_message
from openvoice.jingle.model import Jingle, JingleAction, JingleMessage, MessageKind
from openvoice.jingle.serialize import serialize_jingle

PATIENCE = 8.0
"""Seconds that a client may take to answer."""
CONNECT_WITHIN = 20.0
QUIET = 0.4
"""Seconds in which nothing unexpected may come at the end."""
LONGEST_PAUSE = 20.0
"""A vector that pauses longer is only played when the user is patient."""


_ANSWERS = ("proceed", "session-accept")
"""What comes where calls are accepted at once, also in vectors in which nobody answers."""


class _Stopped(Exception):
    """The rest of the vector cannot be played: why. ``enough`` says that only the end is missing."""

    def __init__(self, why: str, *, enough: bool = False) -> None:
        super().__init__(why)
        self.enough = enough


class _Failed(Exception):
    """What was expected, and what came."""


class Performance:
    """One performance of ``vector`` towards ``tested``, the full address of a device.

    Args:
        person: whoever uses the tested client.
        patience: seconds that a client, and ``person_patience`` that a person may take.
        longest_pause: seconds; see :data:`LONGEST_PAUSE`.
        past: the ids of sessions that others had before; those of this one are added. What still comes of them is
            not meant.
    """

    def __init__(
        self,
        vector: Vector,
        *,
        tested: Address,
        device: Device,
        make_path: MakePath,
        person: Person,
        new_id: Callable[[], str],
        patience: float = PATIENCE,
        person_patience: float = 60.0,
        quiet: float = QUIET,
        longest_pause: float = LONGEST_PAUSE,
        past: set[str] | None = None,
    ) -> None:
        self._vector = vector
        self._tested = tested
        self._device = device
        self._person = person
        self._patience = patience
        self._person_patience = person_patience
        self._quiet = quiet
        self._longest_pause = longest_pause
        self._names = Names(vector, new_id)
        self._media = CallMedia(make_path if vector.connects else None, self._names)
        self._pending: list[Arrival] = []
        self._sids: dict[str, bool] = {}
        """The sessions of this vector, and whether there is more than a proposal of each."""
        self._over: set[str] = set()
        self._past = set() if past is None else past
        self._said: set[str] = set()
        """The ids of the requests that were said."""
        self._demanding = any(
            not expectation.is_optional(expected)
            for step in vector.steps
            for expected in step.expected
            if expectation.is_seen(expected, vector.peer)
        )
        self._new_id = new_id

    async def result(self) -> Result:
        """Play it. Whatever happens, no call is left over."""
        if why := obstacle(self._vector, self._person, self._longest_pause):
            return self._result(Outcome.NOT_TRIED, why)
        begun = time.monotonic()
        outcome, text, number = Outcome.HOLDS, "", 0
        checked = False
        try:
            self._introduce()
            for number, step in enumerate(self._vector.steps, 1):
                await self._play(step, later=self._vector.steps[number:])
                checked = checked or bool(step.expected) or bool(step.media)
            await self._listen(self._quiet)
            self._judge()
        except _Stopped as stopped:
            enough = checked and stopped.enough
            outcome = Outcome.HOLDS if enough else Outcome.NOT_TRIED
            text = f"up to step {number} of {len(self._vector.steps)}: {stopped}" if enough else str(stopped)
        except _Failed as failed:
            outcome, text = Outcome.FAILS, f"step {number} of {len(self._vector.steps)}: {failed}"
        finally:
            await self._leave()
            await self._media.close()
            self._past.update(self._sids)
        return self._result(outcome, text, time.monotonic() - begun)

    def _result(self, outcome: Outcome, text: str, seconds: float = 0.0) -> Result:
        vector = self._vector
        return Result(
            id=vector.id, client=vector.client, title=vector.title, outcome=outcome, text=text, seconds=seconds
        )

    # --- before -------------------------------------------------------------------------------------------------------

    def _introduce(self) -> None:
        """The addresses of the vector are those of this performance."""
        vector, device = self._vector, self._device.address
        played = [step.said.get("from", "") for step in vector.steps if step.said is not None]
        pairs = {str(vector.own): str(self._tested), str(vector.own.bare): str(self._tested.bare)}
        pairs |= {name: str(device) for name in played}
        pairs[str(vector.peer)] = str(device.bare)
        for name, real in pairs.items():
            self._names.learn(name, real)

    # --- steps --------------------------------------------------------------------------------------------------------

    async def _play(self, step: Step, later: tuple[Step, ...]) -> None:
        if step.beyond:
            raise _Stopped(step.beyond)
        patience = self._patience
        if step.user and not (step.user in ACCEPTS and self._person.answers):
            if not may(step.user, self._person):
                # That nobody hangs up in the end does not make the rest untrue.
                raise _Stopped(f"it needs a person ({step.user}): --interactive", enough=step.user == "hangup")
            await self._person.ask(step.user)
            patience = self._person_patience
        if step.advance:
            await self._listen(step.advance)
        if step.said is not None:
            await self._say(step.said)
        if step.media:
            await self._connect()
        seen = [expected for expected in step.expected if expectation.is_seen(expected, self._vector.peer)]
        demanded = [one for one in seen if not expectation.is_optional(one) or (step.user and _says_so(one))]
        if not demanded and seen and not self._demanding:
            # Where nothing else is expected of a client, one of what it may leave out is the behaviour itself.
            await self._await_one(seen, patience)
        await self._await(demanded, patience, later)

    async def _say(self, stanza: Element) -> None:
        translated = self._names.translate(stanza)
        translated.attrib.pop("from", None)
        for sid in session_ids(translated):
            self._sids.setdefault(sid, False)
        if translated.tag == ns.qualified(ns.CLIENT, "message"):
            if expectation.kind_of(translated) in ("reject", "retract", "finish"):
                self._over.update(session_ids(translated))
            self._device.send_message(translated)
            return
        payload = next((child for _, _, child in ns.children(translated)), None)
        if payload is None:
            return
        await self._media.prepare(payload)
        self._media.said(payload)
        self._note(payload)
        self._said.add(translated.get("id", ""))
        self._device.send_request(translated.get("id", ""), payload)

    async def _connect(self) -> None:
        sessions = [sid for sid, is_session in self._sids.items() if is_session]
        for payload in self._media.owed(sessions[-1]) if sessions else ():
            self._device.send_request(self._new_id(), payload)
        until = time.monotonic() + CONNECT_WITHIN
        while failure := await self._media.secured(0.05):
            if failure != "timeout" or time.monotonic() > until:
                words = "no encrypted path in time" if failure == "timeout" else failure
                raise _Failed(f"expected the media to be connected, and: {words}")
            await self._listen(0.05)
            self._fail_if_over(())

    async def _await(self, expected: list[Element], patience: float, later: tuple[Step, ...]) -> None:
        until = time.monotonic() + patience
        remaining = list(expected)
        while True:
            remaining = [one for one in remaining if not self._claim(one)]
            if not remaining:
                return
            self._fail_if_over(remaining, later)
            if expectation.kind_of(remaining[0]) == "session-initiate" and self._proposed(remaining[0]):
                raise _Stopped("it needs a client that calls a device directly")
            if not await self._hear_until(until):
                raise _Failed(self._explain(remaining[0]))

    def _proposed(self, expected: Element) -> bool:
        """Whether the tested client begins with a proposal what should begin with an offer."""
        sid = next(session_ids(expected), "")
        return self._names.is_open(sid) and any(expectation.kind_of(arrival) == "propose" for arrival in self._pending)

    async def _await_one(self, expected: list[Element], patience: float) -> None:
        until = time.monotonic() + patience
        while not any(self._claim(one) for one in expected):
            if not await self._hear_until(until):
                raise _Failed(f"expected {' or '.join(map(expectation.kind_of, expected))}, and nothing came")

    def _claim(self, expected: Element) -> bool:
        """Take what is expected out of what came."""
        for arrival in self._pending:
            if not expectation.difference(expected, arrival, self._names, self._media.offered):
                self._pending.remove(arrival)
                return True
        return False

    # --- hearing ------------------------------------------------------------------------------------------------------

    async def _listen(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            await self._hear(left)

    async def _hear_until(self, deadline: float) -> bool:
        """Take the next that comes, and say whether to go on. What is here counts, however late it is looked at."""
        left = deadline - time.monotonic()
        return await self._hear(max(0.0, left)) or left > 0

    async def _hear(self, timeout: float) -> bool:
        arrival = await self._device.arrival(timeout)
        if arrival is None:
            return False
        match arrival:
            case Request(request, payload):
                self._answer(request, payload.get("action", ""))
                if payload.get("sid") in self._past:
                    return True
                try:
                    self._media.heard(payload)
                except MalformedStanza as error:
                    raise _Failed(f"its {payload.get('action')} cannot be used: {error}") from None
                self._note(payload)
            case Message(element):
                sids = set(session_ids(element))
                if sids & self._past:
                    return True
                for sid in sids:
                    self._sids.setdefault(sid, False)
                if expectation.ends_call(arrival):
                    self._over |= sids
            case Reply(request) if request not in self._said:
                return True
        self._pending.append(arrival)
        return True

    def _note(self, payload: Element) -> None:
        sid, action = payload.get("sid", ""), payload.get("action", "")
        if action in (JingleAction.SESSION_INITIATE, JingleAction.SESSION_ACCEPT):
            self._sids[sid] = True
        elif action == JingleAction.SESSION_TERMINATE:
            self._over.add(sid)

    def _answer(self, request: str, action: str) -> None:
        error = self._vector.errors.get(action)
        if error is None:
            self._device.answer(request)
        elif error != "timeout":
            self._device.refuse(request, error)

    # --- judging ------------------------------------------------------------------------------------------------------

    def _fail_if_over(self, remaining: Sequence[Element], later: tuple[Step, ...] = ()) -> None:
        """The tested client ended the call, or refused a request, and nobody expects it now or later."""
        awaited = [*remaining, *(one for step in later for one in step.expected)]
        for arrival in self._pending:
            over = expectation.ends_call(arrival) or (isinstance(arrival, Reply) and bool(arrival.condition))
            if over and not any(self._could_be(one, arrival) for one in awaited):
                wanted = expectation.kind_of(remaining[0]) if remaining else "nothing of the kind"
                raise _Failed(f"expected {wanted}, and {_say(arrival)} came")

    def _could_be(self, expected: Element, arrival: Arrival) -> bool:
        if isinstance(arrival, Reply):
            return not expectation.difference(expected, arrival, self._names, {})
        return expectation.kind_of(expected) == expectation.kind_of(arrival)

    def _judge(self) -> None:
        for arrival in self._pending:
            answer = self._person.answers and expectation.kind_of(arrival) in _ANSWERS
            if expectation.is_about_calls(arrival) and not answer:
                raise _Failed(f"expected nothing more, and {_say(arrival)} came")

    def _explain(self, expected: Element) -> str:
        """What was expected, and the nearest of what came instead."""
        wanted = expectation.kind_of(expected)
        reply = expected.tag == ns.qualified(ns.CLIENT, "iq") and expected.get("type") != "set"
        words = f"expected {'the reply ' if reply else ''}{wanted}"
        for arrival in reversed(self._pending):
            if reply and isinstance(arrival, Reply) and self._names.agree(expected.get("id", ""), arrival.id):
                return f"{words}, and {_say(arrival)} came"
            if expectation.kind_of(arrival) == wanted and isinstance(arrival, Reply) == reply:
                why = expectation.difference(expected, arrival, self._names, self._media.offered)
                return f"{words}, and one came, but {why}"
        others = [_say(arrival) for arrival in self._pending if expectation.is_about_calls(arrival)]
        return f"{words}, and {' and '.join(others) or 'nothing'} came"

    # --- after --------------------------------------------------------------------------------------------------------

    async def _leave(self) -> None:
        """End what is left of the calls, so that the next vector finds the tested client free."""
        for sid, is_session in self._sids.items():
            if not sid:
                continue
            if is_session and sid not in self._over:
                farewell = Jingle(action=JingleAction.SESSION_TERMINATE, sid=sid, reason=EndReason.SUCCESS)
                self._device.send_request(self._new_id(), serialize_jingle(farewell))
            if not is_session:
                # Both sides may have proposed under one id, and only one of the two proposals is over.
                for kind in (MessageKind.RETRACT, MessageKind.REJECT):
                    said = JingleMessage(kind=kind, id=sid, reason=EndReason.CANCEL)
                    self._device.send_message(serialize_message(said, self._tested))
        until = time.monotonic() + self._quiet
        while (left := until - time.monotonic()) > 0:
            arrival = await self._device.arrival(left)
            if isinstance(arrival, Request):
                self._device.answer(arrival.id)


def _says_so(expected: Element) -> bool:
    """Whether it tells what a person has just done."""
    return expectation.kind_of(expected) == "session-info"


def _say(arrival: Arrival) -> str:
    """What came, in a few words that hold nothing private."""
    kind = expectation.kind_of(arrival)
    match arrival:
        case Reply(_, condition) if condition:
            return f"the error {kind}"
        case Request(_, payload) if kind == JingleAction.SESSION_TERMINATE:
            reason = payload.find(ns.qualified(ns.JINGLE, "reason"))
            names = [name for _, name, _ in ns.children(reason)] if reason is not None else []
            return f"session-terminate ({', '.join(names) or 'no reason'})"
        case _:
            return kind
