"""What the kit needs of the world: a device that says and hears stanzas, paths for media, and perhaps a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.core.description import Candidate, Codec, Setup, TransportDescription


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the tested client."""

    element: Element


@dataclass(frozen=True, slots=True)
class Request:
    """A ``jingle`` request of the tested client. :meth:`Device.answer` or :meth:`Device.refuse` is owed."""

    id: str
    payload: Element


@dataclass(frozen=True, slots=True)
class Reply:
    """What the tested client answered to the request ``id``: nothing wrong, or the condition of an error.

    ``extra`` is the name of the application's own condition. ``condition`` is ``timeout`` when nothing came.
    """

    id: str
    condition: str = ""
    extra: str = ""


Arrival = Message | Request | Reply


class Device(Protocol):
    """One device of the account that the kit has, in the guise of one client."""

    @property
    def address(self) -> Address: ...

    def send_message(self, message: Element) -> None: ...

    def send_request(self, id: str, payload: Element) -> None:  # noqa: A002
        """A :class:`Reply` comes of it."""
        ...

    def answer(self, id: str) -> None: ...  # noqa: A002

    def refuse(self, id: str, condition: str) -> None: ...  # noqa: A002

    async def arrival(self, timeout: float) -> Arrival | None:
        """The next that came from the tested client, ``None`` if nothing does in time."""
        ...


class Path(Protocol):
    """A real transport for one or several contents: ICE, and DTLS on it."""

    async def describe(self, setup: Setup) -> TransportDescription:
        """This side of it, with all candidates."""
        ...

    def connect(self, remote: TransportDescription, *, client: bool, codecs: Sequence[Codec]) -> None:
        """Begin to find a way to the other side, in the DTLS role of a ``client`` or not.

        Silence in the first of ``codecs`` follows.
        """
        ...

    def add_candidate(self, candidate: Candidate) -> None: ...

    async def secured(self, timeout: float) -> str:
        """Wait until DTLS is done with the key that was announced: empty, or in words why it is not."""
        ...

    async def close(self) -> None: ...


MakePath = Callable[[tuple[str, ...], bool], Path]
"""Makes the path of the contents named; the second says whether the kit controls it (RFC 8445, 4)."""


class Person(Protocol):
    """Whoever uses the tested client."""

    @property
    def answers(self) -> bool:
        """Whether calls are accepted there without being asked to."""
        ...

    def can(self, wish: str) -> bool:
        """Whether it makes sense to ask for this."""
        ...

    async def ask(self, wish: str) -> None:
        """Ask for one of the ``user`` steps of a vector to be done now. Returns when it was said, not when done."""
        ...
