"""The private names of aioice that ``openvoice.media`` leans on. If one fails after an upgrade, read its user first."""

from __future__ import annotations

import inspect
from importlib.metadata import version

import aioice
import pytest
from aioice import ice, stun, turn
from aioice.ice import CandidatePair, StunProtocol


def parameters(function: object) -> list[str]:
    assert callable(function)
    return list(inspect.signature(function).parameters)


def test_the_version_is_the_one_that_was_read() -> None:
    assert version("aioice") == "0.13.0"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("_add_remote_candidate", ["self", "remote_candidate", "network_host"]),
        ("_check_periodic", ["self"]),
        ("_pair_remote_candidate", ["self", "remote_candidate"]),
        ("_unfreeze_initial", ["self"]),
        ("build_request", ["self", "pair", "nominate"]),
        ("check_complete", ["self", "pair"]),
        ("check_incoming", ["self", "message", "addr", "protocol"]),
        ("check_state", ["self", "pair", "state"]),
        ("data_received", ["self", "data", "component"]),
        ("sort_check_list", ["self"]),
        ("switch_role", ["self", "ice_controlling"]),
    ],
)
def test_methods_that_are_called_or_overridden(name: str, arguments: list[str]) -> None:
    assert parameters(getattr(aioice.Connection, name)) == arguments


async def test_attributes_of_a_connection() -> None:
    connection = aioice.Connection(ice_controlling=True)
    assert connection._check_list == []
    assert connection._check_list_done is False
    assert connection._check_list_state.empty()
    assert connection._closing is False
    assert len(connection._early_checks) == 0
    assert connection._early_checks_done is False
    assert connection._local_candidates == []
    assert connection._local_candidates_end is False
    assert connection._nominated == {}
    assert connection._nominating == set()
    assert connection._protocols == []
    assert connection._remote_candidates == []
    assert connection.remote_is_lite is False
    await connection.close()


async def test_credentials_are_random_and_long_enough() -> None:
    first, second = (aioice.Connection(ice_controlling=True) for _ in range(2))
    assert len(first.local_username) >= 4
    assert len(first.local_password) >= 22
    assert first.local_password != second.local_password


async def test_a_check_list_that_is_done_stops_the_pace_and_an_open_one_waits_for_candidates() -> None:
    connection = aioice.Connection(ice_controlling=True)
    assert connection._check_periodic()
    connection._check_list_done = True
    assert not connection._check_periodic()


def test_remote_is_lite_and_nominating_turn_aggressive_nomination_off() -> None:
    source = inspect.getsource(aioice.Connection.check_start)
    assert "nominate = self.ice_controlling and not self.remote_is_lite" in source
    assert "self.ice_controlling and pair.component not in self._nominating" in source


def test_the_datagram_protocol() -> None:
    assert parameters(StunProtocol.__init__) == ["self", "receiver"]
    assert parameters(StunProtocol.datagram_received) == ["self", "data", "addr"]
    assert parameters(StunProtocol.send_stun) == ["self", "message", "addr"]
    assert parameters(StunProtocol.request) == ["self", "request", "addr", "integrity_key", "retransmissions"]


def test_the_states_of_a_pair() -> None:
    assert [state.name for state in CandidatePair.State] == ["FROZEN", "WAITING", "IN_PROGRESS", "SUCCEEDED", "FAILED"]
    assert ice.ICE_COMPLETED == 1


async def test_a_turn_transport_keeps_its_tasks_where_we_cancel_them() -> None:
    client = turn.TurnClientUdpProtocol(
        ("127.0.0.1", 9), username=None, password=None, lifetime=600, channel_refresh_time=240
    )
    attributes = vars(turn.TurnTransport(client))
    assert attributes["_TurnTransport__inner_protocol"] is client
    assert client.refresh_task is None
    assert client.receiver is None
    assert attributes["_TurnTransport__close_task"] is None
    assert attributes["_TurnTransport__send_tasks"] == set()


def test_an_allocation_takes_a_tls_context_and_a_refresh_time() -> None:
    assert {"channel_refresh_time", "ssl", "transport", "username", "password"} <= set(
        parameters(turn.create_turn_endpoint)
    )


def test_a_turn_socket_can_be_told_from_a_real_one_when_sending() -> None:
    assert parameters(turn.TurnTransport.sendto) == ["self", "data", "addr"]
    assert not inspect.iscoroutinefunction(turn.TurnTransport.sendto)


def test_answers_of_a_check_are_authenticated() -> None:
    message = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE)
    message.add_message_integrity(b"key")
    assert stun.parse_message(bytes(message)).check_message_integrity(b"key")
    assert not stun.parse_message(bytes(message)).check_message_integrity(b"other")


def test_the_loggers_that_name_addresses() -> None:
    assert ice.logger.name == "aioice.ice"
    assert turn.logger.name == "aioice.turn"
