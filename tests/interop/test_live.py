"""The kit over a real server, with real media, against openvoice as it is, and against one that is broken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from openvoice import Account, Address, Call, Client, PeerUnavailable, parse_sink, parse_source, temporary_keys
from openvoice.client.interop import interoperate
from openvoice.core.types import EndReason
from openvoice.interop.results import Outcome, Result
from openvoice.interop.vectors import default_folder, read_vectors
from openvoice.jingle.session import Session
from openvoice.server.prosody import Prosody

pytestmark = [pytest.mark.live, pytest.mark.network, pytest.mark.slow, pytest.mark.once]

VECTORS = {vector.id: vector for vector in read_vectors(default_folder())}


class Nobody:
    """At the tested client, which answers by itself."""

    answers = True

    def can(self, wish: str) -> bool:
        return False

    async def ask(self, wish: str) -> None:
        raise AssertionError("nobody can be asked")


class Somebody(Nobody):
    """Who calls and hangs up when told to."""

    def __init__(self, client: Client, kit: Address) -> None:
        self.client = client
        self.kit = kit

    def can(self, wish: str) -> bool:
        return wish in ("dial", "hangup", "mute", "unmute", "hold")

    async def ask(self, wish: str) -> None:
        match wish:
            case "dial":
                silence: Any = {"source": parse_source("silence"), "sink": parse_sink("null")}
                await self.client.call(self.kit, **silence)
            case "hangup":
                await self.client.calls[0].hangup()
            case "hold":
                await self.client.calls[0].hold()
            case _:
                await self.client.calls[0].mute(wish == "mute")


class Scene:
    """A client that answers, and an account for the kit; they know each other."""

    def __init__(self, prosody: Prosody, name: str) -> None:
        self.accounts = {role: self._account(prosody, f"{role}-{name}") for role in ("tested", "kit")}
        prosody.acquaint(*(account.address.local for account in self.accounts.values()))
        self.client = Client(self.accounts["tested"], interfaces=(prosody.host,), keys=temporary_keys())
        self._host = prosody.host

        @self.client.on_call
        async def answer(call: Call) -> None:
            await call.accept(source=parse_source("silence"), sink=parse_sink("null"))

    @staticmethod
    def _account(prosody: Prosody, name: str) -> Account:
        prosody.add_account(name, "secret")
        return Account(
            address=prosody.address(name),
            password="secret",
            server=(prosody.host, prosody.port),
            ca_file=prosody.ca_file,
        )

    async def play(self, *ids: str, person: Nobody | None = None, tested: Address | None = None) -> dict[str, Result]:
        chosen = [VECTORS[one] for one in ids]
        found = interoperate(
            self.accounts["kit"],
            tested or self.client.address,
            chosen,
            person or Nobody(),
            interfaces=(self._host,),
        )
        return {result.id: result async for result in found}


@pytest.fixture
async def scene(prosody: Prosody, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    scene = Scene(prosody, f"{abs(hash(request.node.name)):x}")
    async with scene.client:
        yield scene


async def test_openvoice_holds(scene: Scene) -> None:
    """Called with a proposal and directly, bundled or not, with all candidates or one by one, by nonsense."""
    ids = ("C-02", "D-03", "G-02-answered", "GEN-05-fingerprint", "S-01")
    results = await scene.play(*ids, tested=scene.client.address.bare)
    assert {result.id: (result.outcome, result.text) for result in results.values()} == dict.fromkeys(
        ids, (Outcome.HOLDS, "")
    )


async def test_openvoice_holds_when_it_calls(scene: Scene) -> None:
    person = Somebody(scene.client, scene.accounts["kit"].address)
    results = await scene.play("C-01", "D-09", person=person)
    assert results["C-01"].outcome is Outcome.HOLDS, results["C-01"].text
    assert results["D-09"].text == "it needs a person (unhold): --interactive"


async def test_a_broken_client_fails(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def giving_up(session: Session, answer: object) -> object:
        return session.fail(EndReason.FAILED_APPLICATION, "broken")

    monkeypatch.setattr(Session, "accept", giving_up)
    results = await scene.play("C-04-accept", "C-15")
    assert results["C-04-accept"].outcome is Outcome.FAILS
    assert results["C-04-accept"].text.endswith(", and session-terminate (failed-application, text) came")
    assert results["C-15"].outcome is Outcome.HOLDS


async def test_nobody_is_there(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvoice.client.interop.FIND_WITHIN", 0.1)
    with pytest.raises(PeerUnavailable, match="contacts"):
        await scene.play("C-02", tested=Address.parse("nobody@openvoice.test"))
