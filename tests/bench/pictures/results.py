"""The results of the bench of video, and the page of the documentation made of them."""

from __future__ import annotations

from pathlib import Path

from tests.bench.pictures import table
from tests.bench.pictures.chart import chart
from tests.bench.results import Results, insert


class VideoResults(Results):
    """As those of the voice, with another page."""

    def document(self, folder: Path) -> None:
        """Put the chart and the tables into the documentation."""
        (folder / "video-quality.svg").write_text(chart(self.rows, self.measured))
        insert(folder / "video-quality.md", f"Measured on {self.measured}.\n\n{table.markdown(self.rows)}")
