"""``python -m openvoice``."""

import sys

from openvoice.cli import main

sys.exit(main())
