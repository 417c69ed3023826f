"""The session-accept that Movim reads as the answer to any change of the contents, whoever makes it."""

from __future__ import annotations

from dataclasses import replace

from openvoice.core.agreement import Agreement
from openvoice.core.description import MAXIMUM_CONTENTS, Senders
from openvoice.jingle.describe import settled_transport, write_contents
from openvoice.jingle.model import JingleContent


class WholeAnswers:
    """All that was agreed on in one session, and what the peer added beyond that.

    Leaving out a content would break the peer's numbering of its media: what the call does not take is echoed on the
    transport of the voice, and never used.
    """

    def __init__(self, agreed: Agreement) -> None:
        self._agreed = agreed
        self._echoed: dict[str, JingleContent] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._echoed

    def echo(self, content: JingleContent) -> None:
        """The call does not take this one."""
        if len(self._echoed) < MAXIMUM_CONTENTS:
            self._echoed[content.name] = content

    def forget(self, name: str) -> None:
        """The peer takes it back."""
        self._echoed.pop(name, None)

    def write(self) -> tuple[tuple[JingleContent, ...], tuple[str, ...]]:
        """The contents of the session-accept, and its group."""
        local, remote = self._agreed.local, self._agreed.remote
        assert local is not None
        assert remote is not None
        settled = (replace(content, transport=settled_transport(content, remote)) for content in local.contents)
        written = write_contents(replace(local, contents=tuple(settled)))
        echoed = (
            replace(content, senders=Senders.BOTH, transport=written[0].transport) for content in self._echoed.values()
        )
        return (*written, *echoed), (*local.bundle, *self._echoed) if local.bundle else ()
