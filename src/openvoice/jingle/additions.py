"""What the peer wants to add to a voice call: video, a screen. Refused, or taken without using it, so that the call
goes on whichever of the two the peer's client understands.
"""

from __future__ import annotations

from dataclasses import replace

from openvoice.core.description import Senders, SessionDescription, Setup
from openvoice.jingle.describe import write_contents
from openvoice.jingle.model import IceTransport, Jingle, JingleAction, JingleContent, RtpDescription
from openvoice.jingle.parse import MAXIMUM_CONTENTS


def stubs(jingle: Jingle) -> tuple[JingleContent, ...]:
    """The contents of a content-reject: name, medium and senders as they came, for Conversations compares them."""
    return tuple(
        replace(
            content,
            description=RtpDescription(media=content.description.media)
            if isinstance(content.description, RtpDescription)
            else content.description,
            transport=IceTransport(),
        )
        for content in jingle.contents
    )


def has_plain_fingerprint(jingle: Jingle) -> bool:
    """Whether a content comes with a key of its own that nobody sealed. Stubs have none: they inherit."""
    return any(isinstance(c.transport, IceTransport) and c.transport.fingerprints for c in jingle.contents)


class Additions:
    """The contents that the peer added to one session beyond its offer."""

    def __init__(self) -> None:
        self._added: dict[str, JingleContent] = {}

    def answer(
        self, jingle: Jingle, local: SessionDescription, remote: SessionDescription
    ) -> tuple[JingleContent, ...]:
        """The contents of the session-accept that Movim reads as the answer to any change.

        What was added is taken on the transport of the voice, and never used: leaving it out would break the peer's
        numbering of its media.
        """
        for content in jingle.contents:
            if jingle.action is JingleAction.CONTENT_REMOVE:
                self._added.pop(content.name, None)
            elif local.content(content.name) is None and len(self._added) < MAXIMUM_CONTENTS:
                self._added[content.name] = content
        # Either the peer's answer settled the DTLS roles, or this side's answer did.
        setup = Setup.PASSIVE if remote.contents[0].transport.setup is Setup.ACTIVE else Setup.ACTIVE
        settled = tuple(
            replace(content, transport=replace(content.transport, setup=setup, candidates=()))
            for content in local.contents
        )
        voice = write_contents(replace(local, contents=settled))
        added = (
            replace(content, senders=Senders.BOTH, transport=voice[0].transport) for content in self._added.values()
        )
        return (*voice, *added)
