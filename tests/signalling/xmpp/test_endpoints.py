"""Where a server is looked for."""

from __future__ import annotations

from typing import Any

import pytest

from openvoice.signalling.xmpp import endpoints
from openvoice.signalling.xmpp.endpoints import Endpoint, Security, find_endpoints, srv_lookup

RECORDS = {
    "xmpps-client": [("a.example.org", 443), ("b.example.org", 5223)],
    "xmpp-client": [("a.example.org", 5222)],
}


async def lookup(service: str, domain: str) -> list[tuple[str, int]]:
    assert domain == "example.org"
    return RECORDS[service]


async def nothing(service: str, domain: str) -> list[tuple[str, int]]:
    return []


async def never(service: str, domain: str) -> list[tuple[str, int]]:
    raise AssertionError("asked the DNS")


async def test_direct_tls_comes_first() -> None:
    assert await find_endpoints("example.org", None, lookup) == [
        Endpoint("a.example.org", 443, (Security.DIRECT,)),
        Endpoint("b.example.org", 5223, (Security.DIRECT,)),
        Endpoint("a.example.org", 5222, (Security.UPGRADE,)),
    ]


async def test_without_records_the_domain_itself() -> None:
    (endpoint,) = await find_endpoints("example.org", None, nothing)
    assert (endpoint.host, endpoint.port) == ("example.org", 5222)
    assert endpoint.ways[0] is Security.UPGRADE


async def test_the_word_of_the_user_is_the_only_one() -> None:
    assert await find_endpoints("example.org", ("127.0.0.1", 5000), never) == [Endpoint("127.0.0.1", 5000)]


class Record:
    def __init__(self, target: str, port: int, priority: int) -> None:
        self.data = type("Data", (), {"target": target, "port": port, "priority": priority, "weight": 5})


class Resolver:
    """A DNS with the records given, by service; an exception is what the DNS says instead."""

    def __init__(self, **records: list[Record] | Exception) -> None:
        self.records = records

    async def query_dns(self, name: str, kind: str) -> Any:
        assert kind == "SRV"
        assert name.endswith("._tcp.example.org")
        found = self.records[name.partition(".")[0].removeprefix("_").replace("-", "_")]
        if isinstance(found, Exception):
            raise found
        return type("Answer", (), {"answer": found})


async def test_records_by_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    direct = [Record("late.example.org.", 2, 20), Record("early.example.org.", 1, 10)]
    resolver = Resolver(xmpps_client=direct, xmpp_client=[Record(".", 0, 0)])
    monkeypatch.setattr(endpoints, "default_resolver", lambda loop: resolver)
    assert await srv_lookup("xmpps-client", "example.org") == [("early.example.org", 1), ("late.example.org", 2)]
    assert await srv_lookup("xmpp-client", "example.org") == []


async def test_a_dns_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = Resolver(xmpps_client=OSError("no such name"), xmpp_client=OSError("no such name"))
    monkeypatch.setattr(endpoints, "default_resolver", lambda loop: resolver)
    (endpoint,) = await find_endpoints("example.org", None)
    assert endpoint.host == "example.org"
