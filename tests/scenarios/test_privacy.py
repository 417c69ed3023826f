"""What a real server keeps of an account, and how it is taken away again."""

from __future__ import annotations

from pathlib import Path

import pytest

from openvoice import Client, ConnectionFailed, Erasable, Keeper, Profile
from openvoice.server.prosody import Prosody
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.slow]


async def profile_of(prosody: Prosody, name: str, home: Path) -> Profile:
    profile = Profile(home)
    await profile.add_account(
        prosody.address(name),
        password=prosody.accounts[name],
        server=(prosody.host, prosody.port),
        ca_file=prosody.ca_file,
    )
    return profile


async def published(client: Client) -> None:
    """Until the client's OMEMO device can be found by others."""
    await until(lambda: (facts := client._signalling.facts) is not None and facts.omemo_device is not None)


async def test_the_own_keys_are_on_the_server_until_they_are_erased(tmp_path: Path) -> None:
    async with Prosody(accounts={"alice": "secret"}) as prosody:
        profile = await profile_of(prosody, "alice", tmp_path / "home")
        async with profile.client() as client:
            await published(client)
        with profile.keys() as keys:
            device = keys.own.device
        seen = {kept.name: kept for kept in (await profile.privacy.on_the_server()).kept}
        assert seen["keys"].amount == 2
        assert seen["keys"].keeper is Keeper.SERVER
        said = await profile.privacy.erase(Erasable.KEYS)
        assert any(f"device {device}" in sentence for sentence in said)
        after = {kept.name: kept for kept in (await profile.privacy.on_the_server()).kept}
        assert "keys" not in after or after["keys"].amount == 1
        async with profile.client() as client:
            await published(client)
        with profile.keys() as keys:
            assert keys.own.device != device


async def test_an_account_that_is_erased_does_not_exist_any_more(tmp_path: Path) -> None:
    async with Prosody(accounts={"alice": "secret"}, registration=True) as prosody:
        profile = await profile_of(prosody, "alice", tmp_path / "home")
        await profile.privacy.erase(Erasable.ACCOUNT)
        with pytest.raises(ConnectionFailed):
            await profile_of(prosody, "alice", tmp_path / "other")
        assert Profile(tmp_path / "home").settings.accounts == ()
