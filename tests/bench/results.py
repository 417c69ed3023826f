"""The results of a bench: a file that grows with every network, and the page of the documentation made of it."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench import chart, table
from tests.bench.rows import Row

BEGIN, END = "<!-- bench: begin -->\n", "<!-- bench: end -->\n"
"""What stands between is written by the bench."""


class Results:
    """``rows``, and about them: when, with what, whose voices."""

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        self._path = path
        self._content: dict[str, Any] = {"rows": []}
        if resume and path.exists():
            self._content = json.loads(path.read_text())

    @property
    def rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._content["rows"]
        return rows

    def has(self, network: str) -> bool:
        return any(row["network"] == network for row in self.rows)

    def about(self, versions: dict[str, str], *, voices: Sequence[str] = ()) -> None:
        self._content = {
            "date": time.strftime("%Y-%m-%d"),
            "versions": versions,
            "voices": list(voices),
            "rows": self.rows,
        }

    @property
    def measured(self) -> str:
        """When, and with what."""
        numbers = ", ".join(f"{name} {number}" for name, number in self._content["versions"].items())
        return f"{self._content['date']}: {numbers}"

    def add(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write them down at once: what comes later may fail."""
        self.rows.extend(rows)
        self._path.write_text(json.dumps(self._content, indent=1) + "\n")

    def show(self, results: Iterator[list[dict[str, Any]]], rows: Sequence[Row], say: Callable[[str], None]) -> None:
        """Write down and say the figures of one network after the other."""
        say(table.heading())
        begin = time.monotonic()
        for done, (row, figures) in enumerate(zip(rows, results, strict=True), 1):
            self.add(figures)
            for figure in figures:
                promised = (
                    f"  promised {row.pesq} at {row.delay} ms" if row.pesq and figure["system"] == table.OURS else ""
                )
                say(table.line(table.cells(figure)) + promised)
            left = (time.monotonic() - begin) / done * (len(rows) - done)
            say(f"  {done} of {len(rows)} networks; about {left / 60:.0f} minutes left")
        say("\nopenvoice against Chromium at the same bitrate:\n" + table.comparison(self.rows))

    def document(self, folder: Path) -> None:
        """Put the chart and the tables into the documentation."""
        (folder / "voice-quality.svg").write_text(chart.chart(self.rows, self.measured))
        shown = (
            f"Measured on {self.measured}. Voices: {', '.join(self._content['voices'])}.\n\n"
            f"{table.comparison(self.rows)}\n{table.markdown(self.rows)}"
        )
        insert(folder / "voice-quality.md", shown)


def insert(page: Path, shown: str) -> None:
    """Put it where the page keeps what a bench wrote."""
    written = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    page.write_text(written.sub(lambda _: f"{BEGIN}{shown}{END}", page.read_text()))


def versions(chromium: str | None, judge: str | None = "pesq") -> dict[str, str]:
    """Of all that was measured, and by what."""
    found = {"openvoice": version("openvoice"), "aiortc": version("aiortc"), "Python": platform.python_version()}
    if chromium is not None:
        text = subprocess.run([chromium, "--version"], capture_output=True, text=True, check=True).stdout
        found["Chromium"] = next(iter(re.findall(r"\d+(?:\.\d+)+", text)), "unknown")
    return found if judge is None else found | {judge: version(judge)}
