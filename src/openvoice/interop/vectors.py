"""Recorded exchanges: a folder for each, with ``vector.toml`` and the stanzas beside it.

A vector is told from openvoice's side: ``receive`` is what the other client says, ``send`` what openvoice answers.
The kit turns that round. ``docs/interop-kit.md`` says what may stand in one.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.errors import ConfigurationError, OpenVoiceError
from openvoice.interop.clients import STANDARD, Appearance, appearance_of

OWN = "alice@ov.example/ov.7Qk"
PEER = "bob@conv.example"

_INSIDE = Path(__file__).parent / "vectors"
_CHECKOUT = Path(__file__).parents[3] / "tests" / "vectors"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step. ``said`` comes from the client that the kit plays, ``expected`` from the one that is tested.

    ``user`` is what a person does at the tested client, ``media`` what the media of the call do, ``advance`` how many
    seconds pass before. ``beyond`` is what in it no client can do to another, in words, or empty.
    """

    said: Element | None = None
    expected: tuple[Element, ...] = ()
    user: str = ""
    media: str = ""
    advance: float = 0.0
    state: str = ""
    beyond: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Vector:
    """One exchange. ``client`` is the word of the client that is played, ``id`` the name of the vector.

    ``own`` is the tested client's address in the stanzas, ``peer`` the bare one of the client that is played.
    ``errors`` are the answers to requests of the tested client, by action; any other is a result. ``beyond`` is as in
    :class:`Step`.
    """

    id: str
    client: str
    title: str
    own: Address
    peer: Address
    steps: tuple[Step, ...]
    guise: Appearance = STANDARD
    """How the played client introduces itself."""
    errors: dict[str, str] = field(default_factory=dict)
    beyond: str = ""

    @property
    def connects(self) -> bool:
        """Whether the media of the call must really be connected."""
        return any(step.media == "connect" for step in self.steps)


def default_folder() -> Path:
    """Where the vectors are: inside the package, or beside its sources in a checkout.

    Raises:
        ConfigurationError: there are none.
    """
    for folder in (_INSIDE, _CHECKOUT):
        if folder.is_dir():
            return folder
    raise ConfigurationError("this installation has no vectors: name a folder of them with --vectors")


def read_vectors(folder: Path) -> tuple[Vector, ...]:
    """All vectors in ``folder``, sorted by client and id.

    Raises:
        ConfigurationError: there are none, or one cannot be read.
    """
    found = tuple(read_vector(path.parent) for path in sorted(folder.glob("*/*/vector.toml")))
    if not found:
        raise ConfigurationError(f"there are no vectors in {str(folder)!r}")
    return found


def read_vector(folder: Path) -> Vector:
    """The vector in ``folder``.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        written = tomllib.loads((folder / "vector.toml").read_text())
        device = written.get("device", {})
        return Vector(
            id=folder.name,
            client=folder.parent.name,
            title=written["title"],
            own=Address.parse(written.get("own", OWN)),
            peer=Address.parse(written.get("peer", PEER)).bare,
            steps=tuple(_step(folder, step) for step in written["step"]),
            guise=appearance_of(device.get("node", ""), frozenset(device.get("features", ()))),
            errors=dict(written.get("errors", {})),
            beyond=next((words for key, words in _BEYOND_VECTOR.items() if key in written), ""),
        )
    except (OSError, ValueError, KeyError, TypeError, ElementTree.ParseError, OpenVoiceError) as error:
        raise ConfigurationError(f"{str(folder)!r} holds no vector that can be read: {error}") from error


_BEYOND_VECTOR = {
    "omemo": "the kit has no OMEMO yet",
    "roster": "it is about a stranger, and the kit is a contact",
    "blocked": "it needs a blocked caller",
    "require": "it needs a policy of the tested client",
    "other_devices": "it needs other devices of the tested account",
    "slow_media": "it needs media that never become ready",
}
_BEYOND_STEP = {
    "archive": "it needs messages that the server has kept",
    "carbon": "it needs another device of the tested account",
    "stamp": "it needs a message that the server has kept",
}


def _step(folder: Path, written: dict[str, Any]) -> Step:
    beyond = next((words for key, words in _BEYOND_STEP.items() if key in written), "")
    user, media = written.get("user", ""), written.get("media", "")
    if user == "rebind":
        beyond = "it needs the tested client to come back under another address"
    if media not in ("", "connect"):
        beyond = "it needs media that fail on command"
    return Step(
        said=_stanza(folder, written["receive"]) if "receive" in written else None,
        expected=tuple(_stanza(folder, name) for name in written.get("send", ())),
        user=user,
        media=media,
        advance=float(written.get("advance", 0.0)),
        state=written.get("state", ""),
        beyond=beyond,
    )


def _stanza(folder: Path, name: str) -> Element:
    return ElementTree.fromstring((folder / name).read_text())  # noqa: S314 - files of this project, or of the user
