from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from openvoice.core.statistics import CallStatistics
from openvoice.report import Actor, CallReport, Moment, Side, Sound, render
from tests.report.calls import ALICE, BOB, MALLORY, MOMENTS, OTHER, report, side

VOID = {"meta", "img", "path", "circle", "polygon"}
HOSTILE = '"><script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}<img src=x onerror=alert(2)>'


class Page(HTMLParser):
    """Reads a page, and demands that every element is closed where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.elements if found == tag]


def sounds() -> dict[str, Sound]:
    noise = np.random.default_rng(1).normal(0, 3000, 96_000).astype(np.int16)
    return {
        name: Sound(samples=noise[: len(noise) - cut], rate=48_000)
        for cut, name in enumerate(("a.flac", "b.flac", "a-heard.wav", "b-heard.wav"))
    }


def page(**changed: Any) -> Page:
    return Page(render(report(**changed), sounds()))


def test_needs_nothing_from_anywhere_and_runs_nothing() -> None:
    text = render(report(), sounds())
    made = Page(text)
    assert not {"script", "link", "iframe", "object", "form", "base"} & {tag for tag, _ in made.elements}
    assert not re.search(r"https?://|url\(|@import|javascript:", text)
    assert all(str(image["src"]).startswith("data:image/png;base64,") for image in made.all("img"))
    assert not any(name.startswith("on") for _, attributes in made.elements for name in attributes)
    assert "default-src 'none'" in str(made.all("meta"))
    assert len(text) < 600_000


def test_tells_the_whole_story() -> None:
    words = page().words
    for expected in (
        "The call worked",
        "alice@example.org called bob@example.org",
        *(moment.name for moment in MOMENTS),
        "12 ms",
        "6.20 s",
        "From the call to the first sound: 160 ms",
        "What Alice said and Bob heard",
        "What Bob said and Alice heard",
        "It is the same speech",
        "Packets lost",
        "1.5 %",
        "48 kbit/s",
        "opus",
        "Only the servers vouch for the peer's key",
        "SRTP_AEAD_AES_128_GCM",
        "DTLS 1.2",
        "TLSv1.3",
        "AA:AA:AA:AA",
        "BB:BB:BB:BB",
        "keys vouched for by the servers only",
        "Who could hear, and who learnt what of Alice",
        "Who could hear, and who learnt what of Bob",
        "turn.example.org",
        "example.org, by An authority",
    ):
        assert expected in words, expected
    assert words.count("saw the same") == 2


def test_fits_light_and_dark_and_small_and_can_be_read_aloud() -> None:
    text = render(report(), sounds())
    made = Page(text)
    assert "prefers-color-scheme: dark" in text
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in made.all("meta")
    assert made.all("html") == [{"lang": "en"}]
    assert len(made.all("h1")) == len(made.all("main")) == len(made.all("title")) == 1
    assert all(image["alt"] for image in made.all("img"))
    for drawing in made.all("svg"):
        assert drawing.get("aria-hidden") == "true" or drawing["aria-label"]


def test_draws_both_directions_on_one_time_axis() -> None:
    made = page()
    assert len(made.all("img")) == 4
    assert [drawing["aria-label"] for drawing in made.all("svg") if "aria-label" in drawing] == [
        f"Waveform of the sound {verb}"
        for verb in ("sent by Alice", "received by Bob", "sent by Bob", "received by Alice")
    ]
    assert "0 s" in made.words
    assert "1 s" in made.words


def test_a_sound_that_was_not_kept_is_said_to_be() -> None:
    made = Page(render(report(), {}))
    assert made.words.count("The sound was not kept.") == 2
    assert made.all("img") == []


def test_two_keys_that_differ_stand_out() -> None:
    made = page(callee=side("bob@example.org", BOB, MALLORY))
    assert "saw another one" in made.words
    assert "CC:CC:CC:CC" in made.words


def test_a_failed_comparison_is_said() -> None:
    words = page(callee=side("bob@example.org", BOB, ALICE, similarity=OTHER)).words
    assert "speech was lost" in words
    assert "It is not the same speech" in words


@pytest.mark.parametrize(
    "call",
    [
        report(moments=()),
        report(moments=(Moment(name="first-sound", at=0.0, by=Actor.BOTH),)),
        report(moments=MOMENTS[:3], duration=0.0, reason="busy"),
        CallReport(
            id="",
            started=0.0,
            duration=0.0,
            reason="gone",
            moments=(),
            caller=Side(address="a"),
            callee=Side(address="b"),
        ),
    ],
)
def test_a_call_of_which_little_is_known_is_a_whole_page(call: CallReport) -> None:
    assert "The numbers" in Page(render(call, {})).words


def test_hostile_text_stays_text() -> None:
    security = dict(report().caller.security) | {
        "findings": [{"severity": "warning", "text": HOSTILE}, {"severity": HOSTILE, "text": "x"}],
        "fingerprints": {"local": HOSTILE, "remote": HOSTILE, "hash": HOSTILE},
        "tls": dict.fromkeys(("server", "version", "cipher", "certificate_sha256", "sasl_mechanism"), HOSTILE),
        "vouching": HOSTILE,
        "parties": [{"party": "peer", "name": HOSTILE, "why": HOSTILE}],
    }
    statistics = CallStatistics(codec=HOSTILE)
    hostile = Side(address=f"{HOSTILE}@x", statistics=statistics, security=security, sent="a.flac", received=HOSTILE)
    moments = (Moment(name=HOSTILE, at=0.0, by=Actor.BOTH), Moment(name="first-sound", at=1.0, by=Actor.BOTH))
    call = report(id=HOSTILE, reason=HOSTILE, moments=moments, caller=hostile, callee=hostile)
    text = render(call, sounds())
    made = Page(text)
    assert made.all("script") == []
    assert all("onerror" not in attributes for _, attributes in made.elements)
    assert all(str(image["src"]).startswith("data:") for image in made.all("img"))
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in text
