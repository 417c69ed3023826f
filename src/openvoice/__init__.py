"""Encrypted calls on open protocols.

::

    import openvoice

    async with openvoice.Client.open() as client:
        call = await client.call("bob@example.org", source=openvoice.Device(), sink=openvoice.Device())
        await call.wait_for(openvoice.CallState.ACTIVE, timeout=30)
        async for frame in call.audio():
            ...

Everything a program needs is here; nothing below this package is promised to stay as it is.
"""

from __future__ import annotations

import logging

from openvoice.client.account import Account
from openvoice.client.call import Call
from openvoice.client.camera_check import check_camera
from openvoice.client.client import Client
from openvoice.client.codes import read_code
from openvoice.client.happening import Happening
from openvoice.client.keys import MemorySecrets, temporary_keys
from openvoice.client.pictures import (
    MOVIE_SINKS,
    Camera,
    CameraDevice,
    Film,
    PictureFeed,
    Screen,
    TestPattern,
    VideoSource,
    WindowOutput,
    camera_devices,
    parse_video,
    picture_output,
    screen_in_words,
    to_rgb,
)
from openvoice.client.privacy import Erasable, Privacy
from openvoice.client.profile import Profile
from openvoice.client.sound import (
    Device,
    Sink,
    SoundDevice,
    Source,
    load_sound,
    parse_sink,
    parse_source,
    processing_missing,
    sound_devices,
)
from openvoice.client.soundcheck import SoundProgress, SoundReport, SoundStage, check_devices
from openvoice.client.tones import Tones
from openvoice.client.trust import Compared, Keys, Match
from openvoice.core.address import Address
from openvoice.core.parties import Learnt, Party, PartyVerdict
from openvoice.core.policy import Alarm, Audience, Policy, Rules
from openvoice.core.privacy import Keeper, Kept, Reader
from openvoice.core.processing import Processing
from openvoice.core.protection import Protection
from openvoice.core.security import SecurityReport
from openvoice.core.state import CallState
from openvoice.core.statistics import CallStatistics
from openvoice.core.talk import Talk, TalkMode
from openvoice.core.trust import DeviceKey, Trust
from openvoice.core.types import Direction, EndReason, VideoLabel, Vouching
from openvoice.errors import (
    AudioFileError,
    Busy,
    CallFailed,
    Cancelled,
    CertificateRejected,
    ConfigurationError,
    ConnectionFailed,
    Declined,
    DeviceFailed,
    HostNotFound,
    InsecureServer,
    InvalidAddress,
    InvalidState,
    KeyUnavailable,
    LoginRefused,
    MediaFailed,
    NoAnswer,
    OpenVoiceError,
    PeerUnavailable,
    SecurityRefused,
    ServerProgramError,
    ServerUnreachable,
    UsageError,
    VideoFailed,
)
from openvoice.ports import (
    FRAME_SAMPLES,
    SAMPLE_RATE,
    AudioSink,
    AudioSource,
    Frame,
    KeyStore,
    Picture,
    PictureFormat,
    VideoInput,
    VideoOutput,
)

__version__ = "0.1.0"

__all__ = [
    "Account",
    "Address",
    "Alarm",
    "Audience",
    "AudioFileError",
    "AudioSink",
    "AudioSource",
    "Busy",
    "Call",
    "CallFailed",
    "CallState",
    "CallStatistics",
    "Camera",
    "CameraDevice",
    "Cancelled",
    "CertificateRejected",
    "Client",
    "Compared",
    "ConfigurationError",
    "ConnectionFailed",
    "Declined",
    "Device",
    "DeviceFailed",
    "DeviceKey",
    "Direction",
    "EndReason",
    "Erasable",
    "FRAME_SAMPLES",
    "Film",
    "Frame",
    "Happening",
    "HostNotFound",
    "InsecureServer",
    "InvalidAddress",
    "InvalidState",
    "Keeper",
    "Kept",
    "KeyStore",
    "KeyUnavailable",
    "Keys",
    "Learnt",
    "LoginRefused",
    "MOVIE_SINKS",
    "Match",
    "MediaFailed",
    "MemorySecrets",
    "NoAnswer",
    "OpenVoiceError",
    "Party",
    "PartyVerdict",
    "PeerUnavailable",
    "Picture",
    "PictureFeed",
    "PictureFormat",
    "Policy",
    "Privacy",
    "Processing",
    "Profile",
    "Protection",
    "Reader",
    "Rules",
    "SAMPLE_RATE",
    "Screen",
    "SecurityRefused",
    "SecurityReport",
    "ServerProgramError",
    "ServerUnreachable",
    "Sink",
    "SoundDevice",
    "SoundProgress",
    "SoundReport",
    "SoundStage",
    "Source",
    "Talk",
    "TalkMode",
    "TestPattern",
    "Tones",
    "Trust",
    "UsageError",
    "VideoFailed",
    "VideoInput",
    "VideoLabel",
    "VideoOutput",
    "VideoSource",
    "Vouching",
    "WindowOutput",
    "camera_devices",
    "check_camera",
    "check_devices",
    "load_sound",
    "parse_sink",
    "parse_source",
    "parse_video",
    "picture_output",
    "processing_missing",
    "read_code",
    "screen_in_words",
    "sound_devices",
    "temporary_keys",
    "to_rgb",
]

logging.getLogger(__name__).addHandler(logging.NullHandler())
