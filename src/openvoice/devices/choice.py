"""Which device is to be used: the one that was asked for, or that of the system settings meanwhile."""

from __future__ import annotations

import re
from collections.abc import Sequence

from openvoice.devices.listing import Device, Kind, find
from openvoice.errors import DeviceFailed

STABLE_SECONDS = 1.0
"""A device that was lost must have been back for so long: plugs and radio links are seldom steady at once."""
_FOLLOWING_HOSTS = frozenset({"ALSA", "JACK Audio Connection Kit", "OSS", "PulseAudio"})
"""There the default of PortAudio is no device but the sound server's word for one, and the server moves its streams."""
_CARD_NUMBER = re.compile(r"\(hw:\d+,")


class Choice:
    """What was asked for, and what that means among the devices there are now. Time is an argument, in seconds.

    Numbers of devices, and the cards' numbers in names, change when others come or go: whatever was asked for is its
    name and its sound system from the moment on at which it was found.
    """

    def __init__(self, kind: Kind, wanted: str | int | None) -> None:
        self.kind = kind
        self.why = ""
        """What keeps the device that was asked for from being used."""
        self._wanted = wanted
        self._known: Device | None = None
        self._lost = False
        self._seen_since: float | None = None

    @property
    def follows(self) -> bool:
        """Whether the system settings are asked for."""
        return self._wanted is None

    @property
    def name(self) -> str | None:
        """Of what was asked for, as far as it is known; ``None`` if that is what the system settings name."""
        if self.follows:
            return None
        return self._known.name if self._known else str(self._wanted)

    def is_meant(self, device: Device) -> bool:
        """Whether ``device`` is what was asked for, and nothing that stands in for it."""
        return self.follows or (self._known is not None and _same(self._known, device))

    def lose(self) -> None:
        """What was in use vanished."""
        self._lost = True
        self._seen_since = None

    def first(self, listed: Sequence[Device], now: float) -> list[Device]:
        """What to try, the best first, while nothing is in use.

        Raises:
            DeviceFailed: there is nothing to try.
        """
        if self.follows:
            return [find(listed, self.kind, None)]
        try:
            meant = self._find(listed)
        except DeviceFailed as error:
            self.why = str(error)
            self.lose()
            # Raises if there is none either.
            return [find(listed, self.kind, None)]
        steady = self._note(meant, now) or not self._lost
        default = find(listed, self.kind, None)
        if _same(meant, default):
            return [meant]
        return [meant, default] if steady else [default, meant]

    def meant(self, listed: Sequence[Device]) -> Device:
        """What was asked for, and nothing else.

        Raises:
            DeviceFailed: it is not there.
        """
        return find(listed, self.kind, None) if self.follows else self._find(listed)

    def may_improve(self, used: Device) -> bool:
        """Whether a look at the devices could tell of a better one than ``used``, which works."""
        return not self.is_meant(used) or (self.follows and used.host not in _FOLLOWING_HOSTS)

    def better(self, listed: Sequence[Device], used: Device, now: float) -> Device | None:
        """What to move to from ``used``, which works; ``None`` to stay. ``used`` may be missing in the list."""
        if not self.is_meant(used):
            try:
                meant = self._find(listed)
            except DeviceFailed:
                meant = None
            if self._note(meant, now):
                return meant
        elif not self.follows:
            return None
        if used.host in _FOLLOWING_HOSTS:
            return None
        default = next((device for device in listed if device.kind is self.kind and device.default), None)
        return None if default is None or _same(default, used) else default

    def _find(self, listed: Sequence[Device]) -> Device:
        """Raises :class:`~openvoice.errors.DeviceFailed`."""
        if self._known is None:
            self._known = find(listed, self.kind, self._wanted)
            return self._known
        alike = [device for device in listed if device.kind is self.kind and _same(device, self._known)]
        exact = [device for device in alike if device.name == self._known.name]
        if not exact and len(alike) != 1:
            raise DeviceFailed(f"the {self.kind.noun} {self._known.name!r} is not there")
        return (exact or alike)[0]

    def _note(self, meant: Device | None, now: float) -> bool:
        """Whether it has been seen for long enough."""
        if meant is None:
            self._seen_since = None
            return False
        if self._seen_since is None:
            self._seen_since = now
        return now - self._seen_since >= STABLE_SECONDS


def _same(one: Device, other: Device) -> bool:
    """Whether both are the same device, as far as names tell; a card that was plugged in again may have another number.

    Two devices of one make cannot be told apart.
    """
    return one.host == other.host and _CARD_NUMBER.sub("(hw:", one.name) == _CARD_NUMBER.sub("(hw:", other.name)
