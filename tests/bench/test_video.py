"""What the bench of video makes of what it saw."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from openvoice.media.video.conversion import scaled
from openvoice.media.video.stamp import write_stamp
from openvoice.ports import Picture
from tests.bench.pictures import table
from tests.bench.pictures.chart import chart
from tests.bench.pictures.clip import clip, number_of, place
from tests.bench.pictures.link import Link, LinkCount
from tests.bench.pictures.measure import combined
from tests.bench.pictures.results import VideoResults
from tests.bench.pictures.rows import NARROW, QUICK, ROWS, Row
from tests.bench.pictures.score import figures, gaps, late_voice, psnr, ssim, stable, step
from tests.bench.pictures.take import Camera, Datagram, EndTake, Seen, Take, Watcher
from tests.bench.results import BEGIN, END
from tests.bench.video import chosen
from tests.media.audio.network import Network

SMALL = Row(name="small", networks=(Network(),), width=320, height=240, seconds=8, settles=2.0)


def rtp(payload_type: int, timestamp: int, octets: int = 1000) -> bytes:
    return struct.pack("!BBHII", 0x80, payload_type, 1, timestamp, 7) + bytes(octets - 12)


def test_the_clip_is_the_same_each_time_and_never_jumps() -> None:
    one, other = clip(128, 96, 4), clip(128, 96, 4)
    assert all(np.array_equal(first, second) for first, second in zip(one, other, strict=True))
    assert [place(number, 4) for number in range(8)] == [0, 1, 2, 3, 2, 1, 0, 1]


@pytest.mark.parametrize("number", [0, 1, 1234, 0xDEADBEEF])
def test_numbers_survive_being_made_smaller(number: int) -> None:
    data = clip(640, 480, 2)[0]
    write_stamp(data, number)
    for width, height in ((640, 480), (320, 240), (160, 120)):
        assert number_of(scaled(Picture(data, 0.0), width, height).data[:height]) == number
    assert number_of(data[:10, :100]) is None


def call(*, missing: range = range(0), late: float = 0.05, seconds: float = 8.0) -> Take:
    """30 pictures a second through a call that loses some and damages none."""
    camera, watcher = Camera(clip(SMALL.width, SMALL.height)), Watcher()
    for number in range(int(30 * seconds)):
        data = camera.picture(number)
        if number not in missing:
            watcher.see(data[: SMALL.height])
    sent = {number: 1000 + number / 30 for number in camera.sent}
    seen = tuple(
        Seen(number=one.number, time=sent[one.number] + late, width=one.width, height=one.height, kept=one.kept)
        for one in watcher.seen
    )
    datagrams = tuple(Datagram(n / 100, 1250, n % 2 == 0, None if n % 50 == 0 else 0.01, 480 * n) for n in range(800))
    return Take(
        first=EndTake(sent=sent, seen=(), concealed=None, cpu_pct=20.0),
        second=EndTake(sent={}, seen=seen, concealed=0.01, cpu_pct=10.0),
        begin=1000.0,
        datagrams=datagrams,
        stalls=0,
        networks=SMALL.networks,
    )


def test_a_good_call_has_good_figures() -> None:
    found = figures(SMALL, call())
    assert found["latency_ms"] == pytest.approx(50)
    assert found["shown_fps"] == pytest.approx(30, abs=0.5)
    assert found["freeze_ms"] < 60
    assert found["frozen_s"] == 0
    assert (found["psnr_db"], found["ssim"]) == (pytest.approx(68, abs=1), pytest.approx(1))
    assert found["kbit_s"] == pytest.approx(500, rel=0.01)
    assert found["voice_lost"] == pytest.approx(1 / 25, abs=0.005)


def test_what_is_missing_is_a_freeze() -> None:
    found = figures(SMALL, call(missing=range(100, 130)))
    assert found["freeze_ms"] == pytest.approx(31 / 30 * 1000, abs=1)
    assert found["frozen_s"] == pytest.approx(31 / 30, abs=0.01)
    nothing = figures(SMALL, call(missing=range(1000)))
    assert (nothing["latency_ms"], nothing["psnr_db"], nothing["freeze_ms"]) == (None, None, 6000)
    assert gaps([1.0, 3.0], 0.0, 10.0) == [1.0, 2.0, 7.0]


def test_damage_lowers_both_measures_of_quality() -> None:
    one = clip(128, 96, 1)[0][:96]
    worse = np.clip(one.astype(int) + np.random.default_rng(1).integers(-20, 21, one.shape), 0, 255).astype(np.uint8)
    assert psnr(one, one) > 60
    assert psnr(one, worse) == pytest.approx(26.6, abs=0.5)
    assert ssim(one, worse) < 0.9


def test_a_rate_is_stable_when_it_stays() -> None:
    assert stable([500, 1600, 1400, 1500, 1600, 1700]) == 3
    assert stable([1600, 1600]) is None


def test_a_step_is_met_by_what_waits_and_what_is_lost() -> None:
    data = []
    for n in range(4500):
        at, narrow = n / 100, NARROW[0] <= n / 100 < NARROW[1]
        data.append(Datagram(at, 375 if narrow else 2500, False, 0.2 if narrow else 0.02, 0))
        data.append(Datagram(at, 100, True, None if narrow and n % 10 == 0 else 0.02, 480 * n))
    found = step(data, 45)
    assert found["before_kbit_s"] == pytest.approx(2000)
    assert found["narrow_kbit_s"] == pytest.approx(300)
    assert (found["queue_ms"], found["recovery_s"]) == (pytest.approx(200), 0.0)
    assert found["narrow_voice_lost"] == pytest.approx(0.1)
    assert len(found["kbit_s_series"]) == len(found["queue_ms_series"]) == 45


def test_all_that_is_sent_shares_the_narrowest_part_of_the_way() -> None:
    link = Link((Network(rate=8_000_000, delay=0.01), Network(rate=800_000, delay=0.0)), frozenset({111}))
    assert link.pass_on(rtp(96, 0), 5.0) == 5.0
    link.begin(10.0)
    first, second = link.pass_on(rtp(96, 0), 10.0), link.pass_on(rtp(111, 0), 10.0)
    assert first is not None
    assert second is not None
    assert first == pytest.approx(10.0 + 0.01 + 0.001 + 0.0103, abs=0.001)
    assert second - first == pytest.approx(0.0103, abs=0.001)
    assert link.pass_on(b"\x80\xc8" + bytes(30), 10.0) == pytest.approx(10.01)
    count = link.end(20.0)
    assert isinstance(count, LinkCount)
    assert [datagram.voice for datagram in count.datagrams] == [False, True]


def test_voice_is_late_where_it_leaves_later_than_usual() -> None:
    def packet(n: int, late: float = 0.0) -> Datagram:
        return Datagram(n * 0.02 + late, 100, True, 0.0, 2**32 - 960 * 50 + 960 * n)

    assert late_voice([]) == 0
    assert late_voice([packet(n) for n in range(300)]) == 0
    assert late_voice([packet(n, 0.05 if n in (100, 200) else 0.0) for n in range(300)]) == 2
    # From some moment on is not late; nor is what comes again.
    assert late_voice([packet(n, 0.0 if n < 150 else 0.2) for n in range(300)]) <= 51
    assert late_voice([*(packet(n) for n in range(100)), packet(50, 1.0), *(packet(n) for n in range(100, 200))]) == 0


def row(network: str, system: str, **values: object) -> dict[str, object]:
    return {"network": network, "system": system, "freeze_ms": 100.0, "latency_ms": 20.0, "valid": True, **values}


def test_tables_and_chart_show_every_row(tmp_path: Path) -> None:
    rows = [row("loss-5", "openvoice"), row("loss-5", "aiortc", freeze_ms=600.0, valid=False, stalls=[99])]
    rows.append(row("step", "openvoice", kbit_s_series=[100] * 45, narrow_voice_lost=0.01, recovery_s=None))
    text = table.markdown(rows)
    assert "|  | aiortc | 20.0" in text
    assert "99 (spoiled)" in text
    assert "| openvoice | - | - | - | - | 1.0 | - | 100 | - |" in text
    assert table.line(rows[0]).startswith("loss-5")
    drawn = chart(rows, "today")
    assert drawn.count("<polyline") == 4
    (tmp_path / "video-quality.md").write_text(f"{BEGIN}old\n{END}")
    results = VideoResults(tmp_path / "out.json")
    results.about({"openvoice": "1"})
    results.add(rows)
    results.document(tmp_path)
    assert "Measured on" in (tmp_path / "video-quality.md").read_text()


def test_figures_are_medians_over_the_seeds() -> None:
    ones = [
        {"freeze_ms": freeze, "latency_ms": late, "stalls": stalls, "kbit_s_series": [freeze, 0]}
        for freeze, late, stalls in ((100.0, 20.0, 0), (300.0, None, 20), (200.0, 30.0, 1))
    ]
    found = combined(ones)
    assert (found["freeze_ms"], found["latency_ms"], found["valid"]) == (200.0, 25.0, False)
    assert found["kbit_s_series"] == [200, 0]


def test_rows_are_chosen_by_name() -> None:
    assert [row.name for row in chosen(None, True)] == list(QUICK)
    assert chosen(None, False) == list(ROWS)
    with pytest.raises(SystemExit, match="no row"):
        chosen("clean,nowhere", False)
