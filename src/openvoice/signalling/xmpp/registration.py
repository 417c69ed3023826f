"""Making an account on a server that lets anybody do so, and removing it (XEP-0077), over TLS only."""

from __future__ import annotations

import secrets
from pathlib import Path
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.errors import LoginRefused, ServerUnreachable
from openvoice.signalling.xmpp.connection import Connection
from openvoice.signalling.xmpp.dial import dial
from openvoice.signalling.xmpp.elements import element, stanza
from openvoice.signalling.xmpp.endpoints import Lookup, find_endpoints
from openvoice.signalling.xmpp.failures import StanzaRefused, StanzaTimeout, refusal
from openvoice.signalling.xmpp.guard import GuardedClient
from openvoice.signalling.xmpp.namespaces import CLIENT, REGISTER
from openvoice.signalling.xmpp.trust import client_context


async def register(
    account: Address,
    password: str,
    *,
    server: tuple[str, int] | None = None,
    ca_file: Path | None = None,
    lookup: Lookup | None = None,
) -> None:
    """Make ``account`` with ``password``.

    Raises:
        LoginRefused: the name is taken, or the server makes no accounts for strangers.
        ConnectionFailed: any other kind: the server cannot be reached securely.
    """

    client = GuardedClient(account, client_context(ca_file))
    try:
        await dial(client, await find_endpoints(account.domain, server, lookup))
        form = await _exchange(client, "get", element(REGISTER, "query"), account)
        wanted = {child.tag for child in form.iterfind(f"{{{REGISTER}}}query/*")}
        if not wanted <= _ANSWERED:
            raise LoginRefused(f"{account.domain} wants to know more than a name and a password: register on its site")
        name, secret = element(REGISTER, "username", account.local), element(REGISTER, "password", password)
        await _exchange(client, "set", element(REGISTER, "query", name, secret), account)
    finally:
        await client.close(1.0)


async def unregister(connection: Connection) -> None:
    """Remove the account from its server, with all that the server keeps for it. The server ends the connection.

    Raises:
        LoginRefused: the server does not let its users do that.
        ServerUnreachable: it did not answer.
    """
    try:
        await connection.request(element(REGISTER, "query", element(REGISTER, "remove")), kind="set")
    except StanzaRefused as refused:
        raise LoginRefused(
            f"{connection.address.domain} does not let its users remove their accounts ({refused.condition}): "
            "ask its operator"
        ) from refused
    except StanzaTimeout as timeout:
        raise ServerUnreachable(f"{connection.address.domain} did not answer") from timeout


_ANSWERED = {f"{{{REGISTER}}}{name}" for name in ("username", "password", "instructions")} | {"{jabber:x:data}x"}


async def _exchange(client: GuardedClient, kind: str, query: Element, account: Address) -> Element:
    identifier = secrets.token_hex(8)
    answer = await client.ask(stanza("iq", query, kind=kind, id=identifier, to=account.domain))
    if answer.tag != f"{{{CLIENT}}}iq" or answer.get("id") != identifier or answer.get("type") != "result":
        condition = refusal(answer).condition
        if condition == "conflict":
            raise LoginRefused(f"the name {account.local} is taken on {account.domain}")
        raise LoginRefused(f"{account.domain} does not make accounts for everybody ({condition})")
    return answer
