"""The settings of one profile: where its files are, and ``openvoice.toml``: what it says, read and changed."""

from __future__ import annotations

from openvoice.config.editing import add_account, choose_protection, remove_account
from openvoice.config.home import FILE_NAME, Home
from openvoice.config.reading import load
from openvoice.config.settings import AccountSettings, Require, Settings, StorageSettings
from openvoice.config.values import parse_server

__all__ = [
    "FILE_NAME",
    "AccountSettings",
    "Home",
    "Require",
    "Settings",
    "StorageSettings",
    "add_account",
    "choose_protection",
    "load",
    "parse_server",
    "remove_account",
]
