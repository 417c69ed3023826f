"""``openvoice interop``"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

import click

from openvoice import Address, UsageError
from openvoice.cli.context import ADDRESS, SECONDS, Settings, account_option, json_option
from openvoice.cli.running import run
from openvoice.cli.screen import Mark, Screen
from openvoice.interop.clients import CLIENTS
from openvoice.interop.results import Outcome, Result, count, junit, summary
from openvoice.interop.vectors import Vector, default_folder, read_vectors

SOMETHING_FAILS = 1
"""Exit code when a behaviour does not hold."""

_MARKS = {Outcome.HOLDS: Mark.GOOD, Outcome.FAILS: Mark.BAD, Outcome.NOT_TRIED: Mark.NOTICE}
_WISHES = {
    "dial": "call {account} now, voice only",
    "dial-direct": "call the very device {account} now, voice only",
    "dial-video": "call {account} now, with video",
    "accept": "accept the call now, without your camera",
    "accept-video": "accept the call now, with video",
    "hangup": "hang up or decline now",
    "mute": "mute your microphone now",
    "unmute": "unmute your microphone now",
    "hold": "put the call on hold now",
    "unhold": "take the call off hold now",
    "show-camera": "turn your camera on now",
    "hide-camera": "turn your camera off now",
    "show-screen": "share your screen now",
    "hide-screen": "stop sharing your screen now",
}


class _Somebody:
    """Whoever sits at the tested client: reads what is written here, if anybody does."""

    def __init__(self, screen: Screen, account: str, *, answers: bool, reads: bool) -> None:
        self.answers = answers
        self._screen = screen
        self._account = account
        self._reads = reads

    def can(self, wish: str) -> bool:
        return self._reads

    async def ask(self, wish: str) -> None:
        words = _WISHES.get(wish, f"{wish} now").format(account=self._account)
        self._screen.line(f"At the other client: {words}.", mark=Mark.WARNING)


@click.command("interop")
@click.argument("jid", type=ADDRESS, required=False)
@click.option(
    "--as",
    "clients",
    type=click.Choice([*CLIENTS, "all"]),
    default="all",
    show_default=True,
    help="The client to play.",
)
@click.option("--only", metavar="ID", multiple=True, help="Play this behaviour only; * stands for anything.")
@click.option("--answers", is_flag=True, help="The other client accepts calls by itself.")
@click.option("--interactive", is_flag=True, help="Somebody sits at the other client and does what is asked for.")
@click.option("--patient", is_flag=True, help="Play also what takes up to two minutes.")
@click.option(
    "--pause",
    type=SECONDS,
    metavar="SECONDS",
    default=6.5,
    show_default=True,
    help="The least time between two calls: many clients do not let somebody ring who calls all the time.",
)
@click.option(
    "--vectors",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Exchanges of your own.  [default: those of openvoice]",
)
@click.option("--list", "listing", is_flag=True, help="List the behaviours and play none.")
@click.option(
    "--junit",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write JUnit XML to this file too.",
)
@account_option
@json_option
@click.pass_obj
def command(
    settings: Settings,
    jid: Address | None,
    clients: str,
    only: tuple[str, ...],
    answers: bool,
    interactive: bool,
    patient: bool,
    pause: float,
    vectors: Path | None,
    listing: bool,
    file: Path | None,
    account: Address | None,
    as_json: bool,
) -> int:
    """See how the client at JID behaves in the exchanges of the clients that people use.

    openvoice logs in with your account and plays the other client's side of each recorded exchange; what comes back
    is compared with what the standards and these clients demand. Your account and JID have to have each other in their
    contacts. Ends with 0 if all that was tried holds, with 1 if something fails.

    \b
    It answers by itself:       openvoice interop bob@example.org --answers
    You sit at its side:        openvoice interop bob@example.org --interactive
    Only what Dino does:        openvoice interop bob@example.org --as dino
    """
    chosen = _choose(read_vectors(vectors or default_folder()), clients, only)
    screen = Screen()
    if listing:
        for vector in chosen:
            screen.line(f"{vector.client}/{vector.id}: {vector.title}", indent=0)
        return 0
    if jid is None:
        raise UsageError("name the address of the client to test, or use --list")
    profile = settings.profile
    own = profile.settings.account(account).address
    person = _Somebody(Screen(sys.stderr), str(own), answers=answers, reads=interactive)
    results: list[Result] = []

    def began(vector: Vector) -> None:
        if not as_json:
            screen.redraw(f"{len(results) + 1}/{len(chosen)}", f"{vector.client}/{vector.id}", vector.title)

    async def work() -> int:
        found = profile.interoperate(jid, chosen, person, account=account, patient=patient, pause=pause, began=began)
        try:
            async for result in found:
                results.append(result)
                _show(screen, result, as_json)
        finally:
            await found.aclose()
            screen.close()
            _conclude(screen, results, jid, file, as_json)
        return SOMETHING_FAILS if count(results, Outcome.FAILS) else 0

    return run(work())


def _choose(vectors: Sequence[Vector], client: str, only: tuple[str, ...]) -> list[Vector]:
    """The vectors to play. Those that belong to no client are played by one that keeps to the standards."""
    chosen = [vector for vector in vectors if client in ("all", vector.client)]
    if only:
        chosen = [
            vector
            for vector in chosen
            if any(fnmatchcase(vector.id, one) or vector.id.startswith(f"{one}-") for one in only)
        ]
    if not chosen:
        raise UsageError("there is no such behaviour: 'openvoice interop --list' names all")
    return chosen


def _show(screen: Screen, result: Result, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"event": "behaviour", **result.as_dict()}))
        return
    why = f" ({result.text})" if result.text else ""
    text = f"{result.client}/{result.id}: {result.outcome}: {result.title}{why}"
    screen.line(text, mark=_MARKS[result.outcome], indent=0)


def _conclude(screen: Screen, results: Sequence[Result], tested: Address, file: Path | None, as_json: bool) -> None:
    """The last line; also when it was interrupted, for what was tried is known."""
    if file is not None:
        file.write_text(junit(results, str(tested)), encoding="utf-8")
    if as_json:
        counts = {outcome.replace(" ", "_"): count(results, outcome) for outcome in Outcome}
        click.echo(json.dumps({"event": "summary", **counts}))
    elif results:
        screen.line(summary(results), indent=0)
