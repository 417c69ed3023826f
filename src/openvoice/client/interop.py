"""Lends the conformance kit an account and real media: a device in the guise of a client, and paths."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from xml.etree.ElementTree import Element

from openvoice.client.account import Account
from openvoice.core.address import Address
from openvoice.errors import PeerUnavailable
from openvoice.interop.clients import Appearance
from openvoice.interop.performance import LONGEST_PAUSE, Performance
from openvoice.interop.ports import Arrival, MakePath, Message, Person, Reply, Request
from openvoice.interop.results import Outcome, Result
from openvoice.interop.vectors import Vector
from openvoice.ports import RelayServer

if TYPE_CHECKING:
    from openvoice.signalling.xmpp.failures import StanzaFailure

FIND_WITHIN = 3.0
"""Seconds in which the devices of the tested account have to show themselves."""
ANSWER_WITHIN = 6.0
"""Seconds that a reply may take."""


async def interoperate(
    account: Account,
    tested: Address,
    vectors: Sequence[Vector],
    person: Person,
    *,
    interfaces: tuple[str, ...] = (),
    patient: bool = False,
    pause: float = 0.0,
    began: Callable[[Vector], None] = lambda _: None,
) -> AsyncGenerator[Result, None]:
    """Play ``vectors`` towards ``tested`` and yield what came of each, in their order. Each guise is a login.

    Args:
        tested: a full address, or a bare one whose device is found by its presence.
        interfaces: local addresses for media; empty means all but loopback.
        patient: whether vectors with long pauses are played too.
        pause: the least seconds from the beginning of one call to that of the next.
        began: told before each vector.

    Raises:
        ConnectionFailed: the login did not work.
        PeerUnavailable: no device of ``tested`` is to be seen.
    """
    past: set[str] = set()
    for guise, group in groupby(vectors, lambda vector: vector.guise):
        async with _device(account, tested, guise) as device:
            for vector in group:
                began(vector)
                performance = Performance(
                    vector,
                    tested=device.tested,
                    device=device,
                    make_path=device.paths(interfaces, account.ca_file),
                    person=person,
                    new_id=lambda: str(uuid4()),
                    longest_pause=120.0 if patient else LONGEST_PAUSE,
                    past=past,
                )
                result = await performance.result()
                device.forget()
                if result.outcome is not Outcome.NOT_TRIED:
                    await asyncio.sleep(max(0.0, pause - result.seconds))
                if result.outcome is Outcome.FAILS and not device.reachable():
                    raise PeerUnavailable(f"{tested} went offline while it was tested")
                yield result


@asynccontextmanager
async def _device(account: Account, tested: Address, guise: Appearance) -> AsyncIterator[_Device]:
    from openvoice.signalling.xmpp.capabilities import Program
    from openvoice.signalling.xmpp.connection import Connection
    from openvoice.signalling.xmpp.relays import Relays

    device = _Device(tested)
    device.connection = connection = Connection(
        account=Address(account.address.local, account.address.domain, f"interop.{secrets.token_hex(4)}"),
        password=account.password,
        listener=device,
        features=guise.features,
        server=account.server,
        ca_file=account.ca_file,
        program=Program(node=guise.node, name=guise.name),
    )
    await connection.open()
    try:
        connection.send_presence(tested)
        device.relays = await Relays(connection).find()
        await device.find()
        yield device
    finally:
        await connection.close()


class _Device:
    """One login. What the tested account says waits in a queue; the others are not heard."""

    connection: Any

    def __init__(self, tested: Address) -> None:
        self.tested = tested
        self.relays: tuple[RelayServer, ...] = ()
        """STUN and TURN servers of the own server, for media."""
        self._queue: asyncio.Queue[Arrival] = asyncio.Queue()
        self._named = not tested.is_bare

    @property
    def address(self) -> Address:
        address: Address = self.connection.address
        return address

    async def find(self) -> None:
        """Wait until a device of the tested account shows itself, if none was named."""
        until = asyncio.get_running_loop().time() + FIND_WITHIN
        while not self._named and self.tested.is_bare:
            online = self.connection.presence_of(self.tested)
            if online:
                self.tested = online[0].address
            elif asyncio.get_running_loop().time() > until:
                raise PeerUnavailable(
                    f"no device of {self.tested} is to be seen: it has to be online and in the contacts of this "
                    "account, or name the device itself (user@example.org/device)"
                )
            else:
                await asyncio.sleep(0.05)

    def reachable(self) -> bool:
        return self._named or bool(self.connection.presence_of(self.tested.bare))

    def paths(self, interfaces: tuple[str, ...], ca_file: Path | None) -> MakePath:
        """What makes paths for media."""
        from openvoice.media.silent import SilentPath

        return lambda names, controlling: SilentPath(
            names, controlling=controlling, interfaces=interfaces, relays=self.relays, ca_file=ca_file
        )

    def forget(self) -> None:
        """Drop what still came of the last vector."""
        self._queue = asyncio.Queue()

    # --- what the kit says --------------------------------------------------------------------------------------------

    def send_message(self, message: Element) -> None:
        self.connection.send_message(message)

    def send_request(self, id: str, payload: Element) -> None:  # noqa: A002
        def finished(outcome: Element | StanzaFailure) -> None:
            condition, extra = getattr(outcome, "condition", ""), getattr(outcome, "extra", "")
            self._queue.put_nowait(Reply(id, condition, extra))

        self.connection.start_request(payload, self.tested, "set", finished, id=id, timeout=ANSWER_WITHIN)

    def answer(self, id: str) -> None:  # noqa: A002
        self.connection.answer(id, self.tested)

    def refuse(self, id: str, condition: str) -> None:  # noqa: A002
        self.connection.refuse(id, self.tested, condition)

    async def arrival(self, timeout: float) -> Arrival | None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, timeout)):
                return await self._queue.get()
        return None

    # --- what the connection hears ------------------------------------------------------------------------------------

    def message_received(self, message: Element, sender: Address, *, carbon: str | None, stamp: float | None) -> None:
        if sender.bare == self.tested.bare and carbon is None and stamp is None:
            self._queue.put_nowait(Message(message))

    def request_received(self, id: str, kind: str, payload: Element, sender: Address) -> None:  # noqa: A002
        if sender == self.tested and kind == "set":
            self._queue.put_nowait(Request(id, payload))
        else:
            self.connection.refuse(id, sender, "service-unavailable")

    def node_changed(self, owner: Address, node: str, payload: Element) -> None: ...

    def connection_changed(self, online: bool, reason: str) -> None: ...
