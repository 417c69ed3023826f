"""The plugin as a stranger's test suite meets it: in a pytest run of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openvoice.server import Prosody, Turn

HEAVY = ("aioice", "aiortc", "av", "click", "cryptography", "OpenSSL", "rich", "slixmpp", "sounddevice")


def run_pytest(folder: Path, tests: str, **environment: str) -> str:
    (folder / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = strict\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
    )
    (folder / "test_stranger.py").write_text(tests)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "test_stranger.py"],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout + ended.stderr


def test_it_imports_nothing_heavy() -> None:
    program = f"import openvoice.testing.plugin, sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_pytest_finds_its_fixtures(tmp_path: Path) -> None:
    listed = run_pytest(tmp_path, "def test_nothing(): pass")
    assert "1 passed" in listed
    program = [sys.executable, "-m", "pytest", "--fixtures", "-q", "-p", "no:cacheprovider"]
    listed = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    for name in ("prosody", "turn", "clients", "impaired_link"):
        assert f"\n{name} " in listed


@pytest.mark.parametrize(("fixture", "package"), [("prosody", "prosody"), ("turn", "coturn"), ("clients", "prosody")])
def test_a_missing_program_skips_and_says_what_to_install(fixture: str, package: str, tmp_path: Path) -> None:
    output = run_pytest(tmp_path, f"def test_it({fixture}): raise AssertionError", PATH="/nowhere")
    assert "1 skipped" in output
    assert "is not installed: install" in output
    assert package in output


@pytest.mark.live
@pytest.mark.skipif(not Prosody.is_installed(), reason=Prosody.missing())
@pytest.mark.skipif(not Turn.is_installed(), reason=Turn.missing())
def test_servers_live_as_long_as_the_session_and_serve_any_event_loop(tmp_path: Path) -> None:
    output = run_pytest(
        tmp_path,
        "import asyncio, pathlib\n"
        "def test_first(prosody, turn):\n"
        "    pathlib.Path('pids').write_text(f'{prosody.pid} {turn.pid}')\n"
        "    prosody.add_account('alice', 'secret')\n"
        "    assert str(turn.port) in (prosody.directory / 'prosody.cfg.lua').read_text()\n"
        "def test_second(prosody):\n"
        "    assert str(prosody.pid) == pathlib.Path('pids').read_text().split()[0]\n"
        "    asyncio.run(prosody.restart())\n"
        "def test_third(prosody):\n"
        "    pathlib.Path('pids').write_text(f'{prosody.pid} ' + pathlib.Path('pids').read_text())\n",
    )
    assert "3 passed" in output
    for pid in (tmp_path / "pids").read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_links_are_made_by_the_fixture(tmp_path: Path) -> None:
    output = run_pytest(
        tmp_path,
        "import pytest\n"
        "from openvoice.testing.impairment import Conditions\n"
        "@pytest.mark.asyncio\n"
        "async def test_link(impaired_link):\n"
        "    async with impaired_link(up=Conditions(loss=0.5)) as link:\n"
        "        assert link.up.conditions.loss == 0.5\n",
    )
    assert "1 passed" in output
