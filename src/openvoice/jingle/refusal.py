"""A request of the peer that is answered with an error."""

from __future__ import annotations


class Refusal(Exception):
    """Nothing was changed. ``condition`` is of RFC 6120, ``jingle_condition`` of XEP-0166, 10."""

    def __init__(self, condition: str, jingle_condition: str, error_type: str = "cancel") -> None:
        super().__init__(jingle_condition)
        self.condition = condition
        self.jingle_condition = jingle_condition
        self.error_type = error_type
