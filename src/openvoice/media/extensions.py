"""Reads the RTP header extensions (RFC 8285) of all contents of a transport, which may have numbers of their own."""

from __future__ import annotations

from collections.abc import Iterable

from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, unpack_header_extensions

from openvoice.core.description import HeaderExtension
from openvoice.media.video.negotiation import ABSOLUTE_SEND_TIME, MID, TRANSPORT_WIDE


class ExtensionReader(HeaderExtensionsMap):
    """Reads what openvoice has a use for; what nobody announced, and what is malformed, is passed over."""

    def __init__(self) -> None:
        super().__init__()
        self._uris: dict[int, str] = {}

    def agree(self, extensions: Iterable[HeaderExtension]) -> None:
        """These are the extensions of all contents from now on."""
        self._uris = {extension.id: extension.uri for extension in extensions}

    def get(self, extension_profile: int, extension_value: bytes) -> HeaderExtensions:
        values = HeaderExtensions()
        if not self._uris:
            return values
        for id, value in unpack_header_extensions(extension_profile, extension_value):  # noqa: A001
            uri = self._uris.get(id)
            if uri == MID:
                values.mid = value.decode("utf-8", "replace")
            elif uri == ABSOLUTE_SEND_TIME and len(value) == 3:
                values.abs_send_time = int.from_bytes(value, "big")
            elif uri == TRANSPORT_WIDE and len(value) == 2:
                values.transport_sequence_number = int.from_bytes(value, "big")
        return values
