"""The course of a call, as a picture."""

from __future__ import annotations

from itertools import pairwise

from openvoice.report.call import Actor, CallReport, Moment
from openvoice.report.text import milliseconds, name, plain

_WORDS = {
    "propose": "“May I call you?” to all devices of the person",
    "ringing": "It rings",
    "proceed": "“Yes”: the call was accepted",
    "session-initiate": "Offer: codecs, addresses and the fingerprint of the key",
    "session-accept": "Answer: the same from the other side",
    "secured": "Keys agreed and checked against the fingerprints",
    "first-sound": "The first sound arrived",
    "end": "The call ended",
}
_ARROWS = {
    # From one lifeline to the other.
    Actor.CALLER: '<path class="arrow" d="M12 20H104m-7-5 8 5-8 5"/>',
    Actor.CALLEE: '<path class="arrow" d="M108 20H16m7-5-8 5 8 5"/>',
    Actor.BOTH: '<path class="arrow both" d="M12 20H108"/><circle cx="12" cy="20" r="5"/>'
    '<circle cx="108" cy="20" r="5"/>',
}


def timeline(call: CallReport) -> str:
    """HTML: how long each part of the set-up took, to scale, then each moment as an arrow between the two sides."""
    rows = "".join(
        f'<li><span class="at">{milliseconds(moment.at)}</span>'
        f'<svg class="ladder" viewBox="0 0 120 40" aria-hidden="true">{_ARROWS[moment.by]}</svg>'
        f'<span class="moment"><b><i class="swatch {_phase(call, position)}"></i>{plain(moment.name)}</b>'
        f'<span class="who">{_who(call, moment)}</span>{_WORDS.get(moment.name, "")}</span></li>'
        for position, moment in enumerate(call.moments)
    )
    return (
        f'{_scale(call)}<div class="sides" aria-hidden="true"><span>{name(call.caller.name)}</span>'
        f'<span>{name(call.callee.name)}</span></div><ol class="moments">{rows}</ol>'
    )


def _scale(call: CallReport) -> str:
    """The time from the first moment to the first sound, to scale; each part has the colour of the moment it led to."""
    heard = call.moment("first-sound")
    if heard is None or heard.at <= call.moments[0].at:
        return ""
    parts = "".join(
        f'<span class="{_phase(call, position)}" style="flex-grow:{max(0, round(1e6 * (moment.at - before.at)))}" '
        f'title="{plain(moment.name)}: {milliseconds(moment.at - before.at)}"></span>'
        for position, (before, moment) in enumerate(pairwise(call.moments[: call.moments.index(heard) + 1]), start=1)
    )
    return (
        f'<p class="caption">From the call to the first sound: <b>{milliseconds(heard.at - call.moments[0].at)}</b></p>'
        f'<div class="scale" aria-hidden="true">{parts}</div>'
    )


def _phase(call: CallReport, position: int) -> str:
    """The CSS class of the time that led to a moment; what came first, and what came after the sound, has none."""
    heard = call.moment("first-sound")
    measured = heard is not None and 0 < position <= call.moments.index(heard)
    return f"phase{(position - 1) % 6}" if measured else ""


def _who(call: CallReport, moment: Moment) -> str:
    caller, callee = name(call.caller.name), name(call.callee.name)
    return {Actor.CALLER: f"{caller} → {callee}", Actor.CALLEE: f"{callee} → {caller}", Actor.BOTH: "both"}[moment.by]
