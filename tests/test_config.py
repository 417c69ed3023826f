from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path

import pytest

from openvoice.config import (
    AccountSettings,
    Home,
    Settings,
    StorageSettings,
    add_account,
    choose_protection,
    load,
    parse_server,
    remove_account,
)
from openvoice.core.address import Address
from openvoice.core.policy import Alarm, Audience, Policy, Rules
from openvoice.core.processing import Processing
from openvoice.core.protection import Protection
from openvoice.core.types import Vouching
from openvoice.errors import ConfigurationError

ALICE = Address.parse("alice@example.org")
SHIPPED = Path(__file__).parents[1] / "config"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.locate(tmp_path / "profile")


def write(home: Home, text: str) -> Home:
    home.create()
    home.file.write_text(text)
    return home


def test_without_a_file_the_defaults_hold(home: Home) -> None:
    assert load(home) == Settings()


def test_everything_in_the_file_is_read(home: Home) -> None:
    write(
        home,
        """
        [account."alice@example.org"]
        server = "localhost:5223"
        ca = "/ca.pem"
        password_file = "/secret"
        require = "omemo"
        relay_only = true
        alarm = "refuse"
        [contact."Friend@example.net"]
        require = "verified"
        relay_only = false
        [contact."other@example.net"]
        [policy]
        ring = "named"
        answer = "named"
        callers = ["bob@example.org"]
        blocked = ["spam.example"]
        require = "verified"
        relay_only = true
        relay_strangers = false
        alarm = "off"
        maximum_calls = 3
        ring_timeout = 10
        [sound]
        input = "USB"
        output = "HDMI"
        ring = "Speakers"
        tones = false
        echo = false
        level = false
        [network]
        interfaces = ["127.0.0.1"]
        bandwidth = 40
        [storage]
        protection = "passphrase"
        passphrase_file = "/passphrase"
        """,
    )
    settings = load(home)
    assert settings.accounts == (
        AccountSettings(
            address=ALICE,
            server=("localhost", 5223),
            ca_file=Path("/ca.pem"),
            password_file=Path("/secret"),
            rules=Rules(require=Vouching.OMEMO_TRUSTED, relay_only=True),
            alarm=Alarm.REFUSE,
        ),
    )
    assert settings.policy == Policy(
        ring=Audience.NAMED,
        answer=Audience.NAMED,
        callers=frozenset({Address.parse("bob@example.org")}),
        blocked=frozenset({Address.parse("spam.example")}),
        require=Vouching.OMEMO_VERIFIED,
        relay_only=True,
        relay_strangers=False,
        alarm=Alarm.OFF,
        maximum_calls=3,
        ring_timeout=10.0,
        contacts={
            Address.parse("friend@example.net"): Rules(require=Vouching.OMEMO_VERIFIED, relay_only=False),
            Address.parse("other@example.net"): Rules(),
        },
    )
    assert settings.policy_of(settings.accounts[0]) == dataclasses.replace(
        settings.policy, account=settings.accounts[0].rules, alarm=Alarm.REFUSE
    )
    assert settings.policy_of(AccountSettings(address=ALICE)) == settings.policy
    assert (settings.input, settings.output, settings.interfaces) == ("USB", "HDMI", ("127.0.0.1",))
    assert settings.bandwidth == 40.0
    assert (settings.ring, settings.tones) == ("Speakers", False)
    assert settings.processing == Processing(echo=False, level=False)
    assert settings.storage == StorageSettings(protection=Protection.PASSPHRASE, passphrase_file=Path("/passphrase"))


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("[policy]\nring = 'everybody'", "policy.ring", "everybody"),
        ("[policy]\nrelay_only = 'yes'", "policy.relay_only", "yes"),
        ("[policy]\nmaximum_calls = 1.5", "policy.maximum_calls", "1.5"),
        ("[policy]\nmaximum_calls = true", "policy.maximum_calls", "True"),
        ("[policy]\nring_timeout = 'long'", "policy.ring_timeout", "long"),
        ("[policy]\ncallers = 'bob@example.org'", "policy.callers", "bob@example.org"),
        ("[policy]\ncallers = ['bob@example.org/phone']", "policy.callers", "phone"),
        ("[policy]\nrequire = 'much'", "policy.require", "much"),
        ("[policy]\nmaximum_calls = 0", "[policy]", "greater than zero"),
        ("[polcy]\nx = 1", "polcy", "known are"),
        ("[storage]\nprotection = 'strong'", "storage.protection", "must be one of"),
        ("[storage]\nprotection = 'passphrase'", "[storage]", "belong together"),
        ("[storage]\nprotection = 'plain'\npassphrase_file = 'x'", "[storage]", "belong together"),
        ("[policy]\nrings = 1", "policy.rings", "known are"),
        ("policy = 3", "policy", "3"),
        ("[account.'alice']\nserver = 'x'", "account", "x"),
        ("[account.'alice@example.org']\nserver = 'x:99999'", "account", "x:99999"),
        ("[account.'a b']\n", "account", "a b"),
        ("[account]\n'alice@example.org' = 3", "account", "3"),
        ("[account.'alice@example.org']\nrequire = 'much'", 'account."alice@example.org".require', "much"),
        ("[account.'alice@example.org']\nrelay_strangers = true", "relay_strangers", "known are"),
        ("[contact.'bob@example.org']\nrelay_only = 1", 'contact."bob@example.org".relay_only', "1"),
        ("[contact.'bob@example.org']\nring = 'named'", 'contact."bob@example.org".ring', "known are"),
        ("[contact.'bob@example.org/phone']", "contact", "bob@example.org/phone"),
        ("[contact.'example.org']", "contact", "'example.org'"),
        ("[contact.'bob@example.org']\n[contact.'Bob@example.org']", "contact", "twice"),
        ("[contact]\n'bob@example.org' = 3", "contact", "3"),
        ("[policy]\nalarm = 'loud'", "policy.alarm", "loud"),
        ("[account.'alice@example.org']\nalarm = true", 'account."alice@example.org".alarm', "True"),
        ("[contact.'bob@example.org']\nalarm = 'off'", 'contact."bob@example.org".alarm', "known are"),
        ("[policy]\nrelay_strangers = 'no'", "policy.relay_strangers", "no"),
        ("[sound]\ninput = 3", "sound.input", "3"),
        ("[sound]\necho = 1", "sound.echo", "1"),
        ("[sound]\ntones = 'on'", "sound.tones", "'on'"),
        ("[network]\ninterfaces = [1]", "network.interfaces", "1"),
        ("[network]\nbandwidth = 15.9", "network.bandwidth", "16"),
        ("[network]\nbandwidth = true", "network.bandwidth", "number"),
        ("[policy", "TOML", "Expected"),
    ],
)
def test_a_mistake_names_file_key_and_value(home: Home, text: str, key: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(write(home, text))
    message = str(caught.value)
    assert str(home.file) in message
    assert key in message
    assert value in message
    assert "\n" not in message


def test_a_file_that_is_not_text_is_told(home: Home) -> None:
    home.create()
    home.file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load(home)


def test_accounts_come_and_go_and_remarks_stay(home: Home) -> None:
    write(home, "# mine\n[policy]\nring_timeout = 9 # short\n")
    add_account(home, AccountSettings(address=ALICE, server=("localhost", 5223), password_command="pass x"))
    add_account(home, AccountSettings(address=Address.parse("bob@example.org")))
    text = home.file.read_text()
    assert "# mine" in text
    assert "# short" in text
    assert [account.address.local for account in load(home).accounts] == ["alice", "bob"]
    add_account(home, AccountSettings(address=ALICE))
    assert load(home).account(ALICE).server is None
    remove_account(home, ALICE)
    assert [account.address.local for account in load(home).accounts] == ["bob"]
    with pytest.raises(ConfigurationError, match="no account alice"):
        remove_account(home, ALICE)


def test_an_account_that_is_added_again_keeps_its_rules(home: Home) -> None:
    write(home, '[account."alice@example.org"]\nserver = "localhost:5223"\nrequire = "verified"\n')
    add_account(home, AccountSettings(address=ALICE))
    assert load(home).account(ALICE) == AccountSettings(address=ALICE, rules=Rules(require=Vouching.OMEMO_VERIFIED))


def test_the_file_is_private_and_never_half_written(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    add_account(home, AccountSettings(address=ALICE))
    assert stat.S_IMODE(home.file.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.config.stat().st_mode) == 0o700
    before = home.file.read_text()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        add_account(home, AccountSettings(address=Address.parse("bob@example.org")))
    assert home.file.read_text() == before


def test_which_account_is_meant(home: Home) -> None:
    with pytest.raises(ConfigurationError, match="no account yet"):
        load(home).account(None)
    add_account(home, AccountSettings(address=ALICE))
    assert load(home).account(None).address == ALICE
    assert load(home).account(Address.parse("alice@example.org/phone")).address == ALICE
    add_account(home, AccountSettings(address=Address.parse("bob@example.org")))
    with pytest.raises(ConfigurationError, match="several accounts"):
        load(home).account(None)


def test_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENVOICE_HOME", str(tmp_path))
    assert Home.locate().config == Home.locate().data == tmp_path
    assert Home.locate(tmp_path / "x").config == tmp_path / "x"
    monkeypatch.delenv("OPENVOICE_HOME")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
    apart = Home(tmp_path / "c" / "openvoice", tmp_path / "d" / "openvoice", tmp_path / "s" / "openvoice")
    assert Home.locate() == apart
    assert Home.locate(tmp_path / "x").state == apart.state


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot make the folder"):
        Home.locate(tmp_path / "file" / "home").create()


@pytest.mark.parametrize("text", ["host", "host:", ":1", "host:0", "host:65536", "host:x", "host:²"])
def test_what_is_not_a_server(text: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT"):
        parse_server(text)


def test_servers() -> None:
    assert parse_server("localhost:5222") == ("localhost", 5222)
    assert parse_server("[::1]:5222") == ("::1", 5222)


@pytest.mark.parametrize("name", ["openvoice.toml", "strict.toml"])
def test_the_files_that_we_ship_are_valid(home: Home, name: str) -> None:
    load(write(home, (SHIPPED / name).read_text()))


COMMENTED = (SHIPPED / "openvoice.toml").read_text()
EXAMPLES, DEFAULTS = COMMENTED[: COMMENTED.index("# --- Policy")], COMMENTED[COMMENTED.index("# --- Policy") :]


def test_the_commented_file_shows_what_accounts_and_contacts_may_say(home: Home) -> None:
    lines = [line.removeprefix("# ") for line in EXAMPLES.splitlines() if line.startswith("# [") or " = " in line]
    settings = load(write(home, "\n".join(lines)))
    assert settings.accounts[0].rules == Rules(require=Vouching.OMEMO_TRUSTED, relay_only=True)
    assert settings.accounts[0].alarm is Alarm.REFUSE
    assert list(settings.policy.contacts.values()) == [Rules(require=Vouching.OMEMO_VERIFIED, relay_only=False)]


def test_the_commented_file_shows_every_key_with_its_default(home: Home) -> None:
    lines = DEFAULTS.splitlines()
    shown = [line.removeprefix("# ") if " = " in line.split("#")[1] else line for line in lines if line.startswith("#")]
    keys = [line.split(" = ")[0] for line in shown if " = " in line and not line.startswith("#")]
    uncommented = "\n".join(
        line.removeprefix("# ") if line.startswith("# ") and line[2:].split(" = ")[0] in keys else line
        for line in lines
    )
    assert load(write(home, uncommented)) == Settings()
    fields = {field.name for field in dataclasses.fields(Policy)} - {"account", "contacts", "insisted"}
    sound = {"input", "output", "ring", "tones", "echo", "noise", "level"}
    assert fields | sound | {"camera", "size", "rate", "interfaces", "bandwidth", "protection"} <= set(keys)


def test_what_video_is_like_is_read(home: Home) -> None:
    settings = load(write(home, '[video]\ncamera = "usb"\nsize = "1280x720"\nrate = 15\n'))
    assert (settings.camera, settings.picture_size, settings.picture_rate) == ("usb", (1280, 720), 15.0)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('size = "1280"', "WIDTHxHEIGHT"),
        ('size = "ax b"', "WIDTHxHEIGHT"),
        ('size = "8x8"', "between 64 and 4096"),
        ('size = "5000x300"', "between 64 and 4096"),
        ("rate = 0.5", "between 1 and 60"),
        ("rate = 1e9", "between 1 and 60"),
        ('rate = "many"', "must be a number"),
        ("camera = 1", "must be a text"),
        ("fps = 3", "no setting video.fps"),
    ],
)
def test_video_that_cannot_be_is_told_with_its_key(home: Home, line: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        load(write(home, f"[video]\n{line}\n"))


def test_the_protection_is_written_and_remarks_stay(home: Home) -> None:
    write(home, "# mine\n[storage]\nprotection = 'plain' # for now\n[sound]\ninput = 'USB'\n")
    by_passphrase = StorageSettings(protection=Protection.PASSPHRASE, passphrase_file=Path("/passphrase"))
    choose_protection(home, by_passphrase)
    assert load(home).storage == by_passphrase
    choose_protection(home, StorageSettings(protection=Protection.KEYRING))
    assert load(home) == Settings(storage=StorageSettings(protection=Protection.KEYRING), input="USB")
    assert home.file.read_text().startswith("# mine\n")


def test_a_passphrase_file_asks_for_a_passphrase(home: Home) -> None:
    write(home, "[storage]\npassphrase_file = '/passphrase'\n")
    assert load(home).storage.protection is Protection.PASSPHRASE
