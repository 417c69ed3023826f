"""What is shown where in a call, and who was told so: compared after every input, and the difference said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core.agreement import Agreement, sends
from openvoice.core.types import Origin, Role, VideoLabel


class Showing:
    """Of one call, in one session after another. ``feeds`` are what this side shows, and the content of each."""

    def __init__(self) -> None:
        self._told: dict[Origin, set[VideoLabel]] = {Origin.LOCAL: set(), Origin.REMOTE: set()}
        """What the faces believe to be shown."""
        self.leave()

    def leave(self) -> None:
        """The session is over, and its media with it."""
        self.feeds: Mapping[VideoLabel, str] = {}
        """What the media show."""
        self._silent: set[str] = set()
        """The contents of which the peer knows that this side shows nothing."""
        self._muted: set[str] = set()
        """The contents of which the peer said so."""
        self._paused: set[str] = set()
        """The contents of which the media know it."""

    def mute(self, content: str, muted: bool) -> None:
        """The peer shows nothing in a content, or something again."""
        (self._muted.add if muted else self._muted.discard)(content)

    def feed(self, feeds: Mapping[VideoLabel, str]) -> Iterator[e.Effect]:
        """Tell the media."""
        for label, name in self.feeds.items():
            if feeds.get(label) != name:
                yield e.Show(label, None)
        for label, name in feeds.items():
            if self.feeds.get(label) != name:
                yield e.Show(label, name)
        self.feeds = feeds

    def pass_on(self, agreed: Agreement) -> Iterator[e.Effect]:
        """Tell the media where the peer shows nothing: what does not come then is not missing."""
        before, self._paused = self._paused, {content.name for content in agreed.videos} & self._muted
        changed = sorted(before ^ self._paused)
        yield from (e.SetPeerMuted(name, name in self._paused) for name in changed if agreed.has(name))

    def announce(self, agreed: Agreement, role: Role, feeds: Mapping[VideoLabel, str]) -> Iterator[e.Effect]:
        """Tell the peer where nothing is shown, and where something is again."""
        allowed = {content.name for content in agreed.videos if sends(role, content)}
        silent = allowed - set(feeds.values())
        yield from (e.SendInformation(e.Information.MUTE, name) for name in sorted(silent - self._silent))
        again = (self._silent - silent) & allowed
        yield from (e.SendInformation(e.Information.UNMUTE, name) for name in sorted(again))
        self._silent = silent
        self._muted &= agreed.names

    def tell(self, by: Origin, shown: set[VideoLabel]) -> Iterator[e.Effect]:
        """Tell the faces what ``by`` shows."""
        told, self._told[by] = self._told[by], shown
        yield from (e.Notify(events.VideoChanged(label, label in shown, by)) for label in sorted(told ^ shown))

    def seen(self, agreed: Agreement, role: Role) -> set[VideoLabel]:
        """What the peer shows."""
        return {c.label for c in agreed.videos if sends(role.other, c) and c.name not in self._muted}
