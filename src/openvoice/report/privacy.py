"""The page that shows what is kept of somebody, where, and how it goes away."""

from __future__ import annotations

from collections.abc import Sequence

from openvoice.core.privacy import Keeper, Kept, Reader
from openvoice.report.document import document
from openvoice.report.text import plain
from openvoice.report.verdict import Grade, graded

_GRADES = {
    Reader.NOBODY_ELSE: Grade.GOOD,
    Reader.FILES: Grade.DOUBTFUL,
    Reader.OPERATOR: Grade.BAD,
    Reader.EVERYBODY: Grade.DOUBTFUL,
}


def render_privacy(kept: Sequence[Kept], *, account: str, contacts: Sequence[str] = ()) -> str:
    """One HTML document about all that is ``kept``; ``contacts`` are the addresses of those who run the server."""
    readable = sum(item.reader is not Reader.NOBODY_ELSE for item in kept)
    sections = [(keeper.heading, _table([item for item in kept if item.keeper is keeper])) for keeper in Keeper]
    chips = [(keeper.heading.lower(), sum(item.keeper is keeper for item in kept)) for keeper in Keeper]
    people = "".join(f"<li><code>{plain(contact)}</code></li>" for contact in contacts)
    if people:
        sections.append(("Whom to ask about the rest", f"<ul>{people}</ul>"))
    return document(
        title=f"What is kept · {plain(account, 40)}",
        grade=Grade.DOUBTFUL if readable else Grade.GOOD,
        kicker=f"What is kept of <bdi>{plain(account, 40)}</bdi>",
        headline=f"{len(kept)} things are kept, {readable} of them where others can read them",
        sentence="No sound of a call is among them unless you recorded it: nobody on the way has the keys of a call.",
        chips="".join(f"<li><span>{title}</span> <b>{count}</b></li>" for title, count in chips),
        main="\n".join(f"<section><h2>{title}</h2>{body}</section>" for title, body in sections if body),
        footer="A server may keep more than it tells.",
    )


def _table(kept: Sequence[Kept]) -> str:
    if not kept:
        return ""
    body = "".join(map(_row, kept))
    return (
        '<table class="parties"><thead><tr><th scope="col">What</th><th scope="col">Who can read it, and how long</th>'
        f'<th scope="col">How it goes away</th></tr></thead><tbody>{body}</tbody></table>'
    )


def _row(item: Kept) -> str:
    grade = _GRADES[item.reader]
    amount = f" ({item.amount} {plain(item.unit)})" if item.amount is not None else ""
    what = f"{plain(item.name)}{amount}<small>{plain(item.what, 400)}</small>"
    return (
        f'<tr class="{grade.value}"><th scope="row">{what}</th>'
        f"<td>{graded(grade, plain(item.reader))}"
        f"<small>{plain(item.how_long)}</small></td>"
        f"<td>{plain(item.remove)}<small>{plain(item.where, 400)}</small></td></tr>"
    )
