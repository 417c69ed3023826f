"""DTLS fingerprints under the seal of OMEMO: what the ratchets made of them, and what they gave back.

The draft "OMEMO DTLS-SRTP verification": in a transport, an ``encrypted`` element of OMEMO stands in place of the text
of an XEP-0320 fingerprint. Every content has a seal of its own; all are of one device, and for one device. The hash
function and the DTLS role stay outside, unprotected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.core.policy import weakness
from openvoice.core.trust import Trust, Voucher
from openvoice.core.types import CallId, Vouching
from openvoice.errors import MalformedStanza
from openvoice.jingle.model import DtlsFingerprint, IceTransport, Jingle, JingleContent, SealedFingerprint
from openvoice.jingle.outputs import Seal, Unseal
from openvoice.jingle.parse import fingerprint_text


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """The ``encrypted`` element for each content, by name. ``voucher.peer`` is the one device that can open them."""

    voucher: Voucher
    elements: Mapping[str, Element]


@dataclass(frozen=True, kw_only=True, slots=True)
class Unsealed:
    """The text under the seal of each content, by name. ``voucher.peer`` is the one device that sealed them all."""

    voucher: Voucher
    texts: Mapping[str, str]


class Sealing:
    """The seals of one session: of this side's description, and of the peer's.

    Either both descriptions are sealed, all contents of each, between the same two devices, or none is. All refusals
    are :class:`MalformedStanza` with the reason ``security-error``.

    Args:
        able: whether this side has OMEMO.
    """

    def __init__(self, *, call: CallId, peer: Address, able: Callable[[], bool]) -> None:
        self.partner: Voucher | None = None
        """Between which two devices the session is sealed; ``None`` if it is not, or not yet."""
        self._call = call
        self._peer = peer
        self._able = able
        self._least = Vouching.SIGNALLED
        self._leaving: Jingle | None = None
        self._offered = False
        self._arrived: Jingle | None = None
        self._opening = False

    @property
    def arrived(self) -> bool:
        """Whether a description of the peer is here that is not opened yet."""
        return self._arrived is not None

    @property
    def leaving(self) -> bool:
        """Whether a description of this side is being sealed."""
        return self._leaving is not None

    # --- this side's description --------------------------------------------------------------------------------------

    def seal_offer(self, offer: Jingle, device: int | None, least: Vouching) -> Seal | None:
        """Begin to seal an offer for ``device``. ``None`` if there is nothing to seal it with, or for."""
        self._least, self._offered = least, True
        return self._seal(offer, device)

    def seal_answer(self, answer: Jingle) -> Seal | None:
        """Begin to seal an answer, as the offer was."""
        return self._seal(answer, self.partner.peer.device if self.partner is not None else None)

    def sealed(self, result: Sealed | None) -> Jingle:
        """The description as it may leave: under its seals, or plain, if it could not be sealed and need not be.

        Raises:
            MalformedStanza: it must not leave.
        """
        assert self._leaving is not None
        description, self._leaving = self._leaving, None
        if self.partner is None:
            self._check_offer(result)
        elif result is None or _devices(result.voucher) != _devices(self.partner):
            raise _refused("the answer could not be sealed for the device that sealed the offer")
        if result is None:
            return description
        self.partner = result.voucher
        return replace(
            description, contents=tuple(_under(content, result.elements) for content in description.contents)
        )

    # --- contents that come later -------------------------------------------------------------------------------------

    def seal_content(self, content: JingleContent) -> Seal:
        """Begin to seal the key of a content for the device that the session is with."""
        assert self.partner is not None
        return Seal(self._call, self._peer, self.partner.peer.device, _texts([content]))

    def content_sealed(self, content: JingleContent, result: Sealed | None) -> JingleContent:
        """The content under its seal.

        Raises:
            MalformedStanza: it could not be sealed for that device.
        """
        if self.partner is None or result is None or _devices(result.voucher) != _devices(self.partner):
            raise _refused("the content could not be sealed for the device that the call is with")
        return _under(content, result.elements)

    def unseal_content(self, content: JingleContent) -> Unseal:
        """Begin to open the seal of a content.

        Raises:
            MalformedStanza: it has more than one seal, or a plain key beside it.
        """
        return Unseal(self._call, self._peer, _seals([content]))

    def content_unsealed(self, content: JingleContent, result: Unsealed | None) -> tuple[JingleContent, Voucher]:
        """The content with its key in plain, and who vouches for it.

        Raises:
            MalformedStanza: it could not be opened, or is of another device than the call.
        """
        if result is None:
            raise _refused("what the peer's device sealed by OMEMO could not be opened")
        if self.partner is None or _devices(result.voucher) != _devices(self.partner):
            raise _refused("a content is of another device than the one that the call is with")
        _check_trust(result.voucher)
        return _opened(content, result.texts), result.voucher

    # --- parts --------------------------------------------------------------------------------------------------------

    def _seal(self, description: Jingle, device: int | None) -> Seal | None:
        self._leaving = description
        if device is None or not self._able():
            return None
        return Seal(self._call, self._peer, device, _texts(description.contents))

    def _check_offer(self, result: Sealed | None) -> None:
        if result is not None:
            _check_trust(result.voucher)
        refusal = weakness(Vouching.SIGNALLED if result is None else result.voucher.vouching, self._least)
        if refusal is not None:
            raise _refused(refusal)

    # --- the peer's description ---------------------------------------------------------------------------------------

    def take(self, description: Jingle) -> bool:
        """Keep a description if it is sealed, and say whether it is.

        Raises:
            MalformedStanza: it is sealed in part, or cannot be opened here, or an answer is not as its offer was.
        """
        sealed = bool(_seals(description.contents))
        if self._offered and sealed != (self.partner is not None):
            if self.partner is None:
                raise _refused("the answer was sealed unasked")
            raise _refused(
                "the offer was sealed by OMEMO and the answer was not; if the devices are only out of step, "
                "the next call goes through"
            )
        if sealed and not self._able():
            raise _refused("the call is sealed by OMEMO, which is off on this device")
        self._arrived = description if sealed else None
        return sealed

    def unseal(self) -> list[Unseal]:
        """Begin to open what arrived, if anything did."""
        if self._arrived is None or self._opening:
            return []
        self._opening = True
        return [Unseal(self._call, self._peer, _seals(self._arrived.contents))]

    def unsealed(self, result: Unsealed | None) -> tuple[Jingle, Voucher]:
        """The description with its fingerprints in plain, and who vouches for them.

        Raises:
            MalformedStanza: they could not be opened, or are of a device that is not the right one.
        """
        assert self._arrived is not None
        description, self._arrived, self._opening = self._arrived, None, False
        if result is None:
            raise _refused("what the peer's device sealed by OMEMO could not be opened")
        if self.partner is not None and _devices(result.voucher) != _devices(self.partner):
            raise _refused("the answer is of another device than the one that the offer was sealed for")
        _check_trust(result.voucher)
        self.partner = result.voucher
        contents = tuple(_opened(content, result.texts) for content in description.contents)
        return replace(description, contents=contents), result.voucher


def _texts(contents: Iterable[JingleContent]) -> dict[str, str]:
    """The fingerprints of contents, by name."""
    return {
        content.name: fingerprint.value
        for content in contents
        if isinstance(content.transport, IceTransport)
        for fingerprint in content.transport.fingerprints
    }


def _seals(contents: Iterable[JingleContent]) -> dict[str, Element]:
    """What is in the seals of a description, by content; empty if it has none."""
    found: dict[str, Element] = {}
    plain = False
    for content in contents:
        transport = content.transport
        if not isinstance(transport, IceTransport) or not transport.sealed:
            plain = True
            continue
        encrypted = transport.sealed[0].encrypted
        if encrypted is None or len(transport.sealed) > 1 or content.name in found:
            raise _refused("a sealed fingerprint that cannot be read")
        found[content.name] = encrypted
        plain |= bool(transport.fingerprints)
    if found and plain:
        raise _refused("sealed fingerprints and plain ones in one description")
    return found


def _under(content: JingleContent, elements: Mapping[str, Element]) -> JingleContent:
    transport = content.transport
    assert isinstance(transport, IceTransport)
    sealed = tuple(
        SealedFingerprint(plain.hash, elements[content.name], plain.setup) for plain in transport.fingerprints
    )
    return replace(content, transport=replace(transport, fingerprints=(), sealed=sealed))


def _opened(content: JingleContent, texts: Mapping[str, str]) -> JingleContent:
    transport = content.transport
    assert isinstance(transport, IceTransport)
    text = fingerprint_text(texts.get(content.name, ""))
    plain = tuple(DtlsFingerprint(sealed.hash, text, sealed.setup) for sealed in transport.sealed)
    return replace(content, transport=replace(transport, fingerprints=plain, sealed=()))


def _devices(voucher: Voucher) -> tuple[Address, int, bytes, int, bytes]:
    peer = voucher.peer
    return peer.owner, peer.device, peer.key, voucher.own_device, voucher.own_key


def _check_trust(voucher: Voucher) -> None:
    if voucher.peer.trust is Trust.DISTRUSTED:
        raise _refused("the OMEMO key of the peer's device is distrusted")


def _refused(text: str) -> MalformedStanza:
    return MalformedStanza(text, "security-error")
