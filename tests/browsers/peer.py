"""Somebody who calls, and is called, in a browser: ``page/page.js`` in a tab."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from openvoice import Frame

SCRIPT = Path(__file__).parents[2] / "build" / "page" / "page.js"
"""Made by ``scripts/setup --tests``."""
SOON = 30.0
"""Seconds that any step may take on a busy machine."""


class Tab(Protocol):
    """A page in a browser. ``call`` waits for promises, and gives what JSON carries."""

    async def call(self, function: str, *arguments: Any) -> Any: ...

    async def close(self) -> None: ...


class WebPeer:
    """One account in a tab."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        self.device = ""
        """The full address, once it is online."""
        self._closed = False

    async def do(self, command: str, *arguments: Any) -> Any:
        """Run a method of the page's ``peer``."""
        return await self._tab.call(f"peer.{command}", *arguments)

    async def begin(self, **settings: Any) -> None:
        """Go online; ``page.js`` says what can be set."""
        self.device = await self.do("begin", settings)

    async def until(self, name: str, within: float = SOON, *, since: int = 0) -> Any:
        """Wait for an entry of the diary, the first of that name from ``since`` on; gives what it says."""
        return await self.do("until", name, within, since)

    async def diary(self) -> list[str]:
        """The names of all entries so far."""
        return [str(entry["name"]) for entry in await self.do("entries")]

    async def heard(self) -> Frame:
        """All sound since the call began."""
        return np.frombuffer(base64.b64decode(await self.do("heard")), "<i2")

    async def statistics(self) -> list[dict[str, Any]]:
        """What the browser says of the call (``getStats``)."""
        return list(await self.do("statistics"))

    async def path(self) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The pair of candidates that carries the media, and its two ends."""
        return chosen_pair(await self.statistics())

    async def faults(self) -> list[str]:
        """What went wrong in the page, as long as that can be asked."""
        if self._closed:
            return []
        return [str(entry["what"]) for entry in await self.do("entries") if entry["name"] == "fault"]

    async def leave(self) -> None:
        """Hang up, go offline and close the tab, if that was not done before."""
        if not self._closed:
            await self.do("leave")
            await self._tab.close()

    async def vanish(self) -> None:
        """Leave the page without a word, and close the tab."""
        self._closed = True
        await self._tab.call("location.replace", "about:blank")
        await self._tab.close()


def the(entries: list[dict[str, Any]], type_: str, **properties: Any) -> dict[str, Any]:
    """The only entry of a ``getStats`` of that type with these properties."""
    (entry,) = [each for each in entries if each["type"] == type_ and properties.items() <= each.items()]
    return entry


def chosen_pair(entries: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The pair of candidates that carries the media, and its two ends."""
    named = [each["selectedCandidatePairId"] for each in entries if each["type"] == "transport"]
    (pair,) = [
        each
        for each in entries
        if each["type"] == "candidate-pair" and (each["id"] in named or (not named and each.get("selected")))
    ]
    return (
        pair,
        the(entries, "local-candidate", id=pair["localCandidateId"]),
        the(entries, "remote-candidate", id=pair["remoteCandidateId"]),
    )
