"""The personal eventing service, as servers answer that do not have what is asked, or do not give it."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest

from openvoice.core.address import Address
from openvoice.signalling.xmpp import pubsub
from openvoice.signalling.xmpp.elements import element
from openvoice.signalling.xmpp.failures import StanzaFailure, StanzaRefused, StanzaTimeout
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed
from openvoice.signalling.xmpp.omemo.pep import PepNetwork
from tests.signalling.xmpp.omemo.world import ALICE, BOB


class Scripted:
    """A connection that answers as it was told, one request after the other."""

    address = ALICE

    def __init__(self, *answers: StanzaFailure | Element) -> None:
        self.answers = list(answers)
        self.asked: list[Element] = []
        self.sent: list[Element] = []

    async def request(
        self, payload: Element, to: Address | None = None, kind: str = "get", timeout: float = 0
    ) -> Element:
        self.asked.append(payload)
        answer = self.answers.pop(0)
        if isinstance(answer, StanzaRefused | StanzaTimeout):
            raise answer
        return answer

    def send_message(self, message: Element) -> str:
        self.sent.append(message)
        return "id"


def network(*answers: StanzaFailure | Element) -> tuple[PepNetwork, Scripted]:
    connection = Scripted(*answers)
    return PepNetwork(connection), connection  # type: ignore[arg-type]


async def refused(work: object) -> Cause:
    with pytest.raises(OmemoFailed) as raised:
        await work  # type: ignore[misc]
    return raised.value.cause


@pytest.mark.parametrize("condition", ["item-not-found", "forbidden", "not-authorized", "service-unavailable"])
async def test_others_may_have_no_such_node_or_hide_it(condition: str) -> None:
    pep, _ = network(StanzaRefused(condition))
    assert await pep.fetch(BOB, "node") is None


@pytest.mark.parametrize("failure", [StanzaRefused("internal-server-error"), StanzaTimeout("late")])
async def test_a_server_that_fails_is_not_taken_for_an_empty_node(failure: StanzaFailure) -> None:
    for owner in (ALICE, BOB):
        pep, _ = network(failure)
        assert await refused(pep.fetch(owner, "node")) is Cause.UNAVAILABLE


async def test_the_own_list_is_taken_for_empty_only_if_it_is_not_there() -> None:
    assert await network(StanzaRefused("item-not-found"))[0].fetch(ALICE, "node") is None
    for condition in ("forbidden", "not-authorized", "service-unavailable"):
        assert await refused(network(StanzaRefused(condition))[0].fetch(ALICE, "node")) is Cause.UNAVAILABLE


async def test_a_node_of_another_kind_is_configured_and_then_written() -> None:
    done = element("jabber:client", "iq")
    pep, connection = network(StanzaRefused("conflict", pubsub.PRECONDITION), done, done)
    await pep.publish("node", Element("payload"))
    publish, configure, again = connection.asked
    assert configure.tag == "{http://jabber.org/protocol/pubsub#owner}pubsub"
    assert publish.find(".//payload") is not None
    assert again.find(".//payload") is not None


@pytest.mark.parametrize(
    "answers",
    [
        [StanzaRefused("service-unavailable")],
        [StanzaTimeout("late")],
        [StanzaRefused("conflict", pubsub.PRECONDITION), StanzaRefused("forbidden")],
    ],
)
async def test_what_cannot_be_published(answers: list[StanzaFailure]) -> None:
    assert await refused(network(*answers)[0].publish("node", Element("payload"))) is Cause.UNAVAILABLE


def test_a_message_without_a_text_is_kept_for_who_is_offline() -> None:
    pep, connection = network()
    pep.send(Address.parse(f"{BOB}/phone"), Element("encrypted"))
    (message,) = connection.sent
    assert (message.get("to"), message.get("type")) == (str(BOB), "chat")
    assert [child.tag for child in message] == ["encrypted", "{urn:xmpp:hints}store"]
