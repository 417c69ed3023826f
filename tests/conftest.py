"""What holds for all tests."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

from hypothesis import settings

# The same examples in every run: a failure that is found is found again.
settings.register_profile("openvoice", deadline=None, derandomize=True)
settings.load_profile("openvoice")

# Neither the keyring nor the folders of whoever runs the tests, in child processes too.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="openvoice-state-")
atexit.register(shutil.rmtree, os.environ["XDG_STATE_HOME"], ignore_errors=True)
