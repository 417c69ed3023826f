"""What a call notes about itself, through its machine."""

from __future__ import annotations

from dataclasses import replace

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.certificates import CertificateChange, KnownCertificate
from openvoice.core.contacts import Contact, ContactKind, SeenAddress
from openvoice.core.description import Candidate, CandidateType, Setup
from openvoice.core.evidence import MAXIMUM_CONTACTS, MAXIMUM_STREAMS, Evidence
from openvoice.core.machine import CONNECT_WITHIN, CallMachine
from openvoice.core.parties import Party, PartyVerdict
from openvoice.core.policy import Policy
from openvoice.core.security import SecurityReport, Severity
from openvoice.core.trust import Trust
from openvoice.core.types import Direction, EndReason, Origin, Vouching
from openvoice.core.verification import Verification

from .certificates import certificate
from .descriptions import CANDIDATE, SIGNALLING, description, facts, voucher

TURN = Contact(kind=ContactKind.TURN, host="turn.example.org", address="10.0.0.1")
LATE = Candidate(
    foundation="2",
    address="203.0.113.9",
    port=7000,
    priority=1,
    type=CandidateType.SERVER_REFLEXIVE,
    related_address="10.0.0.1",
    related_port=5000,
)


def caller(trust: Trust | None = None) -> CallMachine:
    """A call whose keys are agreed."""
    call = CallMachine(Direction.OUTGOING, "bob@example.org", policy=Policy(), seed=bytes(32), signalling=SIGNALLING)
    vouched_by = voucher(trust) if trust else None
    for message in (
        i.Dial(),
        i.PeerProceeded(),
        i.LocalDescription(description()),
        i.AnswerReceived(description(Setup.ACTIVE, vouched_by)),
        i.MediaSecured(facts()),
    ):
        call.handle(message, 0.0)
    return call


def verdict(report: SecurityReport, party: Party) -> PartyVerdict:
    return next(found for found in report.parties if found.party is party)


def told(report: SecurityReport) -> tuple[SeenAddress, ...]:
    return verdict(report, Party.PEER).learnt.addresses


def test_what_was_told_is_what_was_sent_when_it_was_sent() -> None:
    call = caller()
    host = SeenAddress(CANDIDATE.address, CandidateType.HOST)
    assert told(call.security) == (host,)
    call.handle(i.LocalCandidates("0", (LATE, CANDIDATE)), 1.0)
    shown = SeenAddress("203.0.113.9", CandidateType.SERVER_REFLEXIVE)
    assert told(call.security) == (host, shown, SeenAddress("10.0.0.1", CandidateType.HOST))


def test_what_never_left_was_told_to_nobody() -> None:
    host = SeenAddress(CANDIDATE.address, CandidateType.HOST)
    for withheld in (False, True):
        call = CallMachine(
            Direction.OUTGOING, "bob@example.org", policy=Policy(), seed=bytes(32), signalling=SIGNALLING
        )
        for message in (i.Dial(), i.PeerProceeded(), i.LocalDescription(description())):
            call.handle(message, 0.0)
        call.handle(i.Ended(EndReason.SECURITY_ERROR, Origin.LOCAL, "", withheld), 0.0)
        assert told(call.security) == (() if withheld else (host,))
    moved = caller()
    for later in (
        i.PeerMigrated(),
        i.OfferReceived(description()),
        i.LocalDescription(description(Setup.ACTIVE)),
        i.LocalCandidates("0", (LATE,)),
        i.Ended(EndReason.SECURITY_ERROR, Origin.LOCAL, "", withheld=True),
    ):
        moved.handle(later, 0.0)
    assert told(moved.security) == (host,)


def test_a_related_address_is_told_too_unless_it_is_hidden() -> None:
    evidence = Evidence("bob@example.org", SIGNALLING, Verification(bytes(32)))
    evidence.take(i.Dial())
    relayed = replace(LATE, type=CandidateType.RELAY, address="198.51.100.5", related_address="203.0.113.9")
    evidence.note([e.SendCandidates("0", (relayed,))])
    lent = SeenAddress("198.51.100.5", CandidateType.RELAY)
    assert told(evidence.report) == (lent, SeenAddress("203.0.113.9", CandidateType.SERVER_REFLEXIVE))
    hidden = Evidence("bob@example.org", SIGNALLING, Verification(bytes(32)))
    hidden.take(i.Dial())
    hidden.note([e.SendCandidates("0", (replace(relayed, related_address="0.0.0.0", related_port=9),))])
    assert told(hidden.report) == (lent,)


def test_a_contact_is_noted_once_and_its_first_word_counts() -> None:
    call = caller()
    for contact in (TURN, TURN, replace(TURN, mapped="203.0.113.9"), TURN, replace(TURN, mapped="192.0.2.99")):
        assert call.handle(i.Contacted(contact), 1.0) == []
    turn = verdict(call.security, Party.TURN_OPERATOR)
    assert turn.name == TURN.host
    assert turn.learnt.addresses == (SeenAddress("203.0.113.9", CandidateType.SERVER_REFLEXIVE),)


def test_contacts_are_bounded() -> None:
    evidence = Evidence("bob@example.org", SIGNALLING, Verification(bytes(32)))
    for number in range(MAXIMUM_CONTACTS + 100):
        evidence.take(i.Contacted(replace(TURN, host=f"host-{number}")))
    turns = [found for found in evidence.report.parties if found.party is Party.TURN_OPERATOR]
    assert len(turns) == MAXIMUM_CONTACTS


def test_a_call_that_outlives_its_stream_reports_the_new_one_and_what_was_wrong_with_the_old_one() -> None:
    changed = CertificateChange(
        server="example.org",
        old=KnownCertificate(certificate=certificate(), first_seen=0.0),
        new=certificate(issuer="Other"),
    )
    bound, unbound = (replace(SIGNALLING, channel_binding=kind) for kind in ("tls-exporter", ""))
    alarming = replace(bound, certificate_change=changed, tls_version="TLSv1.2")
    for streams, binding in (((bound, alarming), "tls-exporter"), ((alarming, unbound, bound), "")):
        call = CallMachine(
            Direction.OUTGOING, "bob@example.org", policy=Policy(), seed=bytes(32), signalling=streams[0]
        )
        for stream in streams[1:]:
            assert call.handle(i.SignallingRenewed(stream), 0.0) == []
        signalling = call.security.signalling
        assert signalling is not None
        assert signalling.tls_version == streams[-1].tls_version
        assert (signalling.certificate_change, signalling.channel_binding) == (changed, binding)
    moving = CallMachine(
        Direction.OUTGOING,
        "bob@example.org",
        policy=Policy(),
        seed=bytes(32),
        signalling=replace(bound, local_address="10.0.0.1"),
    )
    moving.handle(i.Dial(), 0.0)
    for number in range(1, MAXIMUM_STREAMS + 4):
        moving.handle(i.SignallingRenewed(replace(bound, local_address=f"10.0.0.{number}")), 1.0)
    for party in (Party.OWN_SERVER, Party.NETWORK):
        learnt = {seen.address for seen in verdict(moving.security, party).learnt.addresses}
        assert learnt == {f"10.0.0.{number}" for number in range(3, MAXIMUM_STREAMS + 4)}
    first = Evidence("bob@example.org", None, Verification(bytes(32)))
    first.take(i.SignallingRenewed(bound))
    assert first.report.signalling == bound


def test_another_path_renews_the_facts_and_nothing_else() -> None:
    call = caller()
    assert call.handle(i.MediaMoved(replace(facts(relayed=True), local_address="198.51.100.5")), 2.0) == []
    assert call.security.media is not None
    assert call.security.media.relayed
    assert call.security.as_dict()["path"]["local_address"] == "198.51.100.5"
    assert any("A relay carried" in finding.text for finding in call.security.findings)


def test_a_refused_call_says_that_nothing_was_heard() -> None:
    evidence = Evidence("bob@example.org", SIGNALLING, Verification(bytes(32)))
    for message in (i.Dial(), i.AnswerReceived(description(Setup.ACTIVE)), i.MediaSecured(facts())):
        evidence.take(message)
    assert verdict(evidence.report, Party.OWN_SERVER).could_hear is True, "as things stand, before the gate"
    evidence.note([e.Finish(EndReason.SECURITY_ERROR, Origin.LOCAL, "")])
    report = evidence.report
    assert report.media is not None
    assert not any(found.could_hear for found in report.parties)
    assert any("No sound was exchanged" in finding.text for finding in report.findings)


def test_a_call_that_found_no_path_in_time_was_not_heard() -> None:
    call = CallMachine(Direction.OUTGOING, "bob@example.org", policy=Policy(), seed=bytes(32), signalling=SIGNALLING)
    call.handle(i.Dial(), 0.0)
    call.handle(i.PeerProceeded(), 0.0)
    call.handle_timeout(CONNECT_WITHIN)
    assert call.security.vouching is Vouching.NONE
    assert not any(found.could_hear for found in call.security.parties)
    assert verdict(call.security, Party.PEER_SERVER).learnt.who


def test_a_call_that_ended_before_it_began_taught_nobody_anything() -> None:
    call = CallMachine(Direction.OUTGOING, "bob@example.org", policy=Policy(), seed=bytes(32), signalling=SIGNALLING)
    call.handle(i.HangUp(), 0.0)
    assert not any(found.learnt.who for found in call.security.parties)


def test_the_device_that_vouches_is_named() -> None:
    report = caller(trust=Trust.TRUSTED).security
    assert report.voucher == voucher(Trust.TRUSTED)
    document = report.as_dict()["voucher"]
    assert (document["owner"], document["device"], document["trust"]) == ("bob@example.org", 27183, "trusted")
    assert any("Device 27183" in finding.text for finding in report.findings)
    assert verdict(report, Party.OWN_SERVER).could_hear is None
    undecided = caller(trust=Trust.UNDECIDED).security
    assert undecided.vouching is Vouching.SIGNALLED
    assert verdict(undecided, Party.OWN_SERVER).could_hear is True
    warnings = [finding.text for finding in undecided.findings if finding.severity is Severity.WARNING]
    assert any("until you decide about device 27183" in text for text in warnings)


def test_the_weakest_device_counts_that_there_was_sound_with() -> None:
    call = caller()
    call.handle(i.MediaFlowing(), 1.0)
    for message in (
        i.PeerMigrated(),
        i.OfferReceived(description(Setup.ACTPASS, voucher(Trust.VERIFIED))),
        i.LocalDescription(description(Setup.ACTIVE)),
        i.MediaSecured(facts()),
    ):
        call.handle(message, 2.0)
    assert call.security.vouching is Vouching.SIGNALLED
    stronger = caller(trust=Trust.VERIFIED)
    secured = [effect for effect in stronger.handle(i.MediaSecured(facts()), 3.0) if isinstance(effect, e.Notify)]
    assert isinstance(secured[0].event, events.CallSecured)
    assert secured[0].event.security.vouching is Vouching.OMEMO_VERIFIED
