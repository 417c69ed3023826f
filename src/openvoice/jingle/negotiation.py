"""The two descriptions of one session: the offer and its answer, in plain or under seals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from openvoice.core.address import Address
from openvoice.core.agreement import Agreement
from openvoice.core.description import Senders, SessionDescription
from openvoice.core.inputs import AnswerReceived, OfferReceived
from openvoice.core.trust import Voucher
from openvoice.core.types import CallId, Role, Vouching
from openvoice.errors import MalformedStanza
from openvoice.jingle.describe import changed_fingerprint, read_answer, read_offer, write_contents
from openvoice.jingle.model import Jingle, JingleAction
from openvoice.jingle.outputs import Seal, Unseal
from openvoice.jingle.peers import PeerProfile
from openvoice.jingle.sealing import Sealed, Sealing, Unsealed


class Negotiation:
    """Offer and answer of the session ``sid`` with ``peer``, this side in the role of ``role``.

    What must not go on raises :class:`MalformedStanza`; its condition is the XEP-0166 reason to terminate with.

    Args:
        proposed: the media of the XEP-0353 proposal before it, which the offer must have; ``None`` if there was none.
        able: whether this side has OMEMO.
    """

    def __init__(
        self,
        *,
        call: CallId,
        sid: str,
        peer: Address,
        role: Role,
        proposed: frozenset[str] | None,
        profile: PeerProfile,
        able: Callable[[], bool],
    ) -> None:
        self.agreed = Agreement()
        self.sealing = Sealing(call=call, peer=peer, able=able)
        self._sid = sid
        self._role = role
        self._proposed = proposed
        self._profile = profile

    @property
    def local(self) -> SessionDescription | None:
        return self.agreed.local

    @property
    def remote(self) -> SessionDescription | None:
        return self.agreed.remote

    @property
    def sealed_for(self) -> int | None:
        """The OMEMO device of the peer in a session under seals."""
        return self.sealing.partner.peer.device if self.sealing.partner is not None else None

    @property
    def leaving(self) -> bool:
        """Whether a description of this side is being sealed."""
        return self.sealing.leaving

    @property
    def arrived(self) -> bool:
        """Whether a description of the peer is here that is not opened yet."""
        return self.sealing.arrived

    # --- this side's description --------------------------------------------------------------------------------------

    def offer(self, offer: SessionDescription, own: Address, device: int | None, least: Vouching) -> Seal | None:
        """Begin to seal the offer for an OMEMO device of the peer; ``None`` if there is nothing to wait for.

        Less than ``least`` must not vouch for the peer's key.
        """
        self.agreed.local = offer
        return self.sealing.seal_offer(self._write(JingleAction.SESSION_INITIATE, offer, str(own)), device, least)

    def answer(self, answer: SessionDescription) -> Seal | None:
        """Begin to seal the answer, if the offer was sealed; ``None`` if there is nothing to wait for."""
        self.agreed.local = answer
        if self.remote is not None:
            self.agreed.remote = self.agreed.conclude(self.remote, answer)
        return self.sealing.seal_answer(self._write(JingleAction.SESSION_ACCEPT, answer))

    def finish_sealing(self, result: Sealed | None) -> Jingle:
        """The request that may leave now."""
        return self.sealing.sealed(result)

    def _write(self, action: JingleAction, description: SessionDescription, initiator: str = "") -> Jingle:
        contents = write_contents(description)
        return Jingle(action=action, sid=self._sid, contents=contents, bundle=description.bundle, initiator=initiator)

    # --- the peer's description ---------------------------------------------------------------------------------------

    def take(self, jingle: Jingle) -> OfferReceived | AnswerReceived | None:
        """What the call is told of a description; ``None`` if it is sealed, and kept until :meth:`unseal`."""
        return None if self.sealing.take(jingle) else self._read(jingle)

    def unseal(self) -> list[Unseal]:
        """Begin to open what was kept."""
        return self.sealing.unseal()

    def finish_unsealing(self, result: Unsealed | None) -> OfferReceived | AnswerReceived:
        """What the call is told of the description that was kept."""
        return self._read(*self.sealing.unsealed(result))

    def changed_fingerprint(self, jingle: Jingle) -> str | None:
        """Why a request must end the session: it brings another fingerprint than the one agreed on."""
        if self.remote is None or jingle.action is JingleAction.SESSION_INITIATE:
            return None
        return changed_fingerprint(jingle, self.remote)

    def _read(self, jingle: Jingle, voucher: Voucher | None = None) -> OfferReceived | AnswerReceived:
        remedies = self._profile.remedies(self._role)
        if self._role is Role.RESPONDER:
            offer = read_offer(jingle, voucher)
            if self._proposed is not None and offer.media != self._proposed:
                raise MalformedStanza("the offer holds other media than the proposal", "security-error")
            self.agreed.remote = offer
            return OfferReceived(
                offer,
                announce=self._proposed is None,
                gather_fully=self._profile.gather_fully,
                session=self._sid,
                remedies=remedies,
                manners=self._profile.manners,
            )
        answer = read_answer(self._tolerated(jingle), voucher)
        if self.local is None or not _media(answer) <= _media(self.local) or answer.content(self.local.voice) is None:
            raise MalformedStanza("the answer holds other contents than the offer", "security-error")
        self.agreed.remote = answer
        self.agreed.local = self.agreed.conclude(self.local, answer)
        return AnswerReceived(answer, self._sid, self._profile.takes_words, remedies, self._profile.manners)

    def _tolerated(self, answer: Jingle) -> Jingle:
        """Movim as the responder names the wrong side."""
        if self._profile.reliable_senders:
            return answer
        return replace(answer, contents=tuple(replace(content, senders=Senders.BOTH) for content in answer.contents))


def _media(description: SessionDescription) -> set[tuple[str, str]]:
    return {(content.name, content.media) for content in description.contents}
