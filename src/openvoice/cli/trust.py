"""``openvoice trust``"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click

from openvoice import Address, DeviceKey, Match, SecurityRefused, Trust, UsageError, read_code
from openvoice.cli.context import ADDRESS, Settings, account_option, json_option, need_terminal
from openvoice.cli.printing import look_alike
from openvoice.cli.screen import Mark, Screen

_WORDS = {
    Trust.UNDECIDED: "new, and not used until you accept it",
    Trust.TRUSTED: "trusted, not compared",
    Trust.VERIFIED: "verified",
    Trust.DISTRUSTED: "distrusted: no call goes on with it",
}
_MARKS = {
    Trust.UNDECIDED: Mark.WARNING,
    Trust.TRUSTED: Mark.NOTICE,
    Trust.VERIFIED: Mark.GOOD,
    Trust.DISTRUSTED: Mark.BAD,
}

_peer_argument = click.argument("peer", type=ADDRESS, metavar="JID")
_device_argument = click.argument("device", type=click.IntRange(1, 2**32 - 1))


@click.group("trust")
def command() -> None:
    """Whose keys you trust, and how far.

    Every device has a key of its own that vouches for its calls. Until you have verified a key of somebody, new ones
    are trusted at first sight. From then on a new device of theirs is shown, and not used until you accept it.

    \b
    Let them scan yours:        openvoice trust qr
    Scan theirs:                openvoice trust scan PICTURE
    By telephone or on paper:   openvoice trust verify friend@example.net
    What is known so far:       openvoice trust list
    """


@command.command("list")
@click.argument("peer", type=ADDRESS, metavar="[JID]", required=False)
@account_option
@json_option
@click.pass_obj
def list_(settings: Settings, peer: Address | None, account: Address | None, as_json: bool) -> None:
    """List the keys that were seen, of everybody or of JID, and what you think of them.

    \b
    Of everybody:  openvoice trust list
    Of one:        openvoice trust list friend@example.net
    """
    with settings.profile.keys(account) as keys:
        people = keys.people if peer is None else (peer.bare,)
        shown = [key for person in people for key in keys.of(person)]
    if as_json:
        _print_json(shown)
    elif shown:
        _show(shown)
    else:
        _say("no keys were seen yet: they come with the first call" if peer is None else _unseen(peer))


@command.command("verify")
@_peer_argument
@click.option(
    "--key",
    "spoken",
    metavar="HEX",
    help="The key as the other app shows it, instead of looking and saying yes. Spaces do not matter.",
)
@account_option
@json_option
@click.pass_obj
def verify(settings: Settings, peer: Address, spoken: str | None, account: Address | None, as_json: bool) -> None:
    """Compare the keys of JID with what JID's own app shows, and note that they are the same.

    Let the other read the key aloud, or show it, by a way that nobody else controls: not by a message.

    \b
    Look, and say yes to each:
      openvoice trust verify friend@example.net
    Type what they read aloud:
      openvoice trust verify friend@example.net --key '0a1b2c3d ...'
    """
    with settings.profile.keys(account) as keys:
        known = keys.of(peer)
        if not known:
            raise UsageError(_unseen(peer))
        agrees = _is(spoken) if spoken is not None else _asked
        same = [key for key in known if key.trust is not Trust.DISTRUSTED and agrees(key)]
        if spoken is not None and not same:
            raise SecurityRefused(
                f"none of the keys of {peer.bare} that were seen is this one: read it again; if it is right, somebody "
                "sits in between"
            )
        verified = keys.verify(same)
    _report(verified, as_json)


@command.command("accept")
@_peer_argument
@_device_argument
@account_option
@json_option
@click.pass_obj
def accept(settings: Settings, peer: Address, device: int, account: Address | None, as_json: bool) -> None:
    """Believe the device of JID with this number, without comparing its key.

    \b
    Example:  openvoice trust accept friend@example.net 1234567
    """
    with settings.profile.keys(account) as keys:
        accepted = keys.accept(peer, device)
    _report([accepted], as_json)


@command.command("distrust")
@_peer_argument
@_device_argument
@account_option
@json_option
@click.pass_obj
def distrust(settings: Settings, peer: Address, device: int, account: Address | None, as_json: bool) -> None:
    """Refuse calls with the device of JID that has this number.

    \b
    A lost telephone:  openvoice trust distrust friend@example.net 1234567
    """
    with settings.profile.keys(account) as keys:
        refused = keys.distrust(peer, device)
    _report(refused, as_json)


@command.command("qr")
@click.option(
    "--png", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write the code as a picture."
)
@account_option
@json_option
@click.pass_obj
def qr(settings: Settings, png: Path | None, account: Address | None, as_json: bool) -> None:
    """Show your own keys as a QR code, for Conversations, Dino, or another openvoice to scan.

    \b
    In this terminal:  openvoice trust qr
    As a picture:      openvoice trust qr --png me.png
    """
    import segno

    with settings.profile.keys(account) as keys:
        own, uri = keys.own, keys.uri()
    code = segno.make_qr(uri, error="m")
    if png is not None:
        try:
            code.save(str(png), kind="png", scale=8, border=4)
        except OSError as error:
            raise UsageError(f"cannot write {str(png)!r}: {error.strerror}") from error
    if as_json:
        click.echo(json.dumps({**_as_dict(own), "uri": uri}))
        return
    if png is None:
        drawn = io.StringIO()
        code.terminal(drawn, border=2, compact=True)
        click.echo(drawn.getvalue())
    _say(f"{own.owner}, device {own.device}")
    _say(own.fingerprint)
    _say(uri)


@command.command("scan")
@click.argument("code", metavar="IMAGE_OR_URI")
@click.option("--of", "owner", type=ADDRESS, metavar="JID", help="Whose code it is to be; another's is refused.")
@account_option
@json_option
@click.pass_obj
def scan(settings: Settings, code: str, owner: Address | None, account: Address | None, as_json: bool) -> None:
    """Compare the code that somebody shows with what is known here, and verify what agrees.

    IMAGE_OR_URI is a photograph or a screenshot of the code, or the text in it. A device that was seen with another key
    than the code says is distrusted from now on (exit code 6). The code says itself whose it is: in a terminal you are
    asked whether it is the person who shows it.

    \b
    A photograph:  openvoice trust scan code.jpg
    Its text:      openvoice trust scan 'xmpp:you@host?omemo-sid-123=0a...'
    """
    uri = code if code.lower().startswith("xmpp:") else read_code(Path(code))
    with settings.profile.keys(account) as keys:
        if owner is None and sys.stdin.isatty():
            owner = keys.owner_of(uri)
            click.confirm(f"Is it {owner}{look_alike(str(owner))} who shows you this code?", abort=True, err=True)
        compared = keys.scan(uri, owner)
    _report([one.key for one in compared], as_json)
    different = [one.key for one in compared if one.match is Match.DIFFERENT]
    if different:
        raise SecurityRefused(_differs(different[0]))


def _asked(key: DeviceKey) -> bool:
    need_terminal(instead="give the key with --key, or scan a code")
    screen = Screen(sys.stderr)
    screen.line(f"device {key.device} of {key.owner}:", indent=0)
    screen.line(key.fingerprint)
    return click.confirm("Does their app show the same key?", default=False, err=True)


def _is(spoken: str) -> Callable[[DeviceKey], bool]:
    wanted = "".join(spoken.split()).lower().removeprefix("0x")
    # Some show the 05 in front that says which kind of key it is.
    return lambda key: wanted in (key.key.hex(), "05" + key.key.hex())


def _report(keys: Iterable[DeviceKey], as_json: bool) -> None:
    if as_json:
        _print_json(keys)
    else:
        _show(keys)


def _show(keys: Iterable[DeviceKey]) -> None:
    screen = Screen()
    owner: Address | None = None
    for key in keys:
        if key.owner != owner:
            owner = key.owner
            screen.line(f"{owner}{look_alike(str(owner))}", indent=0)
        screen.line(f"device {key.device}: {_WORDS[key.trust]}", mark=_MARKS[key.trust])
        screen.line(key.fingerprint, indent=4)


def _print_json(keys: Iterable[DeviceKey]) -> None:
    for key in keys:
        click.echo(json.dumps(_as_dict(key)))


def _as_dict(key: DeviceKey) -> dict[str, Any]:
    return {
        "jid": str(key.owner),
        "device": key.device,
        "key": key.key.hex(),
        "trust": key.trust.value,
        "seen": key.seen or None,
    }


def _say(text: str) -> None:
    Screen().line(text, indent=0)


def _unseen(peer: Address) -> str:
    return f"no key of {peer.bare} was seen yet: call them once, or scan the code that their app shows"


def _differs(key: DeviceKey) -> str:
    return (
        f"device {key.device} of {key.owner} came with another key than its owner's code says: somebody may sit in "
        "between; that key is distrusted now"
    )
