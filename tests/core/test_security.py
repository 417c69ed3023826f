from __future__ import annotations

import dataclasses
import json

import pytest

from openvoice.core.contacts import Contact, ContactKind
from openvoice.core.description import CandidateType
from openvoice.core.security import Severity, assess
from openvoice.core.trace import Trace
from openvoice.core.trust import Trust
from openvoice.core.types import Vouching, WordsOutcome

from .certificates import DAY, JULY, certificate, change
from .descriptions import CERTIFICATE, SIGNALLING, facts, voucher


def words(*arguments: object) -> str:
    return " ".join(finding.text for finding in assess(*arguments).findings)  # type: ignore[arg-type]


def test_a_call_vouched_for_by_servers_alone_says_so() -> None:
    report = assess(Vouching.SIGNALLED, facts(), SIGNALLING)
    warnings = [finding.text for finding in report.findings if finding.severity is Severity.WARNING]
    assert any("Only the servers vouch" in text for text in warnings)


def test_words_that_were_compared_say_nothing_of_the_time_before_the_call_moved() -> None:
    for vouching in Vouching:
        report = assess(vouching, facts(), SIGNALLING, words=WordsOutcome.SAME)
        (finding,) = [finding for finding in report.findings if "same four words" in finding.text]
        assert (finding.severity is Severity.GOOD) == (vouching is Vouching.OMEMO_VERIFIED)
        assert ("since the call moved" in finding.text) == (vouching is not Vouching.OMEMO_VERIFIED)


def test_each_vouching_has_its_own_words() -> None:
    assert len({words(vouching, facts(), SIGNALLING) for vouching in Vouching}) == len(Vouching)


def test_the_path_is_told() -> None:
    assert "A relay carried" in words(Vouching.SIGNALLED, facts(relayed=True), SIGNALLING)
    assert "The peer used a relay" in words(Vouching.SIGNALLED, facts(remote=CandidateType.RELAY), SIGNALLING)
    assert "directly" in words(Vouching.SIGNALLED, facts(), SIGNALLING)


def test_a_relay_of_the_peer_is_told_even_if_its_check_came_before_its_word() -> None:
    early = facts(remote=CandidateType.PEER_REFLEXIVE)
    relay = Contact(kind=ContactKind.PEER_RELAY, host=early.remote_address, address="192.0.2.1")
    report = assess(Vouching.SIGNALLED, early, SIGNALLING, trace=Trace(contacts=(relay,)))
    assert any("The peer used a relay" in finding.text for finding in report.findings)


def test_a_stranger_who_learnt_the_address_is_told_apart() -> None:
    def text(relayed: bool, exposed: bool) -> str:
        report = assess(Vouching.SIGNALLED, facts(relayed=relayed), SIGNALLING, trace=Trace(exposed=exposed))
        return " ".join(finding.text for finding in report.findings if finding.severity is Severity.NOTICE)

    assert "not in your contact list" in text(relayed=False, exposed=True)
    assert "not in your contact list" not in text(relayed=False, exposed=False)
    assert "not in your contact list" not in text(relayed=True, exposed=True)


def test_anything_that_left_too_early_is_a_warning() -> None:
    assert "before you agreed" in words(Vouching.SIGNALLED, facts(early=1), SIGNALLING)


def test_channel_binding_changes_the_finding() -> None:
    bound = dataclasses.replace(SIGNALLING, channel_binding="tls-unique")
    assert "not bound" in words(Vouching.SIGNALLED, facts(), SIGNALLING)
    assert "not bound" not in words(Vouching.SIGNALLED, facts(), bound)


def test_the_chain_of_the_server_is_in_the_report() -> None:
    chained = dataclasses.replace(SIGNALLING, chain=(CERTIFICATE,), local_address="192.0.2.7")
    tls = json.loads(json.dumps(assess(Vouching.SIGNALLED, facts(), chained).as_dict()))["tls"]
    assert tls["chain"] == [dataclasses.asdict(CERTIFICATE)]
    assert tls["local_address"] == "192.0.2.7"


@pytest.mark.parametrize("trust", list(Trust))
def test_each_trust_in_a_voucher_has_its_own_words(trust: Trust) -> None:
    def found(trust: Trust) -> str:
        key = voucher(trust)
        return " ".join(each.text for each in assess(key.vouching, facts(), SIGNALLING, voucher=key).findings)

    assert "27183" in found(trust)
    assert len({found(each) for each in Trust}) == len(Trust)


def test_a_report_is_json_with_and_without_facts() -> None:
    whole = json.loads(json.dumps(assess(Vouching.SIGNALLED, facts(), SIGNALLING).as_dict()))
    assert whole["vouching"] == "signalled"
    assert whole["fingerprints"]["remote"].startswith("00:00")
    assert whole["path"] == {
        "local": "host",
        "remote": "host",
        "relayed": False,
        "local_address": "192.0.2.1",
        "remote_address": "198.51.100.2",
    }
    empty = json.loads(json.dumps(assess(Vouching.NONE, None, None).as_dict()))
    assert empty["dtls"] is None
    assert empty["tls"] is None
    assert empty["before_consent"] == {"candidates": 0, "packets": 0}


def test_another_certificate_than_before_is_told_as_loudly_as_it_deserves() -> None:
    renewed = change(certificate(), certificate(begins=JULY + 80 * DAY))
    foreign = change(certificate(), certificate(issuer="Else"))
    for known, severity in ((renewed, Severity.NOTICE), (foreign, Severity.WARNING)):
        report = assess(Vouching.SIGNALLED, None, dataclasses.replace(SIGNALLING, certificate_change=known))
        assert [found.severity for found in report.findings if "certificate of example.org" in found.text] == [severity]
