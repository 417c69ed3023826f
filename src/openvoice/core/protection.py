"""What keeps the key of all that is stored on this machine."""

from __future__ import annotations

from enum import StrEnum


class Protection(StrEnum):
    """``protection`` in the file and on the command line."""

    AUTO = "auto"
    """The system keyring where one works, else plain."""
    KEYRING = "keyring"
    """The system keyring, which opens when its user logs in."""
    PASSPHRASE = "passphrase"  # noqa: S105
    """A passphrase, which stands in a file elsewhere."""
    PLAIN = "plain"
    """A file beside what it opens: nothing, against whoever can read the folder."""
