"""Somebody between the media of two devices, who ends the encryption of both at himself and listens."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from functools import partial
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from openvoice.core import inputs
from openvoice.core.description import Fingerprint, SessionDescription
from openvoice.core.inputs import DeviceChanged
from openvoice.core.types import Role
from openvoice.jingle import namespaces as ns
from openvoice.jingle.describe import read_offer, write_contents
from openvoice.jingle.model import Jingle, JingleAction
from openvoice.jingle.parse import parse_jingle
from openvoice.jingle.serialize import serialize_jingle
from openvoice.media.session import CallMedia
from openvoice.ports import FRAME_SECONDS, Frame, MediaSettings
from tests.media.peers import LOOPBACK, Microphone

TRANSPORT = ns.qualified(ns.ICE_UDP, "transport")
LOUD = 4000
"""Of 32767: what is said in the tests is louder, and nothing else is."""


class Ear:
    """Plays what comes, and knows how loud it was."""

    def __init__(self) -> None:
        self.loudest = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self, request: Callable[[], Frame], report: Callable[[DeviceChanged], None]) -> None:
        loop = asyncio.get_running_loop()

        def tick() -> None:
            self.loudest = max(self.loudest, int(np.abs(request().astype(np.int32)).max()))
            self._timer = loop.call_later(FRAME_SECONDS, tick)

        tick()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _believe(remoteParameters: object) -> None:  # noqa: N803
    ...


class CarelessMedia(CallMedia):
    """Speaks with whoever there is: it cannot know the fingerprint of a peer who sealed it."""

    async def _gather(self, *arguments: Any, **named: Any) -> Any:
        made = await super()._gather(*arguments, **named)
        for transport in made:
            transport._secure._validate_peer_identity = _believe  # type: ignore[method-assign]
        return made


class MediaMiddleman:
    """What the caller takes for the callee, and the callee for the caller."""

    def __init__(self) -> None:
        self.ears = {role: Ear() for role in Role}
        """By whom they hear."""
        self._media = {role: CarelessMedia(self._settings(role), partial(self._hear, role)) for role in Role}
        self._tasks: list[asyncio.Future[None]] = []

    async def offers(self, session: str) -> Element:
        """An offer of its own, to the callee."""
        description = await self._media[Role.RESPONDER].open(Role.INITIATOR, None)
        return serialize_jingle(
            Jingle(
                action=JingleAction.SESSION_INITIATE,
                sid=session,
                contents=write_contents(description),
                bundle=description.bundle,
            )
        )

    async def offered(self, jingle: Element) -> Element:
        """The offer as the callee gets it: with this one's addresses and key."""
        self._answer = await self._media[Role.INITIATOR].open(Role.RESPONDER, _description(jingle))
        return _with_transports(jingle, await self._media[Role.RESPONDER].open(Role.INITIATOR, None))

    async def answered(self, jingle: Element) -> Element:
        """The answer as the caller gets it."""
        await self._media[Role.RESPONDER].apply_answer(_description(jingle))
        return _with_transports(jingle, self._answer)

    def fingerprint(self, role: Role) -> Fingerprint:
        """Of the key that it shows to somebody."""
        local = self._media[role]._local
        assert local is not None
        found = local.contents[0].transport.fingerprint
        assert found is not None
        return found

    @property
    def heard(self) -> set[Role]:
        """Whose voice it heard."""
        return {role for role, ear in self.ears.items() if ear.loudest > LOUD}

    async def close(self) -> None:
        await asyncio.gather(*self._tasks, *(media.close() for media in self._media.values()))

    def _settings(self, role: Role) -> MediaSettings:
        return MediaSettings(input=Microphone, output=lambda: self.ears[role], interfaces=(LOOPBACK,))

    def _hear(self, role: Role, message: inputs.MediaInput) -> None:
        if isinstance(message, inputs.MediaSecured):
            self._tasks.append(asyncio.ensure_future(self._media[role].open_gate()))


def _description(jingle: Element) -> SessionDescription:
    """What a stanza describes, with a made-up fingerprint where the real one is sealed."""
    readable = copy.deepcopy(jingle)
    for transport in readable.iter(TRANSPORT):
        for sealed in transport.findall(ns.qualified(ns.OMEMO_DTLS, "fingerprint")):
            transport.remove(sealed)
            attributes = {"hash": "sha-256", "setup": sealed.get("setup", "")}
            SubElement(transport, ns.qualified(ns.DTLS, "fingerprint"), attributes).text = bytes(32).hex(":")
    return read_offer(parse_jingle(readable))


def _with_transports(jingle: Element, description: SessionDescription) -> Element:
    own = serialize_jingle(
        Jingle(action=JingleAction.SESSION_INITIATE, sid="any", contents=write_contents(description))
    )
    transports = [transport for content in own for transport in content.iter(TRANSPORT)]
    changed = copy.deepcopy(jingle)
    for content, transport in zip(changed.findall(ns.qualified(ns.JINGLE, "content")), transports, strict=True):
        for theirs in content.findall(TRANSPORT):
            content.remove(theirs)
        content.append(transport)
    return changed
