"""What this side shows: which device in which content, from the gate on and while the call is not held."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from openvoice.core.inputs import MediaInput, VideoReported
from openvoice.core.types import DeviceChange, VideoLabel
from openvoice.errors import OpenVoiceError
from openvoice.media.video.stream import VideoStream
from openvoice.ports import VideoInput


class Showing:
    """``make`` makes a device; ``streams`` are those of the call that may send now, by content."""

    def __init__(
        self,
        make: Callable[[VideoLabel], VideoInput],
        streams: Callable[[], Mapping[str, VideoStream]],
        notify: Callable[[MediaInput], None],
    ) -> None:
        self._make = make
        self._streams = streams
        self._notify = notify
        self._wanted: dict[str, VideoLabel] = {}

    def want(self, label: VideoLabel, content: str | None) -> None:
        """Show ``label`` in ``content`` and nowhere else, or not at all."""
        self._wanted = {name: known for name, known in self._wanted.items() if known is not label}
        if content is not None:
            self._wanted[content] = label

    def update(self, allowed: bool) -> None:
        """Start and stop devices, as far as they are wanted and ``allowed``."""
        streams = self._streams()
        wanted = {
            name: label for name, label in self._wanted.items() if allowed and name in streams and streams[name].sends
        }
        for name, stream in streams.items():
            if stream.shown is not None and stream.shown is not wanted.get(name):
                stream.hide()
        for name, label in wanted.items():
            if streams[name].shown is None:
                self._start(streams[name], label)

    def _start(self, stream: VideoStream, label: VideoLabel) -> None:
        try:
            device = self._make(label)
        except OpenVoiceError as error:
            self.want(label, None)
            self._notify(VideoReported(label=label, what=DeviceChange.FAILED, text=str(error)))
        else:
            stream.show(label, device)
