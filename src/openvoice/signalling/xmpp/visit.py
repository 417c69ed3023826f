"""A login that only asks its own server something, and is not there for anybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.signalling.xmpp.authentication import Password
from openvoice.signalling.xmpp.connection import Connection
from openvoice.signalling.xmpp.endpoints import Lookup
from openvoice.signalling.xmpp.listener import RequestKind
from openvoice.signalling.xmpp.messages import Carbon


@asynccontextmanager
async def visit(
    account: Address,
    password: Password,
    *,
    server: tuple[str, int] | None = None,
    ca_file: Path | None = None,
    lookup: Lookup | None = None,
) -> AsyncIterator[Connection]:
    """An open connection.

    Raises:
        ConnectionFailed: the login did not work.
    """
    connection = Connection(
        account=account,
        password=password,
        listener=_Deaf(),
        server=server,
        ca_file=ca_file,
        lookup=lookup,
        present=False,
    )
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


class _Deaf:
    """Hears nothing."""

    def message_received(
        self, message: Element, sender: Address, *, carbon: Carbon | None, stamp: float | None
    ) -> None: ...

    def request_received(self, id: str, kind: RequestKind, payload: Element, sender: Address) -> None: ...  # noqa: A002

    def node_changed(self, owner: Address, node: str, payload: Element) -> None: ...

    def connection_changed(self, online: bool, reason: str) -> None: ...
