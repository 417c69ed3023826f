"""What a private Prosody says that it keeps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from openvoice.core.privacy import Reader
from openvoice.errors import ServerUnreachable
from openvoice.server.lua import LuaValue
from openvoice.server.prosody import MODULES, Prosody
from openvoice.signalling.xmpp.connection import Connection
from openvoice.signalling.xmpp.elements import element, stanza
from openvoice.signalling.xmpp.retention import observe, set_archive
from openvoice.signalling.xmpp.visit import visit

pytestmark = [pytest.mark.live, pytest.mark.network]

PUBSUB = "http://jabber.org/protocol/pubsub"


@pytest.fixture
async def prosody() -> AsyncIterator[Prosody]:
    options: dict[str, LuaValue] = {
        "modules_enabled": [*MODULES, "server_contact_info"],
        "contact_info": {"abuse": ["mailto:abuse@voice.test"]},
    }
    async with Prosody(accounts={"alice": "secret", "bob": "secret"}, options=options) as server:
        yield server


def visiting(server: Prosody) -> AbstractAsyncContextManager[Connection]:
    return visit(server.address("alice"), "secret", server=(server.host, server.port), ca_file=server.ca_file)


@pytest.fixture
async def connection(prosody: Prosody) -> AsyncIterator[Connection]:
    async with visiting(prosody) as connection:
        yield connection


async def test_what_a_server_keeps_is_seen(prosody: Prosody, connection: Connection) -> None:
    publish = element(
        PUBSUB,
        "pubsub",
        element(PUBSUB, "publish", element(PUBSUB, "item", element("urn:test", "x"), id="1"), node="urn:test:mood"),
    )
    await connection.request(publish, kind="set")
    to_bob = stanza("message", element("jabber:client", "body", "hello"), to="bob@voice.test", kind="chat")
    connection.send_message(to_bob)
    await asyncio.sleep(0.3)
    seen = await observe(connection)
    assert seen.contacts == ("mailto:abuse@voice.test",)
    found = {kept.name: kept for kept in seen.kept}
    assert found["roster"].amount == 1
    assert "the oldest is from 20" in found["archive"].how_long
    assert found["archive"].reader is Reader.OPERATOR
    assert "urn:test:mood" in found["published"].where
    assert "offline" in found
    assert found["connections"].how_long == "unknown"


async def test_the_archive_can_be_told_to_keep_nothing(prosody: Prosody, connection: Connection) -> None:
    assert await set_archive(connection, "never") == "never"
    archive = next(kept for kept in (await observe(connection)).kept if kept.name == "archive")
    assert "set to keep nothing new" in archive.what
    connection.send_message(stanza("message", element("jabber:client", "body", "x"), to="bob@voice.test", kind="chat"))
    await asyncio.sleep(0.3)
    assert await connection.archive(0.0) == []


async def test_a_server_without_an_archive_is_told_so() -> None:
    options: dict[str, LuaValue] = {"modules_disabled": ["s2s", "mam"]}
    async with Prosody(accounts={"alice": "secret"}, options=options) as server, visiting(server) as connection:
        assert "archive" not in {kept.name for kept in (await observe(connection)).kept}
        with pytest.raises(ServerUnreachable, match="archive"):
            await set_archive(connection, "never")
