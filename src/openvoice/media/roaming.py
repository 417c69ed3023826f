"""Keeps a path alive when the network changes, within one ICE session and without signalling.

A second path is asked before it is needed, so that it works when it is, and all of them when there is doubt about the
one in use. The first that answers is taken, by each side for itself: media are let in by every pair whose check
succeeded, so the two need not agree first. The controlling side nominates what it took; the controlled one follows a
nomination whenever it comes. RFC 8445, 8.1.1, wants a restart for that. It is still made, by whoever owns the call,
but it needs a signalling that may have been lost with the path.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aioice.ice import CandidatePair

from openvoice.core.networks import network_of
from openvoice.media import relay
from openvoice.media.candidates import bindable, local_addresses, source_of_default, to_description
from openvoice.media.guard import GuardedSocket
from openvoice.media.ice import IceAgent

SEEKING = 0.5
"""Seconds that answers get until all are asked again, if there is need."""
PREFERENCE = 0.05
"""Seconds that the pair in use gets to answer after another one did."""
ASKING_INTERVAL = 0.005
"""Seconds between two questions (RFC 8445, 14.2)."""
MAXIMUM_ASKED = 16
MOST_TRIES = 20
"""Questions by a pair that never answered, until the network changes: the peer may have named anybody's address."""
STANDBY_AFTER = 1.0
"""Seconds after a selection until pairs that stand by are asked for the first time."""
STANDBY_INTERVAL = 10.0
"""Seconds between two times: NATs forget a mapping after 30 or more (RFC 8445, 11)."""
MAXIMUM_STANDBYS = 3
HINT_INTERVAL = 1.0
"""Seconds for which media by another pair than the own one are no further reason for doubt."""


class RoamingAgent(IceAgent):
    """An ICE agent that takes another pair when the selected one does not work any more.

    ``lost`` is called when the system refuses to send by the selected pair.
    """

    def __init__(self, *, lost: Callable[[RoamingAgent], None], **others: Any) -> None:
        super().__init__(**others)
        self._lost = lost
        self._networks = self._current_networks()
        self._refused: set[GuardedSocket] = set()
        self._answered_at: dict[CandidatePair, float] = {}
        self._silent: set[CandidatePair] = set()
        self._tries: Counter[tuple[Any, tuple[str, int]]] = Counter()
        self._answered = asyncio.Event()
        self._seeking: asyncio.Task[None] | None = None
        self._standby: asyncio.TimerHandle | None = None
        self._hinted_at = 0.0

    # --- doubt --------------------------------------------------------------------------------------------------------

    def receive(self, pair: CandidatePair, datagram: bytes) -> None:
        is_media = 128 <= datagram[0] < 192
        if is_media and pair is not self.selected_pair and self._now() - self._hinted_at >= HINT_INTERVAL:
            # The peer took another pair: it may know something.
            self._hinted_at = self._now()
            self.seek()
        super().receive(pair, datagram)

    def cannot_send(self, socket: GuardedSocket) -> None:
        self._refused.add(socket)
        if not self._closing and self.selected_pair is not None and self.selected_pair.protocol is socket:
            self._lost(self)

    @property
    def has_another(self) -> bool:
        """Whether there is another socket that the system did not refuse to send from."""
        selected = self.selected_pair
        return any(
            socket not in self._refused and (selected is None or socket is not selected.protocol)
            for socket in self.sockets
        )

    @property
    def _is_seeking(self) -> bool:
        return self._seeking is not None and not self._seeking.done() and not self._seeking.cancelling()

    def seek(self) -> None:
        """Ask the selected pair and all others, and take one that answers if the selected one does not."""
        if self.selected_pair is not None and not self._closing and not self._is_seeking:
            self._seeking = self._run(self._tasks, self._seek(self.selected_pair))

    async def _seek(self, present: CandidatePair) -> None:
        began = self._now()
        until = began + SEEKING
        self._pair_all()
        self._ask_all([present, *filter(self._is_hopeful, self._others())][:MAXIMUM_ASKED])
        answers: list[CandidatePair] = []
        while present not in answers and self._now() < until:
            self._answered.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._answered.wait(), until - self._now())
            answers = sorted(
                (pair for pair, at in self._answered_at.items() if at >= began), key=self._answered_at.__getitem__
            )
            if answers:
                until = min(until, self._answered_at[answers[0]] + self._preference(present))
        if answers and present not in answers and present is self.selected_pair:
            # Whatever else is gone with it has to answer before it counts again.
            self._silent.update(pair for pair in self._check_list if pair not in answers)
            self._take(min(answers, key=self._check_list.index))

    def _is_hopeful(self, pair: CandidatePair) -> bool:
        worked = pair.state is CandidatePair.State.SUCCEEDED
        return worked or self._tries[pair.protocol, pair.remote_addr] < MOST_TRIES

    def _pair_all(self) -> None:
        """Make the pairs again that the nomination left out (RFC 8445, 8.1.2)."""
        for remote in self._remote_candidates:
            self._pair_remote_candidate(remote)
        self.sort_check_list()

    def _preference(self, present: CandidatePair) -> float:
        return 0.0 if present.protocol in self._refused else PREFERENCE

    def _others(self) -> list[CandidatePair]:
        """All pairs but the selected one, those first that worked, then those of other sockets."""
        selected = self.selected_pair
        others = [pair for pair in self._check_list if pair is not selected]
        return sorted(
            others,
            key=lambda pair: (
                pair.state is not CandidatePair.State.SUCCEEDED or pair in self._silent,
                selected is not None and pair.protocol is selected.protocol,
            ),
        )

    def _take(self, pair: CandidatePair) -> None:
        self._nominated[1] = pair
        if self.ice_controlling:
            self._begin_nomination(pair)
        self._tell_selected()
        self._consented(self)

    def _best_pair(self) -> CandidatePair | None:
        worked = (pair for pair in self._check_list if pair.state is CandidatePair.State.SUCCEEDED)
        return next((pair for pair in worked if pair not in self._silent), None)

    # --- questions ----------------------------------------------------------------------------------------------------

    def _ask_all(self, pairs: list[CandidatePair]) -> None:
        for number, pair in enumerate(pairs):
            if pair.state is not CandidatePair.State.SUCCEEDED:
                self._tries[pair.protocol, pair.remote_addr] += 1
            self._run(self._tasks, self._ask_later(pair, number * ASKING_INTERVAL))

    async def _ask_later(self, pair: CandidatePair, after: float) -> None:
        await asyncio.sleep(after)
        await self._ask(pair)

    def _handle_answer(self, pair: CandidatePair) -> None:
        self._silent.discard(pair)
        if pair not in self._check_list:
            return
        self._answered_at[pair] = self._now()
        if pair.state is not CandidatePair.State.SUCCEEDED and isinstance(pair.protocol, GuardedSocket):
            self.check_state(pair, CandidatePair.State.SUCCEEDED)
            pair.protocol.release(pair)
        super()._handle_answer(pair)
        self._answered.set()
        self._consider_nomination()

    def _handle_silence(self, pair: CandidatePair, asked: float) -> None:
        if self._answered_at.get(pair, 0.0) >= asked:
            return
        if pair.state is not CandidatePair.State.SUCCEEDED:
            self.check_state(pair, CandidatePair.State.FAILED)
        elif pair is not self.selected_pair:
            # It stays open for what comes: only for what goes it is out of use.
            self._silent.add(pair)

    # --- the selected pair, and those that stand by -------------------------------------------------------------------

    def _tell_selected(self) -> None:
        selected = self.selected_pair
        if selected is not None and selected is not self._last_selected and not self._closing:
            self._stand_by(STANDBY_AFTER)
        super()._tell_selected()

    def _stand_by(self, after: float) -> None:
        if self._standby is not None:
            self._standby.cancel()
        self._standby = asyncio.get_running_loop().call_later(after, self._ask_standbys)

    def _ask_standbys(self) -> None:
        """Of each other socket the best pair that may work."""
        self._stand_by(STANDBY_INTERVAL)
        self._pair_all()
        best: dict[Any, CandidatePair] = {}
        for pair in self._check_list:
            if pair.state is not CandidatePair.State.FAILED and pair is not self.selected_pair:
                best.setdefault(pair.protocol, pair)
        self._ask_all(list(best.values())[:MAXIMUM_STANDBYS])

    # --- the network --------------------------------------------------------------------------------------------------

    async def network_changed(self) -> bool:
        """Let go what is gone and bind what is new. Whether there is a network that was not there before."""
        known, self._networks = self._networks, self._current_networks()
        self._tries.clear()
        for socket in self.sockets:
            address = relay.local_address(socket)
            if (address and not bindable(address)) or self._gets_around(socket, address):
                self._let_go(socket)
        if not self._settings.relay_only:
            bound = {network_of(socket.local_candidate.host) for socket in self.sockets}
            for address in self._current_addresses():
                if network_of(address) not in bound and not self._closing:
                    await self._add_host(address)
        if self._seeking is not None:
            # It does not know of what there is now.
            self._seeking.cancel()
        self.seek()
        return bool(self._networks - known)

    def _gets_around(self, socket: GuardedSocket, address: str) -> bool:
        """Whether a tunnel came up since a socket was kept on its interface. The path in use waits for a restart."""
        in_use = self.selected_pair is not None and self.selected_pair.protocol is socket
        if not socket.pinned or in_use:
            return False
        preferred = source_of_default(6 if ":" in address else 4)
        return bool(preferred) and not self._settings.interface_of(preferred)

    async def _add_host(self, address: str) -> None:
        count = len(self._local_candidates)
        await self._bind(address, count)
        for candidate in self._local_candidates[count:]:
            self._found(self, to_description(candidate))

    def _let_go(self, socket: GuardedSocket) -> None:
        gone = [pair for pair in self._check_list if pair.protocol is socket]
        for pair in gone:
            self._check_list.remove(pair)
            self._answered_at.pop(pair, None)
            if pair.task is not None:
                pair.task.cancel()
        self._protocols.remove(socket)
        self._local_candidates = [known for known in self._local_candidates if known is not socket.local_candidate]
        socket.transport.close()
        relay.abandon(socket)
        self.cannot_send(socket)

    def _current_addresses(self) -> list[str]:
        return [address for address in local_addresses(self._settings.interfaces) if bindable(address)]

    def _current_networks(self) -> set[str]:
        return {network_of(address) for address in self._current_addresses()}

    # --- the end ------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        if self._standby is not None:
            self._standby.cancel()
        await super().close()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
