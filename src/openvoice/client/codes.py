"""QR codes: as a text, read from a picture."""

from __future__ import annotations

from pathlib import Path

from openvoice.errors import UsageError


def read_code(picture: Path) -> str:
    """The text of the QR code in a picture file.

    Raises:
        UsageError: there is no picture, or no code in it that can be read.
    """
    # Both are heavy, and only who scans needs them.
    import zxingcpp

    from openvoice.media.pictures import load_grey

    found = zxingcpp.read_barcodes(load_grey(picture), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    texts = {code.text for code in found if code.valid}
    if not texts:
        raise UsageError(f"no QR code can be read in {str(picture)!r}: take a sharper picture, with a margin around it")
    if len(texts) > 1:
        raise UsageError(f"{str(picture)!r} shows several codes: crop it to one")
    return texts.pop()
