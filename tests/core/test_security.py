from __future__ import annotations

import dataclasses
import json

from openvoice.core.description import CandidateType
from openvoice.core.security import Severity, assess
from openvoice.core.types import Vouching

from .descriptions import SIGNALLING, facts


def words(*arguments: object) -> str:
    return " ".join(finding.text for finding in assess(*arguments).findings)  # type: ignore[arg-type]


def test_a_call_vouched_for_by_servers_alone_says_so() -> None:
    report = assess(Vouching.SIGNALLED, facts(), SIGNALLING)
    warnings = [finding.text for finding in report.findings if finding.severity is Severity.WARNING]
    assert any("Only the servers vouch" in text for text in warnings)


def test_each_vouching_has_its_own_words() -> None:
    assert len({words(vouching, facts(), SIGNALLING) for vouching in Vouching}) == len(Vouching)


def test_the_path_is_told() -> None:
    assert "A relay carried" in words(Vouching.SIGNALLED, facts(relayed=True), SIGNALLING)
    assert "The peer used a relay" in words(Vouching.SIGNALLED, facts(remote=CandidateType.RELAY), SIGNALLING)
    assert "directly" in words(Vouching.SIGNALLED, facts(), SIGNALLING)


def test_a_stranger_who_learnt_the_address_is_told_apart() -> None:
    def text(relayed: bool, exposed: bool) -> str:
        report = assess(Vouching.SIGNALLED, facts(relayed=relayed), SIGNALLING, exposed=exposed)
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


def test_a_report_is_json_with_and_without_facts() -> None:
    whole = json.loads(json.dumps(assess(Vouching.SIGNALLED, facts(), SIGNALLING).as_dict()))
    assert whole["vouching"] == "signalled"
    assert whole["fingerprints"]["remote"].startswith("00:00")
    assert whole["path"] == {"local": "host", "remote": "host", "relayed": False}
    empty = json.loads(json.dumps(assess(Vouching.NONE, None, None).as_dict()))
    assert empty["dtls"] is None
    assert empty["tls"] is None
    assert empty["before_consent"] == {"candidates": 0, "packets": 0}
