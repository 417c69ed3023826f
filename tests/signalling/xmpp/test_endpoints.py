"""Where a server is looked for."""

from __future__ import annotations

from openvoice.signalling.xmpp.endpoints import Endpoint, Security, find_endpoints

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
