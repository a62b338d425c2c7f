"""What a full check shows: bars that move and end in check marks, calm lines, JSON."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console
from sweo_sync.full_check.display import Bars, JsonLines, Lines
from sweo_sync.full_check.slices import Slice
from sweo_sync.full_check.standing import ProgressFile, Standing


def line(name, read, total, *, checked=False):
    return {"mapping": name, "read": read, "total": total, "checked": checked}


@pytest.fixture
def standing():
    made = Standing("to_sweo")
    made.take({"check": "2026-01-01T01:03:00Z", "ended": False, "rests": False})
    made.take(line("accounts", 0, None))
    return made


def test_a_bar_has_count_total_rate_and_time_left_and_a_check_mark_at_its_end(standing):
    out = io.StringIO()
    console = Console(file=out, width=140, color_system=None)
    now = [100.0]
    bars = Bars(console, clock=lambda: now[0])

    def shown() -> str:
        out.seek(0)
        out.truncate()
        console.print(bars.renderable)
        return " ".join(out.getvalue().split())

    for read in (0, 2_000, 4_000):
        now[0] += 2
        standing.take(line("accounts", read, 10_000))
        bars.show(standing, None)
    assert shown().endswith(" 4,000 of 10,000 1,000/s 00:06")
    bars.show(standing, "2026-01-01T01:00:00Z")
    assert shown().endswith("waiting for the run that is at work")
    standing.take(line("accounts", 10_000, 10_000, checked=True))
    bars.show(standing, None)
    assert shown().startswith("✓ accounts Salesforce to Sweo ━━━")


def test_lines_are_one_a_slice_and_name_what_moved(standing, capsys):
    with Lines() as lines:
        lines.show(standing, "2026-01-01T01:00:00Z")
        lines.show(standing, "2026-01-01T01:00:00Z")
        standing.take(line("accounts", 3_000, 10_000))
        lines.sliced(standing, Slice(1, "run1"))
        lines.sliced(standing, Slice(2, "run2"))
        standing.take(line("accounts", 10_000, 10_000, checked=True))
        lines.sliced(standing, Slice(3, "run3"))
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 3
    assert told[0].startswith("Salesforce to Sweo: waiting for the run")
    assert told[1].startswith("  accounts, Salesforce to Sweo: 3,000 of 10,000, ")
    assert told[1].endswith(" left")
    assert told[2] == "✓ accounts, Salesforce to Sweo: 10,000 records read"


def test_json_is_one_object_a_slice(standing, capsys):
    standing.take(line("accounts", 3_000, 10_000))
    JsonLines().sliced(standing, Slice(1, "run1", {"read": 3_000}, 7, 1.25))
    (told,) = capsys.readouterr().out.splitlines()
    assert json.loads(told) == {
        "direction": "to_sweo",
        "slice": 1,
        "run": "run1",
        "seconds": 1.2,
        "calls": 7,
        "counts": {"read": 3_000},
        "began": "2026-01-01T01:03:00Z",
        "ended": False,
        "mappings": {"accounts": {"read": 3_000, "total": 10_000, "checked": False}},
    }


def test_more_records_than_were_listed_do_not_break_the_count(standing):
    standing.take(line("accounts", 11_000, 10_000))
    checked = standing.mappings["accounts"]
    assert (checked.read, checked.total) == (11_000, 11_000)
    assert checked.looks_for_the_rest


def test_a_line_that_is_half_written_waits_for_its_end(tmp_path):
    file = tmp_path / "progress"
    news = ProgressFile(file)
    assert news.news() == []
    file.write_text('{"calls": 1}\n{"calls"')
    assert news.news() == [{"calls": 1}]
    with file.open("a") as more:
        more.write(": 2}\n")
    assert news.news() == [{"calls": 2}]
