"""Which sound devices there are, and which one a name means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from openvoice.core.naming import meant
from openvoice.devices.library import PORTAUDIO
from openvoice.errors import DeviceFailed


class Kind(StrEnum):
    """What a device does, by the names PortAudio has for it."""

    INPUT = "input"
    OUTPUT = "output"

    @property
    def noun(self) -> str:
        """What a person calls it."""
        return "microphone" if self is Kind.INPUT else "loudspeaker"


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """A microphone or a loudspeaker; what can do both is listed as two."""

    index: int
    """Its number in PortAudio; another one after devices came or went."""
    name: str
    kind: Kind
    channels: int
    rate: int
    """Hz, the one it likes best."""
    default: bool
    """Whether it is the one of the system settings."""
    host: str
    """The sound system that offers it: ALSA, Core Audio, Windows WASAPI ..."""


def devices(*, renew: bool = False) -> list[Device]:
    """All microphones, then all loudspeakers. ``renew`` looks again for what was plugged in since.

    Raises:
        DeviceFailed: PortAudio is missing or does not work.
    """
    with PORTAUDIO.use(renew=renew) as sounddevice:
        hosts = [str(host["name"]) for host in sounddevice.query_hostapis()]
        defaults = dict(zip(Kind, sounddevice.default.device, strict=True))
        return [
            Device(
                index=index,
                name=" ".join(str(found["name"]).split()),
                kind=kind,
                channels=int(found[f"max_{kind}_channels"]),
                rate=round(found["default_samplerate"]),
                default=index == defaults[kind],
                host=hosts[found["hostapi"]],
            )
            for kind in Kind
            for index, found in enumerate(sounddevice.query_devices())
            if found[f"max_{kind}_channels"] > 0
        ]


def find(listed: Sequence[Device], kind: Kind, wanted: str | int | None) -> Device:
    """The device that ``wanted`` means: an index, a name or a part of one in any case, or ``None`` for the default.

    Raises:
        DeviceFailed: no device is meant, or more than one; the message lists them.
    """
    able = [device for device in listed if device.kind is kind]
    if not able:
        raise DeviceFailed(f"no {kind.noun} was found: connect one, or use a file instead")
    if wanted is None:
        return next((device for device in able if device.default), able[0])
    try:
        return meant(able, wanted, kind.noun)
    except LookupError as error:
        raise DeviceFailed(error.args[0]) from None
