from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from openvoice.server.process import ChildProcess

PATIENCE = 20.0
IGNORES_TERM = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"


@pytest.fixture(params=["kernel", "guardian"])
def watch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to end with the parent, wherever the tests run."""
    if request.param == "guardian":
        monkeypatch.setattr("sys.platform", "other")
    elif sys.platform != "linux" or shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed: it is a part of util-linux")
    return str(request.param)


def make(folder: Path, *command: str) -> ChildProcess:
    return ChildProcess(command, directory=folder, log=folder / "log")


def lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while lives(pid):
        assert time.monotonic() < deadline, "it still lives"
        time.sleep(0.01)


def wait_for_output(log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not log.read_text():
        assert time.monotonic() < deadline, "it says nothing"
        time.sleep(0.01)


async def test_stop_ends_it_and_tells_how(watch: str, tmp_path: Path) -> None:
    child = make(tmp_path, "sleep", "60")
    assert child.exit_code is None
    await child.stop()
    assert child.exit_code == -signal.SIGTERM


async def test_one_that_will_not_stop_is_killed(watch: str, tmp_path: Path) -> None:
    child = make(tmp_path, sys.executable, "-c", IGNORES_TERM)
    wait_for_output(tmp_path / "log")
    await child.stop(patience=0.05)
    assert child.exit_code == -signal.SIGKILL


async def test_a_paused_one_stops_too(watch: str, tmp_path: Path) -> None:
    child = make(tmp_path, "sleep", "60")
    child.pause()
    while psutil.Process(child.pid).status() != psutil.STATUS_STOPPED:  # noqa: ASYNC110 - the kernel tells nobody
        await asyncio.sleep(0.001)
    await child.stop()
    assert child.exit_code == -signal.SIGTERM


async def test_its_output_is_kept_for_its_owner_alone(watch: str, tmp_path: Path) -> None:
    for word in ("first", "second"):
        child = make(tmp_path, "echo", word)
        while child.exit_code is None:  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.001)
        await child.stop()
    assert (tmp_path / "log").read_text() == "first\nsecond\n"
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


async def test_stopping_leaves_no_guardian(watch: str, tmp_path: Path) -> None:
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    child = make(tmp_path, "sleep", "60")
    assert len(psutil.Process().children(recursive=True)) == len(before) + (2 if watch == "guardian" else 1)
    await child.stop()
    assert {process.pid for process in psutil.Process().children(recursive=True)} == before


def test_it_dies_with_a_parent_that_is_killed(watch: str, tmp_path: Path) -> None:
    parent_code = textwrap.dedent(f"""
        import sys, time
        sys.platform = {("linux" if watch == "kernel" else "other")!r}
        from pathlib import Path
        from openvoice.server.process import ChildProcess
        child = ChildProcess(["sleep", "60"], directory=Path({str(tmp_path)!r}), log=Path({str(tmp_path / "log")!r}))
        print(child.pid, flush=True)
        time.sleep(60)
    """)
    parent = subprocess.Popen([sys.executable, "-c", parent_code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.kill()
    parent.communicate()
    wait_until_gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel watches on Linux only")
def test_a_parent_that_dies_before_it_is_watched_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the program it looks as if another process than the one that made it were its parent now."""
    monkeypatch.setattr("os.getpid", lambda: 1)
    child = make(tmp_path, "touch", str(tmp_path / "it-ran"))
    deadline = time.monotonic() + PATIENCE
    while child.exit_code is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    child.kill()
    assert child.exit_code == 1
    assert not (tmp_path / "it-ran").exists()


async def test_ctrl_c_in_the_terminal_is_not_for_it(watch: str, tmp_path: Path) -> None:
    child = make(tmp_path, "sleep", "60")
    assert os.getpgid(child.pid) != os.getpgid(0)
    await child.stop()
