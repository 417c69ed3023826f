"""Notices that the own server shows another certificate than before."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from openvoice.core import inputs as i
from openvoice.core.certificates import CertificateChange, KnownCertificate
from openvoice.core.policy import Alarm
from openvoice.core.security import SignallingFacts, certificate_finding
from openvoice.core.types import EndReason
from openvoice.errors import ConfigurationError, OpenVoiceError
from openvoice.ports import SecretStore

_log = logging.getLogger(__name__)

KNOWN = "server-certificate"
"""The secret that holds the certificate which is trusted."""
OFFERED = "server-certificate.offered"
"""The one that waits for the user to accept another certificate."""


_WAY_OUT = "Calls wait until you accept it: 'openvoice account trust-certificate {account}'"


def known_certificate(kept: bytes) -> KnownCertificate:
    """What a secret holds. Raises :class:`~openvoice.errors.ConfigurationError` if it cannot be understood."""
    try:
        return KnownCertificate.decode(kept)
    except ValueError:
        raise ConfigurationError(
            "what is remembered of the server's certificate cannot be read: remove the account and add it again"
        ) from None


def how_to_accept(change: CertificateChange, account: str) -> str:
    """What the user is told who lets no call pass after a change."""
    return f"{change.text}. {_WAY_OUT.format(account=account)}"


def told_of(change: CertificateChange, account: str, alarm: Alarm) -> dict[str, Any]:
    """What the event ``certificate-changed`` says."""
    severity, text = certificate_finding(change)
    if alarm is Alarm.REFUSE:
        text += f" {_WAY_OUT.format(account=account)}."
    return {"server": change.server, "severity": severity.value, "text": text, **change.as_dict()}


def told_to_calls(facts: SignallingFacts | None, account: str, alarm: Alarm) -> Iterator[i.CallInput]:
    """What the calls that live hear of the stream that there is now: none goes on over one that calls must not use."""
    if facts is None:
        return
    yield i.SignallingRenewed(facts)
    if facts.certificate_change is not None and alarm is Alarm.REFUSE:
        yield i.HangUp(EndReason.SECURITY_ERROR, how_to_accept(facts.certificate_change, account), private=True)


def waiting(secrets: SecretStore, server: str) -> CertificateChange | None:
    """The change that waits for the user to accept it, if one does."""
    known, offered = secrets.read(KNOWN), secrets.read(OFFERED)
    if known is None or offered is None:
        return None
    return CertificateChange(server=server, old=known_certificate(known), new=known_certificate(offered).certificate)


def accept(secrets: SecretStore, change: CertificateChange) -> bool:
    """Trust the new certificate from now on; ``False`` if by now it is another one that waits."""
    with secrets.transaction():
        if waiting(secrets, change.server) != change:
            return False
        secrets.write(KNOWN, KnownCertificate(certificate=change.new, first_seen=time.time()).encode())
        secrets.remove(OFFERED)
    return True


class CertificateWatch:
    """Compares the certificate of each login with the one before, in this run or an earlier one."""

    def __init__(self, secrets: SecretStore, alarm: Alarm, tell: Callable[[CertificateChange], None]) -> None:
        self._secrets = secrets
        self._alarm = alarm
        self._tell = tell
        self._last: KnownCertificate | None = None
        self._change: CertificateChange | None = None

    def facts(self, facts: SignallingFacts | None) -> SignallingFacts | None:
        """How the way to the server is protected, with what :meth:`look` says."""
        try:
            change = self.look(facts)
        except OpenVoiceError as error:
            _log.warning("%s", error)
            return facts
        return facts if facts is None or change is None else replace(facts, certificate_change=change)

    def look(self, facts: SignallingFacts | None) -> CertificateChange | None:
        """What changed with the certificate of the stream that ``facts`` are of. Asking twice tells once.

        Raises:
            ConfigurationError: what is remembered cannot be read or written.
        """
        if facts is None or not facts.chain:
            return None
        certificate = facts.chain[0]
        arrived = self._last is None or self._last.certificate.sha256 != certificate.sha256
        if arrived or (self._change is not None and self._alarm is Alarm.REFUSE):
            with self._secrets.transaction():
                seen = KnownCertificate(certificate=certificate, first_seen=time.time())
                known, change = self._compare(facts.server, seen)
            # Not before it is kept: what failed is looked at again.
            self._last = known
            self._change = None if self._alarm is Alarm.OFF else change
            if arrived and self._change is not None:
                self._tell(self._change)
        return self._change

    def _compare(self, server: str, seen: KnownCertificate) -> tuple[KnownCertificate, CertificateChange | None]:
        """What is known of the certificate ``seen`` now, and what it took the place of."""
        kept, before = self._secrets.read(KNOWN), self._last
        known = None if kept is None else known_certificate(kept)
        if known is None or known.certificate.sha256 != seen.certificate.sha256:
            name = KNOWN if known is None or self._alarm is not Alarm.REFUSE else OFFERED
            self._secrets.write(name, seen.encode())
            now, old = seen, known
        else:
            if self._secrets.read(OFFERED) is not None:
                self._secrets.remove(OFFERED)
            # What another run has told its user of, this run has not told its own.
            now, old = known, before if self._alarm is not Alarm.REFUSE else None
        return now, None if old is None else CertificateChange(server=server, old=old, new=seen.certificate)
