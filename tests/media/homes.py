"""Two devices in network namespaces, each with two ways into the network, and a call between them."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Any

from aiortc.rtp import RtpPacket

from openvoice.core import inputs
from openvoice.core.types import Role
from openvoice.media.session import CallMedia
from openvoice.media.transport import MediaTransport
from openvoice.network.system import interface_of
from openvoice.network.watch import SystemNetworkWatch
from openvoice.ports import MediaSettings, RelayServer
from tests.media.peers import Microphone, Speaker
from tests.namespaces import Inside, Namespace
from tests.networks import Networks


class Device(Networks):
    """One device: its networks, its watch over them, its side of the call, on a thread of its own."""

    def __init__(self, router: Namespace, number: int, ways: tuple[str, ...] = ("wifi", "lte"), **media: Any) -> None:
        super().__init__(router, number, ways)
        self.inside = Inside(self.namespace)
        self.said: list[tuple[float, inputs.MediaInput]] = []
        self.heard: list[tuple[float, int]] = []
        self.other: Device | None = None
        self.restarts = False
        self._watch: SystemNetworkWatch | None = None
        self._media_settings = MediaSettings(input=Microphone, output=Speaker, interface_of=interface_of, **media)
        self.media: CallMedia = self.inside.call(self._start)

    def _start(self) -> CallMedia:
        media = CallMedia(self._media_settings, self._hear)
        received = media.rtp_received

        def note(transport: MediaTransport, packet: RtpPacket, arrival: float) -> None:
            self.heard.append((time.monotonic(), packet.sequence_number))
            received(transport, packet, arrival)

        media.rtp_received = note  # type: ignore[method-assign]
        self._watch = SystemNetworkWatch(media.network_changed)
        self._watch.start()
        return media

    # --- the call -----------------------------------------------------------------------------------------------------

    def _hear(self, message: inputs.MediaInput) -> None:
        self.said.append((time.monotonic(), message))
        if isinstance(message, inputs.LocalCandidates):
            self.tell(lambda other: other.media.add_candidates(message.content, message.candidates))
        if isinstance(message, inputs.MediaInterrupted | inputs.NetworkChanged) and self.restarts:
            self._restarting = asyncio.ensure_future(self.restart())

    def tell(self, what: Callable[[Device], Any]) -> None:
        """The signalling: something for the other device to do."""
        other = self.other
        assert other is not None
        asyncio.run_coroutine_threadsafe(what(other), other.inside.loop)

    async def restart(self) -> None:
        """Begin an ICE restart, as the machine has it done."""
        ours = await self.media.restart(())

        async def answer(other: Device) -> None:
            theirs = await other.media.restart(ours)
            other.tell(lambda beginner: beginner.confirm(theirs))
            other.media.announce()

        self.tell(answer)
        self.media.announce()

    async def confirm(self, theirs: Any) -> None:
        await self.media.apply_restart(theirs)

    def says(self, kind: type[inputs.MediaInput], within: float = 5.0) -> float:
        """When this device said something, waited for (``time.monotonic``)."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            for at, message in tuple(self.said):
                if isinstance(message, kind):
                    return at
            time.sleep(0.005)
        raise TimeoutError(f"{kind.__name__} was not said")

    def count(self, kind: type[inputs.MediaInput]) -> int:
        return sum(isinstance(message, kind) for _, message in tuple(self.said))

    def path(self) -> tuple[str, str]:
        """The addresses that are in use, (local, remote)."""
        return self.inside.call(lambda: self.media._transports.distinct[0].addresses)

    def gap(self, since: float) -> float:
        """The longest time without a packet of voice, beyond the 20 ms that are usual; seconds."""
        heard = [at for at, _ in tuple(self.heard) if at >= since - 0.05]
        return max((later - earlier for earlier, later in itertools.pairwise(heard)), default=99.0) - 0.02

    def missing(self, since: float) -> int:
        """How many packets of voice that were sent after ``since``, or just before, never came."""
        last = max(number for at, number in tuple(self.heard) if at < since)
        numbers = {number for _, number in tuple(self.heard) if number > last}
        return max(numbers) - last - len(numbers)

    def close(self) -> None:
        async def end() -> None:
            assert self._watch is not None
            self._watch.close()
            await self.media.close()

        self.inside.run(end())
        self.inside.close()
        self.namespace.delete()


class Homes:
    """Two devices, and a router between them."""

    def __init__(
        self,
        caller: tuple[str, ...] = ("wifi", "lte"),
        callee: tuple[str, ...] = ("wifi", "lte"),
        *,
        relays: tuple[RelayServer, ...] = (),
    ) -> None:
        self.router = Namespace()
        self.router.set("net/ipv4/ip_forward", "1")
        self.caller = Device(self.router, 11, caller, relays=relays)
        self.callee = Device(self.router, 21, callee, relays=relays)
        self.caller.other, self.callee.other = self.callee, self.caller

    @property
    def devices(self) -> tuple[Device, Device]:
        return self.caller, self.callee

    def connect(self) -> None:
        """Call, and let the voices flow."""
        caller, callee = self.devices
        offer = caller.inside.run(caller.media.open(Role.INITIATOR, None))
        answer = callee.inside.run(callee.media.open(Role.RESPONDER, offer))
        caller.inside.run(caller.media.apply_answer(answer))
        for device in self.devices:
            device.inside.call(device.media.announce)
        for device in self.devices:
            device.says(inputs.MediaSecured)
            device.says(inputs.MediaFlowing)
            device.inside.run(device.media.open_gate())

    def close(self) -> None:
        for device in self.devices:
            device.close()
        self.router.delete()
