"""Voice on bad networks, beside stock aiortc and Chromium: ``make bench-voice OUT=FILE``.

::

    python -m tests.bench voice OUT.json [--quick] [--rows NAME,...] [--seeds N] [--resume] [--visqol] [--docs FOLDER]
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench import speech
from tests.bench.measure import Bench
from tests.bench.priority import prefer
from tests.bench.results import Results, versions
from tests.bench.rows import QUICK, ROWS, Row
from tests.bench.soak import say
from tests.chromium import executable

VOICE_SECONDS = 8.0
"""Of each voice: what PESQ wants at least."""
AT_ONCE = 12
"""All that one network needs with three seeds, of one kind: about one core of two."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench voice", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path, help='where the rows go, as JSON: {"rows": [...]}')
    parser.add_argument("--quick", action="store_true", help="four networks, each met once")
    parser.add_argument("--rows", help=f"networks, with commas between: {', '.join(row.name for row in ROWS)}")
    parser.add_argument("--seeds", type=int, help="how often each network is met (3, with --quick 1)")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help=f"calls at the same time ({AT_ONCE})")
    parser.add_argument("--resume", action="store_true", help="keep the rows that the file has already")
    parser.add_argument("--visqol", action="store_true", help="judge the first voice by ViSQOL as well: slow")
    parser.add_argument("--docs", type=Path, help="a folder whose voice-quality.md and .svg are to show the results")
    parser.add_argument("--speech", type=Path, nargs="+", help="two WAV files or more instead: 48 kHz, mono, 16 bits")
    options = parser.parse_args(arguments)
    # So that the calls, the relay and the browser end as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    prefer([os.getpid()])
    voices = speech.voices(VOICE_SECONDS, options.speech)
    results = Results(options.out, resume=options.resume)
    rows = [row for row in chosen(options.rows, options.quick) if not results.has(row.name)]
    if executable() is None:
        say("Chromium is not installed, so it is left out: scripts/setup --bench installs it.")
    bench = Bench(
        rows=rows,
        seeds=options.seeds or (1 if options.quick else 3),
        at_once=options.at_once,
        conversation=speech.conversation(voices),
        train=speech.train(),
        chromium=executable() is not None,
        visqol=options.visqol,
        say=say,
    )
    results.about(versions(executable()), voices=[voice.name for voice in voices])
    results.show(bench.run(), rows, say)
    if options.docs:
        results.document(options.docs)
    return 0


def chosen(names: str | None, quick: bool) -> list[Row]:
    wanted = names.split(",") if names else QUICK if quick else [row.name for row in ROWS]
    unknown = set(wanted) - {row.name for row in ROWS}
    if unknown:
        raise SystemExit(f"There is no network {', '.join(sorted(unknown))}.")
    return [row for row in ROWS if row.name in wanted]
