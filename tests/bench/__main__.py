"""The bench: ``make bench OUT=FILE``, or ``python -m tests.bench OUT.json [--quick] [--speech WAV]``.

Longer measurements have names of their own: ``python -m tests.bench soak``, ``... scale``, ``... relayed``.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import sys
from pathlib import Path

from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE

BY_NAME = ("relayed", "scale", "soak")
"""Modules here whose ``main`` takes the rest of the command line, and gives the exit status."""


def main() -> None:
    if sys.argv[1:2] and sys.argv[1] in BY_NAME:
        raise SystemExit(importlib.import_module(f"tests.bench.{sys.argv[1]}").main(sys.argv[2:]))
    compare()


def compare() -> None:
    # These want the measures of voice quality, which a soak does without.
    from tests.bench import calls, voice, whole

    parser = argparse.ArgumentParser(description="Voice and calls beside stock aiortc, in one run on one machine.")
    parser.add_argument("out", type=Path, help='where the rows go, as JSON: {"rows": [...]}')
    parser.add_argument("--quick", action="store_true", help="four networks and ten seconds of speech")
    parser.add_argument("--speech", type=Path, help="a WAV file of 48 kHz, mono, 16 bits instead of synthetic voices")
    arguments = parser.parse_args()
    speech = voice.read(arguments.speech) if arguments.speech else voice.synthesized()
    # The middle, where both voices are heard.
    length = min(len(speech), (10 if arguments.quick else 20) * SAMPLE_RATE) // FRAME_SAMPLES * FRAME_SAMPLES
    begin = (len(speech) - length) // 2
    networks = tuple(row for row in voice.ROWS if not arguments.quick or row.name in voice.QUICK)
    rows = asyncio.run(whole.bench(voice.say))
    rows += asyncio.run(calls.bench(voice.say, quick=arguments.quick))
    rows += asyncio.run(voice.bench(networks, speech[begin : begin + length]))
    arguments.out.write_text(json.dumps({"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
