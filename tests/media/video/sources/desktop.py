"""A desktop that is not there: its portal on a session bus of its own, and the programs that read PipeWire."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jeepney import DBusAddress, HeaderFields, MessageType, message_bus, new_error, new_method_return, new_signal
from jeepney.io.blocking import open_dbus_connection

CONFIGURATION = """<busconfig><type>session</type><listen>unix:dir={folder}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"""

LAUNCH = """#!{python}
import re, sys, time
caps = next(word for word in sys.argv if word.startswith("video/x-raw"))
width, height = (int(re.search(name + "=([0-9]+)", caps)[1]) for name in ("width", "height"))
picture = bytes([80]) * (width * height) + bytes([128]) * (width * height // 2)
for _ in range({pictures}):
    sys.stdout.buffer.write(picture)
    sys.stdout.buffer.flush()
    time.sleep(0.02)
"""


@contextmanager
def session_bus(folder: Path) -> Iterator[str]:
    """The address of a bus of one's own."""
    program = shutil.which("dbus-daemon")
    assert program is not None
    (folder / "bus.conf").write_text(CONFIGURATION.format(folder=folder))
    arguments = [program, "--nofork", "--print-address=1", f"--config-file={folder / 'bus.conf'}"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as bus:
        assert bus.stdout is not None
        try:
            yield bus.stdout.readline().strip()
        finally:
            bus.terminate()


def programs(folder: Path, *, pictures: int = 10_000, reads_pipewire: bool = True) -> Path:
    """GStreamer, as far as it is used."""
    for name, text in (
        ("gst-launch-1.0", LAUNCH.format(python=sys.executable, pictures=pictures)),
        ("gst-inspect-1.0", f"#!/bin/sh\nexit {0 if reads_pipewire else 1}\n"),
    ):
        (folder / name).write_text(text)
        (folder / name).chmod(0o700)
    return folder


class Portal:
    """org.freedesktop.portal.ScreenCast. ``response`` is what the user says: 0 yes, 1 no, 2 something else."""

    def __init__(self, address: str, response: int = 0) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._response = response
        self._bus = open_dbus_connection(address, enable_fds=True)
        self._bus.send_and_get_reply(message_bus.RequestName("org.freedesktop.portal.Desktop"))
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._bus.close()

    def _serve(self) -> None:
        while True:
            try:
                message = self._bus.receive()
            except (OSError, ValueError):
                return
            if message.header.message_type is MessageType.method_call:
                self._answer(message)

    def _answer(self, message: Any) -> None:
        method = message.header.fields[HeaderFields.member]
        options = message.body[-1]
        self.asked.append((method, options))
        if method == "OpenPipeWireRemote":
            reading, writing = os.pipe()
            self._bus.send(new_method_return(message, "h", (reading,)))
            os.close(writing)
            return
        known: dict[str, dict[str, Any]] = {
            "CreateSession": {"session_handle": ("s", "/session/1")},
            "SelectSources": {},
            "Start": {"streams": ("a(ua{sv})", [(42, {"size": ("(ii)", (1600, 900))})])},
        }
        if method not in known:
            self._bus.send(new_error(message, "org.freedesktop.DBus.Error.UnknownMethod"))
            return
        sender = message.header.fields[HeaderFields.sender][1:].replace(".", "_")
        path = f"/org/freedesktop/portal/desktop/request/{sender}/{options['handle_token'][1]}"
        self._bus.send(new_method_return(message, "o", (path,)))
        response = self._response if method == "Start" else 0
        there = DBusAddress(path, interface="org.freedesktop.portal.Request")
        self._bus.send(new_signal(there, "Response", "ua{sv}", (response, {} if response else known[method])))
