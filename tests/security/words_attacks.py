"""What a server that is in the middle of a call can do to its verification words (docs/verification-words.md)."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

from openvoice.core.types import Role
from openvoice.core.words import VALUE_OCTETS, Side, Step, WordsMessage, commitment
from openvoice.jingle import namespaces as ns
from openvoice.jingle.words import parse_words, serialize_words

from .attacks import JINGLE, Attack, Stage
from .omemo_attacks import adds_a_device

NONCE = bytes(range(VALUE_OCTETS))
"""Of the attacker, who has no reason to draw lots."""

Change = Callable[[Stage, str, WordsMessage], WordsMessage | None]
"""What comes in place of a message of a session, if anything does."""


def in_the_middle(change: Change) -> Attack:
    """Be the peer by a device of the attacker's own, and say something else about the words."""

    async def attack(stage: Stage, stanza: Element) -> list[Element]:
        jingle = stanza.find(JINGLE)
        if jingle is not None and jingle.get("action") == "session-info":
            for element in [child for child in jingle if ns.split(child.tag)[0] == ns.VERIFICATION_WORDS]:
                jingle.remove(element)
                changed = change(stage, jingle.get("sid", ""), parse_words(element))
                if changed is not None:
                    jingle.append(serialize_words(changed))
        return await adds_a_device(stage, stanza)

    return attack


@in_the_middle
def makes_words_of_its_own(stage: Stage, session: str, message: WordsMessage) -> WordsMessage:
    """Keep to the protocol with both, as the one for the other."""
    if message.step is not Step.COMMIT:
        return WordsMessage(message.step, NONCE if message.step is Step.REVEAL else NONCE[::-1])
    assert stage.middleman is not None
    party = Side(fingerprint=stage.middleman.fingerprint(Role.RESPONDER), key=stage.impostors[stage.caller].key)
    return WordsMessage(Step.COMMIT, commitment(session, party, NONCE))


@in_the_middle
def passes_words_on(stage: Stage, session: str, message: WordsMessage) -> WordsMessage:
    return message


@in_the_middle
def takes_words_away(stage: Stage, session: str, message: WordsMessage) -> None:
    return None


@in_the_middle
def changes_what_was_committed(stage: Stage, session: str, message: WordsMessage) -> WordsMessage:
    return WordsMessage(message.step, NONCE) if message.step is Step.COMMIT else message
