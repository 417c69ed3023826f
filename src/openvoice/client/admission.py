"""Whether a call may be placed or accepted: asked before anything of it is sent to anybody."""

from __future__ import annotations

from openvoice.core.policy import Policy, Way
from openvoice.errors import SecurityRefused
from openvoice.ports import Signalling


async def admit(policy: Policy, signalling: Signalling) -> bool:
    """Ask the policy towards the peer, and what it needs to know of the own server.

    Returns whether the call exposes this device: see :attr:`~openvoice.core.policy.Way.EXPOSED`.

    Raises:
        SecurityRefused: the call may not be.
    """
    if policy.way(relay_offered=True) is Way.ANY:
        return False
    way = policy.way(relay_offered=any(server.kind == "turn" for server in await signalling.relays()))
    if way is None:
        raise SecurityRefused(
            "your server offers no relay (TURN), and this call may use nothing else: ask the server's operator for "
            "one, or allow a direct path with relay_only = false"
        )
    return way is Way.EXPOSED
