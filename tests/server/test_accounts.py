from __future__ import annotations

import hashlib
import hmac
import re
from pathlib import Path

from openvoice.core.address import Address
from openvoice.server.accounts import write_account, write_roster

ZOE = Address.parse("zoë.o_k@my-voice.test")


def test_files_are_where_prosody_looks_for_them(tmp_path: Path) -> None:
    write_account(tmp_path, ZOE, "secret")
    write_roster(tmp_path, ZOE, [])
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.dat")}
    assert names == {
        "my%2dvoice%2etest/accounts/zo%c3%ab%2eo%5fk.dat",
        "my%2dvoice%2etest/roster/zo%c3%ab%2eo%5fk.dat",
    }


def test_an_account_holds_keys_and_no_password(tmp_path: Path) -> None:
    """The keys of RFC 5802, 3; Prosody takes the salt as text."""
    for password, normalised in (("secret", "secret"), ("ﬁne", "fine")):
        write_account(tmp_path, ZOE, password)
        (path,) = tmp_path.rglob("*.dat")
        written = dict(re.findall(r'\["(\w+)"\] = "?(\w+)"?;', path.read_text()))
        salted = hashlib.pbkdf2_hmac(
            "sha256", normalised.encode(), written["salt"].encode(), int(written["iteration_count"])
        )
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        assert written["stored_key"] == hashlib.sha256(client_key).hexdigest()
        assert written["server_key"] == hmac.digest(salted, b"Server Key", "sha256").hex()
        assert password not in path.read_text()


def test_equal_passwords_do_not_show(tmp_path: Path) -> None:
    written = set()
    for name in ("alice", "bob"):
        write_account(tmp_path, Address.parse(f"{name}@voice.test"), "secret")
        written.add((tmp_path / f"voice%2etest/accounts/{name}.dat").read_text())
    assert len(written) == 2


def test_a_roster_names_its_contacts(tmp_path: Path) -> None:
    write_roster(tmp_path, ZOE, [Address.parse("bob@voice.test"), Address.parse("eve@voice.test")])
    (path,) = tmp_path.rglob("*.dat")
    assert re.findall(r'\["([^"]+@[^"]+)"\] = \{ \["subscription"\] = "both";', path.read_text()) == [
        "bob@voice.test",
        "eve@voice.test",
    ]
