"""The heavy adapters, imported when somebody goes online, so that ``import openvoice`` stays quick."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from openvoice.client.account import Account
from openvoice.core.policy import Screening
from openvoice.ports import IncomingCall, KeyStore, MediaEngine, NetworkWatch, Signalling, SignallingListener

if TYPE_CHECKING:
    from openvoice.signalling.xmpp.connection import Connection


def engine() -> MediaEngine:
    """Media in a thread of their own."""
    from openvoice.media.engine import ThreadedMediaEngine

    return ThreadedMediaEngine()


def network(changed: Callable[[], None]) -> NetworkWatch:
    """The network of this machine."""
    from openvoice.network.watch import SystemNetworkWatch

    return SystemNetworkWatch(changed)


def xmpp(
    account: Account,
    listener: SignallingListener,
    screen: Callable[[IncomingCall], Screening],
    *,
    proposal_age: float,
    last_online: float | None,
    keys: KeyStore | None,
) -> Signalling:
    """The signalling of an account, not yet online."""
    from openvoice.signalling.xmpp.adapter import XmppSignalling

    return XmppSignalling(
        account=account.address,
        password=account.password,
        server=account.server,
        ca_file=account.ca_file,
        listener=listener,
        screen=screen,
        proposal_age=proposal_age,
        last_online=last_online,
        keys=keys,
    )


def visit(account: Account) -> AbstractAsyncContextManager[Connection]:
    """A login that nobody sees, and that takes nothing which the server keeps for the account's devices.

    Raises, when entered:
        ConnectionFailed: it did not work.
    """
    from openvoice.signalling.xmpp.visit import visit

    return visit(account.address, account.password, server=account.server, ca_file=account.ca_file)
