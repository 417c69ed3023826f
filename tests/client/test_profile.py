from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from openvoice import (
    Account,
    Address,
    Audience,
    Client,
    ConfigurationError,
    LoginRefused,
    OpenVoiceError,
    Policy,
    Profile,
    Vouching,
)
from openvoice.core.policy import Rules
from openvoice.ports import PictureFormat
from openvoice.testing.fakes import FakeMediaEngine, FakeSignalling

ALICE = Address.parse("alice@example.org")
BOB = Address.parse("bob@example.org")


class Server:
    """Lets everybody log in who is not refused."""

    def __init__(self) -> None:
        self.refuses: OpenVoiceError | None = None
        self.logins: list[Account] = []
        self.lines: list[FakeSignalling] = []

    def __call__(self, account: Account, *_: Any, **__: Any) -> FakeSignalling:
        if self.refuses is not None:
            raise self.refuses
        self.logins.append(account)
        self.lines.append(FakeSignalling(account.address))
        return self.lines[-1]

    @asynccontextmanager
    async def visit(self, account: Account) -> AsyncIterator[None]:
        if self.refuses is not None:
            raise self.refuses
        self.logins.append(account)
        yield


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server()
    monkeypatch.setattr("openvoice.client.client._xmpp", made)
    monkeypatch.setattr("openvoice.client.adapters.visit", made.visit)
    monkeypatch.setattr("openvoice.client.client._engine", FakeMediaEngine)
    return made


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return Profile(tmp_path / "home")


async def test_an_account_is_tried_and_then_kept(profile: Profile, server: Server, tmp_path: Path) -> None:
    await profile.add_account(ALICE, password="secret", server=("localhost", 5223))
    assert [account.address for account in profile.settings.accounts] == [ALICE]
    assert server.logins == [Account(address=ALICE, password="secret", server=("localhost", 5223))]
    assert server.lines == []
    async with profile.client():
        assert server.logins[1] == server.logins[0]
    with profile._vault() as vault:
        vault.secrets(ALICE).write("trust/bob@example.org", b"much")
    profile.remove_account(ALICE)
    assert profile.settings.accounts == ()
    with profile._vault() as vault:
        assert vault.passwords.find(ALICE) is None
        assert vault.secrets(ALICE).names("") == []


async def test_an_account_that_does_not_work_leaves_nothing(profile: Profile, server: Server, tmp_path: Path) -> None:
    server.refuses = LoginRefused("no")
    with pytest.raises(LoginRefused):
        await profile.add_account(ALICE, password="secret")
    assert not (tmp_path / "home").exists()
    await profile.add_account(ALICE, password="secret", check=False)
    assert profile.settings.accounts


async def test_another_way_to_the_password_forgets_the_one_that_was_typed(
    profile: Profile, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "password").write_text("of the file\n")
    (tmp_path / "authority.pem").write_text("")
    await profile.add_account(ALICE, password="typed")
    await profile.add_account(ALICE, password_file=Path("password"), ca_file=Path("authority.pem"))
    with profile._vault() as vault:
        assert vault.passwords.find(ALICE) is None
    (settings,) = profile.settings.accounts
    assert settings.password_file == tmp_path / "password"
    assert settings.ca_file == tmp_path / "authority.pem"
    await profile.add_account(ALICE, password_command="echo of the command")
    assert [account.password for account in server.logins] == ["typed", "of the file", "of the command"]


@pytest.mark.parametrize(
    ("address", "more", "words"),
    [
        ("example.org", {"password": "x"}, "is not an account"),
        ("alice@example.org/phone", {"password": "x"}, "is not an account"),
        ("alice@example.org", {}, "needs a password"),
        ("alice@example.org", {"password": "x", "ca_file": Path("/nowhere")}, "no certificate file"),
        ("alice@example.org", {"password_file": Path("/nowhere")}, "cannot be read"),
    ],
)
async def test_what_is_no_account(
    profile: Profile, server: Server, address: str, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        await profile.add_account(Address.parse(address), **more)
    assert server.logins == []


def test_an_unknown_account_cannot_be_removed(profile: Profile) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no account alice@example\.org"):
        profile.remove_account(ALICE)


async def test_a_registered_account_is_kept(profile: Profile, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Address, str]] = []

    async def register(account: Address, password: str, **_: Any) -> None:
        if asked:
            raise LoginRefused("the name is taken")
        asked.append((account, password))

    monkeypatch.setattr("openvoice.signalling.xmpp.registration.register", register)
    await profile.register_account(ALICE, password="secret")
    with pytest.raises(LoginRefused):
        await profile.register_account(BOB, password="secret")
    assert asked == [(ALICE, "secret")]
    assert [account.address for account in profile.settings.accounts] == [ALICE]


def test_the_policy_of_the_file_with_changes(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "openvoice.toml").write_text(
        f'[policy]\nring = "named"\nring_timeout = 7.0\n'
        f'[account."{ALICE}"]\nrelay_only = false\n[contact."{BOB}"]\nrelay_only = false\n'
    )
    assert profile.policy() == Policy(
        ring=Audience.NAMED, ring_timeout=7.0, account=Rules(relay_only=False), contacts={BOB: Rules(relay_only=False)}
    )
    changed = profile.policy(require="verified", ring_timeout=1.0, relay_only=True)
    assert (changed.ring, changed.ring_timeout) == (Audience.NAMED, 1.0)
    towards = changed.towards(BOB, in_roster=True)
    assert (towards.require, towards.relay_only) == (Vouching.OMEMO_VERIFIED, True)
    with pytest.raises(ValueError, match="magic"):
        profile.policy(require="magic")


@pytest.mark.parametrize("member", [lambda p: p.settings, lambda p: p.policy(), lambda p: p.client()])
def test_a_file_that_cannot_be_used_is_named(
    profile: Profile, tmp_path: Path, member: Callable[[Profile], Any]
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "openvoice.toml").write_text("[policy]\nring_timeout = 'long'\n")
    with pytest.raises(ConfigurationError, match=r"openvoice\.toml: policy\.ring_timeout = 'long'"):
        member(profile)


async def test_a_client_of_the_profile_has_its_policy_and_keeps_history(
    profile: Profile, server: Server, tmp_path: Path
) -> None:
    for address in (ALICE, BOB):
        await profile.add_account(address, password="secret")
    assert profile.history() == []
    with pytest.raises(ConfigurationError, match="several accounts"):
        profile.client()
    by_name = Client.open(tmp_path / "home", account="bob@example.org", policy=Policy(maximum_calls=3))
    assert by_name.policy.maximum_calls == 3
    async with by_name:
        assert by_name.address == BOB
    async with profile.client(BOB) as client:
        assert client.policy == Policy()
    with profile._vault() as vault:
        for number in range(3):
            vault.history.add({"call": str(number), "time": number, "account": str(BOB)})
    assert [record["call"] for record in profile.history(2)] == ["2", "1"]
    assert len(profile.history()) == 3


def test_a_client_of_the_profile_keeps_to_the_bandwidth_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "openvoice.toml").write_text('[account."alice@example.org"]\n[network]\nbandwidth = 40\n')
    client = Client.open(tmp_path)
    client._close()
    assert client._bandwidth == 40


def test_a_client_of_the_profile_shows_what_the_file_says(tmp_path: Path) -> None:
    (tmp_path / "openvoice.toml").write_text('[account."alice@example.org"]\n[video]\nsize = "1280x720"\nrate = 15\n')
    client = Client.open(tmp_path)
    client._close()
    assert client._video_format == PictureFormat(width=1280, height=720, rate=15.0)


async def test_the_doctor_of_the_profile(profile: Profile) -> None:
    steps = [step async for step in profile.diagnose(ALICE)]
    assert steps[0].name == "configuration"
    assert "there is no account alice@example.org" in steps[0].text


def test_a_word_that_is_not_one_of_those_known_is_told_with_them(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "openvoice.toml").write_text("[policy]\nring = 'everybody'\n")
    with pytest.raises(ConfigurationError, match=r"policy\.ring = 'everybody': must be one of nobody, named, roster"):
        _ = profile.settings
