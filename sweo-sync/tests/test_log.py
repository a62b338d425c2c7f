from __future__ import annotations

import re

import pytest


def test_newest_first_with_both_values(desk):
    rows = desk.json("log")
    assert [row["field"] for row in rows] == ["Title", "industry", "name"]
    assert (rows[0]["old"], rows[0]["new"], rows[0]["side"]) == ("Miss", "Countess", "salesforce")


@pytest.mark.parametrize(
    ("filters", "fields"),
    [
        (("--mapping", "accounts"), ["industry", "name"]),
        (("--record", "003000000000001"), ["Title"]),
        (("--record", "6f0000000000000000000001"), ["industry", "name"]),
        (("--field", "Industry"), ["industry"]),
        (("--field", "job_title"), ["Title"]),
        (("--run", "run2"), ["Title"]),
        (("--outcome", "won a conflict"), ["industry"]),
        (("--limit", "1"), ["Title"]),
        (("--since", "1h"), ["Title", "industry", "name"]),
        (("--since", "2999-01-01"), []),
    ],
)
def test_filters(desk, filters, fields):
    assert [row["field"] for row in desk.json("log", *filters)] == fields


def test_table_shows_who_and_from_what_to_what(desk):
    shown = desk.run("log", "--field", "Title").output
    assert re.search(r"Sweo +Salesforce +Title +Miss +Countess +written", shown)


def test_an_age_that_is_none_is_a_usage_error(desk):
    assert "--since" in desk.run("log", "--since", "soon", exit_code=2).stderr


def test_an_unknown_mapping_gets_the_nearest_name(desk):
    assert "did you mean accounts?" in desk.run("log", "--mapping", "acounts", exit_code=1).stderr
