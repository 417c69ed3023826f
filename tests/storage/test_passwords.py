from __future__ import annotations

import pytest

from openvoice.core.address import Address
from openvoice.storage.passwords import PasswordKeeper
from openvoice.storage.vault import Vault

from .conftest import ALICE, OpenVault


@pytest.mark.parametrize("account", [ALICE, Address("a..%b", "example.org")])
def test_a_password_is_kept_and_forgotten(open_vault: OpenVault, account: Address) -> None:
    keeper = open_vault().passwords
    assert keeper.find(account) is None
    keeper.keep(account, "geheim ü")
    keeper.keep(account, "gr\u00fcn \u2713")
    assert open_vault().passwords.find(account) == "gr\u00fcn \u2713"
    keeper.forget(account)
    keeper.forget(account)
    assert open_vault().passwords.find(account) is None


def test_a_device_of_an_account_has_the_password_of_the_account(vault: Vault) -> None:
    PasswordKeeper(vault).keep(Address(ALICE.local, ALICE.domain, "phone"), "secret")
    assert vault.passwords.find(ALICE) == "secret"
