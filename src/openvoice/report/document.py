"""The frame of every page: one HTML document with everything in it, which needs no network and runs no script."""

from __future__ import annotations

from importlib.resources import files

from openvoice.report.verdict import Grade

_MARKS = {Grade.GOOD: "✓", Grade.DOUBTFUL: "?", Grade.BAD: "✗"}
# The page runs nothing and loads nothing, and the browser is told to see to it.
_RULES = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def document(
    *, title: str, grade: Grade, kicker: str, headline: str, sentence: str, chips: str, main: str, footer: str
) -> str:
    """The page; all parts but ``grade`` are HTML."""
    style = files("openvoice.report").joinpath("page.css").read_text(encoding="utf-8")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="{_RULES}">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
<header class="{grade.value}">
<p class="kicker">{kicker}</p>
<h1><i class="mark" aria-hidden="true">{_MARKS[grade]}</i>{headline}</h1>
<p class="sentence">{sentence}</p>
<ul class="chips">{chips}</ul>
</header>
<main>
{main}
</main>
<footer><p>Written by openvoice. {footer}</p></footer>
</body>
</html>
"""
