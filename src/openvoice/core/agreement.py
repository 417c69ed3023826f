"""The two halves of a session as both sides agreed on them last, and how they change while it lives."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace

from openvoice.core.description import MAXIMUM_CONTENTS, Content, Media, Senders, SessionDescription
from openvoice.core.types import Role


class Agreement:
    """Of one session. The voice is the first content with sound; it is never taken out."""

    def __init__(self) -> None:
        self.local: SessionDescription | None = None
        self.remote: SessionDescription | None = None

    @property
    def halves(self) -> tuple[SessionDescription, SessionDescription] | None:
        """This side's and the peer's, once both are known."""
        return None if self.local is None or self.remote is None else (self.local, self.remote)

    @property
    def videos(self) -> tuple[Content, ...]:
        """This side's halves of the contents with pictures, once both sides are known."""
        if self.halves is None:
            return ()
        return tuple(content for content in self.halves[0].contents if content.media is Media.VIDEO)

    @property
    def names(self) -> frozenset[str]:
        """Of all contents that this side has described."""
        return frozenset(content.name for content in self.local.contents) if self.local is not None else frozenset()

    def has(self, name: str) -> bool:
        """Whether this side has described the content."""
        return name in self.names

    def conclude(self, offer: SessionDescription, answer: SessionDescription) -> SessionDescription:
        """What the offer comes to by its answer: the contents that were answered, with the senders of the answer."""
        answered = {content.name: content.senders for content in answer.contents}
        contents = (replace(c, senders=answered[c.name]) for c in offer.contents if c.name in answered)
        return _with(offer, contents, (name for name in offer.bundle if name in answered))

    def room_for(self, contents: int) -> bool:
        """Whether the session may have so many more."""
        return self.halves is not None and len(self.halves[0].contents) + contents <= MAXIMUM_CONTENTS

    def group(self, names: Iterable[str], bundle: Iterable[str] | None = None) -> tuple[str, ...]:
        """The contents that share a transport when those of ``names`` have come to it.

        ``bundle`` is the group that the peer wants; without it, they come to the transport of the voice if both sides
        have that in a group. Empty if they come to none.
        """
        assert self.halves is not None
        local, remote = self.halves
        wanted = set(remote.bundle if bundle is None else bundle)
        if local.voice not in wanted or (bundle is None and local.voice not in local.bundle):
            return ()
        joining = [name for name in names if bundle is None or name in wanted]
        return _joined(local, joining) if joining else ()

    def add(self, local: Iterable[Content], remote: Iterable[Content], group: Container[str]) -> None:
        """Take the two halves of more contents, of which those in ``group`` share the transport of the voice."""
        assert self.halves is not None
        self.local, self.remote = (
            _with(half, (*half.contents, *added), _joined(half, [c.name for c in added if c.name in group]))
            for half, added in zip(self.halves, (tuple(local), tuple(remote)), strict=True)
        )

    def modify(self, senders: Mapping[str, Senders]) -> None:
        """Take other senders for some contents."""
        assert self.halves is not None
        self.local, self.remote = (
            replace(half, contents=tuple(replace(c, senders=senders.get(c.name, c.senders)) for c in half.contents))
            for half in self.halves
        )

    def remove(self, names: Iterable[str]) -> tuple[Content, ...]:
        """Take contents out, but never the voice: this side's halves of those that were there."""
        assert self.halves is not None
        mine, theirs = self.halves
        gone = {name for name in names if mine.content(name) is not None and name != mine.voice}
        removed = tuple(content for content in mine.contents if content.name in gone)
        self.local, self.remote = (
            _with(
                half,
                (content for content in half.contents if content.name not in gone),
                (name for name in half.bundle if name not in gone),
            )
            for half in (mine, theirs)
        )
        return removed


def sends(role: Role, content: Content) -> bool:
    """Whether the side with ``role`` may send in the content."""
    return content.senders in (Senders.BOTH, Senders(role.value))


def _joined(half: SessionDescription, names: Sequence[str]) -> tuple[str, ...]:
    """The contents on the transport of the voice, with more of them."""
    return tuple(dict.fromkeys((*(half.bundle or (half.voice,)), *names))) if names else half.bundle


def _with(half: SessionDescription, contents: Iterable[Content], bundle: Iterable[str]) -> SessionDescription:
    return replace(half, contents=tuple(contents), bundle=tuple(bundle))
