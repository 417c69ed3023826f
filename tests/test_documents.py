"""The documents and the program say the same."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest

from openvoice import errors
from openvoice.client.sound import SOUND_FILES
from openvoice.config import FILE_NAME, Home, load
from openvoice.core import events
from openvoice.server.prosody import Prosody
from openvoice.server.turn import Turn
from openvoice.testing import plugin
from tests.cli.tree import OUTERMOST, commands

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
CLI = (ROOT / "docs" / "cli.md").read_text()


def section(title: str) -> str:
    """What stands below a heading of docs/cli.md."""
    match = re.search(rf"^## {re.escape(title)}$(.*?)(?=^## |\Z)", CLI, re.MULTILINE | re.DOTALL)
    assert match, f"docs/cli.md has no section {title!r}"
    return match[1]


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", document.read_text(), re.MULTILINE | re.DOTALL)


# --- docs/cli.md ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "command"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_command_and_option_is_described(words: str, command: click.Command) -> None:
    first, _, rest = words.partition(" ")
    text = section(f"openvoice {first}" if first else "All commands")
    assert f"{first} {rest}".strip() in text or not rest
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            for option in parameter.opts:
                assert f"`{option}" in text, f"{words} {option}"
            if isinstance(parameter.type, click.Choice):
                assert f"[{'|'.join(parameter.type.choices)}]" in text.replace("\\|", "|")


def test_no_option_is_described_that_does_not_exist() -> None:
    options = {option for _, command in commands() for parameter in command.params for option in parameter.opts}
    described = set(re.findall(r"--[a-z][a-z-]+", CLI))
    assert described - {"--help"} <= options


def test_every_exit_code_is_described() -> None:
    codes = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")}
    described = {int(code) for code in re.findall(r"^\| (\d+) \|", section("Exit codes"), re.MULTILINE)}
    # 1 is the base class's: nothing raises it.
    assert described == codes - {1} | {0, 130}


def test_every_kind_of_sound_file_is_described() -> None:
    text = section("SRC and DST")
    assert {ending.removeprefix(".") for ending in SOUND_FILES} - {"oga"} <= set(re.findall(r"\w+", text))


# --- docs/events.md ---------------------------------------------------------------------------------------------------


def test_the_events_of_the_document_the_schema_and_the_code_are_the_same() -> None:
    code = {kind.name for kind in events.CallEvent.__subclasses__()} | {
        "online",
        "offline",
        "certificate-changed",
        "missed",
        "report",
    }
    text = (ROOT / "docs" / "events.md").read_text()
    table = text.partition("| event | also | when |")[2].partition("\n\n")[0]
    described = {name for line in table.splitlines()[2:] for name in re.findall(r"`([a-z-]+)`", line.split("|")[1])}
    schema = json.loads((ROOT / "docs" / "events.schema.json").read_text())
    assert described | {"report"} == code
    assert schema_names(schema) >= code - {"report"}
    assert schema_names(schema) <= code


def schema_names(schema: object) -> set[str]:
    """Every ``const`` and ``enum`` that the schema has for ``event``."""
    names: set[str] = set()
    if isinstance(schema, dict):
        event = schema.get("properties", {}).get("event", {}) if isinstance(schema.get("properties"), dict) else {}
        names |= {event["const"]} if "const" in event else set(event.get("enum", ()))
        for value in schema.values():
            names |= schema_names(value)
    elif isinstance(schema, list):
        for value in schema:
            names |= schema_names(value)
    return names


# --- all documents ----------------------------------------------------------------------------------------------------


def links(document: Path) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for link in links(document):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = (document.parent / file).resolve() if file else document
        assert target.exists(), f"{document.name}: {link}"
        assert target.is_relative_to(ROOT), f"{document.name}: {link}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert anchor in {
                re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
            }


def test_every_document_is_on_the_map() -> None:
    here = ROOT / "docs"
    mapped = {(here / link).resolve() for link in links(here / "index.md")}
    assert {path for path in here.iterdir() if path.name != "index.md"} <= mapped


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_python_in_documents_compiles(document: Path) -> None:
    for block in blocks(document, "python"):
        try:
            ast.parse(block)
        except SyntaxError:
            # A piece of a coroutine.
            ast.parse("async def piece():\n" + textwrap.indent(block, "    "))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_names_of_the_api_in_documents_exist(document: Path) -> None:
    import openvoice

    for block in blocks(document, "python"):
        for name in re.findall(r"\bopenvoice\.([A-Z]\w+)", block):
            assert name in openvoice.__all__, name


@pytest.mark.parametrize("name", ["openvoice.toml", "strict.toml"])
def test_the_configurations_that_we_ship_can_be_loaded(name: str, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text((ROOT / "config" / name).read_text())
    assert load(Home.locate(tmp_path)).accounts == ()


def test_the_service_runs_a_command_that_exists() -> None:
    text = (ROOT / "config" / "openvoice-answer.service").read_text()
    line = re.search(r"^ExecStart=\S+/openvoice (.*?[^\\])$", text, re.MULTILINE | re.DOTALL)
    assert line
    name, *arguments = line[1].replace("\\\n", " ").split()
    context = dict(commands())[name].make_context(name, arguments, parent=OUTERMOST)
    assert context.params["from_roster"]
    assert context.params["as_json"]


# --- docs/testing.md --------------------------------------------------------------------------------------------------

TESTING = ROOT / "docs" / "testing.md"


def test_every_fixture_is_described() -> None:
    fixtures = {name for name, value in vars(plugin).items() if "fixture" in type(value).__name__.lower()}
    assert fixtures == {"turn", "prosody", "clients", "impaired_link"}
    for name in fixtures:
        assert f"| `{name}` |" in TESTING.read_text()


def run_pytest(folder: Path, block: str) -> str:
    (folder / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
    )
    (folder / block.splitlines()[0].removeprefix("# ")).write_text(block)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env={key: value for key, value in os.environ.items() if not key.startswith("COV")},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout + ended.stderr


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.skipif(not Prosody.is_installed(), reason=Prosody.missing())
@pytest.mark.skipif(not Turn.is_installed(), reason=Turn.missing())
@pytest.mark.parametrize("block", blocks(TESTING, "python"), ids=lambda block: block.splitlines()[0].removeprefix("# "))
def test_the_tests_of_the_document_pass(block: str, tmp_path: Path) -> None:
    assert "1 passed" in run_pytest(tmp_path, block)
