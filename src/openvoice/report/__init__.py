"""What happened in a call, and what is kept, as data and as one page for a person. Pure: data in, text out."""

from __future__ import annotations

from openvoice.report.call import Actor, CallReport, Moment, Seen, Side
from openvoice.report.page import render
from openvoice.report.parties import Row, rows
from openvoice.report.privacy import render_privacy
from openvoice.report.record import render_record
from openvoice.report.similarity import Similarity, similarity
from openvoice.report.sound import Sound

__all__ = [
    "CallReport",
    "Moment",
    "Actor",
    "Row",
    "Seen",
    "Side",
    "Similarity",
    "Sound",
    "render",
    "render_privacy",
    "render_record",
    "rows",
    "similarity",
]
