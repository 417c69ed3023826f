from __future__ import annotations

import asyncio
import logging

import pytest

from openvoice.signalling.xmpp.omemo import attempt as module
from openvoice.signalling.xmpp.omemo.attempt import attempt
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed

SECRET = "eve@example.org"


async def succeed() -> str:
    return "done"


async def fail() -> str:
    raise OmemoFailed(Cause.NO_DEVICE)


async def stumble() -> str:
    raise KeyError(SECRET)


async def hang() -> str:
    await asyncio.Event().wait()
    return "never"


async def test_what_comes_of_it() -> None:
    assert await attempt(succeed()) == "done"


@pytest.mark.parametrize(
    ("work", "words"), [(fail, "no such OMEMO device"), (stumble, "KeyError in stumble"), (hang, "in time")]
)
async def test_whatever_happens_the_call_hears_that_it_could_not_be_done(
    work: object, words: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "WITHIN", 0.05)
    assert callable(work)
    with caplog.at_level(logging.WARNING):
        assert await attempt(work()) is None
    assert words in caplog.text
    assert SECRET not in caplog.text


async def test_what_is_cancelled_is_cancelled() -> None:
    task = asyncio.create_task(attempt(hang()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
