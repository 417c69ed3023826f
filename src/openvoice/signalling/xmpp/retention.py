"""What the own server keeps of an account, or offers to keep, as far as it lets anybody see."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from openvoice.core.address import Address
from openvoice.core.privacy import Keeper, Kept, Reader
from openvoice.errors import ServerUnreachable
from openvoice.jingle.parse import words
from openvoice.signalling.xmpp import capabilities
from openvoice.signalling.xmpp.connection import Connection
from openvoice.signalling.xmpp.elements import element
from openvoice.signalling.xmpp.messages import address_of
from openvoice.signalling.xmpp.namespaces import (
    ARCHIVE,
    BLOCKING,
    DATA_FORM,
    DISCO_INFO,
    DISCO_ITEMS,
    OFFLINE_MESSAGES,
    UPLOAD,
)
from openvoice.signalling.xmpp.omemo.wire import NAMESPACE as OMEMO

MAXIMUM_SERVICES = 32
MAXIMUM_NODES = 64
"""How many services of the server, and nodes of the account, are looked at."""
_DEFAULTS = ("always", "never", "roster")

_kept = partial(Kept, keeper=Keeper.SERVER, reader=Reader.OPERATOR)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerRetention:
    """What the server was seen to keep, and whom to ask about the rest (XEP-0157)."""

    kept: tuple[Kept, ...]
    contacts: tuple[str, ...] = ()


async def observe(connection: Connection) -> ServerRetention:
    """Ask the own server. What it does not answer is left out; it may keep more than it tells."""
    account = connection.address.bare
    server = Address("", account.domain)
    found = await asyncio.gather(
        _archive(connection), _offline(connection), _uploads(connection, server), _nodes(connection, account),
        _roster(connection), _blocked(connection),
    )  # fmt: skip
    return ServerRetention(
        kept=tuple(kept for part in (*found, [_connections(server)]) for kept in part),
        contacts=await _contacts(connection, server),
    )


async def set_archive(connection: Connection, default: str) -> str:
    """Ask the server to keep ``always``, ``never`` or for the ``roster`` from now on (XEP-0441); gives what it does.

    Raises:
        ServerUnreachable: it keeps no archive, or does not let the account choose.
    """
    always, never = element(ARCHIVE, "always"), element(ARCHIVE, "never")
    await connection.ask(element(ARCHIVE, "prefs", always, never, default=default), kind="set")
    now = await _archive_default(connection)
    if now is None:
        raise ServerUnreachable("the server does not let you choose what its archive keeps: ask its operator")
    return now


async def _archive(connection: Connection) -> Sequence[Kept]:
    if ARCHIVE not in connection.features:
        return []
    default = await _archive_default(connection)
    oldest = next(iter(await connection.archive(0.0, limit=1)), None)
    settings = {
        "always": "set to keep everything",
        "roster": "set to keep what you exchange with contacts",
        "never": "set to keep nothing new",
        None: "it keeps what its operator chose",
    }
    since = ""
    if oldest is not None and oldest.stamp is not None:
        since = f"; the oldest is from {datetime.fromtimestamp(oldest.stamp, UTC):%Y-%m-%d}"
    return [
        _kept(
            name="archive",
            what=f"messages, and who called whom and when (XEP-0313); {settings[default]}",
            where=str(connection.address.bare),
            how_long=f"as long as the operator chose{since}",
            remove="openvoice privacy archive never (from now on); what is there only its operator can remove",
        )
    ]


async def _archive_default(connection: Connection) -> str | None:
    answer = await connection.ask(element(ARCHIVE, "prefs"))
    default = None if answer is None else answer.get("default")
    return default if default in _DEFAULTS else None


async def _offline(connection: Connection) -> Sequence[Kept]:
    if OFFLINE_MESSAGES not in connection.features:
        return []
    return [
        _kept(
            name="offline",
            what="messages and calls that come while no device of yours is online (XEP-0160)",
            where=str(connection.address.bare),
            how_long="until a device of yours comes online",
            remove="come online: they are handed over and removed",
        )
    ]


async def _uploads(connection: Connection, server: Address) -> Sequence[Kept]:
    answer = await connection.ask(element(DISCO_ITEMS, "query"), server)
    items = [] if answer is None else answer.findall(f"{{{DISCO_ITEMS}}}item")[:MAXIMUM_SERVICES]
    addresses = [address for item in items if (address := address_of(item.get("jid", ""))) is not None]
    answers = await asyncio.gather(*(connection.ask(element(DISCO_INFO, "query"), to) for to in addresses))
    return [
        _kept(
            name="uploads",
            what="files that you send by other clients (XEP-0363); openvoice uploads none",
            where=str(address),
            how_long="as long as the operator chose",
            reader=Reader.EVERYBODY,
            remove="ask its operator",
        )
        for address, information in zip(addresses, answers, strict=True)
        if information is not None and UPLOAD in capabilities.features_of(information)
    ]


async def _nodes(connection: Connection, account: Address) -> Sequence[Kept]:
    answer = await connection.ask(element(DISCO_ITEMS, "query"), account)
    items = [] if answer is None else answer.findall(f"{{{DISCO_ITEMS}}}item")[:MAXIMUM_NODES]
    nodes = [words(item.get("node", "")) for item in items]
    keys = [node for node in nodes if node.startswith(OMEMO)]
    others = [node for node in nodes if node and node not in keys]
    kept: list[Kept] = []
    if keys:
        kept.append(
            _kept(
                name="keys",
                what="the public OMEMO keys of your devices, and so how many you have (XEP-0384)",
                where=OMEMO,
                amount=len(keys),
                unit="nodes",
                how_long="until they are removed",
                reader=Reader.EVERYBODY,
                remove="openvoice privacy erase keys (those of this device)",
            )
        )
    if others:
        kept.append(
            _kept(
                name="published",
                what="what your clients published, such as pictures and bookmarks (XEP-0163)",
                where=", ".join(others),
                amount=len(others),
                unit="nodes",
                how_long="until they are removed",
                remove="with the client that published it",
            )
        )
    return kept


async def _roster(connection: Connection) -> Sequence[Kept]:
    return [
        _kept(
            name="roster",
            what="your contact list (RFC 6121)",
            where=str(connection.address.bare),
            amount=len(connection.roster),
            unit="contacts",
            how_long="until you remove them",
            remove="remove contacts with any XMPP client",
        )
    ]


async def _blocked(connection: Connection) -> Sequence[Kept]:
    if BLOCKING not in connection.features:
        return []
    answer = await connection.ask(element(BLOCKING, "blocklist"))
    if answer is None or not len(answer):
        return []
    return [
        _kept(
            name="blocked",
            what="whom you blocked (XEP-0191)",
            where=str(connection.address.bare),
            amount=len(answer),
            unit="addresses",
            how_long="until you remove them",
            remove="unblock them with any XMPP client",
        )
    ]


def _connections(server: Address) -> Kept:
    return _kept(
        name="connections",
        what="when and from which network address you were online, and whom you called when: every server can log it, "
        "and none tells",
        where=str(server),
        how_long="unknown",
        remove="ask its operator",
    )


async def _contacts(connection: Connection, server: Address) -> tuple[str, ...]:
    """Addresses of those who run the server (XEP-0157)."""
    answer = await connection.ask(element(DISCO_INFO, "query"), server)
    forms = [] if answer is None else answer.findall(f"{{{DATA_FORM}}}x")
    fields = [field for form in forms for field in form.iterfind(f"{{{DATA_FORM}}}field")]
    named = [field for field in fields if field.get("var", "").endswith("-addresses")]
    found = [words(value.text or "") for field in named for value in field.iterfind(f"{{{DATA_FORM}}}value")]
    return tuple(dict.fromkeys(text for text in found if text))[:MAXIMUM_SERVICES]
