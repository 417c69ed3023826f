"""Contents that come to a call under seals: each under a seal of its own, one after the other."""

from __future__ import annotations

from typing import Any

import pytest

from openvoice.core import effects as e
from openvoice.core.description import Content, Setup
from openvoice.core.inputs import (
    CandidatesReceived,
    ContentsAccepted,
    ContentsAdded,
    ContentsRejected,
    ContentsRemoved,
    Ended,
)
from openvoice.core.trust import Trust
from openvoice.core.types import CallId, EndReason, Vouching
from openvoice.jingle.endpoint import JingleEndpoint
from openvoice.jingle.limits import MAXIMUM_EARLY
from openvoice.jingle.model import Jingle
from openvoice.jingle.outputs import Output, ReplyError, Seal, SendIq, Unseal
from openvoice.jingle.parse import parse_jingle
from tests.jingle.samples import (
    CANDIDATE,
    HEX,
    NOW,
    candidate,
    content,
    description,
    fingerprint,
    kinds,
    sealed,
    transport,
    trickled,
    video,
)
from tests.jingle.sealer import OTHER_DEVICE, PEER_DEVICE, Sealer, encrypted
from tests.jingle.test_sealing import CALL, GOOD, OFFER, SEALER, ask, offered, requests, taken, told, transports, work

VP8 = "<payload-type id='97' name='VP8' clockrate='90000'/>"
STUB = "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/>"


def pictures(name: str = "1", setup: str = "actpass", payload: str = HEX, sender: int = PEER_DEVICE) -> str:
    inner = transport(sealed(encrypted(payload, sender=sender), setup), ufrag=f"own{name}", pwd="own-password")
    return content(name, media="video", inner=inner, codecs=VP8)


def own(name: str = "1", setup: Setup = Setup.ACTPASS) -> Content:
    return video(name, setup, f"mine{name}")


def caller() -> tuple[JingleEndpoint, CallId]:
    """The initiator of a sealed call."""
    made = offered()
    work(made, ask(made, "session-accept", GOOD))
    return made, CALL


def callee(**options: Any) -> tuple[JingleEndpoint, CallId]:
    """The responder."""
    made, call, _ = taken(**options)
    work(made, ask(made, "session-initiate", OFFER))
    work(made, made.perform(call, e.SendAnswer(description(Setup.ACTIVE)), NOW))
    return made, call


def actions(outputs: list[Output]) -> list[str]:
    return [request.action for request in requests(outputs)]


def test_what_is_added_leaves_under_its_seal_and_what_comes_after_it_waits() -> None:
    made, call = caller()
    asked = made.perform(call, e.SendContentAdd((own(),)), NOW)
    assert kinds(asked) == ["Seal"]
    assert isinstance(asked[0], Seal)
    assert (asked[0].device, dict(asked[0].texts)) == (PEER_DEVICE, {"1": HEX})
    assert made.perform(call, e.SendCandidates("1", (candidate(),)), NOW) == []
    outputs = work(made, asked)
    assert actions(outputs) == ["content-add", "transport-info"]
    (added,) = transports(requests(outputs)[0])
    assert (added.fingerprints, len(added.sealed)) == ((), 1)


def test_a_stub_needs_no_seal() -> None:
    made, call = caller()
    assert kinds(ask(made, "content-add", content("1", media="video", inner=STUB, codecs=VP8))) == [
        "ReplyResult",
        "Deliver",
    ]
    accepted = made.perform(call, e.SendContentAccept((video("1"),), ("0", "1")), NOW)
    assert kinds(accepted) == ["SendIq"]
    assert transports(requests(accepted)[0])[0].stub


def test_two_that_leave_at_once_leave_in_order_with_what_belongs_to_them() -> None:
    made, call = caller()
    work(made, ask(made, "content-add", pictures("7")))
    first = made.perform(call, e.SendContentAdd((own("1"),)), NOW)
    assert made.perform(call, e.SendContentAccept((own("7", Setup.ACTIVE),)), NOW) == []
    assert made.perform(call, e.SendCandidates("7", (candidate(),)), NOW) == []
    outputs = work(made, first)
    assert kinds(outputs) == ["SendIq", "Seal"]
    assert actions(outputs) == ["content-add"]
    assert actions(work(made, outputs)) == ["content-accept", "transport-info"]
    assert made.sealed(call, None, NOW) == []


@pytest.mark.parametrize("sealer", [Sealer(unreachable=frozenset({PEER_DEVICE})), Sealer(own=5)])
def test_what_cannot_be_sealed_for_the_device_of_the_call_does_not_leave(sealer: Sealer) -> None:
    made, call = caller()
    outputs = work(made, made.perform(call, e.SendContentAdd((own(),)), NOW), sealer)
    assert [type(item) for item in told(outputs)] == [ContentsRejected]
    assert actions(outputs) == []
    work(made, ask(made, "content-add", pictures("7")))
    outputs = work(made, made.perform(call, e.SendContentAccept((own("7", Setup.ACTIVE),)), NOW), sealer)
    assert told(outputs) == [ContentsRemoved(("7",))]
    assert actions(outputs) == ["content-reject"]
    # What waited for it goes on.
    assert actions(made.perform(call, e.SendInformation(e.Information.HOLD), NOW)) == ["session-info"]


def test_what_the_peer_adds_is_opened_and_vouched_for() -> None:
    made, _ = callee()
    asked = ask(made, "content-add", pictures())
    assert kinds(asked) == ["ReplyResult", "Unseal"]
    assert kinds(ask(made, "transport-info", trickled(CANDIDATE, "1", "own1", "own-password"))) == ["ReplyResult"]
    added, candidates = told(work(made, asked))
    assert isinstance(added, ContentsAdded)
    assert added.contents[0].transport.fingerprint is not None
    assert added.contents[0].transport.fingerprint.vouching is Vouching.OMEMO_TRUSTED
    assert isinstance(candidates, CandidatesReceived)
    assert made.unsealed(CALL, None, NOW) == []


def test_one_is_opened_after_the_other() -> None:
    made, _ = callee()
    first = ask(made, "content-add", pictures("1"))
    assert kinds(ask(made, "content-add", pictures("2"))) == ["ReplyResult"]
    for number in range(MAXIMUM_EARLY + 10):
        trickle = trickled(CANDIDATE.replace("41000", str(41000 + number)), "2", "own2", "own-password")
        assert kinds(ask(made, "transport-info", trickle)) == ["ReplyResult"]
    (reply,) = ask(made, "content-add", pictures("2"))
    assert isinstance(reply, ReplyError)
    second = work(made, first)
    assert [type(item) for item in told(second)] == [ContentsAdded]
    added, *candidates = told(work(made, second))
    assert isinstance(added, ContentsAdded)
    assert len(candidates) == MAXIMUM_EARLY


def test_an_answer_is_opened_as_well() -> None:
    made, call = caller()
    work(made, made.perform(call, e.SendContentAdd((own(),)), NOW))
    (accepted,) = told(work(made, ask(made, "content-accept", pictures(setup="active"))))
    assert isinstance(accepted, ContentsAccepted)
    assert accepted.contents[0].transport.fingerprint is not None
    assert accepted.contents[0].transport.fingerprint.vouching is Vouching.OMEMO_TRUSTED


def test_an_answer_to_what_was_given_up_meanwhile_is_nothing() -> None:
    made, call = caller()
    work(made, made.perform(call, e.SendContentAdd((own(),)), NOW))
    opening = ask(made, "content-accept", pictures(setup="active"))
    made.perform(call, e.SendContentRemove(("1",)), NOW)
    assert work(made, opening) == []


@pytest.mark.parametrize(
    ("inner", "sealer"),
    [
        (pictures(payload="?"), SEALER),
        (pictures(sender=OTHER_DEVICE), SEALER),
        (pictures(), Sealer(trust={PEER_DEVICE: Trust.DISTRUSTED})),
    ],
)
def test_a_seal_that_is_not_of_the_device_of_the_call_ends_it(inner: str, sealer: Sealer) -> None:
    made, _ = callee()
    outputs = work(made, ask(made, "content-add", inner), sealer)
    (end,) = (item for item in told(outputs) if isinstance(item, Ended))
    assert end.reason is EndReason.SECURITY_ERROR


@pytest.mark.parametrize(
    "inner",
    [
        transport(fingerprint(), ufrag="own"),
        transport(sealed(encrypted(HEX)) + fingerprint(), ufrag="own"),
        transport(sealed(encrypted(HEX)) * 2, ufrag="own"),
    ],
)
@pytest.mark.parametrize("action", ["content-add", "content-accept"])
def test_a_key_that_is_not_under_one_seal_ends_the_call(inner: str, action: str) -> None:
    made, call = caller()
    work(made, made.perform(call, e.SendContentAdd((own("2"),)), NOW))
    name = "2" if action == "content-accept" else "s"
    category = "<category xmlns='urn:xmpp:jingle:apps:category:0' name='slides'/>"
    made_of = category + inner
    outputs = ask(made, action, content(name, media="video", inner=made_of, codecs=VP8))
    (end,) = (item for item in told(outputs) if isinstance(item, Ended))
    assert end.reason is EndReason.SECURITY_ERROR


def test_a_seal_in_a_plain_call_is_no_key() -> None:
    made, call, _ = taken(omemo_device=None)
    ask(made, "session-initiate", content())
    made.perform(call, e.SendAnswer(description(Setup.ACTIVE)), NOW)
    assert actions(ask(made, "content-add", pictures())) == ["content-reject"]


def test_the_end_comes_while_seals_are_made_and_opened() -> None:
    made, call = caller()
    leaving = made.perform(call, e.SendContentAdd((own(),)), NOW)
    ending: list[Jingle] = [
        parse_jingle(output.payload)
        for output in made.perform(call, e.SendEnd(EndReason.SUCCESS), NOW)
        if isinstance(output, SendIq)
    ]
    assert [request.action for request in ending] == ["session-terminate"]
    assert work(made, leaving) == []
    made, _ = callee()
    opening = ask(made, "content-add", pictures())
    assert any(isinstance(output, Unseal) for output in opening)
    ask(made, "session-terminate")
    assert work(made, opening) == []
