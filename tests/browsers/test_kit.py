"""The conformance kit plays other clients against a page that it knows nothing of."""

from __future__ import annotations

import secrets

import pytest

from openvoice import Account, Address
from openvoice.client.interop import interoperate
from openvoice.interop.results import Outcome
from openvoice.interop.vectors import default_folder, read_vectors
from openvoice.server.prosody import Prosody
from tests.browsers.conftest import Browsers
from tests.browsers.peer import WebPeer

pytestmark = [
    *(pytest.mark.live, pytest.mark.network, pytest.mark.slow, pytest.mark.once),
    pytest.mark.asyncio(loop_scope="session"),
]

HOLDS = ("C-02-video", "D-02-called", "S-02-same")
FAILS = {"C-11": "expected result, and the error"}
"""A page on stanza takes a restart only with the whole transport in it."""


class Nobody:
    """The page answers by itself."""

    answers = True

    def __init__(self, page: WebPeer, kit: Address) -> None:
        self._page = page
        self._kit = kit

    def can(self, wish: str) -> bool:
        return wish == "dial"

    async def ask(self, wish: str) -> None:
        await self._page.do("call", str(self._kit))


async def test_a_page_in_chromium(prosody: Prosody, browsers: Browsers) -> None:
    names = [f"{name}-{secrets.token_hex(4)}" for name in ("kit", "bob")]
    for name in names:
        prosody.add_account(name, "secret")
    prosody.acquaint(*names)
    kit, bob = (prosody.address(name) for name in names)
    page = WebPeer(await browsers.tab("chromium"))
    device = await page.do("begin", {"address": str(bob), "password": "secret", "server": prosody.websocket})
    account = Account(address=kit, password="secret", server=(prosody.host, prosody.port), ca_file=prosody.ca_file)
    chosen = [vector for vector in read_vectors(default_folder()) if vector.id in (*HOLDS, *FAILS)]
    tested = Address.parse(device)
    try:
        found = interoperate(account, tested, chosen, Nobody(page, kit), interfaces=(prosody.host,))
        results = {result.id: result async for result in found}
    finally:
        await page.leave()
    assert {one: (results[one].outcome, results[one].text) for one in HOLDS} == dict.fromkeys(
        HOLDS, (Outcome.HOLDS, "")
    )
    for one, why in FAILS.items():
        assert results[one].outcome is Outcome.FAILS
        assert why in results[one].text
