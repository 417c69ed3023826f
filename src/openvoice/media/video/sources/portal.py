"""The screen of a Wayland desktop, which asks its user what a program may see (org.freedesktop.portal.ScreenCast).

The pictures come over PipeWire. FFmpeg cannot read that, GStreamer can: its pipeline is a child process, and gives them
to a pipe.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from openvoice.errors import VideoFailed
from openvoice.media.video.conversion import fitted
from openvoice.ports import Picture, PictureFormat

GSTREAMER = "gst-launch-1.0"
NEEDED = (
    "to show a Wayland screen, install GStreamer's tools and its PipeWire plugin"
    " (gstreamer1.0-tools, gstreamer1.0-plugins-base, gstreamer1.0-pipewire)"
)
NO_PORTAL = (
    "no desktop portal answers that can show the screen: install xdg-desktop-portal and the one of your desktop"
    " (xdg-desktop-portal-gnome, -kde, -wlr ...)"
)
ANSWER_WITHIN = 10.0
CHOOSE_WITHIN = 120.0
_BUS_NAME, _PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
_SCREENS_AND_WINDOWS, _HIDDEN, _EMBEDDED = 1 | 2, 1, 2
_USUAL_SIZE = (1280, 720)
_LOOK_SECONDS = 0.1


def shared(
    wanted: PictureFormat, unwanted: Callable[[], bool], *, cursor: bool = True
) -> Generator[Picture, None, None]:
    """What the user of the desktop chooses to show, until that ends or is ``unwanted``.

    Raises:
        VideoFailed: a program is missing, or the user does not want to.
    """
    program = _gstreamer()
    with _choice(cursor) as (node, descriptor, size):
        width, height = fitted(*size, wanted)
        pipeline = _pipeline(program, descriptor, node, width, height, wanted.rate)
        process = subprocess.Popen(  # noqa: S603 - the program was looked up, no shell reads the arguments
            pipeline,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=(descriptor,),
        )
        try:
            assert process.stdout is not None
            yield from _pictures(process.stdout.fileno(), width, height, unwanted)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def _gstreamer() -> str:
    """The program, before anybody is asked in vain."""
    program, inspector = shutil.which(GSTREAMER), shutil.which("gst-inspect-1.0")
    if program is None or inspector is None:
        raise VideoFailed(NEEDED)
    asked = [inspector, "--exists", "pipewiresrc"]
    answer = subprocess.run(asked, check=False, capture_output=True, timeout=ANSWER_WITHIN)  # noqa: S603 - as below
    if answer.returncode:
        raise VideoFailed(NEEDED)
    return program


def _pipeline(program: str, descriptor: int, node: int, width: int, height: int, rate: float) -> list[str]:
    size = f"width={width},height={height},pixel-aspect-ratio=1/1"
    return [
        *(program, "--quiet"),
        # A desktop sends nothing while nothing changes: the last picture is sent again each second.
        *("pipewiresrc", f"fd={descriptor}", f"path={node}", "do-timestamp=true", "keepalive-time=1000", "!"),
        *("videorate", "drop-only=true", f"max-rate={max(1, round(rate))}", "!"),
        *("videoconvert", "!", "videoscale", "add-borders=true", "!"),
        *(f"video/x-raw,format=I420,colorimetry=bt601,{size}", "!", "fdsink", "fd=1", "sync=false"),
    ]


def _pictures(pipe: int, width: int, height: int, unwanted: Callable[[], bool]) -> Generator[Picture, None, None]:
    octets = width * height * 3 // 2
    pending = bytearray()
    while not unwanted():
        if not select.select([pipe], [], [], _LOOK_SECONDS)[0]:
            continue
        data = os.read(pipe, octets - len(pending))
        if not data:
            return
        pending += data
        if len(pending) == octets:
            yield Picture(np.frombuffer(bytes(pending), np.uint8).reshape(height * 3 // 2, width), time.monotonic())
            pending.clear()


@dataclass(frozen=True, slots=True)
class _Portal:
    """The desktop portal, on a connection to the session bus."""

    bus: Any

    def call(self, method: str, signature: str, *body: Any) -> tuple[Any, ...]:
        """Raises :class:`~openvoice.errors.VideoFailed`: there is no portal that can do this."""
        from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call

        there = DBusAddress(_PATH, bus_name=_BUS_NAME, interface="org.freedesktop.portal.ScreenCast")
        try:
            reply = self.bus.send_and_get_reply(new_method_call(there, method, signature, body), timeout=ANSWER_WITHIN)
        except (OSError, TimeoutError) as error:
            raise VideoFailed(NO_PORTAL) from error
        if reply.header.message_type is not MessageType.method_return:
            raise VideoFailed(NO_PORTAL) from RuntimeError(reply.header.fields.get(HeaderFields.error_name))
        return tuple(reply.body)

    def ask(
        self, method: str, signature: str, *body: Any, within: float = ANSWER_WITHIN, **options: Any
    ) -> dict[str, Any]:
        """Make a request, and wait for what becomes of it (org.freedesktop.portal.Request).

        Raises:
            VideoFailed: there is no portal, or the user said no.
        """
        from jeepney import MatchRule, message_bus

        token = "openvoice_" + secrets.token_hex(8)
        sender = self.bus.unique_name[1:].replace(".", "_")
        path = f"{_PATH}/request/{sender}/{token}"
        rule = MatchRule(type="signal", interface="org.freedesktop.portal.Request", member="Response", path=path)
        responses: deque[Any] = deque()
        with self.bus.filter(rule, queue=responses):
            self.bus.send_and_get_reply(message_bus.AddMatch(rule), timeout=ANSWER_WITHIN)
            self.call(method, signature + "a{sv}", *body, {"handle_token": ("s", token), **options})
            try:
                response, results = self.bus.recv_until_filtered(responses, timeout=within).body
            except (OSError, TimeoutError) as error:
                raise VideoFailed("nobody said what to show") from error
        if response:
            raise VideoFailed("you did not allow it" if response == 1 else "the desktop refused it")
        return dict(results)


@contextlib.contextmanager
def _choice(cursor: bool) -> Generator[tuple[int, int, tuple[int, int]], None, None]:
    """Let the user choose: the number of the PipeWire node, the descriptor to read it by, and its size."""
    try:
        from jeepney.io.blocking import open_dbus_connection
    except ImportError as error:
        raise VideoFailed("to show a Wayland screen, install the Python package 'jeepney'") from error
    try:
        bus = open_dbus_connection(bus="SESSION", enable_fds=True)
    except (OSError, KeyError, ValueError) as error:
        raise VideoFailed(NO_PORTAL) from error
    # The desktop goes on showing until the connection ends.
    with contextlib.closing(bus):
        portal = _Portal(bus)
        token = ("s", "openvoice_" + secrets.token_hex(8))
        session = portal.ask("CreateSession", "", session_handle_token=token)["session_handle"][1]
        mode = ("u", _EMBEDDED if cursor else _HIDDEN)
        portal.ask(
            "SelectSources", "o", session, types=("u", _SCREENS_AND_WINDOWS), multiple=("b", False), cursor_mode=mode
        )
        streams = portal.ask("Start", "os", session, "", within=CHOOSE_WITHIN).get("streams", ("", []))[1]
        if not streams:
            raise VideoFailed("the desktop shows nothing")
        node, properties = streams[0]
        width, height = properties.get("size", ("", _USUAL_SIZE))[1]
        (remote,) = portal.call("OpenPipeWireRemote", "oa{sv}", session, {})
        descriptor = remote.to_raw_fd()
        try:
            yield int(node), descriptor, (max(16, int(width)), max(16, int(height)))
        finally:
            os.close(descriptor)
