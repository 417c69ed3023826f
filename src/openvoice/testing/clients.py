"""Logged-in clients for tests."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from openvoice import Account, Client, Policy, temporary_keys
from openvoice.ports import MediaEngine
from openvoice.server.prosody import Prosody


class ClientFactory:
    """Makes clients that are online, on loopback, and know each other."""

    def __init__(self, prosody: Prosody) -> None:
        self._prosody = prosody

    @asynccontextmanager
    async def __call__(
        self,
        *names: str,
        policies: Mapping[str, Policy] | None = None,
        engines: Mapping[str, MediaEngine] | None = None,
    ) -> AsyncIterator[tuple[Client, ...]]:
        """A client for each name, logged in; they close when the context ends.

        Every account is new, so that nothing of another test waits for it: ``alice`` is ``alice-`` and a random end.

        Args:
            names: who is to be online.
            policies: other rules than the default ones, by name.
            engines: other media engines, by name; see :class:`~openvoice.testing.behind.EngineBehindLink`.
        """
        full_names = {name: f"{name}-{secrets.token_hex(4)}" for name in names}
        for full_name in full_names.values():
            self._prosody.add_account(full_name, secrets.token_urlsafe())
        self._prosody.acquaint(*full_names.values())
        async with AsyncExitStack() as stack:
            yield tuple(
                [
                    await stack.enter_async_context(
                        Client(
                            self._account(full_name),
                            policy=(policies or {}).get(name),
                            engine=(engines or {}).get(name),
                            interfaces=(self._prosody.host,),
                            keys=temporary_keys(),
                        )
                    )
                    for name, full_name in full_names.items()
                ]
            )

    def _account(self, name: str) -> Account:
        return Account(
            address=self._prosody.address(name),
            password=self._prosody.accounts[name],
            server=(self._prosody.host, self._prosody.port),
            ca_file=self._prosody.ca_file,
        )
