"""One of each thing that can happen, as the printers get it."""

from __future__ import annotations

from openvoice import CallStatistics, EndReason, Happening, Vouching
from openvoice.client.certificates import told_of
from openvoice.core import events
from openvoice.core.policy import Alarm
from openvoice.core.security import SecurityReport, SignallingFacts, assess
from openvoice.core.types import CallId, DeviceChange, Origin, SoundDirection, VideoLabel
from openvoice.testing.fakes import facts
from tests.core.certificates import certificate, change

CALL = CallId("8acede2c-0000")
ALICE = "alice@example.org"
BEGAN = 1_800_000_000.0

CHANGE = change(certificate(issuer="Root"), certificate(issuer="Other Root"))
SECURITY = assess(
    Vouching.SIGNALLED,
    facts(),
    SignallingFacts(
        server="example.org",
        tls_version="TLSv1.3",
        cipher="AES",
        certificate_change=CHANGE,
    ),
)
NOTHING_KNOWN = SecurityReport(vouching=Vouching.NONE, media=None, signalling=None)
NUMBERS = CallStatistics(loss=0.012, playout_delay=40.4, round_trip=31.0, level_sent=-30.0, codec="opus")


def of(event: events.CallEvent, at: float = 0.0) -> Happening:
    return Happening(BEGAN + at, event.name, CALL, event, event.as_dict())


def of_connection(name: str, **details: object) -> Happening:
    return Happening(BEGAN, name, None, None, details)


def ended(
    reason: EndReason = EndReason.SUCCESS,
    origin: Origin = Origin.LOCAL,
    text: str = "",
    *,
    duration: float = 0.0,
    statistics: CallStatistics = NUMBERS,
) -> events.CallEnded:
    return events.CallEnded(
        reason=reason,
        origin=origin,
        text=text,
        duration=duration,
        answered=bool(duration),
        security=SECURITY if duration else NOTHING_KNOWN,
        statistics=statistics,
    )


EVERYTHING = [
    of_connection("online", account="alice@example.org", reason=""),
    of_connection("offline", account="alice@example.org", reason="the server does not answer"),
    Happening(BEGAN, "missed", CALL, None, {"peer": "bob@example.org", "outcome": "busy"}),
    of(events.CallPlaced("bob@example.org")),
    of(events.CallRinging()),
    of(events.CallUnheard()),
    of(events.CallIncoming("bob@example.org")),
    of(events.CallExposed()),
    of(events.CallAccepted()),
    of(events.CallSecured(SECURITY)),
    of(events.CallConnected()),
    of(events.WordsShown(("finger", "forever", "sugar", "hibiscus"))),
    of(events.WordsNotShown("a message about the words came twice or out of order")),
    of(events.CallVerified(SECURITY)),
    of(events.CallInterrupted()),
    of(events.CallRestored()),
    of(events.CallMoved(Origin.LOCAL)),
    of(events.MuteChanged(True, Origin.LOCAL)),
    of(events.HoldChanged(True, Origin.REMOTE)),
    of(events.DigitDialled("#")),
    of(events.SourceFinished()),
    of(
        events.DeviceReported(
            direction=SoundDirection.INPUT, what=DeviceChange.LOST, device="Headset", text="the microphone is gone"
        )
    ),
    of(events.VideoChanged(VideoLabel.CAMERA, True, Origin.REMOTE)),
    of(events.VideoRefused(VideoLabel.SCREEN, "the peer does not want to see it")),
    of(
        events.VideoDeviceReported(
            label=VideoLabel.CAMERA, what=DeviceChange.LOST, device="Webcam", text="the camera is gone"
        )
    ),
    of(events.StatisticsMeasured(NUMBERS)),
    of(ended(duration=6.04)),
    of_connection("certificate-changed", account=ALICE, **told_of(CHANGE, ALICE, Alarm.TELL)),
]
