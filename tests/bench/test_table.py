"""The table and the chart of the bench, and the page that shows them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.bench import chart, measure, table
from tests.bench.measure import DEFAULT, EQUAL, EQUAL_RED, Rates
from tests.bench.results import BEGIN, END, Results
from tests.bench.rows import JITTER, LOSS, QUICK, ROWS


def row(system: str, network: str = "clean", **figures: Any) -> dict[str, Any]:
    usual = {"pesq_wb": 4.0, "visqol": None, "delay_ms": 30.0, "kbit_s": 59.0, "concealed": 0.012, "valid": True}
    return {"system": system, "network": network, **usual, "stalls": [0, 2], **figures}


ALL = [
    row(system, network, pesq_wb=4.0 - place / 10, delay_ms=30.0 + place)
    for system in chart.SYSTEMS
    for place, network in enumerate(dict.fromkeys([*LOSS.values(), *JITTER.values()]))
]


def test_every_network_has_a_name_of_its_own_and_those_shown_exist() -> None:
    names = [one.name for one in ROWS]
    assert len(set(names)) == len(names)
    assert {*LOSS.values(), *JITTER.values(), *QUICK} <= set(names)


def test_cells_are_texts_with_dashes_for_what_was_not_measured() -> None:
    texts = dict(zip(table.COLUMNS, table.cells(row("aiortc")), strict=True))
    assert texts["pesq_wb"] == "4.00"
    assert texts["concealed"] == "1.2"
    assert texts["visqol"] == texts["recovery_s"] == "-"
    assert texts["stalls"] == "0, 2"
    assert len(table.line(table.cells(row("aiortc")))) == len(table.heading())


def test_markdown_names_a_network_once_and_a_spoiled_row_so() -> None:
    lines = table.markdown([row("openvoice"), row("aiortc", valid=False), row("openvoice", "random-1")]).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["clean", "", "random-1"]
    assert "(spoiled)" in lines[3]
    assert len({line.count("|") for line in lines}) == 1


def test_the_comparison_is_with_the_better_of_those_with_as_much_on_the_wire() -> None:
    rows = [
        row("openvoice", pesq_wb=4.2),
        row("chromium", pesq_wb=4.4),
        row("chromium-equal", pesq_wb=3.5),
        row("chromium-equal-red", pesq_wb=3.7, delay_ms=80.0),
        row("chromium-equal-nack", pesq_wb=4.3, delay_ms=40.0),
        row("openvoice", "cut-1000", pesq_wb=None),
    ]
    (line,) = table.comparison(rows).splitlines()[2:]
    assert "+0.50" in line
    assert "chromium-equal-red" in line
    cells = [cell.strip() for cell in line.split("|")]
    assert cells[1] == "clean"
    assert cells[4:7] == ["-50", "-0.10", "-10"]


def test_the_comparison_says_where_the_machine_spoiled_it() -> None:
    rows = [row("openvoice"), row("chromium-equal", valid=False)]
    assert table.comparison(rows).splitlines()[2].startswith("| clean (spoiled) |")


def test_the_chart_is_an_image_with_a_curve_of_every_system_in_both_panels() -> None:
    document = chart.chart(ALL, "2026-01-01: A & B <1>")
    image = ElementTree.fromstring(document)
    space = "{http://www.w3.org/2000/svg}"
    assert len(image.findall(f".//{space}polyline")) == 2 * len(chart.SYSTEMS)
    texts = [element.text for element in image.iter(f"{space}text")]
    assert {"2026-01-01: A & B <1>", "packets lost, %", "jitter, ms", *chart.SYSTEMS.values()} <= set(texts)
    assert "prefers-color-scheme: dark" in document


def test_the_chart_leaves_out_what_was_not_measured_and_stays_within_its_frame() -> None:
    rows = [
        row("openvoice", "clean"),
        row("openvoice", "jitter-60", delay_ms=5000.0),
        row("openvoice", "random-5", pesq_wb=None),
    ]
    document = chart.chart(rows, "")
    assert "aiortc" not in document
    heights = [float(height) for height in re.findall(r'cy="([\d.]+)"', document)]
    assert all(chart.TOP <= height <= chart.BOTTOM for height in heights)


def test_better_is_higher_in_quality_and_lower_in_delay() -> None:
    quality, delay = chart.panels(ALL)
    assert chart._height(quality, 4.0) < chart._height(quality, 2.0)
    assert chart._height(delay, 90) < chart._height(delay, 30)


def test_results_are_kept_as_they_come_and_resumed(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    first = Results(path)
    first.add([row("openvoice")])
    assert json.loads(path.read_text())["rows"] == [row("openvoice")]
    assert Results(path, resume=True).has("clean")
    assert not Results(path).has("clean")


def test_the_page_gets_the_tables_between_its_marks_only(tmp_path: Path) -> None:
    page = tmp_path / "voice-quality.md"
    page.write_text(f"before\n{BEGIN}old\n{END}after\n")
    kept = Results(tmp_path / "out.json")
    kept.about({"openvoice": "1"}, voices=["A"])
    kept.add(ALL)
    kept.document(tmp_path)
    kept.document(tmp_path)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}Measured on ")
    assert text.endswith(f"{END}after\n")
    assert "old" not in text
    assert text.count("| random-20 | +0.00 |") == 1
    assert (tmp_path / "voice-quality.svg").read_text().startswith("<svg")


def test_chromium_is_asked_for_what_gave_as_much_on_the_wire() -> None:
    rates = Rates()
    assert rates.mode(DEFAULT, 60).bitrate is None
    asked = rates.mode(EQUAL, 60)
    # It sends two thirds of what it may.
    rates.learn(EQUAL, asked, measure.OVERHEAD + (asked.bitrate or 0) / 1500)
    assert rates.mode(EQUAL, 60).bitrate == pytest.approx(1500 * (60 - measure.OVERHEAD), rel=0.001)
    assert rates.mode(EQUAL_RED, 60).red
    assert rates.mode(EQUAL, 1.0).bitrate == 6000


def test_figures_are_medians_over_the_seeds_that_have_one() -> None:
    ones = [
        {"pesq_wb": pesq, "delay_ms": delay, "stalls": stalls}
        for pesq, delay, stalls in ((4.0, 30.04, 0), (3.0, None, 2), (3.5, 50.0, 99))
    ]
    result = measure.combined(ones)
    assert result["pesq_wb"] == 3.5
    assert result["pesq_wb_seeds"] == [4.0, 3.0, 3.5]
    assert result["delay_ms"] == 40.0
    assert result["mouth_to_ear_ms"] == 60.0
    assert (result["seeds"], result["stalls"], result["valid"]) == (3, [0, 2, 99], False)
    assert measure.combined([{"pesq_wb": None, "delay_ms": None, "stalls": 0}])["mouth_to_ear_ms"] is None
