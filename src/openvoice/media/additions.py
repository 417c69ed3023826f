"""Contents with pictures that one side adds to a session (XEP-0166, 7.2.1): our halves, and their transports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from openvoice.core.description import Content, SessionDescription, Setup, TransportDescription
from openvoice.core.types import VideoLabel
from openvoice.errors import InvalidState, SecurityRefused
from openvoice.media import plan
from openvoice.media.transport import MediaTransport
from openvoice.media.transports import Transports


class Gather(Protocol):
    """Makes a transport for each group of names."""

    async def __call__(self, groups: Iterable[tuple[str, ...]], *, controlling: bool) -> list[MediaTransport]: ...


class Additions:
    """Of one call."""

    def __init__(
        self,
        transports: Transports,
        gather: Gather,
        make_source: plan.MakeSource,
    ) -> None:
        self._transports = transports
        self._gather = gather
        self._make_source = make_source

    async def propose(
        self, local: SessionDescription, remote: SessionDescription, voice_name: str, name: str, label: VideoLabel
    ) -> Content:
        """As :meth:`openvoice.ports.MediaSession.propose_content`, to what both sides agreed on."""
        if local.content(name) is not None or self._transports.get(name) is not None:
            raise InvalidState(f"there is a content {name!r} already")
        bundle = _bundle(local, remote, voice_name)
        if bundle:
            description = self._transports[voice_name].repeat(Setup.ACTPASS)
        else:
            # Who adds a content of its own controls its path, as Dino has it: whoever began the session.
            (transport,) = await self._gather([(name,)], controlling=True)
            description = transport.describe(Setup.ACTPASS)
        others = [content for content in local.contents if content.name in bundle]
        return plan.make_pictures(name, label, description, self._make_source, others)

    async def answer(
        self,
        local: SessionDescription,
        remote: SessionDescription,
        voice_name: str,
        contents: Sequence[Content],
        bundle: Sequence[str],
    ) -> tuple[Content, ...]:
        """As :meth:`openvoice.ports.MediaSession.answer_contents`, to what both sides agreed on."""
        present = _bundle(local, remote, voice_name)
        shared = set(bundle) if present and voice_name in bundle else set()
        others = [content for content in local.contents if content.name in present]
        answers: list[Content] = []
        for content in contents:
            if self._transports.get(content.name) is not None:
                continue
            bundled = content.name in shared
            transport = await self._transport_for(content, self._transports[voice_name], bundled)
            if transport is None:
                continue
            answer = plan.answer_pictures(content, transport, self._make_source, others if bundled else [])
            if answer is None:
                self._transports.drop((content.name,))
                continue
            answers.append(answer)
            others += [answer] if bundled else []
        return tuple(answers)

    async def _transport_for(
        self, content: Content, voice: MediaTransport, bundled: bool
    ) -> TransportDescription | None:
        """Our half of the transport of a content that the peer adds.

        ``None`` if it could not be protected like the voice.
        """
        try:
            described = plan.remote_transport((content,))
        except SecurityRefused:
            return None
        assert described.fingerprint is not None
        if bundled:
            return voice.repeat(voice.setup) if described.fingerprint.matches(voice.remote_fingerprint) else None
        if described.fingerprint.vouching < voice.remote_fingerprint.vouching:
            return None
        (transport,) = await self._gather([(content.name,)], controlling=False)
        return transport.describe(plan.answering_setup(described.setup))


def _bundle(local: SessionDescription, remote: SessionDescription, voice_name: str) -> set[str]:
    """The contents that share the transport of the voice, in a bundle that may grow."""
    both = set(local.bundle) & set(remote.bundle)
    return both if voice_name in both else set()
