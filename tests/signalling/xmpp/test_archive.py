"""Reading the archive page by page."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from openvoice.signalling.xmpp.archive import PAGE, Archive
from openvoice.signalling.xmpp.messages import ArchiveResult, ReceivedMessage
from tests.signalling.xmpp.scripted import BOB, stanza_of

PREFIX = "{urn:xmpp:mam:2}"
SET = "{http://jabber.org/protocol/rsm}set"


def received(number: int) -> ReceivedMessage:
    return ReceivedMessage(stanza_of(f"<message id='{number}'/>"), BOB, None, float(number))


class Server:
    """Keeps ``total`` messages, and says what it is told to of the end."""

    def __init__(self, total: int, fin: Callable[[bool, int], str]) -> None:
        self.archive = Archive(self.ask)
        self.total = total
        self.fin = fin
        self.queries: list[Element] = []

    async def ask(self, query: Element) -> Element:
        self.queries.append(query)
        after = query.findtext(f"{SET}/{SET.replace('set', 'after')}")
        begin = 0 if after is None else int(after) + 1
        end = min(self.total, begin + PAGE)
        for number in range(begin, end):
            self.archive.receive(ArchiveResult(query.get("queryid", ""), received(number)))
        return stanza_of(f"<iq>{self.fin(end == self.total, end - 1)}</iq>")


def honest(complete: bool, last: int) -> str:
    return (
        f"<fin xmlns='urn:xmpp:mam:2' complete='{str(complete).lower()}'>"
        f"<set xmlns='http://jabber.org/protocol/rsm'><last>{last}</last></set></fin>"
    )


async def test_pages() -> None:
    server = Server(120, honest)
    found = await server.archive.since(0.0, 500)
    assert [item.stamp for item in found] == [float(number) for number in range(120)]
    assert len(server.queries) == 3
    values = [item.text for item in server.queries[0].iter("{jabber:x:data}value")]
    assert values == ["urn:xmpp:mam:2", "1970-01-01T00:00:00.000Z"]


async def test_the_limit() -> None:
    server = Server(120, honest)
    assert len(await server.archive.since(0.0, 60)) == 60
    assert len(server.queries) == 2


async def test_servers_that_never_end_are_left() -> None:
    for fin in (
        lambda complete, last: "<fin xmlns='urn:xmpp:mam:2'/>",
        lambda complete, last: "",
        lambda complete, last: honest(False, 7).replace("complete='false'", ""),
    ):
        server = Server(10, fin)
        await server.archive.since(0.0, 500)
        assert len(server.queries) <= 2


async def test_results_of_no_query_are_not_kept() -> None:
    server = Server(1, honest)
    server.archive.receive(ArchiveResult("", received(7)))
    server.archive.receive(ArchiveResult("guessed", received(8)))
    assert [item.stamp for item in await server.archive.since(0.0, 10)] == [0.0]


async def test_a_page_that_is_too_long_is_cut() -> None:
    async def ask(query: Element) -> Element:
        for number in range(PAGE * 3):
            archive.receive(ArchiveResult(query.get("queryid", ""), received(number)))
        return stanza_of(f"<iq>{honest(True, 1)}</iq>")

    archive = Archive(ask)
    assert len(await archive.since(0.0, 1000)) == PAGE
