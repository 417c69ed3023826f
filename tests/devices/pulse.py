"""A private PulseAudio daemon with a virtual sound card, for tests on machines without any."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

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
pcm.ov_speaker {{ type pulse server "unix:{socket}" device "speaker" hint {{ show on description "speaker" }} }}
pcm.ov_tap {{ type pulse server "unix:{socket}" device "speaker.monitor" hint {{ show on description "tap" }} }}
pcm.!default {{ type pulse server "unix:{socket}" }}
ctl.!default {{ type pulse server "unix:{socket}" }}
"""


class PulseAudio:
    """What is played on the device ``ov_speaker`` is heard on ``ov_tap``; both are the defaults."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._socket = directory / "pulse.sock"
        self._process: subprocess.Popen[bytes] | None = None
        (directory / "pulse.pa").write_text(_SCRIPT.format(socket=self._socket))
        (directory / "asound.conf").write_text(_ALSA.format(socket=self._socket))

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

    def _control(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["pactl", "-s", f"unix:{self._socket}", *words], capture_output=True)
