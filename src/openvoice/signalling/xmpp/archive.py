"""Reading the account's message archive (XEP-0313)."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from xml.etree.ElementTree import Element

from openvoice.signalling.xmpp.elements import element
from openvoice.signalling.xmpp.messages import ArchiveResult, ReceivedMessage, format_time
from openvoice.signalling.xmpp.namespaces import ARCHIVE, DATA_FORM, RESULT_SET

PAGE = 50
"""Messages asked for at once: as many as Prosody gives."""

Ask = Callable[[Element], Awaitable[Element]]
"""Sends a query to the own account and gives the answering IQ."""


class Archive:
    """Collects the results of the queries that are open. Results of queries that nobody made are not kept."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._open: dict[str, list[ReceivedMessage]] = {}

    def receive(self, result: ArchiveResult) -> None:
        page = self._open.get(result.query)
        if page is not None and len(page) < PAGE:
            page.append(result.received)

    async def since(self, moment: float, limit: int) -> list[ReceivedMessage]:
        """The messages kept from the Unix time ``moment`` on, oldest first, at most ``limit``.

        Raises:
            StanzaRefused: the server keeps no archive. ``StanzaTimeout``: it does not answer.
        """
        found: list[ReceivedMessage] = []
        after: str | None = None
        while len(found) < limit:
            query = secrets.token_hex(8)
            page = self._open[query] = []
            try:
                answer = await self._ask(_query(query, moment, after))
            finally:
                del self._open[query]
            found += page
            fin = answer.find(f"{{{ARCHIVE}}}fin")
            last = None if fin is None else fin.findtext(f"{{{RESULT_SET}}}set/{{{RESULT_SET}}}last")
            if fin is None or fin.get("complete") in ("true", "1") or not last or last == after:
                break
            after = last
        return found[:limit]


def _query(query: str, since: float, after: str | None) -> Element:
    form = element(
        DATA_FORM, "x", _field("FORM_TYPE", ARCHIVE, "hidden"), _field("start", format_time(since)), type="submit"
    )
    page = [element(RESULT_SET, "max", str(PAGE))]
    if after is not None:
        page.append(element(RESULT_SET, "after", after))
    return element(ARCHIVE, "query", form, element(RESULT_SET, "set", *page), queryid=query)


def _field(name: str, value: str, kind: str | None = None) -> Element:
    return element(DATA_FORM, "field", element(DATA_FORM, "value", value), var=name, type=kind)
