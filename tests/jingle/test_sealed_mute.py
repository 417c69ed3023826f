"""A side that adds nothing of its own says so, while what it accepted is still under its seal."""

from __future__ import annotations

from openvoice.core import effects as e
from openvoice.core.description import Setup
from openvoice.core.inputs import ContentsAccepted, PeerMuted
from openvoice.jingle import namespaces as ns
from tests.jingle.samples import HEX, NOW, content, sealed, transport, video
from tests.jingle.sealer import PEER_DEVICE, encrypted
from tests.jingle.test_sealing import CALL, GOOD, ask, offered, told, work

VP8 = "<payload-type id='97' name='VP8' clockrate='90000'/>"


def test_a_mute_of_a_content_whose_seal_is_being_opened_waits_for_it() -> None:
    made = offered()
    work(made, ask(made, "session-accept", GOOD))
    work(made, made.perform(CALL, e.SendContentAdd((video("1", Setup.ACTPASS, "mine1"),)), NOW))
    under = transport(sealed(encrypted(HEX, sender=PEER_DEVICE), "active"), ufrag="own1", pwd="own-password")
    accepted = ask(made, "content-accept", content("1", media="video", inner=under, codecs=VP8))
    muted = ask(made, "session-info", f"<mute xmlns='{ns.RTP_INFORMATION}' creator='initiator' name='1'/>")
    assert told(muted) == []
    taken = told(work(made, accepted))
    assert [type(item) for item in taken] == [ContentsAccepted, PeerMuted]
    assert taken[1] == PeerMuted(True, "1")
