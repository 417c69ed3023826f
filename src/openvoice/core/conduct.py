"""What happens in a call without changing how it stands: mute, hold, dialled digits, news of sound and devices."""

from __future__ import annotations

from collections.abc import Iterator

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.types import Origin

ConductInput = (
    i.Mute
    | i.Hold
    | i.SendDigits
    | i.PeerMuted
    | i.PeerHeld
    | i.DigitReceived
    | i.SourceEnded
    | i.DeviceChanged
    | i.VideoReported
)


class Conduct:
    """Of one call, in one session after another."""

    def __init__(self) -> None:
        self.muted = False
        self.held = False

    def take(self, message: ConductInput, *, opened: bool, active: bool) -> Iterator[e.Effect]:
        """``opened`` says whether there are media, ``active`` whether the call is."""
        match message:
            case i.Mute(muted):
                if muted != self.muted:
                    yield from self._mute(muted, opened=opened, active=active)
            case i.Hold(held):
                if held != self.held:
                    self.held = held
                    yield e.SetHeld(held)
                    if active:
                        yield e.SendInformation(e.Information.HOLD if held else e.Information.UNHOLD)
                    yield e.Notify(events.HoldChanged(held, Origin.LOCAL))
            case i.SendDigits(digits):
                yield e.PlayDigits(digits)
            case i.PeerMuted(muted, None):
                yield e.Notify(events.MuteChanged(muted, Origin.REMOTE))
            case i.PeerMuted():
                # Who shows what is the business of the contents.
                pass
            case i.PeerHeld(held):
                yield e.Notify(events.HoldChanged(held, Origin.REMOTE))
            case i.DigitReceived(digit):
                yield e.Notify(events.DigitDialled(digit))
            case i.SourceEnded():
                yield e.Notify(events.SourceFinished())
            case i.VideoReported():
                yield e.Notify(
                    events.VideoDeviceReported(
                        label=message.label, what=message.what, device=message.device, text=message.text
                    )
                )
            case _:
                yield e.Notify(
                    events.DeviceReported(
                        direction=message.direction, what=message.what, device=message.device, text=message.text
                    )
                )

    def resume(self) -> Iterator[e.Effect]:
        """New media are as those before them were."""
        if self.muted:
            yield e.SetMuted(True)
        if self.held:
            yield e.SetHeld(True)

    def announce(self) -> Iterator[e.Effect]:
        """What the peer of a session that has just become active does not know yet."""
        if self.muted:
            yield e.SendInformation(e.Information.MUTE)
        if self.held:
            yield e.SendInformation(e.Information.HOLD)

    def _mute(self, muted: bool, *, opened: bool, active: bool) -> Iterator[e.Effect]:
        self.muted = muted
        if opened:
            yield e.SetMuted(muted)
        if active:
            yield e.SendInformation(e.Information.MUTE if muted else e.Information.UNMUTE)
        yield e.Notify(events.MuteChanged(muted, Origin.LOCAL))
