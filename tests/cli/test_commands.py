"""What holds for the command line as a whole."""

from __future__ import annotations

import logging
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

import openvoice
from openvoice import errors
from openvoice.cli import main

from .conftest import Run
from .tree import commands

HEAVY = [
    *("OpenSSL", "aioice", "aiortc", "av", "cryptography", "keyring", "oldmemo", "omemo", "pydantic", "rich", "scipy"),
    *("segno", "slixmpp", "sounddevice", "sqlite3", "zxingcpp"),
]


COMMANDS = [tuple(words.split()) for words, _ in commands()]


def python(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_help_says_what_it_does_and_shows_how(run: Run, words: tuple[str, ...]) -> None:
    for option in ("--help", "-h"):
        helped = run(*words, option)
        assert helped.code == 0
        assert helped.errors == ""
        usage, _, text = helped.output.partition("\n\n")
        assert usage.startswith("Usage: openvoice")
        assert f"openvoice {' '.join(words)}".rstrip() in text, "no example"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_fits_a_terminal(run: Run, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, run(*words, "--help").output.splitlines())) < 80


def test_the_commands_of_the_overview_are_those_that_exist(run: Run) -> None:
    shown = run("--help").output
    for words in COMMANDS:
        if len(words) == 1:
            assert f"  {words[0]} " in shown
    for code in (0, 2, 3, 4, 5, 6, 7, 130):
        assert f" {code}  " in shown


def test_the_version(run: Run) -> None:
    assert run("--version").output == f"openvoice, version {openvoice.__version__}\n"


def test_no_words_are_a_cry_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "openvoice demo" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [("cal",), ("call",), ("--nonsense",), ("account", "steal"), ("--log-level", "loud", "devices")]
)
def test_mistakes_are_told_on_standard_error(run: Run, words: tuple[str, ...]) -> None:
    told = run(*words)
    assert told.code == 2
    assert told.output == ""
    assert told.errors.startswith("openvoice: ")


def test_help_mistakes_and_lists_answer_before_the_heavy_libraries_are_there(home: Path) -> None:
    lists = [["--home", str(home), *words] for words in (["history"], ["recordings", "list"])]
    program = (
        f"import sys; from openvoice.cli import main; [main(words) for words in (['--help'], ['call'], *{lists!r})];"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    assert python(program).splitlines()[-1] == "[]"


@pytest.mark.slow
def test_help_costs_little_more_than_what_it_imports() -> None:
    """In processor time, against a Python that imports what every asynchronous program with arrays does."""

    def cost(program: str) -> float:
        def spent() -> float:
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)
            return usage.ru_utime + usage.ru_stime

        costs = []
        for _ in range(5):
            before = spent()
            python(program)
            costs.append(spent() - before)
        return min(costs)

    helped = cost("from openvoice.cli import main; main(['--help'])")
    assert helped < 3 * cost("import asyncio, click, json, logging, numpy, pathlib, subprocess, tomllib")


ERRORS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.OpenVoiceError)]


@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_error_is_one_plain_line_and_its_exit_code(
    run: Run, monkeypatch: pytest.MonkeyPatch, kind: type[errors.OpenVoiceError]
) -> None:
    def fail(*_: Any) -> None:
        raise kind("what to do \x1b[2J\r\n now")

    monkeypatch.setattr("openvoice.client.profile.Profile.history", fail)
    ended = run("history")
    assert ended.code == kind.exit_code
    assert ended.output == ""
    assert (
        ended.errors
        == "openvoice: what to do \N{REPLACEMENT CHARACTER}[2J" + 2 * "\N{REPLACEMENT CHARACTER}" + " now\n"
    )


@pytest.mark.parametrize("kind", [KeyboardInterrupt, click.Abort])
def test_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch, kind: type[BaseException]) -> None:
    def interrupted(*_: Any) -> None:
        raise kind

    monkeypatch.setattr("openvoice.client.profile.Profile.history", interrupted)
    ended = run("history")
    assert (ended.code, ended.output, ended.errors.strip()) == (130, "", "")


def test_a_reader_that_leaves_is_no_error_to_speak_of(home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.run(
        [sys.executable, "-m", "openvoice", "--home", str(home), "account", "list", "--help"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (process.returncode, process.stderr) == (130, b"")


@pytest.mark.parametrize("words", [("account", "list"), ("--help",)])
def test_a_pipe_that_breaks_is_an_interruption(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert run(*words).code == 130


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_under_the_output_is_told_in_one_line(home: Path) -> None:
    with open("/dev/full", "wb") as full:
        process = subprocess.run(
            [sys.executable, "-m", "openvoice", "--home", str(home), "account", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (process.returncode, process.stderr) == (
        2,
        b"openvoice: the disk is full where the output goes: make room\n",
    )


def test_faults_of_ours_are_not_hidden(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OSError(5000, "no error that we know")

    monkeypatch.setattr("openvoice.client.profile.Profile.history", fail)
    with pytest.raises(OSError, match="no error that we know"):
        run("history")


def test_an_encoding_without_our_characters_does_not_stop_anything(home: Path) -> None:
    for encoding in ("latin-1", "ascii"):
        process = subprocess.run(
            [sys.executable, "-m", "openvoice", "--home", str(home), "doctor"],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
            check=False,
        )
        assert process.stderr == b""
        assert process.returncode == 3
        assert process.stdout.startswith(b"x configuration: there is no account yet")


def test_libraries_are_no_louder_than_asked(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("slixmpp.loud")
    logger.setLevel(logging.INFO)
    root = logging.root.handlers
    logging.root.handlers = []
    try:
        run("history")
        logger.info("chatter")
        logger.warning("a warning")
    finally:
        logging.root.handlers = root
    written = capsys.readouterr().err
    assert "chatter" not in written
    assert "slixmpp.loud: a warning" in written.splitlines()


def test_ctrl_c_while_the_program_loads_is_silent(home: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "class Keyboard:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'openvoice.config': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Keyboard())\n"
        "from openvoice_command import main\n"
        "sys.exit(main())\n"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (process.returncode, process.stdout, process.stderr) == (-signal.SIGINT, b"", b"")


def test_the_command_is_the_command_line(home: Path) -> None:
    program = "import sys; from openvoice_command import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "--home", str(home), "history", "show", "none"]
    process = subprocess.run(command, capture_output=True, check=False)
    assert (process.returncode, process.stdout) == (2, b"")
    assert process.stderr.startswith(b"openvoice: no calls begin with")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("guess",), "openvoice: No such command 'guess' (see 'openvoice --help')\n"),
        (("call",), "openvoice: Missing argument 'JID' (see 'openvoice call --help')\n"),
        (("call", "a@b", "--duration", "x"), "'x' is not a number of seconds above 0 (see 'openvoice call --help')\n"),
        (("history", "--nonsense"), "openvoice: No such option '--nonsense' (see 'openvoice history --help')\n"),
        (("history", "--limit"), "openvoice: Option '--limit' requires an argument\n"),
    ],
)
def test_a_mistake_is_one_line_that_says_where_to_read_on(run: Run, words: tuple[str, ...], line: str) -> None:
    ended = run(*words)
    assert (ended.code, ended.output) == (2, "")
    assert ended.errors.endswith(line)
    assert ended.errors.count("\n") == 1
