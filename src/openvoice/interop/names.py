"""From the names of a vector to those of the world: addresses, ids of sessions and requests, credentials, keys."""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from openvoice.interop.vectors import Vector
from openvoice.jingle import namespaces as ns

_JINGLE = ns.qualified(ns.JINGLE, "jingle")


class Names:
    """What each name of ``vector`` stands for in one performance.

    The session ids that the played client makes up are new each time; those that the tested client makes up are learnt
    when they are heard. ``new_id`` gives ids that are unique in the world.
    """

    def __init__(self, vector: Vector, new_id: Callable[[], str]) -> None:
        self._known: dict[str, str] = {}
        self._open: set[str] = set()
        self._contents: dict[str, str] = {}
        mark = new_id()[:8]
        for step in vector.steps:
            if step.said is not None:
                for sid in set(session_ids(step.said)) - self._known.keys() - self._open:
                    self._known[sid] = _beside(sid, self._open) + _like(sid, new_id())
                stanza_id = step.said.get("id", "")
                # Also those of messages: one that comes a second time is no news.
                if stanza_id and not any(sid in stanza_id for sid in (*self._known, *self._open)):
                    self._known[stanza_id] = f"{stanza_id}-{mark}"
            for heard in step.expected:
                self._open |= set(session_ids(heard)) - self._known.keys()

    def learn(self, name: str, real: str) -> None:
        """From now on ``name`` stands for ``real``."""
        self._known[name] = real
        self._open.discard(name)

    def is_open(self, name: str) -> bool:
        """Whether ``name`` is an id of the tested client that was not heard yet."""
        return name in self._open

    def real(self, name: str) -> str:
        """What ``name`` stands for, also where it is a part of a longer one; itself if it stands for nothing."""
        if name in self._known:
            return self._known[name]
        for known in sorted(self._known, key=len, reverse=True):
            if len(known) >= _PART and known in name:
                return name.replace(known, self._known[known])
        return name

    def agree(self, name: str, heard: str) -> bool:
        """Whether ``heard`` is what ``name`` stands for. One that stood for nothing yet does so from now on."""
        if name in self._open:
            self.learn(name, heard)
        return name == "*" or self.real(name) == heard

    def content(self, name: str) -> str:
        """The name that the content ``name`` has: that which the offer of the tested client gave it, if it offered."""
        return self._contents.get(name, name)

    def learn_content(self, name: str, real: str) -> None:
        """From now on the content ``name`` is called ``real``."""
        self._contents[name] = real

    def translate(self, stanza: Element) -> Element:
        """The same stanza in real names."""
        translated = copy.deepcopy(stanza)
        for element in translated.iter():
            for key, value in element.items():
                element.set(key, self.content(value) if key == "name" and _is_content(element) else self.real(value))
            if element.text and element.text.strip():
                element.text = self.real(element.text.strip())
        return translated


_PART = 8
"""Characters that a name has at least to be looked for inside others."""


def _is_content(element: Element) -> bool:
    return ns.split(element.tag)[1] in ("content", "mute", "unmute")


def session_ids(stanza: Element) -> Iterator[str]:
    """The ids of sessions that a stanza is about."""
    for _, _, child in ns.children(stanza):
        if child.tag == _JINGLE:
            yield from filter(None, [child.get("sid")])
        elif child.tag.startswith(f"{{{ns.JINGLE_MESSAGE}}}"):
            yield from filter(None, [child.get("id"), *(moved.get("to") for moved in child if "migrated" in moved.tag)])


def _beside(sid: str, others: set[str]) -> str:
    """What keeps an id below or above those of the tested client: which of two calls goes on depends on that."""
    if not others:
        return ""
    return "!" if sid < min(others) else "~"


def _like(sid: str, fresh: str) -> str:
    """``fresh`` in the style of ``sid``, for clients must not care: upper case as Monal's, base64 as Conversations'."""
    if any(character in sid for character in "+/="):
        return base64.b64encode(b"\xfb\xff" + fresh.encode()[:14]).decode().rstrip("=")
    return fresh.upper() if sid.isupper() else fresh
