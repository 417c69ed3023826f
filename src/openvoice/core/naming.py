"""Which of several devices a person means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Named(Protocol):
    """What has a name and a number."""

    @property
    def name(self) -> str: ...

    @property
    def index(self) -> int: ...


_Named = TypeVar("_Named", bound=Named)


def meant(listed: Sequence[_Named], wanted: str | int, noun: str) -> _Named:
    """The one that has this number, this name, or this as a part of its name, in any case.

    A whole name goes before parts of names. Several of one name are one device that is offered in several ways; the
    first is taken.

    Raises:
        LookupError: no device is meant, or more than one; the message lists them.
    """
    sought = str(wanted).casefold()
    named = [] if isinstance(wanted, int) else [device for device in listed if sought in device.name.casefold()]
    chosen = [device for device in named if device.name.casefold() == sought] or named
    if not chosen and sought.isdecimal():
        chosen = [device for device in listed if device.index == int(sought)]
    if not chosen:
        raise LookupError(f"there is no {noun} {wanted!r}; there is {_names(listed)}")
    if len({device.name.casefold() for device in chosen}) > 1:
        raise LookupError(f"{wanted!r} may be more than one {noun}: {_names(chosen)}")
    return chosen[0]


def _names(listed: Sequence[_Named]) -> str:
    return ", ".join(f"{device.name!r} ({device.index})" for device in listed)
