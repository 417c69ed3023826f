"""Everything openvoice raises on purpose.

::

    OpenVoiceError                     exit code
    ├── UsageError                     2   the caller's mistake: a wrong argument, a command in the wrong state
    │   ├── ConfigurationError         2   a configuration file, naming file, key and value
    │   │   └── KeyUnavailable         2   what is kept cannot be opened: no keyring, a locked one, a wrong passphrase
    │   ├── InvalidAddress             2   not a JID
    │   ├── InvalidState               2   a command that the call's state does not allow
    │   └── AudioFileError             2   a file that is not sound, or cannot be written
    ├── ConnectionFailed               3   no connection to the own server
    │   ├── HostNotFound               3   its name does not resolve
    │   ├── ServerUnreachable          3   nothing answers there
    │   ├── CertificateRejected        3   the certificate is expired, foreign or for another name
    │   ├── InsecureServer             3   the server (or somebody on the way) offers less than TLS and SCRAM
    │   └── LoginRefused               3   wrong name or password
    ├── CallFailed                         the call did not happen, or did not go on
    │   ├── Declined                   4   a person said no
    │   ├── Busy                       4   the peer is in another call
    │   ├── NoAnswer                   5   it rang, or not even that, until the time was over
    │   ├── PeerUnavailable            5   no such person, offline, or without calls
    │   ├── Cancelled                  130 the caller, or we, gave up before it was answered
    │   ├── SecurityRefused            6   what protects the call is less than the policy asks for
    │   └── MediaFailed                7   no path between the devices, or no common codec
    │       └── DeviceFailed           7   a sound device is missing or does not work
    ├── MalformedStanza                    the peer sent what no standard allows (never leaves the parsers)
    └── ServerProgramError             3   a private Prosody or coturn did not start
"""

from __future__ import annotations

from typing import ClassVar


class OpenVoiceError(Exception):
    """Base of all errors of openvoice. ``str(error)`` is one line that says what to do.

    ``exit_code`` is what the command line ends with.
    """

    exit_code: ClassVar[int] = 1


class UsageError(OpenVoiceError):
    """The caller's mistake."""

    exit_code = 2


class ConfigurationError(UsageError):
    """A configuration file that cannot be used; the message names file, key and value."""


class KeyUnavailable(ConfigurationError):
    """The key of what is kept on this machine cannot be had: no keyring, a locked one, a wrong passphrase."""


class InvalidAddress(UsageError):
    """A text that is not a JID (RFC 7622)."""


class InvalidState(UsageError):
    """A command that the state of the call does not allow; nothing was changed by it."""


class AudioFileError(UsageError):
    """A file that does not hold sound, or that cannot be written."""


class ConnectionFailed(OpenVoiceError):
    """There is no connection to the own server."""

    exit_code = 3


class HostNotFound(ConnectionFailed):
    """The server's name does not resolve."""


class ServerUnreachable(ConnectionFailed):
    """Nothing answers at the server's address, or it stopped answering."""


class CertificateRejected(ConnectionFailed):
    """The server's certificate does not prove that it is the server (RFC 6125)."""


class InsecureServer(ConnectionFailed):
    """The server offers less than TLS 1.2 and SCRAM, or sent something before both were done."""


class LoginRefused(ConnectionFailed):
    """The server does not accept the name or the password."""


class CallFailed(OpenVoiceError):
    """The call did not happen, or did not go on."""

    exit_code = 7


class Declined(CallFailed):
    """The called person said no."""

    exit_code = 4


class Busy(CallFailed):
    """The called person is in another call."""

    exit_code = 4


class NoAnswer(CallFailed):
    """Nobody answered in time."""

    exit_code = 5


class PeerUnavailable(CallFailed):
    """The address does not exist, is offline, or has no client that can be called."""

    exit_code = 5


class Cancelled(CallFailed):
    """The call was given up before it was answered."""

    exit_code = 130


class SecurityRefused(CallFailed):
    """What protects the call is less than the policy, or any policy, allows."""

    exit_code = 6


class MediaFailed(CallFailed):
    """The devices found no path to each other, no common codec, or lost each other."""

    exit_code = 7


class DeviceFailed(MediaFailed):
    """A sound device is missing or refuses to work."""


class VideoFailed(MediaFailed):
    """A camera, a screen or a file of pictures is missing or busy, or gives or takes no more. The voice goes on."""


class MalformedStanza(OpenVoiceError):
    """A stanza that its standard does not allow. Raised by parsers, answered by the protocol logic, never seen outside.

    ``condition`` is the name of the XEP-0166 reason or RFC 6120 stanza error that fits.
    """

    def __init__(self, message: str, condition: str = "bad-request") -> None:
        super().__init__(message)
        self.condition = condition


class ServerProgramError(OpenVoiceError):
    """A private child process (Prosody, coturn) is not installed or did not start."""

    exit_code = 3
