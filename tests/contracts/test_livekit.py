"""What openvoice leans on in the ``livekit`` wheel, of which it uses the audio processing alone."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

rtc = pytest.importorskip("livekit.rtc", reason="livekit is not installed")
AudioFrame, AudioProcessingModule = rtc.AudioFrame, rtc.AudioProcessingModule


def test_its_work_on_a_block_is_on_memory_of_ours() -> None:
    """The bytes of a frame are changed in place. If a release copied instead, the input would leave as it is."""
    memory = bytearray(960)
    samples = np.frombuffer(memory, np.int16)
    frame = AudioFrame(memory, 48_000, 1, 480)
    module = AudioProcessingModule(high_pass_filter=True)
    for _ in range(100):
        samples[:] = 10_000
        module.process_stream(frame)
    assert np.abs(samples).max() < 100, "a constant is what a high-pass filter takes away"


_PROGRAM = """
import os, socket, sys, threading
opened = []
def watch(event, arguments):
    if event.startswith("socket.") and event not in ("socket.__new__",):
        opened.append(event)
sys.addaudithook(watch)
import numpy as np
from openvoice.core.processing import Processing
from openvoice.devices.processing.webrtc import WebRtcProcessor
processor = WebRtcProcessor(Processing())
for _ in range(100):
    processor.process(np.ones(480, np.int16), np.ones(480, np.int16), 0.02)
print("events", opened)
print("threads", [thread.name for thread in threading.enumerate()])
internet = 0
if os.path.isdir("/proc/self/fd"):
    inodes = set()
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        with open(f"/proc/self/net/{table}") as lines:
            inodes |= {line.split()[9] for line in list(lines)[1:]}
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        internet += target.startswith("socket:[") and target[8:-1] in inodes
print("internet", internet)
print("aiohttp" in sys.modules, "requests" in sys.modules)
"""


def test_it_opens_no_connection_and_ends_with_the_process() -> None:
    ended = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=30, check=True)
    assert ended.stderr == ""
    assert ended.stdout.splitlines() == ["events []", "threads ['MainThread']", "internet 0", "False False"]
