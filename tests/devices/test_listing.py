from __future__ import annotations

import pytest

from openvoice.devices.listing import Device, Kind, devices, find
from openvoice.errors import DeviceFailed
from tests.devices.fake_sounddevice import FakeSoundDevice


@pytest.fixture
def listed(library: FakeSoundDevice) -> list[Device]:
    library.add("Built-in  Audio\n", 2, 2)
    library.add("USB Headset", 1, 2, rate=44_100.0)
    library.add("USB Camera", 1, 0)
    library.add("usb headset", 1, 2, host=1)
    library.add("Headset 7", 0, 2)
    library.defaults = [1, 0]
    return devices()


def test_lists_each_direction_of_a_device(listed: list[Device]) -> None:
    assert [(device.index, device.kind.value, device.default) for device in listed] == [
        (0, "input", False),
        (1, "input", True),
        (2, "input", False),
        (3, "input", False),
        (0, "output", True),
        (1, "output", False),
        (3, "output", False),
        (4, "output", False),
    ]
    assert listed[1] == Device(
        index=1, name="USB Headset", kind=Kind.INPUT, channels=1, rate=44_100, default=True, host="ALSA"
    )
    assert listed[0].name == "Built-in Audio"
    assert listed[3].host == "JACK"


@pytest.mark.parametrize(
    ("kind", "wanted", "index"),
    [
        (Kind.INPUT, None, 1),
        (Kind.OUTPUT, None, 0),
        (Kind.INPUT, "built", 0),
        (Kind.INPUT, "CAMERA", 2),
        (Kind.INPUT, "USB headset", 1),
        (Kind.OUTPUT, 3, 3),
        (Kind.OUTPUT, "3", 3),
        (Kind.OUTPUT, "7", 4),
    ],
)
def test_finds_what_is_meant(listed: list[Device], kind: Kind, wanted: str | int | None, index: int) -> None:
    assert find(listed, kind, wanted).index == index


@pytest.mark.parametrize(
    ("kind", "wanted", "message"),
    [
        (Kind.INPUT, "piano", r"no microphone 'piano'; there is 'Built-in Audio' \(0\), 'USB Headset' \(1\)"),
        (Kind.INPUT, "usb", r"more than one microphone: 'USB Headset' \(1\), 'USB Camera' \(2\)"),
        (Kind.INPUT, 4, "no microphone 4"),
        (Kind.OUTPUT, "camera", "no loudspeaker 'camera'"),
        (Kind.OUTPUT, 99, "no loudspeaker 99"),
    ],
)
def test_says_what_could_be_meant(listed: list[Device], kind: Kind, wanted: str | int, message: str) -> None:
    with pytest.raises(DeviceFailed, match=message):
        find(listed, kind, wanted)


def test_takes_the_first_when_the_system_names_no_default(library: FakeSoundDevice) -> None:
    library.add("a", 1, 0)
    library.add("b", 1, 0)
    assert find(devices(), Kind.INPUT, None).name == "a"


def test_says_that_nothing_is_connected() -> None:
    with pytest.raises(DeviceFailed, match="no microphone was found: connect one"):
        find([], Kind.INPUT, None)


def test_looks_again_when_asked(library: FakeSoundDevice) -> None:
    library.connect_after_renewal = lambda: library.add("new", 0, 1)
    assert devices() == []
    assert [device.name for device in devices(renew=True)] == ["new"]
