"""The TURN server of ejabberd and eturnal, which forgets permissions as RFC 8656 says. coturn never does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from openvoice.ports import RelayServer
from openvoice.server.private import LOOPBACK, write_private
from openvoice.server.turn import Turn

_START = """\
{{ok, _}} = application:ensure_all_started(stun).
ok = stun_listener:add_listener({{127, 0, 0, 1}}, {port}, udp, [
    {{use_turn, true}},
    {{turn_ipv4_address, {{127, 0, 0, 1}}}},
    {{auth_type, user}},
    {{auth_realm, <<"{realm}">>}},
    {{auth_fun, fun(_, _) -> <<"{secret}">> end}}
]).
"""


class ErlangTurn(Turn):
    """ProcessOne's ``stun`` library in an Erlang of its own, with what it is compiled for: permissions of 300 s."""

    program: ClassVar[str] = "erl"
    package: ClassVar[str] = "erlang-p1-stun"
    port_taken: ClassVar[str] = "eaddrinuse"

    def relay(self, transport: str = "udp", *, lifetime: float = 3600.0) -> RelayServer:
        return RelayServer("turn", LOOPBACK, self.port, "udp", "tester", self.secret)

    def _write_files(self) -> None:
        start = _START.format(port=self.port, realm=self._realm, secret=self.secret)
        write_private(self.directory / "start.erl", start.encode())

    def _arguments(self) -> Sequence[str]:
        return ["-noshell", "-noinput", "-eval", f'ok = file:eval("{self.directory / "start.erl"}").']

    async def _answers(self) -> bool:
        return await self._asks_for_credentials_by_udp()
