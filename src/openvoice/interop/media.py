"""The media of a call that the kit takes part in: real transports and payload types in the place of a vector's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from openvoice.core.description import Candidate, Codec, Content, Setup
from openvoice.errors import MalformedStanza
from openvoice.interop.names import Names
from openvoice.interop.ports import MakePath, Path
from openvoice.jingle import namespaces as ns
from openvoice.jingle.describe import read_offer
from openvoice.jingle.model import IceTransport, Jingle, JingleAction, JingleContent, RtpDescription
from openvoice.jingle.parse import parse_jingle
from openvoice.jingle.serialize import serialize_jingle

_CONTENT = ns.qualified(ns.JINGLE, "content")
_DESCRIPTION = ns.qualified(ns.RTP, "description")
_PAYLOAD_TYPE = ns.qualified(ns.RTP, "payload-type")
_TRANSPORT = ns.qualified(ns.ICE_UDP, "transport")
_CANDIDATE = ns.qualified(ns.ICE_UDP, "candidate")
_FINGERPRINT = ns.qualified(ns.DTLS, "fingerprint")
_GROUP = ns.qualified(ns.GROUPING, "group")
_OFFERING = (JingleAction.SESSION_INITIATE, JingleAction.CONTENT_ADD)
_DESCRIBING = (JingleAction.SESSION_INITIATE, JingleAction.SESSION_ACCEPT)


class CallMedia:
    """The media of one call.

    ``names`` learns what the credentials and keys of the vector stand for. Without ``make`` the transports stay those
    of the vector, which lead nowhere: enough for all that happens before a call is connected.
    """

    def __init__(self, make: MakePath | None, names: Names) -> None:
        self._make = make
        self._names = names
        self._paths: dict[str, Path] = {}
        self._own: dict[str, Content] = {}
        self._other: dict[str, Content] = {}
        self._candidates: dict[str, tuple[Candidate, ...]] = {}
        self._begun: set[str] = set()
        self._early: dict[str, list[Candidate]] = {}
        self._heard: dict[str, RtpDescription] = {}
        """What the tested client offered, by content."""
        self._told = False
        self.offered: dict[str, frozenset[str]] = {}
        """The payload types that this side offered, by content."""

    async def prepare(self, jingle: Element) -> None:
        """Put what is real into a request that is about to be said."""
        action = jingle.get("action", "")
        if action in (JingleAction.SESSION_ACCEPT, JingleAction.CONTENT_ACCEPT):
            for content in jingle.findall(_CONTENT):
                self._answer_what_was_offered(content)
        if self._make is None:
            return
        for content, transport in _transports(jingle):
            name = content.get("name", "")
            if action in _DESCRIBING:
                await self._describe(self._make, jingle, name, transport)
            written = transport.findall(_CANDIDATE)
            if written and name in self._candidates:
                for candidate in written:
                    transport.remove(candidate)
                transport.extend(_write(self._candidates[name]))
                self._told = True

    def said(self, jingle: Element) -> None:
        """Note what was said. What in it makes no sense on purpose is not noted."""
        if jingle.get("action") in _OFFERING:
            for content in jingle.findall(_CONTENT):
                numbers = (item.get("id", "") for item in content.findall(f"{_DESCRIPTION}/{_PAYLOAD_TYPE}"))
                self.offered[content.get("name", "")] = frozenset(numbers)
        try:
            self._note(parse_jingle(jingle), self._own)
        except MalformedStanza:
            return

    def heard(self, jingle: Element) -> None:
        """Note a request of the tested client.

        Raises:
            MalformedStanza: it makes no sense.
        """
        parsed = parse_jingle(jingle)
        self._note(parsed, self._other)
        for content in parsed.contents if parsed.action in _OFFERING else ():
            if isinstance(content.description, RtpDescription):
                self._heard[content.name] = content.description
        if parsed.action is JingleAction.TRANSPORT_INFO:
            for content in parsed.contents:
                if isinstance(content.transport, IceTransport):
                    self._take(content.name, content.transport.candidates)

    def owed(self, sid: str) -> Iterator[Element]:
        """Requests with the candidates of this side, if none were told yet."""
        if not self._told:
            self._told = True
            for name, candidates in self._candidates.items():
                local = self._own[name].transport
                transport = IceTransport(ufrag=local.ufrag, pwd=local.pwd, candidates=candidates)
                contents = (JingleContent(name=name, transport=transport),)
                yield serialize_jingle(Jingle(action=JingleAction.TRANSPORT_INFO, sid=sid, contents=contents))

    async def secured(self, within: float) -> str:
        """Wait until every path is: empty, or in words why one is not."""
        if not self._paths or not self._other:
            return "no media were agreed on"
        until = time.monotonic() + within
        for path in dict.fromkeys(self._paths.values()):
            failure = await path.secured(max(0.0, until - time.monotonic()))
            if failure:
                return failure
        return ""

    async def close(self) -> None:
        for path in dict.fromkeys(self._paths.values()):
            await path.close()

    async def _describe(self, make: MakePath, jingle: Element, name: str, transport: Element) -> None:
        fingerprint = transport.find(_FINGERPRINT)
        if fingerprint is None:
            return
        group = next((one for one in jingle.findall(_GROUP) if one.get("semantics") == "BUNDLE"), None)
        members = tuple(member.get("name", "") for member in group) if group is not None else ()
        bundled = members if name in members else (name,)
        shared = next((self._paths[one] for one in bundled if one in self._paths), None)
        path = shared or make(bundled, jingle.get("action") == JingleAction.SESSION_INITIATE)
        self._paths.update(dict.fromkeys(bundled, path))
        real = await path.describe(Setup(fingerprint.get("setup", "")))
        for key, value in (("ufrag", real.ufrag), ("pwd", real.pwd)):
            self._names.learn(transport.get(key, ""), value)
            transport.set(key, value)
        self._names.learn(fingerprint.text or "", str(real.fingerprint))
        fingerprint.text = str(real.fingerprint)
        if name == bundled[0]:
            self._candidates[name] = real.candidates

    def _answer_what_was_offered(self, content: Element) -> None:
        """Payload types as the tested client numbered them, without those that it does not know."""
        offered, description = self._heard.get(content.get("name", "")), content.find(_DESCRIPTION)
        if offered is None or description is None:
            return
        numbers = {_encoding(codec): codec.payload_type for codec in offered.codecs}
        for item in description.findall(_PAYLOAD_TYPE):
            known = numbers.get(
                (item.get("name", "").lower(), int(item.get("clockrate", "0")), int(item.get("channels", "1")))
            )
            if known is None:
                description.remove(item)
            else:
                item.set("id", str(known))
        for extension in description.findall(ns.qualified(ns.RTP_HEADER_EXTENSIONS, "rtp-hdrext")):
            known = next((e.id for e in offered.header_extensions if e.uri == extension.get("uri")), None)
            if known is None:
                description.remove(extension)
            else:
                extension.set("id", str(known))

    def _note(self, jingle: Jingle, side: dict[str, Content]) -> None:
        if jingle.action not in _DESCRIBING:
            return
        contents = read_offer(jingle).contents
        side.update({content.name: content for content in contents})
        if jingle.action is JingleAction.SESSION_ACCEPT:
            for content in contents:
                self._connect(content.name, content)

    def _connect(self, name: str, answer: Content) -> None:
        path, remote = self._paths.get(name), self._other.get(name)
        if path is None or remote is None or name not in self._candidates or name in self._begun:
            return
        self._begun.add(name)
        active = answer.transport.setup is Setup.ACTIVE
        path.connect(remote.transport, client=active != (answer is remote), codecs=answer.codecs)
        for candidate in self._early.pop(name, ()):
            path.add_candidate(candidate)

    def _take(self, name: str, candidates: tuple[Candidate, ...]) -> None:
        path = self._paths.get(name)
        connected = path is not None and name in self._own and name in self._other
        for candidate in candidates:
            if connected and path is not None:
                path.add_candidate(candidate)
            else:
                self._early.setdefault(name, []).append(candidate)


def _encoding(codec: Codec) -> tuple[str, int, int]:
    return codec.name.lower(), codec.clock_rate, codec.channels


def _write(candidates: tuple[Candidate, ...]) -> list[Element]:
    content = JingleContent(name="", transport=IceTransport(candidates=candidates))
    written = serialize_jingle(Jingle(action=JingleAction.TRANSPORT_INFO, sid="", contents=(content,)))
    return written.findall(f"{_CONTENT}/{_TRANSPORT}/{_CANDIDATE}")


def _transports(jingle: Element) -> Iterator[tuple[Element, Element]]:
    for content in jingle.findall(_CONTENT):
        transport = content.find(_TRANSPORT)
        if transport is not None and transport.get("ufrag"):
            yield content, transport
