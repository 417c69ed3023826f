"""What can come of a stanza other than its answer. Neither error leaves the signalling."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from openvoice.errors import OpenVoiceError
from openvoice.signalling.xmpp.namespaces import CLIENT, STANZA_ERRORS


class StanzaRefused(OpenVoiceError):
    """An answer of type ``error`` (RFC 6120, 8.3), or a stanza that could not even be sent.

    ``condition`` is the defined condition, ``extra`` the application's own one as ``{namespace}name``, or empty.
    """

    def __init__(self, condition: str, extra: str = "") -> None:
        super().__init__(f"the request was refused: {condition}")
        self.condition = condition
        self.extra = extra


class StanzaTimeout(OpenVoiceError):
    """No answer came in time."""

    condition = "timeout"


class StanzaLost(StanzaTimeout):
    """The session ended before an answer could come."""

    condition = "lost"


StanzaFailure = StanzaRefused | StanzaTimeout


def refusal(stanza: Element) -> StanzaRefused:
    """What the ``<error/>`` of ``stanza`` says; a missing or unreadable one counts as ``undefined-condition``."""
    condition, extra = "undefined-condition", ""
    error = stanza.find(f"{{{CLIENT}}}error")
    for child in error if error is not None else ():
        namespace, _, name = child.tag.rpartition("}")
        if namespace != f"{{{STANZA_ERRORS}":
            extra = child.tag
        elif name != "text":
            condition = name
    return StanzaRefused(condition, extra)
