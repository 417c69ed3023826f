"""Offers and answers, as data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openvoice.core.description import (
    Candidate,
    Codec,
    Content,
    Feedback,
    Fingerprint,
    HeaderExtension,
    Media,
    Senders,
    SessionDescription,
    Setup,
    Source,
    TransportDescription,
)
from openvoice.errors import MediaFailed, SecurityRefused
from openvoice.media import plan
from openvoice.media.audio.negotiation import offered_codecs
from openvoice.media.video import negotiation

VP8 = Codec(payload_type=97, name="VP8", clock_rate=90_000, feedback=(Feedback("nack", "pli"),))
RTX = Codec(payload_type=98, name="rtx", clock_rate=90_000, parameters=(("apt", "97"),))
CANDIDATE = Candidate(foundation="1", address="192.0.2.1", port=9, priority=1)


def fingerprint(octet: int = 1) -> Fingerprint:
    return Fingerprint("sha-256", bytes([octet]) * 32)


def transport(octet: int = 1, ufrag: str = "user", **changes: object) -> TransportDescription:
    made = TransportDescription(
        ufrag=ufrag, pwd="p" * 22, fingerprint=fingerprint(octet), setup=Setup.ACTPASS, candidates=(CANDIDATE,)
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def audio(name: str = "0", **changes: object) -> Content:
    made = Content(name=name, media=Media.AUDIO, codecs=offered_codecs(), transport=transport())
    return replace(made, **changes)  # type: ignore[arg-type]


def video(name: str = "1", **changes: object) -> Content:
    made = Content(name=name, media=Media.VIDEO, codecs=(RTX, VP8), transport=transport())
    return replace(made, **changes)  # type: ignore[arg-type]


def answer_to(offer: SessionDescription, video: bool = False) -> SessionDescription:
    sources = map(Source, range(100, 200))
    ours = {content.name: transport(9, "ours") for content in offer.contents}
    return plan.make_answer(offer, ours, lambda: next(sources), video)


def test_the_offer_is_one_audio_content_in_a_bundle_of_its_own() -> None:
    offer = plan.make_offer({"0": transport()}, lambda: Source(77))
    (content,) = offer.contents
    assert (content.name, content.media, content.senders, content.source) == (
        "0",
        Media.AUDIO,
        Senders.BOTH,
        Source(77),
    )
    assert content.mux
    assert offer.bundle == ("0",)


def test_the_answer_mirrors_names_order_media_and_group() -> None:
    offer = SessionDescription(contents=(video("v"), audio("a")), bundle=("a", "v"))
    answer = answer_to(offer)
    assert [(content.name, content.media) for content in answer.contents] == [("v", Media.VIDEO), ("a", Media.AUDIO)]
    assert answer.bundle == ("a", "v")
    assert len({content.source for content in answer.contents}) == 2
    assert answer_to(SessionDescription(contents=(audio(),))).bundle == ()


def test_pictures_are_answered_with_what_both_know_in_the_numbers_of_the_offer() -> None:
    extensions = (HeaderExtension(7, negotiation.MID), HeaderExtension(3, "urn:ietf:params:rtp-hdrext:toffset"))
    offered = video(header_extensions=extensions, category="slides", repair=5, source=Source(4))
    answer = answer_to(SessionDescription(contents=(audio(), offered))).contents[1]
    assert [(codec.payload_type, codec.name) for codec in answer.codecs] == [(97, "VP8"), (98, "rtx")]
    assert answer.codecs[0].feedback == (Feedback("nack", "pli"),)
    assert answer.header_extensions == (HeaderExtension(7, negotiation.MID),)
    assert answer.category == "slides"
    assert answer.source is not None
    assert answer.repair not in (None, 5, answer.source.ssrc)


def test_both_sides_send_pictures_only_where_that_was_wanted_and_offered() -> None:
    for offered, video_too, answered in (
        (Senders.BOTH, False, Senders.INITIATOR),
        (Senders.BOTH, True, Senders.BOTH),
        (Senders.INITIATOR, True, Senders.INITIATOR),
        (Senders.RESPONDER, False, Senders.RESPONDER),
    ):
        offer = SessionDescription(contents=(audio(), video(senders=offered)))
        assert answer_to(offer, video=video_too).contents[1].senders is answered
    screen = SessionDescription(contents=(audio(), video(category="slides")))
    assert answer_to(screen, video=True).contents[1].senders is Senders.INITIATOR


def test_pictures_that_nobody_here_can_read_are_accepted_and_not_sent() -> None:
    unknown = Codec(payload_type=99, name="H265", clock_rate=90_000, feedback=(Feedback("nack"),))
    answer = answer_to(SessionDescription(contents=(audio(), video(codecs=(RTX, unknown)))), video=True).contents[1]
    assert answer.codecs == (replace(unknown, feedback=()),)
    assert (answer.senders, answer.repair) == (Senders.INITIATOR, None)
    assert not plan.is_shown(answer)
    assert plan.is_shown(video())


def test_an_offer_with_pictures_has_a_transport_for_each_content_in_one_bundle() -> None:
    sources = iter(map(Source, range(100, 200)))
    offer = plan.make_offer({"0": transport(), "1": transport(ufrag="other")}, lambda: next(sources))
    sound, pictures = offer.contents
    assert offer.bundle == ("0", "1")
    assert sound.transport != pictures.transport
    assert {sound.source, pictures.source, Source(pictures.repair or 0)} == set(map(Source, (100, 101, 102)))
    assert not {codec.payload_type for codec in sound.codecs} & {codec.payload_type for codec in pictures.codecs}


def test_what_both_halves_have_is_agreed_on() -> None:
    ours = video(
        codecs=(replace(VP8, feedback=(Feedback("nack"), Feedback("goog-remb"))), RTX),
        header_extensions=(HeaderExtension(1, "a"), HeaderExtension(2, "b")),
    )
    theirs = video(codecs=(replace(VP8, feedback=(Feedback("nack"),)),), header_extensions=(HeaderExtension(2, "b"),))
    agreed = plan.agreed(ours, theirs)
    assert agreed.codecs == (replace(VP8, feedback=(Feedback("nack"),)),)
    assert agreed.header_extensions == (HeaderExtension(2, "b"),)


def test_pictures_may_be_left_out_of_an_answer() -> None:
    offer = SessionDescription(contents=(audio(), video()), bundle=("0", "1"))
    answer = SessionDescription(contents=(audio(),), bundle=("0",))
    plan.check_answer(offer, answer)
    assert plan.only(offer, ["0"]) == answer


def test_only_what_both_sides_bundle_shares_a_transport() -> None:
    first, second = audio("0"), video("1")
    offer = SessionDescription(contents=(first, second), bundle=("0", "1"))
    answer = SessionDescription(contents=(first, second))
    assert plan.transport_groups(offer, answer) == ((first,), (second,))


def test_a_second_audio_content_is_received_only_too() -> None:
    answer = answer_to(SessionDescription(contents=(audio("0"), audio("1"))))
    assert [content.senders for content in answer.contents] == [Senders.BOTH, Senders.INITIATOR]


def test_the_answer_keeps_the_payload_types_of_the_offer_and_claims_no_extension() -> None:
    opus = replace(offered_codecs()[0], payload_type=96)
    offered = audio(codecs=(opus,), header_extensions=(HeaderExtension(1, "urn:ietf:params:rtp-hdrext:sdes:mid"),))
    (content,) = answer_to(SessionDescription(contents=(offered,))).contents
    assert [codec.payload_type for codec in content.codecs] == [96]
    assert content.header_extensions == ()


def test_a_content_without_mux_is_answered_without_it() -> None:
    (content,) = answer_to(SessionDescription(contents=(audio(mux=False),))).contents
    assert not content.mux


def test_without_a_common_codec_there_is_no_call() -> None:
    unknown = audio(codecs=(Codec(payload_type=3, name="GSM", clock_rate=8000),))
    for contents in ((unknown,), (video(),)):
        with pytest.raises(MediaFailed):
            plan.voice_content(SessionDescription(contents=contents))


def test_bundled_contents_share_a_transport_and_others_do_not() -> None:
    first, second, third = audio("0"), video("1"), video("2")
    bundled = SessionDescription(contents=(first, second, third), bundle=("0", "2"))
    assert plan.transport_groups(bundled, bundled) == ((first, third), (second,))
    apart = SessionDescription(contents=(first, second))
    assert plan.transport_groups(apart, apart) == ((first,), (second,))


def test_candidates_of_a_bundle_are_those_with_the_credentials_of_the_first() -> None:
    other = replace(CANDIDATE, port=10)
    same = video("1", transport=transport(candidates=(other,)))
    foreign = video("2", transport=transport(ufrag="elsewhere", candidates=(replace(CANDIDATE, port=11),)))
    assert plan.remote_transport((audio(), same, foreign)).candidates == (CANDIDATE, other)


def test_a_missing_or_conflicting_fingerprint_is_refused() -> None:
    with pytest.raises(SecurityRefused):
        plan.remote_transport((audio(transport=transport(fingerprint=None)),))
    with pytest.raises(SecurityRefused):
        plan.remote_transport((audio(), video(transport=transport(2))))
    with pytest.raises(SecurityRefused):
        plan.remote_transport((audio(), video(transport=transport(fingerprint=None))))


@pytest.mark.parametrize(
    ("offered", "ours"),
    [
        (Setup.ACTPASS, Setup.ACTIVE),
        (Setup.PASSIVE, Setup.ACTIVE),
        (Setup.ACTIVE, Setup.PASSIVE),
        (None, Setup.ACTIVE),
    ],
)
def test_the_answer_takes_the_active_part_or_the_complement(offered: Setup | None, ours: Setup) -> None:
    assert plan.answering_setup(offered) is ours


def test_an_answer_decides_who_begins_dtls() -> None:
    offer = transport(setup=Setup.ACTPASS)
    assert plan.is_client(offer, transport(setup=Setup.PASSIVE))
    assert not plan.is_client(offer, transport(setup=Setup.ACTIVE))
    assert plan.is_client(transport(setup=Setup.ACTIVE), offer)
    assert not plan.is_client(transport(setup=Setup.PASSIVE), offer)
    for setup in (Setup.ACTPASS, None):
        with pytest.raises(SecurityRefused):
            plan.is_client(offer, transport(setup=setup))


def test_an_answer_that_answers_something_else_is_no_answer() -> None:
    offer = SessionDescription(contents=(audio(),), bundle=("0",))
    plan.check_answer(offer, SessionDescription(contents=(audio(),)))
    for contents in ((audio("1"),), (video("0"),), (audio(), video())):
        with pytest.raises(MediaFailed):
            plan.check_answer(offer, SessionDescription(contents=contents))
    with pytest.raises(MediaFailed):
        plan.check_answer(offer, SessionDescription(contents=(audio(codecs=(VP8,)),)))
