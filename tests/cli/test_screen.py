from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.cli.screen import Colour, Mark, Screen, forgive_characters, plain

from .terminal import Terminal


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_pipe_gets_whole_lines_and_no_control_characters() -> None:
    stream = Terminal(terminal=False)
    screen = Screen(stream)
    screen.redraw("a meter")
    screen.line("word " * 20, mark=Mark.GOOD, colour=Colour.GREEN)
    screen.close()
    assert stream.getvalue() == "  ✓ " + "word " * 20 + "\n"


def test_a_terminal_gets_lines_that_fit_and_hang_below_their_mark() -> None:
    stream = Terminal()
    Screen(stream).line("one two three four five six seven eight nine ten session-initiate", mark=Mark.NOTICE)
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("  · one")
    assert all(line.startswith("    ") and not line.startswith("     ") for line in lines[1:])
    assert all(len(line) <= 40 for line in lines)
    assert any("session-initiate" in line for line in lines)


def test_colours_are_few_and_end() -> None:
    stream = Terminal()
    screen = Screen(stream)
    screen.line("well", mark=Mark.GOOD)
    screen.line("all of it", colour=Colour.YELLOW)
    assert stream.getvalue() == "  \x1b[32m✓ \x1b[0mwell\n\x1b[33m  all of it\x1b[0m\n"


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_those_who_want_no_colours_get_none(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    stream = Terminal()
    Screen(stream).line("well", mark=Mark.BAD, colour=Colour.RED)
    assert stream.getvalue() == "  ✗ well\n"


def test_an_empty_no_color_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    stream = Terminal()
    Screen(stream).line("well", colour=Colour.RED)
    assert "\x1b[31m" in stream.getvalue()


def test_what_is_redrawn_fits_and_is_wiped_before_the_next_line() -> None:
    stream = Terminal()
    screen = Screen(stream)
    screen.redraw("0:01", "you ####", "them ####", "lost 0.0%", "delay 20 ms")
    assert stream.getvalue() == "\r\x1b[K  0:01  you ####  them ####  lost 0.0%"
    screen.line("ended")
    screen.line("over")
    assert stream.lines == ["  ended", "  over"]


def test_a_dumb_terminal_has_no_line_to_redraw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    Screen(stream).redraw("a meter")
    assert stream.getvalue() == ""


def test_a_question_that_nobody_answered_keeps_its_line() -> None:
    stream = Terminal()
    screen = Screen(stream)
    screen.ask("answer bob@example.org? [y/N]")
    screen.line("ended: cancel")
    screen.ask("answer bob@example.org? [y/N]")
    screen.answered()
    screen.line("accepted")
    question = "\a  answer bob@example.org? [y/N] "
    assert stream.getvalue() == f"{question}\n  ended: cancel\n{question}  accepted\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "no such encoding"])
def test_a_terminal_without_the_characters_gets_others(encoding: str) -> None:
    stream = Terminal(encoding)
    screen = Screen(stream)
    screen.line("well", mark=Mark.GOOD)
    assert "+ " in stream.getvalue()
    assert screen.bar(0.5, 4) == "##--"
    assert stream.getvalue().isascii()


def test_bars_stay_between_empty_and_full() -> None:
    screen = Screen(Terminal())
    assert [screen.bar(share, 4) for share in (-1.0, 0.0, 0.5, 1.0, 7.0)] == ["░░░░", "░░░░", "██░░", "████", "████"]


def test_an_empty_line_is_a_line() -> None:
    stream = Terminal()
    Screen(stream).line("", mark=Mark.WARNING)
    assert stream.lines == ["  \x1b[33m! \x1b[0m"]


@given(st.text())
def test_nothing_that_moves_the_cursor_passes(text: str) -> None:
    shown = plain(text)
    assert len(shown) == len(text)
    assert all(character.isprintable() for character in shown)


@pytest.mark.parametrize(
    "hostile",
    ["\x1b[2J", "\r", "\n", "\a", "\u202egpj.exe", "\u2066x\u2069", "\u200b", "\x9b31m", "\x00", "\ufeff", "\ud800"],
)
def test_hostile_names_are_made_plain(hostile: str) -> None:
    stream = Terminal()
    Screen(stream).line(f"{hostile} is calling")
    assert "\N{REPLACEMENT CHARACTER}" in stream.getvalue()
    assert not set(hostile) & set(stream.getvalue()) - set("gpj.exe[2J31mx\n")


def test_streams_of_another_encoding_do_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    bytes_ = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(bytes_, encoding="ascii"))
    monkeypatch.setattr(sys, "stderr", Terminal())
    forgive_characters()
    Screen().line("Grüße von ✓")
    assert bytes_.getvalue() == b"  Gr??e von ?\n"
