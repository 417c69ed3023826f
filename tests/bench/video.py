"""Video on bad networks, beside stock aiortc and Chromium: ``make bench-video OUT=FILE``.

::

    python -m tests.bench video OUT.json [--quick] [--rows NAME,...] [--systems NAME,...] [--seeds N] [--resume]
        [--docs FOLDER]
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.bench.pictures import table
from tests.bench.pictures.call import SYSTEMS
from tests.bench.pictures.measure import Bench
from tests.bench.pictures.results import VideoResults
from tests.bench.pictures.rows import QUICK, ROWS, Row
from tests.bench.priority import prefer
from tests.bench.results import versions
from tests.bench.soak import say
from tests.chromium import executable


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench video", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path, help='where the rows go, as JSON: {"rows": [...]}')
    parser.add_argument("--quick", action="store_true", help="three rows, each met once")
    parser.add_argument("--rows", help=f"with commas between: {', '.join(row.name for row in ROWS)}")
    parser.add_argument("--systems", default=",".join(SYSTEMS), help=f"with commas between: {', '.join(SYSTEMS)}")
    parser.add_argument("--seeds", type=int, help="how often each row is met (3, with --quick 1)")
    parser.add_argument("--resume", action="store_true", help="keep the rows that the file has already")
    parser.add_argument("--docs", type=Path, help="a folder whose video-quality.md and .svg are to show the results")
    options = parser.parse_args(arguments)
    # So that the calls, the relay and the browsers end as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    prefer([os.getpid()])
    results = VideoResults(options.out, resume=options.resume)
    rows = [row for row in chosen(options.rows, options.quick) if not results.has(row.name)]
    systems = options.systems.split(",")
    if "chromium" in systems and executable() is None:
        say("Chromium is not installed, so it is left out: scripts/setup --bench installs it.")
        systems.remove("chromium")
    seeds = options.seeds or (1 if options.quick else 3)
    results.about(versions(executable(), judge=None))
    say(table.heading())
    begin = time.monotonic()
    bench = Bench(rows=rows, systems=systems, seeds=seeds, say=say)
    for done, figures in enumerate(bench.run(), 1):
        results.add(figures)
        for one in figures:
            say(table.line(one))
        left = (time.monotonic() - begin) / done * (len(rows) - done)
        say(f"  {done} of {len(rows)} rows; about {left / 60:.0f} minutes left")
    if options.docs:
        results.document(options.docs)
    return 0


def chosen(names: str | None, quick: bool) -> list[Row]:
    wanted = names.split(",") if names else QUICK if quick else [row.name for row in ROWS]
    unknown = set(wanted) - {row.name for row in ROWS}
    if unknown:
        raise SystemExit(f"There is no row {', '.join(sorted(unknown))}.")
    return [row for row in ROWS if row.name in wanted]
