"""The verification words of one call: when they are exchanged, shown, compared and withdrawn."""

from __future__ import annotations

from collections.abc import Iterator

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core.security import MediaFacts
from openvoice.core.trust import Voucher
from openvoice.core.types import Role, WordsOutcome
from openvoice.core.words import Side, WordsExchange, WordsFailed, WordsMessage, exchange_nonce

EXCHANGE_WITHIN = 20.0
"""Seconds that the peer may take to answer; a stream to a server that broke is back by then."""
MAXIMUM_EARLY = 4
"""Messages kept that come before DTLS is up on this side; more than one is too many already."""


class Verification:
    """One exchange for each Jingle session of the call, as long as none of them failed.

    There are words only where an OMEMO key vouches for the DTLS fingerprints of the peer: anything else could not be
    verified for good. A failure is for the whole call, and so is a session that is left before its words were found to
    be the same: whoever could begin anew at will could try until they are by chance, or put other words in the place of
    those that people are just reading.

    Args:
        seed: 32 random octets that nobody else knows; the nonces are made of it.
    """

    def __init__(self, seed: bytes) -> None:
        self.outcome = WordsOutcome.NONE
        self.voucher: Voucher | None = None
        """Whose key the words are about: of the one device that vouches for every fingerprint of the peer."""
        self.deadline: float | None = None
        self._seed = seed
        self._session = ""
        self._invites = False
        self._exchanges = 0
        self._exchange: WordsExchange | None = None
        self._secured = False
        self._active = False
        self._early: list[WordsMessage] = []

    @property
    def words(self) -> tuple[str, ...] | None:
        """The words, from the moment at which people may compare them."""
        return self._exchange.words if self._exchange is not None and self.outcome in _SHOWN else None

    @property
    def settled(self) -> bool:
        """Whether nothing that the peer sends changes the outcome any more."""
        return self.outcome in _SETTLED

    def described(self, session: str, voucher: Voucher | None, *, invites: bool = False) -> None:
        """The peer's half of the Jingle session with this id. ``invites`` says that its device takes a commitment."""
        self._session = session
        self._invites = invites
        self.voucher = voucher

    def secured(self, role: Role, facts: MediaFacts, now: float) -> Iterator[e.Effect]:
        """DTLS is up on this side."""
        if self.outcome is WordsOutcome.FAILED or self._secured:
            return
        self._secured = True
        if self.voucher is not None and self.voucher == facts.remote_fingerprint.voucher:
            self._exchange = WordsExchange(
                role,
                session=self._session,
                own=Side(fingerprint=facts.local_fingerprint, key=self.voucher.own_key),
                peer=Side(fingerprint=facts.remote_fingerprint, key=self.voucher.peer.key),
                nonce=exchange_nonce(self._seed, self._exchanges),
            )
            self._exchanges += 1
            if role is Role.INITIATOR and self._invites:
                self.deadline = now + EXCHANGE_WITHIN
                yield e.SendInformation(self._exchange.begin())
        early, self._early = self._early, []
        for message in early:
            if self.settled:
                return
            yield from self.take(message, now)

    def active(self) -> Iterator[e.Effect]:
        """Media flow: what is said from now on is what the words protect."""
        self._active = True
        yield from self._show()

    def take(self, message: WordsMessage, now: float) -> Iterator[e.Effect]:
        """Take a message of the peer, while nothing is settled."""
        if not self._secured:
            if len(self._early) < MAXIMUM_EARLY:
                self._early.append(message)
            return
        if self._exchange is None:
            yield from self._fail("the other device wants to compare words, but no OMEMO key vouches for it here")
            return
        if self._exchange.knows(message):
            return
        try:
            reply = self._exchange.take(message)
        except WordsFailed as failed:
            yield from self._fail(str(failed))
            return
        self.deadline = now + EXCHANGE_WITHIN if self._exchange.waiting else None
        if reply is not None:
            yield e.SendInformation(reply)
        yield from self._show()

    def compared(self, *, same: bool) -> None:
        """The user compared the words that are shown."""
        self.outcome = WordsOutcome.SAME if same else WordsOutcome.DIFFERENT

    def handle_timeout(self, now: float) -> Iterator[e.Effect]:
        if self.deadline is not None and now >= self.deadline:
            yield from self._fail("the other device did not go on with the exchange of the words")

    def left(self) -> Iterator[e.Effect]:
        """The session is over and the call goes on in another one."""
        if self.outcome is WordsOutcome.SAME:
            self.outcome = WordsOutcome.NONE
        elif self._exchange is not None and self._exchange.begun and self.outcome is not WordsOutcome.FAILED:
            yield from self._fail("the call moved before the words were compared")
        self._exchange = self.voucher = None
        self._secured = self._active = False
        self._early.clear()

    def _show(self) -> Iterator[e.Effect]:
        if self._active and self.outcome is WordsOutcome.NONE and self._exchange is not None and self._exchange.words:
            self.outcome = WordsOutcome.SHOWN
            yield e.Notify(events.WordsShown(self._exchange.words))

    def _fail(self, text: str) -> Iterator[e.Effect]:
        self.outcome = WordsOutcome.FAILED
        self.deadline = None
        yield e.Notify(events.WordsNotShown(text))


_SHOWN = frozenset({WordsOutcome.SHOWN, WordsOutcome.SAME})
_SETTLED = frozenset({WordsOutcome.SAME, WordsOutcome.DIFFERENT, WordsOutcome.FAILED})
