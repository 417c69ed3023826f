"""Tells what happens: a line for each state and a live meter for people, JSON lines for programs."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol, TextIO

from openvoice import Address, Client, Happening, InvalidAddress
from openvoice.cli.screen import Colour, Mark, Screen

_QUIETEST = -60.0
"""dBFS at the left end of a level meter."""
_BAR = 12
"""Characters of a level meter."""


class Printer(Protocol):
    """Something that tells a happening, and asks the user what only a person can decide."""

    def show(self, happening: Happening) -> None: ...

    def say(self, text: str) -> None:
        """Tell a person something; programs do not need it."""
        ...

    def ask(self, question: str) -> None:
        """Show a question that the user answers with a line."""
        ...

    def answered(self) -> None:
        """The user typed a line."""
        ...

    def close(self) -> None: ...


def look_alike(address: str) -> str:
    """A warning to stand behind an address whose letters may be others than they look, empty for plain ones."""
    try:
        scripts = Address.parse(address).foreign_scripts
    except InvalidAddress:
        return ""
    return f" (careful: this address is written in {' and '.join(sorted(scripts))} letters)" if scripts else ""


def printer(*, as_json: bool, stream: TextIO | None = None, compares: bool = False) -> Printer:
    """``compares`` says that a person at the terminal is to compare words."""
    kind = JsonPrinter if as_json else PeoplePrinter
    return kind(stream or sys.stdout, compares=compares)


@asynccontextmanager
async def told(client: Client, shown: Printer) -> AsyncIterator[Client]:
    """The client, online, with all that happens told until nothing happens any more.

    Where telling fails because nobody reads any more, all is ended, and the error is raised.
    """
    happenings = client.events()
    work = asyncio.current_task()
    assert work is not None

    async def tell() -> None:
        try:
            async for happening in happenings:
                shown.show(happening)
        except OSError:
            # Whoever started this cannot see it any more: no microphone must go on unseen.
            work.cancel()
            raise

    telling = asyncio.create_task(tell())
    try:
        async with client:
            yield client
    finally:
        await telling
        shown.close()


class JsonPrinter:
    """One object per line, in ASCII; ``docs/events.md`` is the schema."""

    def __init__(self, stream: TextIO, *, compares: bool = False) -> None:
        self._stream = stream
        self._questions = Screen(sys.stderr)
        self._compares = compares

    def show(self, happening: Happening) -> None:
        self._stream.write(json.dumps(happening.as_dict()) + "\n")
        self._stream.flush()
        if happening.name == "words" and self._compares:
            show_words(self._questions, happening.details["words"])

    def say(self, text: str) -> None:
        """Nothing: it would be no event."""

    def ask(self, question: str) -> None:
        self._questions.ask(question)

    def answered(self) -> None:
        self._questions.answered()

    def close(self) -> None:
        self._questions.close()


class PeoplePrinter:
    """A line for each state; while the call is active, a meter that is redrawn in place on a terminal."""

    def __init__(self, stream: TextIO, *, compares: bool = False) -> None:
        self._screen = Screen(stream)
        self._compares = compares
        self._questions = self._screen if self._screen.is_terminal else Screen(sys.stderr)
        self._connected_at: float | None = None

    def show(self, happening: Happening) -> None:
        details = happening.details
        match happening.name:
            case "stats":
                self._meter(happening.time, details)
                return
            case "connected":
                self._connected_at = happening.time
            case "words" if self._compares:
                show_words(self._questions, details["words"])
                return
            case "ended":
                self._end(details)
                return
        line = _sentence(happening.name, details)
        if happening.name == "certificate-changed":
            self._screen.line(line, mark=_MARKS[details["severity"]])
        elif line:
            self._screen.line(line, colour=_COLOURS.get(happening.name))

    def say(self, text: str) -> None:
        self._screen.line(text)

    def ask(self, question: str) -> None:
        self._questions.ask(question)

    def answered(self) -> None:
        self._questions.answered()

    def close(self) -> None:
        self._questions.close()
        self._screen.close()

    def _meter(self, now: float, stats: dict[str, Any]) -> None:
        minutes, seconds = divmod(int(now - (self._connected_at or now)), 60)
        round_trip = stats["round_trip"]
        self._screen.redraw(
            f"{minutes}:{seconds:02}",
            f"you {self._level(stats['level_sent'])}",
            f"them {self._level(stats['level_received'])}",
            f"lost {stats['loss']:.1%}",
            f"delay {stats['playout_delay']:.0f} ms",
            *([f"round trip {round_trip:.0f} ms"] if round_trip is not None else []),
            *filter(None, map(_pictures, stats["video"])),
        )

    def _level(self, level: float) -> str:
        return self._screen.bar(1 - level / _QUIETEST, _BAR)

    def _end(self, details: dict[str, Any]) -> None:
        self._connected_at = None
        self._screen.line(_ending(details))
        if not details["duration"]:
            return
        stats = details["stats"]
        self._screen.line(
            f"{details['duration']:.1f} s, lost {stats['loss']:.1%}, made up {stats['concealed']:.1%}, "
            f"codec {stats['codec'] or 'none'}"
        )
        show_findings(self._screen, details["security"])


def show_findings(screen: Screen, security: dict[str, Any]) -> None:
    """What protected the call, in words."""
    for finding in security["findings"]:
        screen.line(finding["text"], mark=_MARKS[finding["severity"]])


def show_words(screen: Screen, words: list[str]) -> None:
    """The words, so that nobody overlooks them, and what to do with them."""
    screen.large(words)
    screen.line("Read them to each other. If they are the same on both sides, press v, else x.")


def _pictures(video: dict[str, Any]) -> str:
    """What is sent and received of the camera or the screen now."""
    ways = [
        f"{arrow} {way['width']}x{way['height']} {way['frames_per_second']:.0f}/s"
        for arrow, way in (("out", video["sent"]), ("in", video["received"]))
        if way["frames_per_second"] >= 1
    ]
    return " ".join((video["label"], *ways)) if ways else ""


_MARKS = {"good": Mark.GOOD, "notice": Mark.NOTICE, "warning": Mark.WARNING}
_COLOURS = {
    "connected": Colour.GREEN,
    "restored": Colour.GREEN,
    "verified": Colour.GREEN,
    "words-failed": Colour.YELLOW,
    "offline": Colour.YELLOW,
    "interrupted": Colour.YELLOW,
    "moved": Colour.YELLOW,
    "device": Colour.YELLOW,
    "video-device": Colour.YELLOW,
    "video-refused": Colour.YELLOW,
    "exposed": Colour.YELLOW,
}
_VOUCHERS = {
    "none": "nobody vouches for the peer's key",
    "signalled": "only the servers vouch for the peer's key",
    "omemo_trusted": "the peer's OMEMO key vouches for it",
    "omemo_verified": "the OMEMO key that you verified vouches for it",
}


_MISSED = {
    "busy": "missed call of {peer}, who heard that you are in another call",
    "answered-elsewhere": "{peer} called; another of your devices answered",
    "declined-elsewhere": "{peer} called; another of your devices declined",
}


def _sentence(name: str, details: dict[str, Any]) -> str:
    """What a person is told about an event; nothing about those that are of no use to one."""
    match name:
        case "online":
            return f"online as {details['account']}"
        case "offline":
            return f"not online: {details['reason']}"
        case "calling":
            return f"calling {details['peer']} ..."
        case "ringing":
            return "it rings"
        case "unheard":
            return "no device has answered so far; still trying"
        case "incoming":
            kind = " with video" if details["video"] else ""
            return f"{details['peer']} is calling{kind}{look_alike(details['peer'])}"
        case "missed":
            return _MISSED.get(details["outcome"], "missed call of {peer}").format(peer=details["peer"])
        case "accepted":
            return "accepted; looking for a path"
        case "exposed":
            return "not in your contacts, and your server offers no relay: they will learn this device's address"
        case "secured":
            security = details["security"]
            return (
                f"encrypted ({security['srtp']['profile']}, {security['dtls']['version']}); "
                f"{_VOUCHERS[security['vouching']]}"
            )
        case "connected":
            return "connected (Ctrl-C hangs up)"
        case "words":
            return f"words to compare with the other side: {' '.join(details['words'])}"
        case "words-failed":
            return f"there are no words to compare: {details['text']}"
        case "verified":
            return "verified: you will know this device of the other side again"
        case "interrupted":
            return "nothing is heard from the other device; trying to find another way ..."
        case "moved":
            return "the call moves to a new connection; nothing is sent until that is secured ..."
        case "restored":
            return "connected again"
        case "mute" if details["by"] == "local":
            return "muted" if details["muted"] else "not muted any more"
        case "hold":
            held = "on hold" if details["held"] else "not on hold any more"
            return held if details["by"] == "local" else f"{held}, by the other side"
        case "digit":
            return f"key {details['digit']}"
        case "video":
            whose = "your" if details["by"] == "local" else "their"
            return f"{whose} {details['label']} is {'shown' if details['shown'] else 'not shown any more'}"
        case "device" | "video-device" | "video-refused" | "certificate-changed":
            return str(details["text"])
        case _:
            return ""


def _ending(details: dict[str, Any]) -> str:
    if details["origin"] == "elsewhere":
        done = "declined" if details["reason"] == "decline" else "taken"
        return f"ended: {done} on another of your devices"
    if details["reason"] == "success":
        return "ended by the other side" if details["origin"] == "remote" else "ended"
    reason = details["reason"].replace("-", " ")
    return f"ended: {reason}" + (f" ({details['text']})" if details["text"] else "")
