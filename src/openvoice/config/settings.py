"""What ``openvoice.toml`` says, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from openvoice.core.address import Address
from openvoice.core.bandwidth import DEFAULT_BANDWIDTH
from openvoice.core.policy import Alarm, Policy, Rules
from openvoice.core.processing import Processing
from openvoice.core.protection import Protection
from openvoice.core.types import Vouching
from openvoice.errors import ConfigurationError


class Require(StrEnum):
    """``require`` in the file and on the command line."""

    NONE = "none"
    OMEMO = "omemo"
    VERIFIED = "verified"

    @property
    def vouching(self) -> Vouching:
        return {"none": Vouching.SIGNALLED, "omemo": Vouching.OMEMO_TRUSTED, "verified": Vouching.OMEMO_VERIFIED}[self]


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountSettings:
    """One account. Exactly one of the ways to the password is used, in the order given here; none means the keeper.

    ``rules`` and ``alarm`` are what it says of its calls, in place of ``[policy]``.
    """

    address: Address
    server: tuple[str, int] | None = None
    ca_file: Path | None = None
    password_file: Path | None = None
    password_command: str | None = None
    rules: Rules = field(default_factory=Rules)
    alarm: Alarm | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageSettings:
    """Who holds the key of what is kept. ``passphrase_file`` belongs to ``Protection.PASSPHRASE``, and to no other."""

    protection: Protection = Protection.AUTO
    passphrase_file: Path | None = None

    def __post_init__(self) -> None:
        if (self.protection is Protection.PASSPHRASE) != (self.passphrase_file is not None):
            raise ValueError('protection = "passphrase" and passphrase_file belong together')


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All of ``openvoice.toml``. What it says of single contacts stands in the policy."""

    accounts: tuple[AccountSettings, ...] = ()
    policy: Policy = field(default_factory=Policy)
    input: str = "default"
    output: str = "default"
    ring: str = "default"
    """Where it rings."""
    tones: bool = True
    """Whether there is a sound for a call that rings, for a busy line and for the end."""
    processing: Processing = field(default_factory=Processing)
    camera: str = "default"
    """What a video call shows."""
    picture_size: tuple[int, int] = (640, 480)
    """Pixels, width and height, that pictures which are sent have at most."""
    picture_rate: float = 30.0
    """Pictures a second that are sent at most."""
    interfaces: tuple[str, ...] = ()
    bandwidth: float = DEFAULT_BANDWIDTH
    """kbit/s that a call may send, with all headers."""
    storage: StorageSettings = field(default_factory=StorageSettings)

    def account(self, address: Address | None) -> AccountSettings:
        """The account named, or the only one.

        Raises:
            ConfigurationError: there is none, or several and none was named.
        """
        if address is not None:
            for account in self.accounts:
                if account.address == address.bare:
                    return account
            raise ConfigurationError(f"there is no account {address.bare}: add it with 'openvoice account add'")
        if not self.accounts:
            raise ConfigurationError("there is no account yet: add one with 'openvoice account add you@example.org'")
        if len(self.accounts) > 1:
            names = ", ".join(str(account.address) for account in self.accounts)
            raise ConfigurationError(f"there are several accounts ({names}): choose one with --account")
        return self.accounts[0]

    def policy_of(self, account: AccountSettings) -> Policy:
        """The policy as it is for the calls of one account."""
        return replace(self.policy, account=account.rules, alarm=account.alarm or self.policy.alarm)
