"""ICE credentials of both sides of a session, and how a restart shows in them (XEP-0176, 5.7; RFC 8445, 2.4).

Nothing on the wire says "restart": a transport-info with credentials never seen before is one. Without candidates it
begins a restart, with candidates it confirms one that this side began. stanza.io does both with its fingerprint, and
begins only as the initiator.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from openvoice.core.description import SessionDescription
from openvoice.jingle.describe import write_transport
from openvoice.jingle.model import IceTransport, Jingle, JingleContent

MAXIMUM_SEEN = 64
"""Credentials of the peer that are remembered."""

Credentials = tuple[tuple[str, str, str], ...]
"""(content, ufrag, pwd) of each content."""


def restart_contents(credentials: Credentials, local: SessionDescription | None = None) -> tuple[JingleContent, ...]:
    """The contents of a transport-info that restarts; with the fingerprints of ``local``, if that is given."""
    contents = []
    for name, ufrag, pwd in credentials:
        content = local.content(name) if local is not None else None
        fingerprints = write_transport(content.transport).fingerprints if content is not None else ()
        contents.append(
            JingleContent(name=name, transport=IceTransport(ufrag=ufrag, pwd=pwd, fingerprints=fingerprints))
        )
    return tuple(contents)


class Attempt(StrEnum):
    """How far a restart of this side has come."""

    NONE = "none"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    """Candidates that were found for it are still coming, and nobody has a use for them."""


class IceCredentials:
    """Who uses which credentials in one session."""

    def __init__(self) -> None:
        self.attempt = Attempt.NONE
        self._request = ""
        self._local: dict[str, tuple[str, str]] = {}
        self._previous: dict[str, tuple[str, str]] = {}
        self._remote: dict[str, tuple[str, str]] = {}
        self._seen: dict[tuple[str, str], None] = {}

    @property
    def under_way(self) -> bool:
        """Whether the peer may still confirm a restart of this side."""
        return self.attempt in (Attempt.SENT, Attempt.ACKNOWLEDGED)

    def describe_local(self, description: SessionDescription) -> None:
        self._local = {content.name: content.transport.credentials for content in description.contents}

    def describe_remote(self, description: SessionDescription) -> None:
        self.adopt((content.name, *content.transport.credentials) for content in description.contents)

    def describe_content(self, content: str, credentials: tuple[str, str]) -> None:
        """A content of this side comes to the session."""
        self._local[content] = credentials

    def forget_content(self, content: str) -> None:
        """It goes."""
        for known in (self._local, self._previous, self._remote):
            known.pop(content, None)

    def local(self, content: str) -> tuple[str, str]:
        """This side's (ufrag, pwd) for the content; empty where there are none."""
        return self._local.get(content, ("", ""))

    def remote(self, content: str) -> tuple[str, str] | None:
        """The peer's (ufrag, pwd) for the content."""
        return self._remote.get(content)

    def fresh(self, jingle: Jingle) -> Credentials | None:
        """The peer's new credentials, if the request restarts ICE.

        One pair for everything is good for all contents, whichever are named; several must cover every content. What
        the peer says of contents that were never agreed on (added video, say) restarts nothing.
        """
        pairs = {
            content.name: (content.transport.ufrag, content.transport.pwd)
            for content in jingle.contents
            if isinstance(content.transport, IceTransport) and content.transport.ufrag and content.transport.pwd
        }
        distinct = {pair for name, pair in pairs.items() if name in self._remote}
        if not distinct or distinct & self._seen.keys():
            return None
        if len(distinct) == 1:
            pair = distinct.pop()
            return tuple((name, *pair) for name in self._remote)
        if not pairs.keys() >= self._remote.keys():
            return None
        return tuple((name, *pairs[name]) for name in self._remote)

    def outdated(self, transport: IceTransport) -> bool:
        """Whether a transport belongs to what was before the last restart."""
        pair = (transport.ufrag, transport.pwd)
        return pair in self._seen and pair not in self._remote.values()

    def adopt(self, credentials: Iterable[tuple[str, str, str]]) -> None:
        """Take the peer's credentials."""
        taken = tuple(credentials)
        self._remote.update({content: (ufrag, pwd) for content, ufrag, pwd in taken})
        self.pass_over(taken)

    def pass_over(self, credentials: Credentials) -> None:
        """Remember credentials of the peer, so that they begin nothing any more."""
        self._seen.update({(ufrag, pwd): None for _, ufrag, pwd in credentials})
        while len(self._seen) > MAXIMUM_SEEN:
            self._seen.pop(next(iter(self._seen)))

    def renew(self, credentials: Credentials) -> None:
        """Use new credentials on this side, in answer to the peer's."""
        self._local.update({content: (ufrag, pwd) for content, ufrag, pwd in credentials})
        self.attempt = Attempt.NONE

    def begin(self, request: str, credentials: Credentials) -> None:
        """Use new credentials on this side, and remember the old ones until the peer agrees to ``request``."""
        previous = self._previous if self.under_way else dict(self._local)
        self.renew(credentials)
        self._previous, self._request, self.attempt = previous, request, Attempt.SENT

    def awaits(self, request: str) -> bool:
        """Whether the outcome of ``request`` is that of the attempt under way."""
        return self.attempt is Attempt.SENT and request == self._request

    def finished(self, request: str, refused: bool) -> bool:
        """Note the outcome of ``request``; whether it is that of the attempt under way."""
        if not self.awaits(request):
            return False
        if refused:
            self.abandon()
            self.attempt = Attempt.REFUSED
        else:
            self.attempt = Attempt.ACKNOWLEDGED
        return True

    def abandon(self) -> None:
        """Go back to the credentials from before the attempt."""
        self._local = self._previous
        self.attempt = Attempt.NONE

    def confirmed(self) -> None:
        """The peer answered the attempt with credentials of its own."""
        self.attempt = Attempt.NONE
