"""What the user of a call does with pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from openvoice.client.call_video import CallVideo
from openvoice.client.pictures import Camera, Screen, VideoSource
from openvoice.core import inputs as i
from openvoice.core.types import Origin, VideoLabel
from openvoice.ports import Picture, VideoOutput

if TYPE_CHECKING:
    from openvoice.client.driver import CallDriver


class VideoCommands(ABC):
    """The pictures of a :class:`~openvoice.client.call.Call`."""

    _video: CallVideo

    @property
    @abstractmethod
    def _driven(self) -> CallDriver: ...

    @property
    def showing(self) -> frozenset[VideoLabel]:
        """What this side shows the peer now."""
        return self._video.shown[Origin.LOCAL]

    @property
    def shown(self) -> frozenset[VideoLabel]:
        """What the peer shows now."""
        return self._video.shown[Origin.REMOTE]

    async def add_video(self, source: VideoSource | None = None) -> None:
        """Let the peer see pictures from now on: those of the source before, or of the first camera, if not said.

        The camera opens when the call is active and the peer took them, if its client can. An event ``video`` says that
        they are shown, ``video-refused`` that they cannot be.

        Raises:
            InvalidState: the call is over.
            VideoFailed: the file named cannot be used.
        """
        await self._show(VideoLabel.CAMERA, source, Camera())

    async def remove_video(self) -> None:
        """Let the peer see the camera no more, and let it go. The pictures of the peer still come."""
        await self._driven.command(i.HideVideo(VideoLabel.CAMERA))

    async def set_camera(self, source: VideoSource) -> None:
        """Show pictures of another source: another camera, a film ... While pictures are shown, the new source runs
        before the old one stops, so that nothing is missing in between; else it is for the next time.

        Raises:
            InvalidState: the call is over.
            VideoFailed: it does not work; the old one goes on.
        """
        await self._video.exchange(VideoLabel.CAMERA, source)

    async def share_screen(self, source: VideoSource | None = None) -> None:
        """Let the peer see the screen, or any other source, besides the camera where its client can show both, and else
        in place of the camera. Raises as :meth:`add_video`."""
        await self._show(VideoLabel.SCREEN, source, Screen())

    async def stop_screen(self) -> None:
        """Let the peer see the screen no more."""
        await self._driven.command(i.HideVideo(VideoLabel.SCREEN))

    def pictures(self, label: VideoLabel | str = VideoLabel.CAMERA) -> AsyncIterator[Picture]:
        """The pictures that the peer shows from now on, each when it is due. Whoever is too slow misses some.

        Ends with the call.
        """
        return self._video.pictures(VideoLabel(label))

    def watch(self, output: VideoOutput, label: VideoLabel | str = VideoLabel.CAMERA) -> None:
        """Let the pictures that the peer shows go to ``output``, too, for as long as the call lasts; it is closed then.

        It is written to on a thread of the media. An event ``video-device`` says so if it takes no more.

        Raises:
            InvalidState: the call is over.
        """
        self._video.watch(VideoLabel(label), output)

    async def _show(self, label: VideoLabel, source: VideoSource | None, usual: VideoSource) -> None:
        if source is not None and label in self.showing:
            await self._video.exchange(label, source)
        elif source is not None or not self._video.is_chosen(label):
            self._video.choose(label, source if source is not None else usual)
        await self._driven.command(i.ShowVideo(label))
