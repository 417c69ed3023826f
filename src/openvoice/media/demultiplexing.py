"""Which content a packet belongs to, of those that share a transport (RFC 9143, 9.2). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from openvoice.core.description import Content

MAXIMUM_LEARNT = 64
"""Sources whose content is remembered, though no description names them."""


class Demultiplexer:
    """Of one transport. A packet names its content itself, or by a source that is known, or by its payload type."""

    def __init__(self) -> None:
        self._contents: tuple[str, ...] = ()
        self._described: dict[int, str] = {}
        self._learnt: dict[int, str] = {}
        self._payload_types: dict[int, str | None] = {}

    def agree(self, contents: Sequence[tuple[Content, Content]]) -> None:
        """These are the contents from now on: of each our half, and the peer's."""
        self._contents = tuple(ours.name for ours, _ in contents)
        self._described = {}
        self._payload_types = {}
        for ours, theirs in contents:
            for ssrc in (theirs.source.ssrc if theirs.source is not None else None, theirs.repair):
                if ssrc is not None:
                    self._described[ssrc] = ours.name
            for codec in ours.codecs:
                known = self._payload_types.setdefault(codec.payload_type, ours.name)
                if known != ours.name:
                    self._payload_types[codec.payload_type] = None
        self._learnt = {ssrc: name for ssrc, name in self._learnt.items() if name in self._contents}

    def route(self, ssrc: int, payload_type: int, mid: str | None) -> str | None:
        """The name of the content, or ``None`` for what belongs to none."""
        if len(self._contents) == 1:
            return self._contents[0]
        if mid is not None:
            name = mid if mid in self._contents else None
        else:
            name = self._learnt.get(ssrc) or self._described.get(ssrc) or self._payload_types.get(payload_type)
        if name is not None and self._learnt.get(ssrc) != name:
            self._learn(ssrc, name)
        return name

    def _learn(self, ssrc: int, name: str) -> None:
        # What packets said last counts more than what the description said first.
        self._learnt.pop(ssrc, None)
        self._learnt[ssrc] = name
        if len(self._learnt) > MAXIMUM_LEARNT:
            del self._learnt[next(iter(self._learnt))]
