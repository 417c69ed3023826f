from __future__ import annotations

from pathlib import Path

import pytest
import segno

from openvoice import UsageError, read_code


def test_a_code_in_a_picture_is_read(tmp_path: Path) -> None:
    picture = tmp_path / "code.png"
    segno.make_qr("xmpp:bob@example.org").save(str(picture), scale=4)
    assert read_code(picture) == "xmpp:bob@example.org"


def test_a_picture_without_a_code_is_told_so(tmp_path: Path) -> None:
    picture = tmp_path / "empty.png"
    segno.make_qr("x").save(str(picture), scale=4, dark="white")
    with pytest.raises(UsageError, match="no QR code"):
        read_code(picture)
