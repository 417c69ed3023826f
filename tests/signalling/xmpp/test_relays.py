"""What is remembered of the servers that the own server offers."""

from __future__ import annotations

from typing import cast
from xml.etree.ElementTree import Element, SubElement

from openvoice.jingle import namespaces as ns
from openvoice.signalling.xmpp.connection import Connection
from openvoice.signalling.xmpp.relays import Relays


class Asked:
    """A connection that gives these answers, one after another."""

    def __init__(self, *answers: Element | None) -> None:
        self.answers = list(answers)

    async def services(self) -> Element | None:
        return self.answers.pop(0)


def offered(*hosts: str) -> Element:
    services = Element(ns.qualified(ns.EXTERNAL_SERVICES, "services"))
    for host in hosts:
        SubElement(services, ns.qualified(ns.EXTERNAL_SERVICES, "service"), type="stun", host=host, port="3478")
    return services


async def test_the_word_of_the_server_is_kept_for_a_while() -> None:
    for word in (offered("stun.example"), offered()):
        relays = Relays(cast("Connection", Asked(word)))
        assert await relays.find() == await relays.find()


async def test_no_answer_is_no_word() -> None:
    """The stream was down: calls would go without relays for a minute after it is back."""
    relays = Relays(cast("Connection", Asked(None, offered("stun.example"))))
    assert await relays.find() == ()
    (found,) = await relays.find()
    assert found.host == "stun.example"
