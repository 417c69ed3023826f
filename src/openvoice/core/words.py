"""Four words that both sides of a call read to each other, against a middleman (docs/verification-words.md).

The initiator of the session commits itself to a nonce, the responder tells its own, the initiator opens the
commitment; then both know all that the words are made of. Whoever sits in between has fixed its own nonces before it
learns those of the two sides, however fast it computes: it can only guess, once for each call that somebody makes.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from openvoice.core.description import Fingerprint
from openvoice.core.trust import KEY_OCTETS
from openvoice.core.types import Role
from openvoice.core.word_list import words_of

PROTOCOL = "urn:openvoice:verification-words:0"
"""Name and version: the namespace of the messages, and the first thing under every hash."""
NONCE_OCTETS = 32
VALUE_OCTETS = 32
"""Octets of what each message carries: a SHA-256 or a nonce."""
WORD_OCTETS = 4


class Step(StrEnum):
    """The three messages, by the names of their elements."""

    COMMIT = "commit"
    NONCE = "nonce"
    REVEAL = "reveal"


@dataclass(frozen=True, slots=True)
class WordsMessage:
    """One message of an exchange; ``step`` is ``None`` for one that cannot be read."""

    step: Step | None
    value: bytes = b""

    def __post_init__(self) -> None:
        if self.step is not None and len(self.value) != VALUE_OCTETS:
            raise ValueError("a message of another length")


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """What the words say of one side: the DTLS certificate of the audio transport and the OMEMO identity key.

    ``key`` is in the form of :attr:`~openvoice.core.trust.DeviceKey.key`. Raises ``ValueError`` for anything else.
    """

    fingerprint: Fingerprint
    key: bytes

    def __post_init__(self) -> None:
        if len(self.key) != KEY_OCTETS:
            raise ValueError("not an identity key")


class WordsFailed(Exception):
    """The exchange went wrong, in words for a person. It is over for good, and there are no words."""


class WordsExchange:
    """One exchange, in one Jingle session, once.

    The initiator sends what :meth:`begin` returns; both give :meth:`take` what the peer sends, and send what it
    returns. ``nonce`` is random, of this exchange alone, and known to nobody else before it is sent. After
    :class:`WordsFailed` nothing makes words any more.

    Raises ``ValueError`` for a nonce of the wrong length.
    """

    def __init__(self, role: Role, *, session: str, own: Side, peer: Side, nonce: bytes) -> None:
        if len(nonce) != NONCE_OCTETS:
            raise ValueError(f"a nonce has {NONCE_OCTETS} octets")
        self.words: tuple[str, ...] | None = None
        """The words, once this side knows both nonces."""
        self._role = role
        self._session = session
        self._initiator, self._responder = (own, peer) if role is Role.INITIATOR else (peer, own)
        self._nonce = nonce
        self.begun = False
        """Whether this side has said anything."""
        self._commitment = b""
        self._expected: Step | None = Step.COMMIT if role is Role.RESPONDER else None
        self._taken: list[WordsMessage] = []
        self._reflected = own.fingerprint.matches(peer.fingerprint) or hmac.compare_digest(own.key, peer.key)

    @property
    def waiting(self) -> bool:
        """Whether the next message is the peer's, and one has gone out already."""
        return self._expected in (Step.NONCE, Step.REVEAL)

    def begin(self) -> WordsMessage:
        """The commitment of the initiator."""
        assert self._role is Role.INITIATOR
        self.begun = True
        self._expected = Step.NONCE
        return WordsMessage(Step.COMMIT, commitment(self._session, self._initiator, self._nonce))

    def knows(self, message: WordsMessage) -> bool:
        """Whether it was taken already, octet for octet: a server that repeats it tells nothing new."""
        return message in self._taken

    def take(self, message: WordsMessage) -> WordsMessage | None:
        """Take a message of the peer. What it returns is to be sent.

        Raises:
            WordsFailed: it is not the one that comes next, it cannot be read, or it does not open the commitment.
        """
        expected, self._expected = self._expected, None
        if message.step is None:
            raise self._failed("a message about the words could not be read")
        if message.step is not expected:
            raise self._failed("a message about the words came twice or out of order")
        if self._reflected:
            raise self._failed("the other device showed this device's own keys")
        self._taken.append(message)
        match message.step:
            case Step.COMMIT:
                self.begun = True
                self._commitment = message.value
                self._expected = Step.REVEAL
                return WordsMessage(Step.NONCE, self._nonce)
            case Step.NONCE:
                self._derive(self._nonce, message.value)
                return WordsMessage(Step.REVEAL, self._nonce)
            case _:
                opened = commitment(self._session, self._initiator, message.value)
                if not hmac.compare_digest(self._commitment, opened):
                    raise self._failed("what the other device showed is not what it had committed itself to")
                self._derive(message.value, self._nonce)
                return None

    def _derive(self, initiator_nonce: bytes, responder_nonce: bytes) -> None:
        if hmac.compare_digest(initiator_nonce, responder_nonce):
            raise self._failed("the other device sent back what this device had sent")
        octets = derivation(self._session, self._initiator, self._responder, initiator_nonce, responder_nonce)
        self.words = words_of(octets[:WORD_OCTETS])

    def _failed(self, text: str) -> WordsFailed:
        self.words = None
        return WordsFailed(text)


def commitment(session: str, initiator: Side, nonce: bytes) -> bytes:
    """What the initiator commits itself by: a SHA-256 over its side of the transcript and its nonce."""
    return _hash("commit", session.encode(), *_fingerprint(initiator), initiator.key, nonce)


def derivation(session: str, initiator: Side, responder: Side, initiator_nonce: bytes, responder_nonce: bytes) -> bytes:
    """The SHA-256 over the whole transcript; its first octets are the words."""
    return _hash(
        "words",
        session.encode(),
        *_fingerprint(initiator),
        *_fingerprint(responder),
        initiator.key,
        responder.key,
        initiator_nonce,
        responder_nonce,
    )


def exchange_nonce(seed: bytes, number: int) -> bytes:
    """The nonce of the exchange ``number`` (from 0) of a call, out of 32 random octets of the call.

    A nonce that was shown once commits nobody any more: a second session of the same call has another one.
    """
    return hmac.digest(seed, PROTOCOL.encode() + number.to_bytes(4, "big"), "sha256")


def _fingerprint(side: Side) -> tuple[bytes, bytes]:
    return side.fingerprint.algorithm.encode(), side.fingerprint.digest


def _hash(purpose: str, *fields: bytes) -> bytes:
    """A SHA-256 over fields that cannot run into each other: each stands behind its length, 4 octets, big-endian."""
    hashed = sha256()
    for field in (PROTOCOL.encode(), purpose.encode(), *fields):
        hashed.update(len(field).to_bytes(4, "big") + field)
    return hashed.digest()
