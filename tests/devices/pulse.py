"""A private PulseAudio daemon with a virtual sound card, for tests on machines without any."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from openvoice.devices.listing import devices
from openvoice.errors import DeviceFailed

_DAEMON = (
    "pulseaudio -n -F {script} --daemonize=no --exit-idle-time=-1 --disable-shm=1 --use-pid-file=0 --realtime=0 "
    "--high-priority=0 --log-target=stderr --log-level=error"
)
# norewinds keeps the latency of the null sink constant.
_SCRIPT = """\
load-module module-native-protocol-unix auth-anonymous=1 socket={socket}
load-module module-null-sink sink_name=speaker rate=48000 channels=2 norewinds=1
load-module module-null-sink sink_name=other rate=48000 channels=2 norewinds=1
set-default-sink speaker
set-default-source speaker.monitor
"""
# libasound reads this instead of its own configuration, so that is included first.
_ALSA = """\
</usr/share/alsa/alsa.conf>
{devices}
pcm.!default {{ type pulse server "unix:{socket}" }}
ctl.!default {{ type pulse server "unix:{socket}" }}
"""
_DEVICES = """\
pcm.{name}_speaker {{ type pulse server "unix:{socket}" device "speaker" hint {{ show on description "speaker" }} }}
pcm.{name}_tap {{ type pulse server "unix:{socket}" device "speaker.monitor" hint {{ show on description "tap" }} }}
pcm.{name}_room {{ type pulse server "unix:{socket}" device "other" hint {{ show on description "room" }} }}
pcm.{name}_ear {{ type pulse server "unix:{socket}" device "other.monitor" hint {{ show on description "ear" }} }}
"""


class PulseAudio:
    """What is played on the device ``ov_speaker`` is heard on ``ov_tap``; both are the defaults. What is played on
    ``ov_room`` is heard on ``ov_ear``.

    The devices of ``others``, with names of theirs, are there as well for as long as those run.
    """

    def __init__(self, directory: Path, name: str = "ov", others: Sequence[PulseAudio] = ()) -> None:
        self._directory = directory
        self._name = name
        self._socket = directory / "pulse.sock"
        self._process: subprocess.Popen[bytes] | None = None
        (directory / "pulse.pa").write_text(_SCRIPT.format(socket=self._socket))
        devices = "".join(each._devices for each in (self, *others))
        (directory / "asound.conf").write_text(_ALSA.format(socket=self._socket, devices=devices))

    @property
    def _devices(self) -> str:
        return _DEVICES.format(name=self._name, socket=self._socket)

    @property
    def environment(self) -> dict[str, str]:
        """What libasound and libpulse need to find it."""
        return {"PULSE_SERVER": f"unix:{self._socket}", "ALSA_CONFIG_PATH": str(self._directory / "asound.conf")}

    def start(self) -> None:
        home = {
            name: str(self._directory) for name in ("HOME", "XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH")
        }
        self._socket.unlink(missing_ok=True)
        with (self._directory / "pulse.log").open("ab") as log:
            self._process = subprocess.Popen(
                _DAEMON.format(script=self._directory / "pulse.pa").split(),
                env=home | {"PATH": "/usr/bin:/bin"},
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        deadline = time.monotonic() + 10
        while self._control("info").returncode:
            if time.monotonic() > deadline:
                raise TimeoutError((self._directory / "pulse.log").read_text())
            time.sleep(0.05)

    def kill(self) -> None:
        """As a crash would."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def unload_card(self) -> None:
        """As unplugging it would."""
        self._control("unload-module", "module-null-sink")

    def set_default_sink(self, name: str) -> None:
        """As a person would in the system settings: ``speaker`` or ``other``."""
        assert self._control("set-default-sink", name).returncode == 0

    def let_the_room_hear(self, percent: int) -> None:
        """From now on what is played on ``ov_speaker`` is heard on ``ov_ear`` too, later, at a volume in percent."""
        loop = "source=speaker.monitor sink=other latency_msec=40"
        assert self._control("load-module", "module-loopback", *loop.split()).returncode == 0
        (stream,) = self._control("list", "short", "sink-inputs").stdout.decode().splitlines()
        assert self._control("set-sink-input-volume", stream.split()[0], f"{percent}%").returncode == 0

    @contextmanager
    def recorded(self, sink: str) -> Iterator[Callable[[], npt.NDArray[np.int16]]]:
        """What is played on a sink from now on, 48 kHz mono, by a program that has nothing to do with PortAudio."""
        words = f"-s unix:{self._socket} -d {sink}.monitor --raw --format=s16le --rate=48000 --channels=1"
        path = self._directory / f"{sink}.raw"
        with path.open("wb") as file:
            recording = subprocess.Popen(["parec", *words.split(), "--latency-msec=10"], stdout=file)
            try:
                deadline = time.monotonic() + 10
                while not path.stat().st_size:
                    assert time.monotonic() < deadline, "nothing is recorded"
                    time.sleep(0.01)
                yield lambda: np.frombuffer(path.read_bytes()[: path.stat().st_size // 2 * 2], np.int16)
            finally:
                recording.kill()
                recording.wait()

    def _control(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["pactl", "-s", f"unix:{self._socket}", *words], capture_output=True)


@contextmanager
def plugged(daemon: PulseAudio, monkeypatch: pytest.MonkeyPatch) -> Iterator[PulseAudio]:
    """PortAudio sees the devices of ``daemon`` meanwhile; where it cannot, the test is skipped."""
    for name, value in daemon.environment.items():
        monkeypatch.setenv(name, value)
    daemon.start()
    try:
        devices(renew=True)
    except DeviceFailed as error:
        daemon.kill()
        pytest.skip(str(error))
    yield daemon
    daemon.kill()
