from __future__ import annotations

from openvoice.media.video.conversion import black
from openvoice.media.video.sinks.window import WindowOutput


def test_a_window_paints_the_newest_picture() -> None:
    asked = []
    window = WindowOutput(lambda: asked.append(window.closed))
    assert window.take() is None
    first, second = black(64, 48, 1.0), black(64, 48, 2.0)
    window.write(first)
    window.write(second)
    assert window.take() is second
    assert window.take() is second
    window.close()
    window.close()
    assert asked == [False, False, True]
