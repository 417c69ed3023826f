"""The own server shows another certificate: who is told, when, and what is remembered."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice import ConfigurationError
from openvoice.client.certificates import KNOWN, OFFERED, CertificateWatch, accept, waiting
from openvoice.core.certificates import CertificateChange, CertificateFacts, KnownCertificate
from openvoice.core.policy import Alarm
from openvoice.core.security import SignallingFacts
from openvoice.testing.fakes import MemorySecrets
from tests.core.certificates import certificate

FIRST, SECOND, THIRD = certificate(), certificate(key="bb"), certificate(issuer="Other")


def facts(shown: CertificateFacts) -> SignallingFacts:
    return SignallingFacts(server="example.org", tls_version="TLSv1.3", cipher="AES", chain=(shown,))


class Run:
    """One run of openvoice."""

    def __init__(self, secrets: MemorySecrets, alarm: Alarm = Alarm.TELL) -> None:
        self.told: list[CertificateChange] = []
        self.watch = CertificateWatch(secrets, alarm, self.told.append)

    def sees(self, shown: CertificateFacts) -> CertificateFacts | None:
        """The certificate that this one took the place of, as far as it is an alarm."""
        change = self.watch.look(facts(shown))
        return change.old.certificate if change else None


def test_the_first_certificate_is_remembered_and_the_same_one_is_nothing() -> None:
    secrets = MemorySecrets()
    for _ in range(3):
        run = Run(secrets)
        assert run.sees(FIRST) is run.sees(FIRST) is None
        assert run.told == []
    assert KnownCertificate.decode(secrets.kept[KNOWN]).certificate == FIRST


def test_nothing_is_known_of_a_server_without_facts() -> None:
    run = Run(MemorySecrets())
    assert run.watch.look(None) is None
    assert run.watch.look(dataclasses.replace(facts(FIRST), chain=())) is None


def test_another_one_is_told_once_and_holds_for_all_calls_of_the_run() -> None:
    secrets = MemorySecrets()
    Run(secrets).sees(FIRST)
    first_seen = KnownCertificate.decode(secrets.kept[KNOWN]).first_seen
    run = Run(secrets)
    assert [run.sees(SECOND) for _ in range(3)] == [FIRST] * 3
    (change,) = run.told
    assert (change.server, change.old.first_seen, change.new) == ("example.org", first_seen, SECOND)
    again = Run(secrets)
    assert again.sees(SECOND) is None
    assert again.told == []


def test_it_is_seen_in_the_middle_of_a_run() -> None:
    run = Run(MemorySecrets())
    assert [run.sees(shown) for shown in (FIRST, SECOND, SECOND, THIRD, FIRST)] == [None, FIRST, FIRST, SECOND, THIRD]
    assert [change.new for change in run.told] == [SECOND, THIRD, FIRST]


def test_each_run_tells_its_own_user() -> None:
    secrets = MemorySecrets()
    one, other = Run(secrets), Run(secrets)
    one.sees(FIRST)
    other.sees(FIRST)
    assert one.sees(SECOND) == other.sees(SECOND) == FIRST
    assert len(one.told) == len(other.told) == 1
    assert KnownCertificate.decode(secrets.kept[KNOWN]).certificate == SECOND


def test_an_alarm_that_refuses_lasts_until_the_certificate_is_accepted() -> None:
    secrets = MemorySecrets()
    Run(secrets, Alarm.REFUSE).sees(FIRST)
    run = Run(secrets, Alarm.REFUSE)
    for _ in range(2):
        assert run.sees(SECOND) == FIRST
        assert Run(secrets, Alarm.REFUSE).sees(SECOND) == FIRST
    assert KnownCertificate.decode(secrets.kept[KNOWN]).certificate == FIRST
    assert KnownCertificate.decode(secrets.kept[OFFERED]).certificate == SECOND
    # Accepted, by another process.
    secrets.write(KNOWN, secrets.kept[OFFERED])
    assert run.sees(SECOND) is None
    assert len(run.told) == 1
    assert Run(secrets, Alarm.REFUSE).sees(SECOND) is None
    assert OFFERED not in secrets.kept


def test_an_offer_that_is_gone_cannot_be_accepted_any_more() -> None:
    secrets = MemorySecrets()
    run = Run(secrets, Alarm.REFUSE)
    run.sees(FIRST)
    run.sees(SECOND)
    assert run.sees(FIRST) is None
    assert OFFERED not in secrets.kept


def test_an_alarm_that_refuses_goes_by_the_first_one() -> None:
    run = Run(MemorySecrets(), Alarm.REFUSE)
    assert [run.sees(shown) for shown in (FIRST, SECOND, SECOND, FIRST)] == [None, FIRST, FIRST, None]


@given(shown=st.lists(st.tuples(st.booleans(), st.sampled_from([FIRST, SECOND, THIRD]), st.booleans()), max_size=12))
def test_an_alarm_that_refuses_knows_none_but_what_was_accepted(
    shown: list[tuple[bool, CertificateFacts, bool]],
) -> None:
    secrets = MemorySecrets()
    run, accepted = Run(secrets, Alarm.REFUSE), None
    for another_run, certificate_shown, accepts in shown:
        run = Run(secrets, Alarm.REFUSE) if another_run else run
        replaced = run.sees(certificate_shown)
        accepted = accepted or certificate_shown
        assert replaced == (None if certificate_shown == accepted else accepted)
        change = waiting(secrets, "example.org")
        assert (change.new if change else None) == (None if replaced is None else certificate_shown)
        if accepts and change is not None:
            assert accept(secrets, change)
            assert not accept(secrets, change)
            accepted = certificate_shown
            assert run.sees(certificate_shown) is None


@given(
    shown=st.lists(st.tuples(st.integers(0, 1), st.sampled_from([FIRST, SECOND, THIRD])), max_size=12),
)
def test_no_run_ever_sees_a_change_without_telling_it(shown: list[tuple[int, CertificateFacts]]) -> None:
    secrets = MemorySecrets()
    runs = [Run(secrets), Run(secrets)]
    last: list[CertificateFacts | None] = [None, None]
    for index, certificate_shown in shown:
        run, before = runs[index], last[index]
        told = len(run.told)
        run.sees(certificate_shown)
        if before is not None:
            assert (len(run.told) > told) == (before != certificate_shown)
        last[index] = certificate_shown


def test_an_alarm_that_is_off_remembers_and_says_nothing() -> None:
    secrets = MemorySecrets()
    run = Run(secrets, Alarm.OFF)
    assert [run.sees(shown) for shown in (FIRST, SECOND)] == [None, None]
    assert run.told == []
    assert Run(secrets).sees(SECOND) is None


class FullDisk(MemorySecrets):
    """Secrets on a disk that takes nothing as long as it is ``full``."""

    full = False

    def write(self, name: str, value: bytes) -> None:
        if self.full:
            raise ConfigurationError("the disk is full")
        super().write(name, value)


@pytest.mark.parametrize("alarm", [Alarm.TELL, Alarm.REFUSE])
def test_an_alarm_that_could_not_be_kept_is_no_calm(alarm: Alarm) -> None:
    secrets = FullDisk()
    Run(secrets, alarm).sees(FIRST)
    run = Run(secrets, alarm)
    secrets.full = True
    assert run.watch.facts(facts(SECOND)) == facts(SECOND)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="full"):
            run.sees(SECOND)
    secrets.full = False
    assert run.sees(SECOND) == FIRST
    assert len(run.told) == 1


def test_what_cannot_be_understood_is_no_first_sight() -> None:
    secrets = MemorySecrets()
    secrets.write(KNOWN, b"?")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Run(secrets).sees(FIRST)
    assert secrets.kept[KNOWN] == b"?"
