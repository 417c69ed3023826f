"""Whether a call may be placed or accepted: asked before anything of it is sent to anybody."""

from __future__ import annotations

from openvoice.client.certificates import how_to_accept
from openvoice.core.certificates import CertificateChange
from openvoice.core.policy import Alarm, Policy, Way
from openvoice.errors import SecurityRefused
from openvoice.ports import Signalling


async def admit(policy: Policy, signalling: Signalling, change: CertificateChange | None) -> bool:
    """Ask the policy towards the peer, and what it needs to know of the own server, whose certificate may have changed.

    Returns whether the call exposes this device: see :attr:`~openvoice.core.policy.Way.EXPOSED`.

    Raises:
        SecurityRefused: the call may not be.
    """
    if change is not None and policy.alarm is Alarm.REFUSE:
        raise SecurityRefused(how_to_accept(change, str(signalling.address.bare)))
    if policy.way(relay_offered=True) is Way.ANY:
        return False
    way = policy.way(relay_offered=any(server.kind == "turn" for server in await signalling.relays()))
    if way is None:
        raise SecurityRefused(
            "your server offers no relay (TURN), and this call may use nothing else: ask the server's operator for "
            "one, or allow a direct path with relay_only = false"
        )
    return way is Way.EXPOSED
