"""The transports of one call, by the contents that they carry: their making, candidates, restarts and end."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Sequence

from openvoice.core import inputs
from openvoice.core.description import Candidate
from openvoice.media.certificate import Certificate
from openvoice.media.listener import TransportListener
from openvoice.media.transport import MediaTransport
from openvoice.ports import MediaSettings

MAXIMUM_EARLY_CANDIDATES = 64
"""Kept for contents that have no transport yet."""

Credentials = Sequence[tuple[str, str, str]]
"""(content, ufrag, pwd)"""

_log = logging.getLogger(__name__)


class Transports:
    """All of them have one certificate, which lives as long as the call.

    ``listener`` hears of the transports themselves, and gives the candidates that they find back to :meth:`found`, to
    be fetched when the peer has seen the description that they belong to.
    """

    def __init__(self, settings: MediaSettings, listener: TransportListener) -> None:
        self._settings = settings
        self._listener = listener
        self._certificate: Certificate | None = None
        self._by_name: dict[str, MediaTransport] = {}
        self._early: deque[tuple[str, Candidate]] = deque(maxlen=MAXIMUM_EARLY_CANDIDATES)
        self._found: list[tuple[MediaTransport, Candidate]] = []
        self._ending: set[asyncio.Task[None]] = set()

    def __getitem__(self, name: str) -> MediaTransport:
        return self._by_name[name]

    def get(self, name: str) -> MediaTransport | None:
        return self._by_name.get(name)

    @property
    def distinct(self) -> tuple[MediaTransport, ...]:
        return tuple(dict.fromkeys(self._by_name.values()))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    # --- making -------------------------------------------------------------------------------------------------------

    async def gather(
        self, groups: Iterable[tuple[str, ...]], *, controlling: bool, patience: float
    ) -> list[MediaTransport]:
        """Make a transport for each group of names, and find its first candidates. ``patience``: seconds for the rest.

        Raises:
            MediaFailed: there is no network to use. Nothing was made then.
        """
        if self._certificate is None:
            self._certificate = Certificate.generateCertificate()
        made = []
        for names in groups:
            transport = MediaTransport(
                names,
                controlling=controlling,
                settings=self._settings,
                certificate=self._certificate,
                listener=self._listener,
            )
            self._by_name |= dict.fromkeys(names, transport)
            made.append(transport)
        try:
            await asyncio.gather(*(transport.gather(fully_within=patience) for transport in made))
        except BaseException:
            for transport in made:
                self.drop(transport.names)
            raise
        # The description, made right now, has all that was found so far.
        for transport in made:
            self._forget_found(transport)
        return made

    def join(self, name: str, transport: MediaTransport) -> None:
        """Have ``transport`` carry the content as well; one that the content had for itself ends."""
        if self._by_name.get(name) is not transport:
            self.drop((name,))
            transport.names = (*transport.names, name)
            self._by_name[name] = transport

    def drop(self, names: Iterable[str]) -> None:
        """Carry these contents no more, and end the transports that carry nothing else."""
        for name in names:
            transport = self._by_name.pop(name, None)
            if transport is None:
                continue
            transport.names = tuple(other for other in transport.names if other != name) or transport.names
            if transport not in self._by_name.values():
                self._forget_found(transport)
                task = asyncio.get_running_loop().create_task(_close(transport))
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)

    # --- candidates ---------------------------------------------------------------------------------------------------

    def found(self, transport: MediaTransport, candidate: Candidate) -> None:
        """A transport has a candidate that the peer does not know yet."""
        self._found.append((transport, candidate))

    def take_found(self) -> list[inputs.LocalCandidates]:
        """What was found since the last time."""
        found, self._found = self._found, []
        return [
            inputs.LocalCandidates(
                transport.names[0], tuple(candidate for owner, candidate in found if owner is transport)
            )
            for transport in dict.fromkeys(transport for transport, _ in found)
        ]

    def _forget_found(self, transport: MediaTransport) -> None:
        self._found = [each for each in self._found if each[0] is not transport]

    def add_candidate(self, name: str, candidate: Candidate) -> None:
        """Take a candidate of the peer, or keep it until its content has a transport."""
        transport = self._by_name.get(name)
        if transport is not None:
            transport.add_candidate(candidate)
        else:
            self._early.append((name, candidate))

    def flush_early(self) -> None:
        """There are transports: give them what was kept for them."""
        early = tuple(self._early)
        self._early.clear()
        for name, candidate in early:
            self.add_candidate(name, candidate)

    # --- restart ------------------------------------------------------------------------------------------------------

    async def restart(self, remote: Credentials) -> Credentials:
        """As :meth:`openvoice.ports.MediaSession.restart`. Transports that have not begun are new enough."""
        theirs = {name: (ufrag, pwd) for name, ufrag, pwd in remote}
        ours: list[tuple[str, str, str]] = []
        for transport in self.distinct:
            named = next((theirs[name] for name in transport.names if name in theirs), None)
            if not transport.connected or (named is None and remote):
                continue
            ufrag, pwd = await transport.restart(named)
            ours += [(name, ufrag, pwd) for name in transport.names]
            self._forget_found(transport)
            self._found += [(transport, candidate) for candidate in transport.restart_candidates]
        return tuple(ours)

    def apply_restart(self, credentials: Credentials) -> None:
        for name, ufrag, pwd in credentials:
            transport = self._by_name.get(name)
            if transport is not None:
                transport.apply_restart((ufrag, pwd))

    def network_changed(self) -> None:
        for transport in self.distinct:
            transport.network_changed()

    # --- the end ------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Let every socket go. Never raises."""
        await asyncio.gather(*map(_close, self.distinct), *self._ending)


async def _close(transport: MediaTransport) -> None:
    try:
        await transport.close()
    except Exception as error:
        _log.error("a transport did not close properly: %s", type(error).__name__)
