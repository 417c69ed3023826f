"""Nothing lost, nothing reordered, nothing twice where that can be known."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from openvoice.signalling.xmpp.outbox import Outbox


def names(outbox: Outbox, now: float = 0.0) -> list[str]:
    taken = []
    while (item := outbox.take(now)) is not None:
        taken.append(item.tag)
    return taken


def filled(*stanzas: str) -> Outbox:
    outbox = Outbox()
    outbox.managed()
    for name in stanzas:
        outbox.add(Element(name), durable=name.startswith("message"))
    return outbox


def test_after_a_resumption_what_was_in_flight_goes_before_what_waited() -> None:
    outbox = filled("message0", "iq1", "message2")
    assert names(outbox) == ["message0", "iq1", "message2"]
    outbox.add(Element("message3"), durable=True)
    outbox.resumed(1)
    assert names(outbox) == ["iq1", "message2", "message3"]
    outbox.acknowledge(4)
    assert len(outbox) == 0


def test_a_lost_session_loses_no_message() -> None:
    outbox = filled("message0", "iq1", "message2", "presence3")
    names(outbox)
    outbox.add(Element("iq4"), durable=False)
    outbox.lost(1)
    assert names(outbox) == ["message2", "iq4"]


def test_what_the_server_counts_last_is_believed_only_if_it_can_be() -> None:
    outbox = filled("message0")
    names(outbox)
    outbox.lost(7)
    assert names(outbox) == ["message0"]


def test_more_acknowledged_than_sent() -> None:
    outbox = filled("message0")
    names(outbox)
    with pytest.raises(ValueError, match="2 stanzas acknowledged, 1 in flight"):
        outbox.acknowledge(2)


def test_the_counter_starts_over() -> None:
    outbox = Outbox()
    outbox.managed()
    outbox._acknowledged = 2**32 - 1
    outbox.add(Element("message"), durable=True)
    outbox.add(Element("message"), durable=True)
    names(outbox)
    outbox.acknowledge(1)
    assert outbox.in_flight == 0


def test_stale_words_are_not_said() -> None:
    outbox = filled()
    outbox.add(Element("message-stale"), durable=True, expires=5.0)
    outbox.add(Element("message-fresh"), durable=True, expires=50.0)
    assert names(outbox, now=5.0) == ["message-fresh"]
    outbox.resumed(0)
    assert names(outbox, now=50.0) == []


def test_without_counting_nothing_is_kept() -> None:
    outbox = Outbox()
    outbox.add(Element("message"), durable=True)
    names(outbox)
    assert len(outbox) == 0


class Conversation(RuleBasedStateMachine):
    """An outbox and a server that counts, on a link that breaks wherever it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox()
        self.outbox.managed()
        self.said = 0
        self.link: list[str] = []
        self.received: list[str] = []
        self.handled = 0
        self.seen_by_peer: list[str] = []

    @rule()
    def say(self) -> None:
        self.outbox.add(Element(f"m{self.said}"), durable=True)
        self.said += 1

    @rule()
    def write(self) -> None:
        item = self.outbox.take(0.0)
        if item is not None:
            self.link.append(item.tag)

    @precondition(lambda self: self.link)
    @rule()
    def arrive(self) -> None:
        name = self.link.pop(0)
        self.handled += 1
        # The receiving side knows a message by its origin id.
        if name not in self.seen_by_peer:
            self.seen_by_peer.append(name)
        self.received.append(name)

    @rule()
    def acknowledge(self) -> None:
        self.outbox.acknowledge(self.handled)

    @rule()
    def break_and_resume(self) -> None:
        self.link.clear()
        self.outbox.resumed(self.handled)

    @rule(remembers=st.booleans())
    def break_and_begin_anew(self, remembers: bool) -> None:
        self.link.clear()
        self.outbox.lost(self.handled if remembers else None)
        self.outbox.managed()
        self.handled = 0

    @invariant()
    def nothing_overtakes(self) -> None:
        assert self.seen_by_peer == [f"m{number}" for number in range(len(self.seen_by_peer))]

    def teardown(self) -> None:
        self.break_and_resume()
        for _ in range(self.said * 2):
            self.write()
            if self.link:
                self.arrive()
        assert len(self.seen_by_peer) == self.said


class ReliableConversation(Conversation):
    """As long as the server remembers, nothing is sent twice."""

    @rule(remembers=st.just(True))
    def break_and_begin_anew(self, remembers: bool) -> None:
        super().break_and_begin_anew(remembers)

    @invariant()
    def nothing_twice(self) -> None:
        assert len(set(self.received)) == len(self.received)


TestConversation = Conversation.TestCase
TestReliableConversation = ReliableConversation.TestCase
