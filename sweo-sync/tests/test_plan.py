"""What `plan` makes of the lines that a dry run and its tap wrote."""

from __future__ import annotations

import json

import pytest
from crosswalk.errors import FatalError
from sweo_sync.plan.command import print_plan
from sweo_sync.plan.foretold import read_plan

CHANGE = {"kind": "change", "mapping": "accounts", "side": "sweo", "salesforce_id": "001A"}
LINES = [
    CHANGE | {"sweo_id": "6f01", "field": "industry", "old": '"Arts"', "new": '"Media"',
              "outcome": "written"},
    CHANGE | {"sweo_id": "planned-001B", "field": "industry", "old": None, "new": '"Arts"',
              "outcome": "created"},
    {"kind": "link", "mapping": "accounts", "salesforce_id": "001C", "sweo_id": "6f03"},
    {"kind": "conflict", "mapping": "accounts", "reason": "edited on both sides",
     "status": "open", "salesforce": '"Energy"', "sweo": '"Retail"'},
    {"kind": "quarantine", "mapping": "accounts", "source_id": "001D", "field": "name",
     "code": "too_long", "message": "Text over 255.", "remedy": "Shorten."},
    {"kind": "summary", "direction": "to_sweo", "counts": {"created": 1, "linked": 2},
     "read_calls": 3, "write_calls": 4},
]  # fmt: skip


@pytest.fixture
def files(tmp_path):
    plan, progress = tmp_path / "plan.jsonl", tmp_path / "progress.jsonl"
    plan.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    progress.write_text('{"calls": 1}\n{"calls": 7}\n')
    return plan, progress


def test_every_kind_is_told_with_counts_examples_and_cost(files, capsys):
    foretold = read_plan(*files, "to_sweo")
    assert foretold.changes_anything
    print_plan(foretold, examples=5)
    text = " ".join(capsys.readouterr().out.split())
    assert "1 created, 2 linked" in text
    assert (
        "7 to Salesforce and 3 to Sweo to read, made just now, and about 4 to Sweo to write" in text
    )
    assert "accounts 001A 6f01 industry Arts Media written" in text
    assert "accounts 001C 6f03" in text
    assert "accounts edited on both sides open Energy Retail" in text
    assert "accounts 001D name too_long Text over 255. Shorten." in text
    assert "planned-" not in text


def test_links_alone_are_a_change(files):
    plan, progress = files
    summary = {**LINES[-1], "counts": {"linked": 1}}
    plan.write_text(json.dumps(summary) + "\n")
    assert read_plan(plan, progress, "to_sweo").changes_anything


def test_a_run_that_did_not_say_that_it_was_dry_is_no_plan(tmp_path):
    with pytest.raises(FatalError, match="without a plan"):
        read_plan(tmp_path / "none", tmp_path / "neither", "to_sweo")
