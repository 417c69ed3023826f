"""The page that shows a call to a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from openvoice.report.call import CallReport, Side
from openvoice.report.document import document
from openvoice.report.protection import VOUCHERS, protection
from openvoice.report.seeing import Still, rows, seen, title
from openvoice.report.sound import Sound
from openvoice.report.spectrogram import HIGHEST_HERTZ, spectrogram
from openvoice.report.text import milliseconds, name, percent, plain
from openvoice.report.timeline import timeline
from openvoice.report.verdict import judge
from openvoice.report.waveform import waveform


def render(call: CallReport, sounds: Mapping[str, Sound], stills: Mapping[str, Still] | None = None) -> str:
    """One HTML document with everything in it: it needs no network and runs no script.

    ``sounds`` holds what ``sent`` and ``received`` of the two sides name, ``stills`` what their ``seen`` names; what is
    missing is not drawn.
    """
    verdict = judge(call)
    caller, callee = name(call.caller.name), name(call.callee.name)
    when = datetime.fromtimestamp(call.started, UTC)
    sections = (
        ("How the call came about", timeline(call)),
        (f"What {caller} said and {callee} heard", _sounds(call.caller, call.callee, sounds)),
        (f"What {callee} said and {caller} heard", _sounds(call.callee, call.caller, sounds)),
        *_pictures(call, stills or {}),
        ("The numbers", _numbers(call)),
        ("Who could have listened?", protection(call)),
    )
    return document(
        title=f"{verdict.headline} · {plain(call.caller.name, 40)} and {plain(call.callee.name, 40)}",
        grade=verdict.grade,
        kicker=f"{name(call.caller.address)} called {name(call.callee.address)} · "
        f'<time datetime="{when:%Y-%m-%dT%H:%M:%SZ}">{when:%d %B %Y, %H:%M} UTC</time>',
        headline=verdict.headline,
        sentence=verdict.sentence,
        chips=_chips(call),
        main="\n".join(f"<section><h2>{title}</h2>{body}</section>" for title, body in sections),
        footer=f"The call is named <code>{plain(call.id)}</code>.",
    )


def _pictures(call: CallReport, stills: Mapping[str, Still]) -> tuple[tuple[str, str], ...]:
    sides = ((call.caller, call.callee), (call.callee, call.caller))
    if not any(side.seen for side, _ in sides):
        return ()
    return tuple((title(shower, watcher), seen(watcher, stills)) for shower, watcher in sides)


def _chips(call: CallReport) -> str:
    heard = call.moment("first-sound")
    chips = [
        ("lasted", milliseconds(call.duration)),
        ("first sound after", milliseconds(heard.at) if heard else "-"),
        ("codec", plain(call.caller.statistics.codec or "-")),
        ("ended with", plain(call.reason)),
        ("keys vouched for by", VOUCHERS.get(str(call.caller.security.get("vouching")), "nobody")),
    ]
    return "".join(f"<li><span>{label}</span> <b>{value}</b></li>" for label, value in chips)


def _sounds(speaker: Side, listener: Side, sounds: Mapping[str, Sound]) -> str:
    """What was sent above what was received, on one time axis."""
    shown = [
        (verb, side, sounds[file])
        for verb, side, file in (("sent", speaker, speaker.sent), ("received", listener, listener.received))
        if file is not None and file in sounds
    ]
    if not shown:
        return '<p class="caption">The sound was not kept.</p>'
    seconds = max(sound.seconds for _, _, sound in shown)
    tracks = "".join(
        f'<figure class="track {verb}"><figcaption>{verb} by {name(side.name)}</figcaption><div class="picture">'
        f"{waveform(sound.lasting(seconds), f'Waveform of the sound {verb} by {plain(side.name, 40)}')}"
        f"{spectrogram(sound.lasting(seconds), f'Spectrogram of the sound {verb} by {plain(side.name, 40)}')}"
        f'<span class="hertz" aria-hidden="true">{HIGHEST_HERTZ // 1000} kHz</span></div></figure>'
        for verb, side, sound in shown
    )
    return f"{_compared(listener)}{tracks}{_axis(seconds)}"


def _compared(listener: Side) -> str:
    similarity = listener.similarity
    if similarity is None:
        return ""
    grade, mark, words = (
        ("good", "✓", "It is the same speech") if similarity.passed else ("warning", "!", "It is not the same speech")
    )
    return (
        f'<p class="caption"><span class="{grade}"><i class="mark" aria-hidden="true">{mark}</i> {words}</span>: '
        f"{percent(similarity.found)} of it arrived, with a correlation of {similarity.correlation:.2f}.</p>"
    )


def _axis(seconds: float) -> str:
    step = next((step for step in (1, 2, 5, 10, 30, 60, 300, 600) if seconds / step <= 10), 3600)
    ticks = "".join(
        f'<span style="left:{100 * tick / seconds:.3f}%">{tick} s</span>'
        for tick in range(0, int(seconds * 0.97) + 1, step)
    )
    return f'<div class="axis" aria-hidden="true">{ticks}</div>'


def _numbers(call: CallReport) -> str:
    caller, callee = name(call.caller.name), name(call.callee.name)
    directions = ((call.caller.statistics, call.callee.statistics), (call.callee.statistics, call.caller.statistics))
    table = (
        ("Packets lost", "on the way", [percent(received.loss) for _, received in directions]),
        ("Made up", "sound filled in for lost packets", [percent(received.concealed) for _, received in directions]),
        ("Jitter", "how unevenly packets arrive", [f"{received.jitter:.1f} ms" for _, received in directions]),
        ("Playout delay", "waiting to be played", [f"{received.playout_delay:.0f} ms" for _, received in directions]),
        (
            "Round trip",
            "there and back",
            ["-" if sent.round_trip is None else f"{sent.round_trip:.1f} ms" for sent, _ in directions],
        ),
        ("Bit rate", "of the speech", [f"{sent.bitrate_sent:.0f} kbit/s" for sent, _ in directions]),
        (
            "Packets",
            "sent, and received",
            [f"{sent.packets_sent}, {received.packets_received}" for sent, received in directions],
        ),
        ("Codec", "", [plain(sent.codec or "-") for sent, _ in directions]),
        *rows(call),
    )
    body = "".join(
        f'<tr><th scope="row">{label}<small>{words}</small></th>{"".join(f"<td>{value}</td>" for value in values)}</tr>'
        for label, words, values in table
    )
    return (
        f'<table><thead><tr><td></td><th scope="col">{caller} → {callee}</th><th scope="col">{callee} → {caller}</th>'
        f"</tr></thead><tbody>{body}</tbody></table>"
    )
