"""What the payload formats share."""

from __future__ import annotations

import pytest

from openvoice.media.video.codec import (
    Depayloader,
    EncodedPicture,
    Fragment,
    MalformedPayload,
    Payloader,
)
from openvoice.media.video.payload.av1 import Av1Payloader
from openvoice.media.video.payload.h264 import H264Payloader
from openvoice.media.video.payload.vp8 import Vp8Depayloader, Vp8Payloader
from openvoice.media.video.payload.vp9 import Vp9Depayloader, Vp9Payloader


@pytest.mark.parametrize("depayloader", [Vp8Depayloader(), Vp9Depayloader()])
def test_fragments_of_no_one_picture_are_refused(depayloader: Depayloader) -> None:
    first, other = Fragment(data=b"a", begins=True, key=True), Fragment(data=b"b", begins=False, key=False)
    for wrong in ([], [other], [first, first], [other, first]):
        with pytest.raises(MalformedPayload):
            depayloader.join(wrong)


@pytest.mark.parametrize("payloader", [Vp8Payloader(), Vp9Payloader(), H264Payloader(1), Av1Payloader()])
def test_a_packet_has_some_room(payloader: Payloader) -> None:
    with pytest.raises(ValueError, match="room"):
        payloader.packets(EncodedPicture(data=b"a", key=True, time=1.0, width=64, height=48), 99)
