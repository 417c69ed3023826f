"""All that is measured: ``python -m tests.bench NAME ...``, where NAME is a module here; ``--help`` says how."""

from __future__ import annotations

import importlib
import sys

NAMES = ("calls", "lips", "narrow", "relayed", "scale", "soak", "video", "voice")
"""Modules here whose ``main`` takes the rest of the command line, and gives the exit status."""


def main() -> int:
    if sys.argv[1:2] and sys.argv[1] in NAMES:
        # Each imports only what it needs: most do without the measures of voice quality.
        status: int = importlib.import_module(f"tests.bench.{sys.argv[1]}").main(sys.argv[2:])
        return status
    sys.stderr.write(f"usage: python -m tests.bench {{{','.join(NAMES)}}} ...\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
