"""What the tests of the stream share: one authority, one good certificate."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openvoice.server.certificates import CertificateAuthority
from tests.signalling.xmpp.scripted import DOMAIN, server_context


@pytest.fixture(scope="session")
def authority() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture(scope="session")
def ca_file(authority: CertificateAuthority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("authority") / "authority.pem"
    path.write_bytes(authority.certificate)
    return path


@pytest.fixture(scope="session")
def tls(authority: CertificateAuthority) -> ssl.SSLContext:
    """The server's side of good TLS."""
    return server_context(authority.issue(DOMAIN))


@pytest.fixture(autouse=True)
async def nothing_left_behind() -> AsyncIterator[None]:
    """Every test ends with the tasks it began with."""
    before = asyncio.all_tasks()
    yield
    for _ in range(50):
        left = {task for task in asyncio.all_tasks() - before - {asyncio.current_task()} if not task.done()}
        if not left:
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"tasks left behind: {left}")
