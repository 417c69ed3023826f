"""Victims and attackers on one server."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from openvoice import Account, Call, CallState, Client, Source
from openvoice.server.prosody import Prosody

from .attacker import SOON, Attacker
from .hostile_server import HostileServer


class Scene:
    """New accounts: ``friends`` have each other in their rosters, ``strangers`` have nobody."""

    def __init__(self, prosody: Prosody, friends: Sequence[str], strangers: Sequence[str] = ()) -> None:
        self._prosody = prosody
        self._names = {name: f"{name}-{secrets.token_hex(4)}" for name in (*friends, *strangers)}
        for full_name in self._names.values():
            prosody.add_account(full_name, secrets.token_urlsafe())
        prosody.acquaint(*(self._names[name] for name in friends))

    def account(self, name: str) -> Account:
        full_name = self._names[name]
        return Account(
            address=self._prosody.address(full_name),
            password=self._prosody.accounts[full_name],
            server=(self._prosody.host, self._prosody.port),
            ca_file=self._prosody.ca_file,
        )

    def client(self, name: str, **options: Any) -> Client:
        """A whole client on loopback; ``options`` are those of :class:`~openvoice.Client`."""
        return Client(self.account(name), interfaces=(self._prosody.host,), **options)

    def attacker(self, name: str) -> Attacker:
        return Attacker(self.account(name))


class HostileScene(Scene):
    """The same, where the server of those that ``victims`` names (of all, if nobody is named) is an enemy."""

    def __init__(
        self, server: HostileServer, prosody: Prosody, friends: Sequence[str], victims: Sequence[str] = ()
    ) -> None:
        super().__init__(prosody, friends)
        self.server = server
        self._victims = frozenset(victims or friends)

    def account(self, name: str) -> Account:
        account = super().account(name)
        if name not in self._victims:
            return account
        return replace(account, server=(self.server.host, self.server.port), ca_file=self.server.ca_file)


def rings(client: Client) -> asyncio.Future[Call]:
    """The next call that rings at ``client``, with nobody there to answer it."""
    ringing: asyncio.Future[Call] = asyncio.get_running_loop().create_future()

    @client.on_call
    async def let_it_ring(call: Call) -> None:
        if not ringing.done():
            ringing.set_result(call)

    return ringing


async def talk(caller: Client, callee: Client, *, said: Source = None, answered: Source = None) -> tuple[Call, Call]:
    """A call between the two in which sound flows; both sides of it."""
    ringing = rings(callee)
    call = await caller.call(callee.address.bare, source=said)
    other = await asyncio.wait_for(ringing, SOON)
    await other.accept(source=answered)
    await asyncio.gather(call.wait_for(CallState.ACTIVE, SOON), other.wait_for(CallState.ACTIVE, SOON))
    return call, other
