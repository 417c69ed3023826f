"""Prosody's account and roster files, so that accounts exist before (or while) the server runs, without its tools."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from openvoice.core.address import Address
from openvoice.server.lua import LuaValue, lua
from openvoice.server.private import write_private

ITERATIONS = 10_000
"""Of PBKDF2. Enough for throw-away accounts; a login pays for each of them."""


def write_account(data: Path, address: Address, password: str) -> None:
    """Give ``address`` a ``password``, kept as SCRAM-SHA-256 keys (RFC 5802, 3; RFC 7677)."""
    salt = secrets.token_hex(16)
    # NFKC is what SASLprep (RFC 4013) makes of the passwords that people use.
    normalised = unicodedata.normalize("NFKC", password).encode()
    salted = hashlib.pbkdf2_hmac("sha256", normalised, salt.encode(), ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    account: dict[str | bool, LuaValue] = {
        "iteration_count": ITERATIONS,
        "salt": salt,
        "stored_key": hashlib.sha256(client_key).hexdigest(),
        "server_key": hmac.digest(salted, b"Server Key", "sha256").hex(),
    }
    _write(data, address, "accounts", account)


def write_roster(data: Path, address: Address, contacts: Iterable[Address]) -> None:
    """Let ``address`` and ``contacts`` see each other; each contact needs the same in its own roster."""
    nothing: dict[str | bool, LuaValue] = {}
    roster: dict[str | bool, LuaValue] = {False: {"version": 1, "pending": nothing}}
    for contact in contacts:
        roster[str(contact)] = {"subscription": "both", "name": contact.local, "groups": nothing}
    _write(data, address, "roster", roster)


def _write(data: Path, address: Address, store: str, content: LuaValue) -> None:
    path = data / _file_name(address.domain) / store / f"{_file_name(address.local)}.dat"
    write_private(path, f"return {lua(content)};\n".encode())


def _file_name(text: str) -> str:
    """Prosody writes every byte that is not an ASCII letter or digit as ``%xx``."""
    return "".join(
        chr(byte) if chr(byte).isascii() and chr(byte).isalnum() else f"%{byte:02x}" for byte in text.encode()
    )
