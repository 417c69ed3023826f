"""Why OMEMO could not do what it was asked. The error does not leave the signalling."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

from openvoice.errors import OpenVoiceError

_logger = logging.getLogger(__name__)


class Cause(StrEnum):
    """What went wrong, for machines."""

    JUNK = "junk"
    """An element that is not what the standard allows."""
    NOT_FOR_US = "not-for-us"
    """Encrypted, but for other devices."""
    UNDECRYPTABLE = "undecryptable"
    """Encrypted for this device, with a session that is not, or no longer, ours."""
    REPLAY = "replay"
    """It was decrypted before, or came too late."""
    MIXED_DEVICES = "mixed-devices"
    """Elements that should be of one device are of several."""
    NO_DEVICE = "no-device"
    """The peer has no such device."""
    NO_BUNDLE = "no-bundle"
    """The device has published no keys, or none that can be used."""
    OTHER_OMEMO = "other-omemo"
    """The peer speaks another OMEMO than this one."""
    UNAVAILABLE = "unavailable"
    """A server has no place for keys, or does not answer."""
    STORAGE = "storage"
    """What this device keeps cannot be read, or written."""


class OmemoFailed(OpenVoiceError):
    """Nothing was sealed or unsealed. ``cause`` is for machines; ``str(error)`` is a sentence for people."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(_SENTENCES[cause])
        self.cause = cause


_SENTENCES = {
    Cause.JUNK: "what the peer sent is not OMEMO as its standard describes it",
    Cause.NOT_FOR_US: "what the peer sent is encrypted for other devices than this one",
    Cause.UNDECRYPTABLE: "what the peer sent cannot be decrypted: the two devices are out of step; call again",
    Cause.REPLAY: "what the peer sent was received before",
    Cause.MIXED_DEVICES: "parts of what the peer sent come from different devices",
    Cause.NO_DEVICE: "the peer has no such OMEMO device",
    Cause.NO_BUNDLE: "the peer's device has published no OMEMO keys that can be used",
    Cause.OTHER_OMEMO: "the peer's client speaks only a newer OMEMO, which no client uses for calls",
    Cause.UNAVAILABLE: "a server does not keep OMEMO keys, or did not answer",
    Cause.STORAGE: "the OMEMO keys of this device cannot be read or written: look after the disk",
}


@contextmanager
def storage_failures() -> Iterator[None]:
    """Turn what the storage of secrets raises into :class:`OmemoFailed`, and say it."""
    try:
        yield
    except OmemoFailed:
        raise
    except OpenVoiceError as error:
        _logger.error("%s", error)
        raise OmemoFailed(Cause.STORAGE) from error
