"""Sessions with the devices of others: message keys in and out (Double Ratchet), and how sessions begin (X3DH).

All of it happens inside of one transaction of the caller's, and without waiting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from doubleratchet import DuplicateMessageException
from oldmemo.oldmemo import (
    EncryptedKeyMaterialImpl,
    KeyExchangeImpl,
    Oldmemo,
    PlainKeyMaterialImpl,
    SessionImpl,
    StateImpl,
)
from omemo.backend import DecryptionFailed
from omemo.session import Initiation
from omemo.types import OMEMOException
from xeddsa import XEdDSAException

from openvoice.core.address import Address
from openvoice.ports import SecretStore
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed
from openvoice.signalling.xmpp.omemo.prekeys import to_library
from openvoice.signalling.xmpp.omemo.record import MAXIMUM_SESSIONS, Fields, Record, read_record, write_record
from openvoice.signalling.xmpp.omemo.storage import SecretStorage, SessionStorage, at_once
from openvoice.signalling.xmpp.omemo.wire import Bundle, SealedKey

KEY = 16
"""Octets of a message key (AES-128). What is encrypted for a device is that and, if there is a text, its tag."""
STALE = 53
"""Messages in one direction after which the other should say something, so that new keys come in (XEP-0384, 6)."""

_REFUSALS = (OMEMOException, XEdDSAException, ValueError)
"""What the libraries raise for keys and messages of others that cannot be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A message key that came in."""

    identity_key: bytes
    """Of the device that wrote it, in the Curve25519 form."""
    material: bytes
    begun: bool
    """Whether a session began with it."""
    stale: bool
    """Whether the device has long had no answer."""


class Sessions:
    """The sessions of one account.

    ``worth`` says of the identity keys of the other side what they are worth. Anybody can begin sessions in the name of
    a device: the one whose key is worth most is written in, and is the last to be forgotten.
    """

    def __init__(self, secrets: SecretStore, now: float, worth: Callable[[bytes], int] = lambda _: 0) -> None:
        self._secrets = secrets
        self._now = now
        self._worth = worth
        self._library = Oldmemo(SecretStorage(secrets))

    def knows(self, peer: Address, device: int) -> bool:
        """Whether there is a session with a device."""
        return bool(read_record(self._secrets, peer, device).sessions)

    def doubt(self, peer: Address, device: int) -> None:
        """Note that the device did not understand what was written in the session in use."""
        record = read_record(self._secrets, peer, device)
        record.doubted = True
        write_record(self._secrets, peer, device, record, self._now)

    def doubts(self, peer: Address, device: int) -> bool:
        """Whether a new session should begin before anything is written to a device."""
        return read_record(self._secrets, peer, device).doubted

    def begin(self, peer: Address, device: int, bundle: Bundle, material: bytes) -> SealedKey:
        """Begin a session that nobody asked for and put it into use; gives the first message key in it.

        Raises:
            OmemoFailed: the keys in the bundle are none, or not signed by the device (``no-bundle``).
        """
        session, key = self._begin(peer, device, bundle, material)
        record = read_record(self._secrets, peer, device)
        self._put_first(record, peer, device, session)
        record.reached = self._now
        write_record(self._secrets, peer, device, record, self._now)
        return key

    def seal(
        self,
        peer: Address,
        device: int,
        materials: Sequence[bytes],
        bundle: Bundle | None = None,
    ) -> tuple[bytes, list[SealedKey]]:
        """Encrypt message keys for a device; gives its identity key with them.

        Of several sessions, that one counts whose identity key is worth most, and of those the one in use. If there is
        none, or it is in doubt, one begins with ``bundle``, and is taken unless its key is worth less than another's.

        Raises:
            OmemoFailed: there are no keys to begin with, or they are not signed by the device (``no-bundle``).
        """
        record = read_record(self._secrets, peer, device)
        sealed: list[SealedKey] = []
        if bundle is not None and (record.doubted or not record.sessions):
            with suppress(OmemoFailed):
                session, first = self._begin(peer, device, bundle, materials[0])
                worth = self._worth(_identity_key(session))
                if all(worth >= self._worth(key) for key in self._keys(record, peer, device)):
                    self._put_first(record, peer, device, session)
                    record.doubted = False
                    sealed, materials = [first], materials[1:]
        if not record.sessions:
            raise OmemoFailed(Cause.NO_BUNDLE)
        sessions = [self._load(peer, device, fields) for fields in record.sessions]
        session = max(sessions, key=lambda session: self._worth(_identity_key(session)))
        for material in materials:
            key = at_once(self._library.encrypt_key_material(session, _plain(material)))
            sealed.append(_seal(session, key))
        record.sessions[sessions.index(session)] = _fields(session)
        write_record(self._secrets, peer, device, record, self._now)
        return _identity_key(session), sealed

    def open(self, peer: Address, device: int, key: SealedKey) -> Opened:
        """Decrypt a message key, in whichever session fits, or in one that begins with it.

        Raises:
            OmemoFailed: ``junk``, ``replay`` or ``undecryptable``. Nothing was changed then.
        """
        record = read_record(self._secrets, peer, device)
        if record.has_seen(key.data):
            raise OmemoFailed(Cause.REPLAY)
        exchange, encrypted = _parse(peer, device, key)
        candidates = [(fields, self._load(peer, device, fields)) for fields in record.sessions]
        if exchange is not None:
            candidates = [(fields, session) for fields, session in candidates if _began_with(session, exchange)]
        begins = exchange is not None and not candidates
        if exchange is not None and begins:
            session, plain = self._accept(peer, device, exchange, encrypted)
        else:
            fields, session, plain = self._decrypt(candidates, encrypted)
            record.sessions.remove(fields)
        # What the other side writes in is what it reads in.
        self._put_first(record, peer, device, session)
        record.doubted = False
        record.note_seen(key.data)
        write_record(self._secrets, peer, device, record, self._now)
        return Opened(
            identity_key=_identity_key(session),
            material=plain.key + plain.auth_tag,
            begun=begins,
            stale=(session.receiving_chain_length or 0) > STALE,
        )

    def _keys(self, record: Record, peer: Address, device: int) -> list[bytes]:
        """The identity key of the other side in each session."""
        return [_identity_key(self._load(peer, device, fields)) for fields in record.sessions]

    def _put_first(self, record: Record, peer: Address, device: int, session: SessionImpl) -> None:
        """Take ``session`` into use. If there are too many then, the oldest of those whose key is worth least goes."""
        others = record.sessions
        if len(others) >= MAXIMUM_SESSIONS:
            keys = self._keys(record, peer, device)
            del others[min(range(len(others)), key=lambda index: (self._worth(keys[index]), -index))]
        record.sessions = [_fields(session), *others]

    def _begin(self, peer: Address, device: int, bundle: Bundle, material: bytes) -> tuple[SessionImpl, SealedKey]:
        try:
            keys = to_library(bundle, str(peer.bare), device)
            session, key = at_once(self._library.build_session_active(str(peer.bare), device, keys, _plain(material)))
        except _REFUSALS:
            raise OmemoFailed(Cause.NO_BUNDLE) from None
        return session, _seal(session, key)

    def _accept(
        self, peer: Address, device: int, exchange: KeyExchangeImpl, encrypted: EncryptedKeyMaterialImpl
    ) -> tuple[SessionImpl, PlainKeyMaterialImpl]:
        """A session that the other side began. The pre key that it took is used up."""
        try:
            session, plain = at_once(self._library.build_session_passive(str(peer.bare), device, exchange, encrypted))
        except _REFUSALS:
            raise OmemoFailed(Cause.UNDECRYPTABLE) from None
        at_once(self._library.delete_pre_key(session))
        return session, plain

    def _decrypt(
        self, candidates: Sequence[tuple[Fields, SessionImpl]], encrypted: EncryptedKeyMaterialImpl
    ) -> tuple[Fields, SessionImpl, PlainKeyMaterialImpl]:
        cause = Cause.UNDECRYPTABLE
        for fields, session in candidates:
            try:
                return fields, session, at_once(self._library.decrypt_key_material(session, encrypted))
            except DecryptionFailed as error:
                if isinstance(error.__cause__, DuplicateMessageException):
                    cause = Cause.REPLAY
        raise OmemoFailed(cause)

    def _load(self, peer: Address, device: int, fields: Fields) -> SessionImpl:
        session = at_once(Oldmemo(SessionStorage(dict(fields))).load_session(str(peer.bare), device))
        assert session is not None, "a session that was kept without its ratchet"
        return session


def _parse(peer: Address, device: int, key: SealedKey) -> tuple[KeyExchangeImpl | None, EncryptedKeyMaterialImpl]:
    try:
        # The sign of the identity key is lost on the way here, and nothing needs it.
        exchange, message = KeyExchangeImpl.parse(key.data, False) if key.exchange else (None, key.data)
        return exchange, EncryptedKeyMaterialImpl.parse(message, str(peer.bare), device)
    except _REFUSALS:
        raise OmemoFailed(Cause.JUNK) from None


def _began_with(session: SessionImpl, exchange: KeyExchangeImpl) -> bool:
    """Its other side repeats how it began until it hears something."""
    return session.initiation is Initiation.PASSIVE and session.key_exchange.builds_same_session(exchange)


def _plain(material: bytes) -> PlainKeyMaterialImpl:
    return PlainKeyMaterialImpl(material[:KEY], material[KEY:])


def _seal(session: SessionImpl, key: EncryptedKeyMaterialImpl) -> SealedKey:
    """As long as nothing came back, everything says how the session began: the first message may be lost."""
    if session.initiation is Initiation.ACTIVE and not session.confirmed:
        return SealedKey(session.key_exchange.serialize(key.serialize())[0], exchange=True)
    return SealedKey(key.serialize(), exchange=False)


def _identity_key(session: SessionImpl) -> bytes:
    """The other side's, which is authenticated with each message: the own one or it comes first, as who began."""
    length = StateImpl.IDENTITY_KEY_ENCODING_LENGTH
    first = session.initiation is Initiation.PASSIVE
    encoded = session.associated_data[:length] if first else session.associated_data[length:]
    return StateImpl.parse_public_key(encoded)


def _fields(session: SessionImpl) -> Fields:
    storage = SessionStorage({})
    at_once(Oldmemo(storage).store_session(session))
    return dict(storage.fields)
