"""What a connection needs of an account."""

from __future__ import annotations

from typing import Any

from openvoice import Account


def login(account: Account) -> dict[str, Any]:
    """The arguments by which ``XmppSignalling`` and ``Connection`` log in."""
    return {
        "account": account.address,
        "password": account.password,
        "server": account.server,
        "ca_file": account.ca_file,
    }
