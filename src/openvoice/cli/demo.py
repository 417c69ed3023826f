"""``openvoice demo``"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from openvoice import (
    SAMPLE_RATE,
    Account,
    Audience,
    Call,
    CallState,
    Client,
    MediaFailed,
    Policy,
    TestPattern,
    UsageError,
    load_sound,
    temporary_keys,
    to_rgb,
)
from openvoice.cli.context import json_option
from openvoice.cli.printing import Printer, printer, told
from openvoice.cli.running import run
from openvoice.cli.viewer import Viewer
from openvoice.report import Actor, CallReport, Moment, Side, Similarity, Sound, render, similarity
from openvoice.report.png import RGB, png_file
from openvoice.report.seeing import Still
from openvoice.samples import sample
from openvoice.server.prosody import Prosody

CONNECT_WITHIN = 20.0
"""Seconds."""
DRAIN = 0.5
"""Seconds that the call goes on after the last word, so that it arrives."""


@click.command("demo")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the recordings and the report go.  [default: openvoice-demo-TIME here]",
)
@click.option("--video", is_flag=True, help="Let both show a test pattern, and measure what the other one sees.")
@json_option
def command(folder: Path | None, video: bool, as_json: bool) -> int:
    """Watch two clients make an encrypted call on this machine.

    Starts a private XMPP server on loopback, makes two accounts, lets one call the other with a speech sample in each
    direction, and measures that what arrived is what was said. Leaves both recordings, call.json and report.html (and
    with --video the last picture that each saw) in a folder. Nothing leaves this machine; nothing else is kept.

    \b
    Watch it:         openvoice demo
    With pictures:    openvoice demo --video
    For a test rig:   openvoice demo --folder result --json
    """
    folder = folder or Path(time.strftime("openvoice-demo-%Y%m%d-%H%M%S"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder}: {error.strerror}") from error
    return run(_demo(folder, video=video, as_json=as_json))


@dataclass(slots=True)
class _Conversation:
    """Both ends of the call, and when the caller first heard something."""

    alice: Call
    bob: Call
    first_sound: float | None = None
    alice_saw: Viewer | None = None
    bob_saw: Viewer | None = None


async def _demo(folder: Path, *, video: bool, as_json: bool) -> int:
    shown = printer(as_json=as_json)
    if not as_json:
        click.echo("Starting a private XMPP server on loopback, with two accounts: alice and bob.")
    accounts = {"alice": secrets.token_urlsafe(), "bob": secrets.token_urlsafe()}
    async with Prosody(accounts=accounts) as server:
        conversation = await _converse(server, folder, shown, video=video)
    if not as_json:
        click.echo("Comparing what was said with what was heard, and drawing the report.")
    report, sounds = await asyncio.to_thread(_examine, conversation, folder)
    stills = _stills(conversation)
    for name, still in stills.items():
        _write(folder / name, png_file(still, RGB))
    _write(folder / "call.json", report.to_json())
    _write(folder / "report.html", render(report, sounds, stills))
    sides = (report.caller, report.callee)
    passed = all(side.similarity is not None and side.similarity.passed for side in sides)
    if as_json:
        line = {"event": "report", "time": time.time(), "call": report.id, "passed": passed, "folder": str(folder)}
        click.echo(json.dumps(line))
    else:
        _show_facts(report, folder)
    if video and not (report.caller.seen and report.callee.seen):
        raise MediaFailed("the pictures that were shown did not arrive")
    if not passed:
        raise MediaFailed("the sound that arrived is not the sound that was sent: listen to the recordings")
    return 0


def _write(path: Path, content: str | bytes) -> None:
    try:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


async def _converse(server: Prosody, folder: Path, shown: Printer, *, video: bool) -> _Conversation:
    """One call, from the first ring to the last word of both."""

    def client(name: str, policy: Policy) -> Client:
        account = Account(
            address=server.address(name),
            password=server.accounts[name],
            server=(server.host, server.port),
            ca_file=server.ca_file,
        )
        return Client(account, policy=policy, interfaces=(server.host,), keys=temporary_keys())

    alice, bob = client("alice", Policy()), client("bob", Policy(answer=Audience.ROSTER))
    answered: asyncio.Future[Call] = asyncio.get_running_loop().create_future()

    pattern = TestPattern() if video else None
    viewers = (Viewer(), Viewer()) if video else (None, None)

    @bob.on_call
    async def answer(call: Call) -> None:
        await call.accept(source=sample("bob"), sink=folder / "bob-heard.wav", video=pattern)
        if viewers[1] is not None:
            call.watch(viewers[1])
        answered.set_result(call)

    async with bob, told(alice, shown):
        call = await alice.call(
            server.address("bob"), source=sample("alice"), sink=folder / "alice-heard.wav", video=pattern
        )
        if viewers[0] is not None:
            call.watch(viewers[0])
        listening = asyncio.create_task(_first_sound(call))
        speaking = [asyncio.create_task(_last_word(call))]
        await call.wait_for(CallState.ACTIVE, CONNECT_WITHIN)
        other = await answered
        speaking.append(asyncio.create_task(_last_word(other)))
        await asyncio.gather(*speaking)
        await asyncio.sleep(DRAIN)
        await call.hangup()
        await other.wait_closed()
        return _Conversation(call, other, await listening, *viewers)


async def _last_word(call: Call) -> None:
    async for event in call.events():
        if event.name == "source-ended":
            return


async def _first_sound(call: Call) -> float | None:
    async for frame in call.audio():
        if np.abs(frame.astype(int)).max() > _AUDIBLE:
            return time.time()
    return None


_AUDIBLE = 300
"""Of 32767: above what a codec makes of silence."""


def _examine(conversation: _Conversation, folder: Path) -> tuple[CallReport, dict[str, Sound]]:
    """Measure the call: what ``call.json`` holds, and the four sounds of it."""
    files = {
        "alice": sample("alice"),
        "bob": sample("bob"),
        "alice heard": folder / "alice-heard.wav",
        "bob heard": folder / "bob-heard.wav",
    }
    samples = {name: load_sound(path) for name, path in files.items()}

    def side(call: Call, said: str, heard: str, other: str, viewer: Viewer | None) -> Side:
        assert call.ended is not None
        return Side(
            address=str(conversation.bob.peer.bare if call is conversation.alice else conversation.alice.peer.bare),
            statistics=call.ended.statistics,
            security=call.ended.security.as_dict(),
            sent=files[said].name,
            received=files[heard].name,
            similarity=similarity(samples[other], samples[heard], SAMPLE_RATE),
            seen=viewer.seen(f"{said}-saw.png") if viewer is not None else None,
        )

    ended = conversation.alice.ended
    assert ended is not None
    report = CallReport(
        id=conversation.alice.id,
        started=conversation.alice.timeline[0].time,
        duration=ended.duration,
        reason=ended.reason.value,
        moments=_moments(conversation),
        caller=side(conversation.alice, "alice", "alice heard", "bob", conversation.alice_saw),
        callee=side(conversation.bob, "bob", "bob heard", "alice", conversation.bob_saw),
    )
    return report, {files[name].name: Sound(samples=sound, rate=SAMPLE_RATE) for name, sound in samples.items()}


def _stills(conversation: _Conversation) -> dict[str, Still]:
    viewers = {"alice": conversation.alice_saw, "bob": conversation.bob_saw}
    return {
        f"{name}-saw.png": to_rgb(viewer.last)
        for name, viewer in viewers.items()
        if viewer is not None and viewer.last is not None
    }


def _moments(conversation: _Conversation) -> tuple[Moment, ...]:
    timeline = conversation.alice.timeline
    began = timeline[0].time
    moments = [
        Moment(name=_SHOWN[entry.name], at=entry.time - began, by=_by(entry.name, entry.by.value))
        for entry in timeline
        if entry.name in _SHOWN
    ]
    if conversation.first_sound is not None:
        moments.append(Moment(name="first-sound", at=conversation.first_sound - began, by=Actor.CALLEE))
    return tuple(sorted(moments, key=lambda moment: moment.at))


_SHOWN = {
    **{
        name: name
        for name in (
            "propose",
            "ringing",
            "proceed",
            "session-initiate",
            "session-accept",
            "secured",
            "session-terminate",
        )
    },
    "ended": "end",
}
"""The moments that both sides share, by the names the report has words for."""


def _by(name: str, origin: str) -> Actor:
    if name == "secured":
        return Actor.BOTH
    return Actor.CALLER if origin == "local" else Actor.CALLEE


def _show_facts(report: CallReport, folder: Path) -> None:
    table = Table(title="The call", show_header=False, title_justify="left", min_width=72)
    first = report.moment("first-sound")
    proceed = report.moment("proceed")
    ending = "normally" if report.reason == "success" else f"with {report.reason}"
    table.add_row("It lasted", f"{report.duration:.1f} s, and ended {ending}")
    if first is not None and proceed is not None:
        table.add_row("First sound", f"{(first.at - proceed.at) * 1000:.0f} ms after bob said yes")
    for listener, speaker in ((report.caller, report.callee), (report.callee, report.caller)):
        table.add_row(f"{listener.name} heard {speaker.name}", _heard(listener.similarity))
    for side, shower in ((report.caller, report.callee), (report.callee, report.caller)):
        if side.seen is not None:
            table.add_row(f"{side.name} saw {shower.name}", _saw(side))
    for side in (report.caller, report.callee):
        stats = side.statistics
        table.add_row(
            f"{side.name}'s reception",
            f"{stats.loss:.1%} lost, {stats.concealed:.1%} made up, {stats.playout_delay:.0f} ms waiting",
        )
    security = report.caller.security
    table.add_row("Encrypted", f"from device to device: {security['srtp']['profile']} ({security['dtls']['version']})")
    same = all(
        one.security["fingerprints"]["local"] == other.security["fingerprints"]["remote"]
        for one, other in ((report.caller, report.callee), (report.callee, report.caller))
    )
    table.add_row("Keys", "both sides saw the same two fingerprints: nobody sat in between" if same else "DIFFER")
    Console(file=sys.stdout, highlight=False).print(table)
    # Apart, so that the path stays whole and can be copied.
    click.echo(f"Look at it: {folder / 'report.html'}")


def _saw(side: Side) -> str:
    assert side.seen is not None
    age = "" if side.seen.age is None else f", {side.seen.age * 1000:.0f} ms old"
    freezes = sum(video.received.freezes for video in side.statistics.video)
    return f"{side.seen.pictures} pictures of up to {side.seen.width}x{side.seen.height}{age}, {freezes} freezes"


def _heard(measured: Similarity | None) -> str:
    if measured is None:
        return "nothing"
    verdict = "what was said" if measured.passed else "something else"
    return f"{verdict} (correlation {measured.correlation:.2f})"
