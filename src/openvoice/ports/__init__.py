"""What the conductor (``client``) asks of the world, each port as small as it can be.

Adapters implement these and never import each other. Fakes for all of them ship in :mod:`openvoice.testing`.
"""

from __future__ import annotations

from openvoice.ports.media import (
    MediaEngine,
    MediaSession,
    MediaSettings,
    RelayServer,
)
from openvoice.ports.network import (
    NetworkWatch,
)
from openvoice.ports.pictures import (
    MAXIMUM_SIDE,
    Picture,
    PictureFormat,
    VideoInput,
    VideoOutput,
    VideoReport,
)
from openvoice.ports.signalling import (
    IncomingCall,
    Signalling,
    SignallingListener,
)
from openvoice.ports.sound import (
    FRAME_SAMPLES,
    FRAME_SECONDS,
    SAMPLE_RATE,
    AudioInput,
    AudioOutput,
    AudioSink,
    AudioSource,
    Frame,
)
from openvoice.ports.storage import (
    OMEMO_SECRETS,
    CallStore,
    KeyStore,
    RecordingSink,
    RecordingStore,
    SecretStore,
    TrustStore,
)

__all__ = [
    "AudioInput",
    "AudioOutput",
    "AudioSink",
    "AudioSource",
    "CallStore",
    "FRAME_SAMPLES",
    "FRAME_SECONDS",
    "Frame",
    "IncomingCall",
    "KeyStore",
    "MAXIMUM_SIDE",
    "MediaEngine",
    "MediaSession",
    "MediaSettings",
    "NetworkWatch",
    "OMEMO_SECRETS",
    "Picture",
    "PictureFormat",
    "RecordingSink",
    "RecordingStore",
    "RelayServer",
    "SAMPLE_RATE",
    "SecretStore",
    "Signalling",
    "SignallingListener",
    "TrustStore",
    "VideoInput",
    "VideoOutput",
    "VideoReport",
]
