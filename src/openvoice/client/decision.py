"""What the user decides about a key while a call lives."""

from __future__ import annotations

import time

from openvoice.core.trust import DeviceKey, Trust
from openvoice.errors import InvalidState
from openvoice.ports import KeyStore


def decide(keys: KeyStore | None, key: DeviceKey, trust: Trust) -> None:
    """Keep what the user thinks of ``key``, durably, even if it was forgotten meanwhile.

    Raises:
        InvalidState: the client has no place for keys.
        OpenVoiceError: it cannot be kept.
    """
    if keys is None:
        raise InvalidState("this client keeps no OMEMO keys: nothing can be verified with it")
    keys.trust.meet(key.owner, key.device, key.key, time.time())
    keys.trust.decide(key.owner, key.key, trust)
